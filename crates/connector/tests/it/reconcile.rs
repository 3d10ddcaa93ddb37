//! Reconciliation: every difference is made for real, found without a write, put right through movements, and not
//! found again.

use std::collections::BTreeMap;
use std::time::Duration;

use connector::node;
use connector::reconcile::report::{Difference, Kind, Report};
use connector::reconcile::{self, repair};
use connector::store::jobs::Job;
use connector::{Code, settings::WhenDeleted};
use sandbox::Side;
use sandbox::asana::Edit as AsanaEdit;
use sandbox::oracle::Edit;
use tokio::sync::watch;

use crate::dry_run::tables;
use crate::fixture::World;

impl World {
    /// Compares, and proves that nothing was written anywhere.
    async fn check(&self) -> (Report, Vec<Difference>) {
        let posts = || {
            let calls = self.sandbox.calls();
            calls.count(|c| c.side == Side::Oracle && c.method != "GET" && !c.route.contains("token"))
        };
        let before = (tables(self).await, self.asana_state(), self.asana_writes(), posts());
        let made = reconcile::check(&self.engine, self.connection, &watch::Sender::new(0)).await;
        let mut report = made.unwrap();
        assert_eq!(before, (tables(self).await, self.asana_state(), self.asana_writes(), posts()));
        let all = (0..report.len()).map(|place| report.difference(place).unwrap().unwrap()).collect();
        (report, all)
    }

    /// Compares and puts right what can be.
    async fn reconcile(&self) -> repair::Opened {
        let done = self.repair().await;
        self.sync().await;
        self.settle().await;
        done.unwrap_or_default()
    }

    /// Compares and opens the repairs.
    async fn repair(&self) -> Option<repair::Opened> {
        let progress = watch::Sender::new(0);
        let done = node::reconcile(&self.engine, self.connection, Duration::ZERO, &progress).await.unwrap();
        done.opened
    }
}

/// Kind and record of each difference; values by their field.
fn told(differences: &[Difference]) -> Vec<(Kind, String, Vec<String>)> {
    let mut told: Vec<_> = differences
        .iter()
        .map(|d| {
            let fields = d.values.iter().map(|value| value.field.as_str().to_owned()).collect();
            (d.kind, d.source_id.clone(), fields)
        })
        .collect();
    told.sort();
    told
}

fn one(differences: &[Difference], kind: Kind) -> &Difference {
    let mut all = differences.iter().filter(|d| d.kind == kind);
    let found = all.next().unwrap_or_else(|| panic!("no {kind:?} in {differences:#?}"));
    assert!(all.next().is_none(), "several {kind:?} in {differences:#?}");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_synchronisation_both_systems_agree() {
    let world = World::new().await;
    let made = sandbox::GenerateOptions { orders: 60, invoices: 60, ..sandbox::GenerateOptions::default() };
    world.sandbox.oracle().generate(&made).unwrap();
    let (report, _) = world.check().await;
    assert_eq!(report.counts[&Kind::DocumentOld], report.records, "nothing was stored yet");
    world.sync().await;
    world.settle().await;
    let (report, differences) = world.check().await;
    let held = world.held().await.len();
    let explained = differences.iter().filter(|d| d.kind == Kind::Held && d.explained.is_some()).count();
    assert_eq!((differences.len(), explained), (held, held), "{differences:#?}");
    assert!(report.tasks > 0 && report.records > 60);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changed_or_deleted_in_asana_is_found_and_put_right() {
    let world = World::with(
        sandbox::SandboxConfig { asana: sandbox::AsanaConfig::unlimited(), ..Default::default() },
        |settings| settings.tasks.deleted = WhenDeleted::Recreate,
    )
    .await;
    let (typed, deleted) = (world.order("US-1", &["10"]), world.order("US-2", &["20"]));
    world.order("US-3", &["30"]);
    world.sync().await;
    let task = world.task("US-1").gid;
    let (field, gone) = (world.field("line_item_amount"), world.task("US-2").gid);
    world.asana(AsanaEdit::SetValue { task: task.clone(), field, value: serde_json::json!(99) });
    world.asana(AsanaEdit::DeleteTask { task: gone.clone() });

    let (_, differences) = world.check().await;
    let wanted = vec![
        (Kind::ValueDiffers, typed.to_string(), vec!["line_item_amount".to_owned()]),
        (Kind::TaskMissing, deleted.to_string(), vec![]),
    ];
    let mut found = told(&differences);
    found.iter_mut().filter(|(kind, ..)| *kind == Kind::TaskMissing).for_each(|(.., values)| values.clear());
    assert_eq!(found, wanted);
    let differing = one(&differences, Kind::ValueDiffers);
    let value = &differing.values[0];
    assert_eq!((value.expected.as_deref(), value.shown.as_deref()), (Some("10"), Some("99")));
    assert_eq!((&differing.tasks, &differing.explained), (&vec![task], &None));
    assert_eq!(one(&differences, Kind::TaskMissing).tasks, vec![gone]);

    let before = world.movements().await.len();
    let opened = world.reconcile().await;
    assert_eq!((opened.movements, opened.left), (2, 0));
    assert_eq!(world.movements().await.len(), before + 2, "the log tells of each write");
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("10"));
    world.task("US-2");
    let (report, differences) = world.check().await;
    assert!(report.is_empty(), "{differences:#?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_in_oracle_unseen_is_found_and_put_right() {
    let world = World::new().await;
    let (edited, removed) = (world.order("US-1", &["10"]), world.order("US-2", &["20"]));
    let invoice = world.invoice("I-1", &[("US-1", "4")]);
    world.sync().await;
    world.settle().await;
    assert!(world.task("US-1").shows("invoice_status").is_some());
    world.oracle(Edit::LineAmount { order: edited, line: 1, amount: "11".into(), touch: false });
    world.oracle(Edit::Remove { resource: "invoices".into(), id: invoice });
    world.oracle(Edit::Remove { resource: "purchaseOrders".into(), id: removed });

    let (_, differences) = world.check().await;
    let kinds: BTreeMap<Kind, usize> = differences.iter().fold(BTreeMap::new(), |mut kinds, d| {
        *kinds.entry(d.kind).or_default() += 1;
        kinds
    });
    let wanted = [(Kind::ValueDiffers, 1), (Kind::RecordRemoved, 2), (Kind::DocumentOld, 1)];
    assert_eq!(kinds, wanted.into_iter().collect(), "{differences:#?}");
    let fields: Vec<&str> =
        one(&differences, Kind::ValueDiffers).values.iter().map(|value| value.field.as_str()).collect();
    assert!(fields.contains(&"line_item_amount") && fields.contains(&"invoice_status"), "{fields:?}");
    assert_eq!(one(&differences, Kind::DocumentOld).source_id, edited.to_string());

    let opened = world.reconcile().await;
    assert_eq!((opened.scans, opened.forgotten_invoices, opened.left), (1, 1, 1));
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("11"));
    // the order that is gone is for a person, who deletes its task
    let (_, differences) = world.check().await;
    assert_eq!(told(&differences), [(Kind::RecordRemoved, removed.to_string(), vec![])]);
    assert_eq!(differences[0].code.as_deref(), Some(Code::ReconcileRemoved.info().code));
    world.asana(AsanaEdit::DeleteTask { task: world.task("US-2").gid });
    let (_, differences) = world.check().await;
    assert_eq!(told(&differences), [(Kind::LinkNowhere, removed.to_string(), vec![])]);
    world.reconcile().await;
    assert_eq!(world.tasks_of("US-2"), [], "no task comes for an order that is not there");
    let (report, differences) = world.check().await;
    assert!(report.is_empty(), "{differences:#?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_task_and_one_that_left_are_told_for_a_person() {
    let world = World::new().await;
    let (doubled, left) = (world.order("US-1", &["10"]), world.order("US-2", &["20"]));
    world.sync().await;
    let clients = world.engine.clients(world.connection).await.unwrap();
    let body = serde_json::json!({ "data": {
        "name": "a copy", "projects": [world.board.project], "notes": world.task("US-1").notes } });
    clients.asana.create_task(&body.to_string()).await.unwrap();
    let (moved, project) = (world.task("US-2").gid, world.board.project.clone());
    world.asana(AsanaEdit::RemoveFromProject { task: moved.clone(), project: project.clone() });

    let (_, differences) = world.check().await;
    let second = one(&differences, Kind::TaskDuplicated);
    assert_eq!((second.source_id.clone(), second.tasks.len()), (doubled.to_string(), 2));
    assert_eq!(second.code.as_deref(), Some(Code::ReconcileDuplicate.info().code));
    let elsewhere = one(&differences, Kind::TaskElsewhere);
    assert_eq!((elsewhere.source_id.clone(), &elsewhere.tasks), (left.to_string(), &vec![moved.clone()]));
    assert_eq!(differences.iter().filter(|d| d.kind == Kind::TaskMissing).count(), 0, "{differences:#?}");

    let opened = world.reconcile().await;
    // the second task, the one that left, and its order, whose values have no field to stand in
    assert_eq!(opened.left, 3, "{differences:#?}");
    let tasks = world.tasks_of("US-1");
    assert_eq!(tasks.len(), 2, "both get the values");
    let section = world.sandbox.asana().sections(&project)[0].0.clone();
    world.asana(AsanaEdit::MoveTask { task: moved, section });
    let copy = tasks.into_iter().find(|task| task.name == "a copy").unwrap();
    world.asana(AsanaEdit::DeleteTask { task: copy.gid.clone() });
    let (_, differences) = world.check().await;
    assert_eq!(one(&differences, Kind::LinkNowhere).tasks, vec![copy.gid]);
    world.reconcile().await;
    let (report, differences) = world.check().await;
    assert!(report.is_empty(), "{differences:#?}");
    assert_eq!(world.tasks_of("US-1").len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_movement_explains_says_so() {
    let world = World::with(
        sandbox::SandboxConfig { asana: sandbox::AsanaConfig::unlimited(), ..Default::default() },
        |settings| settings.tasks.deleted = WhenDeleted::Hold,
    )
    .await;
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    world.asana(AsanaEdit::DeleteTask { task: world.task("US-1").gid });
    let (report, differences) = world.check().await;
    let held = one(&differences, Kind::TaskMissing);
    assert_eq!((held.code.as_deref(), report.explained), (Some(Code::TaskGone.info().code), 0));
    let opened = world.reconcile().await;
    assert_eq!((opened.movements, opened.left), (1, 1), "the log says why the order has no task");
    assert_eq!(world.movement_of(order).await.state, "held");
    let (report, differences) = world.check().await;
    let held = one(&differences, Kind::TaskMissing);
    let explained = held.explained.clone().unwrap();
    assert_eq!((report.explained, explained.state.as_str()), (1, "held"));
    assert_eq!(explained.code.as_deref(), Some(Code::TaskGone.info().code));
    // an order that changed but is not written yet
    let other = world.order("US-2", &["1"]);
    world.run(Job::Poll(connector::feed::Feed::PurchaseOrders)).await.unwrap();
    let (_, differences) = world.check().await;
    let missing = differences.iter().find(|d| d.source_id == other.to_string()).unwrap();
    assert_eq!(missing.kind, Kind::TaskMissing);
    assert_eq!(missing.explained.clone().unwrap().state, "pending");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_taken_for_deleted_while_a_project_cannot_be_seen() {
    let world = World::new().await;
    world.order("US-1", &["10"]);
    world.sync().await;
    let rule = sandbox::FaultRule {
        side: Some(Side::Asana),
        method: Some("GET".into()),
        path: Some("/tasks?".into()),
        count: Some(2),
        ..sandbox::FaultRule::new(sandbox::Fault::Status {
            status: 403,
            body: None,
            retry_after: None,
            html: false,
        })
    };
    let fault = world.fault(rule);
    let (_, differences) = world.check().await;
    assert_eq!(world.fired(fault), 1);
    assert_eq!(told(&differences), [(Kind::ProjectUnseen, String::new(), vec![])]);
    let opened = world.repair().await.unwrap();
    assert_eq!(world.fired(fault), 2);
    assert_eq!((opened.movements, opened.forgotten_tasks, opened.left), (0, 0, 1));
    world.sync().await;
    assert_eq!(world.tasks_of("US-1").len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn journals_without_a_batch_and_completions_without_a_reason_are_told() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    let other = world.ordered("US-2", &["20"]).await;
    for task in [&task, &other] {
        world.complete(task);
    }
    world.way_back().await;
    let (report, differences) = world.check().await;
    assert_eq!(report.journals, 2);
    assert!(report.is_empty(), "{differences:#?}");

    let batch: (String,) = sqlx::query_as("select batch_id from journals where task_gid = $1")
        .bind(&task)
        .fetch_one(&world.engine.db)
        .await
        .unwrap();
    world.oracle(Edit::DeleteBatch { batch: batch.0.parse().unwrap() });
    let (_, differences) = world.check().await;
    let missing = one(&differences, Kind::BatchMissing);
    assert_eq!((differences.len(), &missing.tasks), (1, &vec![task]));
    assert!(missing.reason.as_deref().unwrap().contains(&batch.0));

    world.sql("delete from journals").await;
    let (_, differences) = world.check().await;
    let bare: Vec<&Difference> = differences.iter().filter(|d| d.kind == Kind::CompletionBare).collect();
    assert_eq!(bare.len(), 2, "{differences:#?}");
    assert_eq!(bare[0].code.as_deref(), Some(Code::ReconcileCompletion.info().code));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_whose_listing_asana_cuts_is_listed_by_section() {
    let asana = sandbox::AsanaConfig { cut_after_rows: 100, ..sandbox::AsanaConfig::unlimited() };
    let world = World::with(sandbox::SandboxConfig { asana, ..Default::default() }, |_| {}).await;
    let section = world.sandbox.asana().seed_section(&world.board.project, "Later").unwrap();
    for n in 0..140 {
        let task = world.persons_task(&format!("OLD-{n}"));
        if n >= 70 {
            world.asana(AsanaEdit::MoveTask { task, section: section.clone() });
        }
    }
    let persons = world.persons_task("US-1");
    world.asana(AsanaEdit::MoveTask { task: persons.clone(), section });
    world.order("US-1", &["10"]);
    world.sync().await;
    world.settle().await;
    assert_eq!(world.task("US-1").gid, persons, "the person's task was seen");
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("10"));
    let (report, differences) = world.check().await;
    assert_eq!((report.tasks, differences), (141, vec![]));
    world.end().await;
}
