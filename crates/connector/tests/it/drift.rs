//! Reconciliation by itself: on its schedule, by one node, in both modes, with a report that is kept and an alert for
//! what is left.

use std::collections::BTreeMap;
use std::time::Duration;

use connector::alerts;
use connector::feed::Feed;
use connector::ids::ConnectionId;
use connector::node::{self, Report};
use connector::reconcile::last::{self, Told};
use connector::settings::{Drift, Every, ReconcileSettings, WhenDeleted};
use connector::store::alerts::Alert;
use connector::store::connections;
use connector::store::jobs::{self, Job, Lease};
use connector::store::reconciliation_runs::{self, KEPT, Run, Tally};
use connector::{Code, Engine, manage};
use jiff::SignedDuration;
use sandbox::asana::Edit as AsanaEdit;
use sandbox::oracle::Edit;
use sandbox::oracle::NewOrder;
use sandbox::{Fault, FaultRule, Side};
use tokio::sync::watch;

use crate::fixture::{World, lines};

/// What became of the differences of a kind: repaired, under way, told, remaining.
type Fates = BTreeMap<String, [i64; 4]>;

impl World {
    /// A world whose Asana has no limits, with these settings of reconciliation.
    async fn reconciling(drift: Drift) -> World {
        World::with(
            sandbox::SandboxConfig { asana: sandbox::AsanaConfig::unlimited(), ..Default::default() },
            |settings| {
                settings.reconcile = ReconcileSettings { drift, ..ReconcileSettings::default() };
                settings.tasks.deleted = WhenDeleted::Recreate;
            },
        )
        .await
    }

    async fn activated(&self) {
        let connection = connections::load(&self.engine.db, self.connection).await.unwrap();
        manage::activate(&self.engine, &connection, manage::FirstLook::Waived).await.unwrap();
    }

    /// Runs the job now, as the schedule would.
    async fn compare(&self) -> Run {
        let mut reports = self.run(Job::Reconcile).await.unwrap();
        let Some(Report::Reconcile(Some(run))) = reports.remove("reconcile") else {
            panic!("nothing was compared");
        };
        run
    }

    /// Whether this node gets the job.
    async fn claims(&self, engine: &Engine) -> Option<Lease> {
        let leases = jobs::claim_due(&engine.db, engine.node, 100).await.unwrap();
        leases.into_iter().find(|lease| lease.job == Job::Reconcile)
    }

    /// In how many whole minutes the job is due.
    async fn due_in_minutes(&self) -> Option<i64> {
        let sql =
            "select round(extract(epoch from due_at - now()) / 60)::bigint from jobs where job = 'reconcile'";
        sqlx::query_scalar(sql).fetch_one(&self.engine.db).await.unwrap()
    }

    /// As if so much time had passed for the job.
    async fn hours_pass(&self, hours: i32) {
        sqlx::query("update jobs set due_at = due_at - make_interval(hours => $1) where job = 'reconcile'")
            .bind(hours)
            .execute(&self.engine.db)
            .await
            .unwrap();
    }

    async fn runs(&self) -> Vec<Run> {
        reconciliation_runs::newest(&self.engine.db, self.connection, 100).await.unwrap()
    }

    /// The differences of the last run.
    async fn last(&self) -> Vec<Told> {
        let connection = connections::load(&self.engine.db, self.connection).await.unwrap();
        last::last(&self.engine.db, &connection, 1_000).await.unwrap().1
    }

    /// The open alert about drift after a look at the causes.
    async fn drift_alert(&self) -> Option<Alert> {
        self.run(Job::Alerts).await.unwrap();
        let open =
            connector::store::alerts::list(&self.engine.db, self.connection, false, 100).await.unwrap();
        open.into_iter().find(|alert| alert.kind == alerts::Kind::DriftFound.as_str())
    }

    async fn set_drift(&self, drift: Drift) {
        self.edit(|settings| settings.reconcile.drift = drift).await.unwrap();
        // an edit has everything planned anew
        self.sync().await;
        self.settle().await;
    }
}

fn fates(run: &Run) -> Fates {
    let one = |tally: &Tally| {
        let parts = [tally.repaired, tally.under_way, tally.told, tally.remaining];
        assert_eq!(tally.found, parts.iter().sum::<i64>(), "{tally:?}");
        (tally.kind.clone(), parts)
    };
    run.counts.iter().map(one).collect()
}

fn wanted(fates: &[(&str, [i64; 4])]) -> Fates {
    fates.iter().map(|(kind, fate)| ((*kind).to_owned(), *fate)).collect()
}

/// Five orders with their tasks, and something done to each: a value typed over, a task deleted, one made twice, one
/// taken out of the project, and a copy that was known and is deleted.
async fn drifted(world: &World) -> [String; 2] {
    for number in ["US-1", "US-2", "US-3", "US-4", "US-5"] {
        world.order(number, &["10"]);
    }
    world.sync().await;
    world.settle().await;
    let dead = copy_of(world, "US-5").await;
    world.sync_all().await;
    let field = world.field("line_item_amount");
    let (typed, left) = (world.task("US-1").gid, world.task("US-4").gid);
    world.asana(AsanaEdit::SetValue { task: typed, field, value: serde_json::json!(99) });
    world.asana(AsanaEdit::DeleteTask { task: world.task("US-2").gid });
    let doubled = copy_of(world, "US-3").await;
    world.asana(AsanaEdit::RemoveFromProject { task: left.clone(), project: world.board.project.clone() });
    world.asana(AsanaEdit::DeleteTask { task: dead });
    [doubled, left]
}

impl World {
    /// Has every record written once more, after the tasks were listed anew.
    async fn sync_all(&self) {
        self.edit(|settings| settings.schedule.overlap_minutes += 1).await.unwrap();
        self.sync().await;
        self.settle().await;
    }
}

/// A task that carries the same key.
async fn copy_of(world: &World, number: &str) -> String {
    let clients = world.engine.clients(world.connection).await.unwrap();
    let notes = world.task(number).notes;
    let data = serde_json::json!({ "name": "a copy", "projects": [world.board.project], "notes": notes });
    let body = serde_json::json!({ "data": data }).to_string();
    clients.asana.create_task(&body).await.unwrap().task.gid
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_drift_in_asana_is_only_told_in_one_mode_and_put_right_in_the_other() {
    let world = World::reconciling(Drift::Report).await;
    let [doubled, left] = drifted(&world).await;
    let (before, writes) = (world.movements().await.len(), world.asana_writes());
    let run = world.compare().await;
    let told = wanted(&[
        // what was typed, and the second task, which shows nothing
        ("value_differs", [0, 0, 0, 2]),
        ("task_missing", [0, 0, 0, 1]),
        ("task_duplicated", [0, 0, 0, 1]),
        ("task_elsewhere", [0, 0, 0, 1]),
        ("link_nowhere", [0, 0, 0, 1]),
        ("held", [0, 0, 0, 1]),
    ]);
    assert_eq!(fates(&run), told, "{:#?}", world.last().await);
    assert_eq!((run.drift.as_str(), run.asked_by.as_str()), ("report", "schedule"));
    assert_eq!((run.records, run.node_id), (5, world.engine.node.0));
    assert_eq!((world.movements().await.len(), world.asana_writes()), (before, writes), "nothing is written");
    let is_typed = |told: &Told| told.difference.values.iter().any(|v| v.shown.as_deref() == Some("99"));
    let value = world.last().await.into_iter().find(is_typed).unwrap();
    assert_eq!(value.fate, "remaining");
    let value = &value.difference.values[0];
    assert_eq!((value.expected.as_deref(), value.shown.as_deref()), (Some("10"), Some("99")));
    let alert = world.drift_alert().await.unwrap();
    assert_eq!((alert.count, alert.code), (7, Some(Code::ReconcileDrift.to_string())));
    assert!(alert.detail.contains("2 value_differs") && alert.detail.contains("US-1"), "{}", alert.detail);
    // a second run finds the same, and tells it once
    world.compare().await;
    assert_eq!(world.drift_alert().await.unwrap().alert_id, alert.alert_id);

    // what is left then is told for what it is
    world.set_drift(Drift::Repair).await;
    let run = world.compare().await;
    let found: i64 = run.counts.iter().map(|tally| tally.found).sum();
    assert!(found >= 4 && run.remaining() == 2, "{:#?}", world.last().await);
    world.sync().await;
    world.settle().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("10"));
    world.task("US-2");
    assert_eq!(world.drift_alert().await.unwrap().count, 2);
    world.asana(AsanaEdit::DeleteTask { task: doubled });
    let section = world.sandbox.asana().sections(&world.board.project)[0].0.clone();
    world.asana(AsanaEdit::MoveTask { task: left, section });
    let run = world.compare().await;
    assert_eq!(run.remaining(), 0, "{:#?}", world.last().await);
    assert!(world.drift_alert().await.is_none(), "it closes by itself");
    world.sync().await;
    world.settle().await;
    let run = world.compare().await;
    assert_eq!(run.counts, [], "{:#?}", world.last().await);
    assert_eq!(world.runs().await.len(), 5);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_was_put_back_is_counted_and_no_alert() {
    let world = World::reconciling(Drift::Repair).await;
    world.order("US-1", &["10"]);
    world.sync().await;
    let (task, field) = (world.task("US-1").gid, world.field("line_item_amount"));
    world.asana(AsanaEdit::SetValue { task, field, value: serde_json::json!(99) });
    let run = world.compare().await;
    assert_eq!(fates(&run), wanted(&[("value_differs", [1, 0, 0, 0])]));
    assert!(world.drift_alert().await.is_none());
    let told = &world.last().await[0];
    assert_eq!((told.fate.as_str(), told.difference.values[0].shown.as_deref()), ("repaired", Some("99")));
    // the run made the push due, and wrote nothing itself
    world.run(Job::Push).await.unwrap();
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("10"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_after_the_last_poll_is_under_way_and_what_a_poll_missed_is_drift() {
    let world = World::reconciling(Drift::Report).await;
    let missed = world.new_order(NewOrder {
        number: Some("US-1".into()),
        last_update: Some(world.sandbox.clock().now() - SignedDuration::from_hours(1)),
        lines: lines(&["10"]),
        ..NewOrder::default()
    });
    let changed = world.order("US-2", &["20"]);
    world.sync().await;
    world.settle().await;
    assert_eq!(world.compare().await.counts, []);
    world.set_amount(changed, 1, "21");
    world.order("US-3", &["30"]);
    let run = world.compare().await;
    let only = wanted(&[
        ("value_differs", [0, 1, 0, 0]),
        ("task_missing", [0, 1, 0, 0]),
        ("document_old", [0, 2, 0, 0]),
    ]);
    assert_eq!(fates(&run), only, "{:#?}", world.last().await);
    assert!(world.drift_alert().await.is_none(), "the next poll brings it");
    // read, and not yet written
    world.run(Job::Poll(Feed::PurchaseOrders)).await.unwrap();
    let only = wanted(&[("value_differs", [0, 1, 0, 0]), ("task_missing", [0, 1, 0, 0])]);
    assert_eq!(fates(&world.compare().await), only, "{:#?}", world.last().await);
    world.run(Job::Push).await.unwrap();

    world.oracle(Edit::LineAmount { order: missed, line: 1, amount: "11".into(), touch: false });
    let run = world.compare().await;
    let drift = wanted(&[("value_differs", [0, 0, 0, 1]), ("document_old", [0, 0, 0, 1])]);
    assert_eq!(fates(&run), drift, "{:#?}", world.last().await);
    assert_eq!(world.drift_alert().await.unwrap().count, 2);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_invoices_that_are_gone_are_left_to_a_person_and_told() {
    let world = World::reconciling(Drift::Repair).await;
    world.order("US-1", &["1000"]);
    let invoices: Vec<i64> = (0..25).map(|n| world.invoice(&format!("I-{n}"), &[("US-1", "1")])).collect();
    world.sync().await;
    world.settle().await;
    for invoice in &invoices[..21] {
        world.oracle(Edit::Remove { resource: "invoices".into(), id: *invoice });
    }
    let run = world.compare().await;
    assert_eq!(fates(&run)["record_removed"], [0, 0, 0, 21], "{:#?}", world.last().await);
    let doubted = Code::ReconcileManyRemoved.to_string();
    let codes: Vec<_> = world.last().await.into_iter().filter_map(|told| told.difference.code).collect();
    assert_eq!(codes, vec![doubted; 21]);
    assert!(world.drift_alert().await.unwrap().detail.contains("21 record_removed"));
    let stored: i64 = sqlx::query_scalar("select count(*) from documents where feed = 'invoices'")
        .fetch_one(&world.engine.db)
        .await
        .unwrap();
    assert_eq!(stored, 25);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_without_an_id_is_held_alone_and_told_by_the_reconciliation() {
    let world = World::reconciling(Drift::Report).await;
    world.order("US-2", &["20"]);
    world.sync().await;
    let body: String =
        sqlx::query_scalar("select body from documents").fetch_one(&world.engine.db).await.unwrap();
    let page = format!(
        r#"{{"items":[{{"POHeaderId":null,"OrderNumber":"US-1"}},{body}],"count":2,"hasMore":false,"limit":499,"offset":0,"links":[]}}"#
    );
    let answer = Fault::Status { status: 200, retry_after: None, body: Some(page), html: false };
    world.fault(FaultRule::new(answer).on(Side::Oracle).path("purchaseOrders"));
    let run = world.compare().await;
    let both = wanted(&[("document_old", [0, 0, 0, 1]), ("held", [0, 0, 0, 1])]);
    assert_eq!((run.records, fates(&run)), (2, both), "{:#?}", world.last().await);
    let told = world.last().await;
    let held = told.iter().find(|told| told.difference.code.is_some()).unwrap();
    assert_eq!(held.difference.code, Some(Code::RecordUnreadable.to_string()));
    assert!(held.difference.source_id.starts_with("nameless/"), "{held:?}");
    world.sync().await;
    assert_eq!(world.task("US-2").shows("line_item_amount"), Some("20"), "the others go on");
    let movements = world.in_state("held").await;
    assert_eq!((movements.len(), &movements[0].source_id), (1, &held.difference.source_id));
    let run = world.compare().await;
    assert_eq!(fates(&run), wanted(&[("held", [0, 0, 1, 0])]), "an alert of its own tells of it");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schedule_fires_after_its_time_and_of_two_nodes_one_compares() {
    let world = World::reconciling(Drift::Repair).await;
    world.order("US-1", &["10"]);
    world.sync().await;
    assert_eq!(world.due_in_minutes().await, None, "a draft");
    world.activated().await;
    assert_eq!(world.due_in_minutes().await, Some(24 * 60));
    assert!(world.claims(&world.engine).await.is_none());
    world.hours_pass(23).await;
    assert!(world.claims(&world.engine).await.is_none());
    world.hours_pass(1).await;
    // a node that compares as much as it can leaves it to others
    world
        .sql("update jobs set due_at = now(), node_id = null, lease_until = null where job <> 'reconcile'")
        .await;
    let full =
        jobs::claim_due_but(&world.engine.db, world.engine.node, 100, &[Job::Reconcile]).await.unwrap();
    assert!(!full.is_empty() && full.iter().all(|lease| lease.job != Job::Reconcile), "{full:?}");
    let other = world.another_node().await;
    let (mine, others) = tokio::join!(world.claims(&world.engine), world.claims(&other));
    assert!(mine.is_some() != others.is_some(), "{mine:?} {others:?}");
    // neither a third one nor a person's runs beside it
    let none = node::reconcile(&world.engine, world.connection, Duration::ZERO, &watch::Sender::new(0)).await;
    assert_eq!(none.unwrap_err().code, Code::LeaseBusy);
    let (engine, lease) = mine.map(|lease| (&world.engine, lease)).or(others.map(|l| (&other, l))).unwrap();
    // the push was claimed before it, and is not at work
    world.sql("update jobs set node_id = null, lease_until = null where job <> 'reconcile'").await;
    node::work(engine, &lease, &watch::Sender::new(0)).await.unwrap();
    assert_eq!(world.due_in_minutes().await, Some(24 * 60));
    let runs = world.runs().await;
    assert_eq!((runs.len(), runs[0].node_id), (1, engine.node.0));

    // another time counts from when it is set, unless it is due sooner; never is never
    world.edit(|settings| settings.reconcile.every = "2h".parse().unwrap()).await.unwrap();
    assert_eq!(world.due_in_minutes().await, Some(120));
    world.edit(|settings| settings.reconcile.every = "7d".parse().unwrap()).await.unwrap();
    assert_eq!(world.due_in_minutes().await, Some(120));
    world.edit(|settings| settings.reconcile.every = Every::OFF).await.unwrap();
    world.run(Job::Reconcile).await.unwrap();
    assert_eq!((world.due_in_minutes().await, world.runs().await.len()), (None, 1));
    // a person may all the same
    let done = node::reconcile(&world.engine, world.connection, Duration::ZERO, &watch::Sender::new(0)).await;
    assert_eq!(done.unwrap().run.asked_by, "person");
    assert_eq!((world.due_in_minutes().await, world.runs().await.len()), (None, 2));
    other.db.close().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_that_run_by_themselves_compare_once_and_put_right() {
    let world = World::reconciling(Drift::Repair).await;
    for n in 0..20 {
        world.order(&format!("US-{n}"), &["10"]);
    }
    world.sync().await;
    world.settle().await;
    world.activated().await;
    let other = world.another_node().await;
    let (stop, stopped) = watch::channel(false);
    let nodes =
        [world.engine.clone(), other.clone()].map(|node| tokio::spawn(node::run(node, stopped.clone())));
    let (task, field) = (world.task("US-7").gid, world.field("line_item_amount"));
    world.asana(AsanaEdit::SetValue { task, field, value: serde_json::json!(99) });
    world.hours_pass(24).await;
    world.until("the amount", |world| world.task("US-7").shows("line_item_amount") == Some("10")).await;
    stop.send_replace(true);
    for node in nodes {
        node.await.unwrap();
    }
    let runs = world.runs().await;
    assert_eq!(runs.len(), 1, "{runs:#?}");
    assert_eq!(fates(&runs[0])["value_differs"], [1, 0, 0, 0]);
    other.db.close().await;
    world.end().await;
}

/// Every request for orders takes so long.
fn slow(world: &World, ms: u64) -> u64 {
    world.fault(FaultRule::new(Fault::Delay { ms }).on(Side::Oracle).path("purchaseOrders"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_lost_in_the_middle_leaves_nothing_and_another_begins_anew() {
    let world = World::reconciling(Drift::Repair).await;
    world.order("US-1", &["10"]);
    world.sync().await;
    let (task, field) = (world.task("US-1").gid, world.field("line_item_amount"));
    world.asana(AsanaEdit::SetValue { task, field, value: serde_json::json!(99) });
    world.activated().await;
    world.sql("update jobs set due_at = null where job <> 'reconcile'").await;
    let rule = slow(&world, 60_000);
    tokio::select! {
        _ = world.run(Job::Reconcile) => panic!("it cannot end"),
        () = world.until("reading", |world| world.fired(rule) > 0) => {}
    }
    world.sandbox.faults().clear();
    let other = world.another_node().await;
    assert!(world.claims(&other).await.is_none(), "its lease lasts");
    assert_eq!(world.runs().await, []);
    world
        .sql("update jobs set lease_until = now() - interval '1 second' where lease_until is not null")
        .await;
    let lease = world.claims(&other).await.unwrap();
    node::work(&other, &lease, &watch::Sender::new(0)).await.unwrap();
    let runs = world.runs().await;
    assert_eq!((runs.len(), runs[0].node_id), (1, other.node.0));
    assert_eq!(fates(&runs[0]), wanted(&[("value_differs", [1, 0, 0, 0])]));
    other.db.close().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_settings_has_it_compare_anew_and_one_after_the_other_ends_it() {
    let world = World::reconciling(Drift::Report).await;
    world.order("US-1", &["10"]);
    world.sync().await;
    let rule = slow(&world, 300);
    let progress = watch::Sender::new(0);
    let compare = || node::reconcile(&world.engine, world.connection, Duration::from_secs(60), &progress);
    let edit = async {
        world.until("reading", |world| world.fired(rule) > 0).await;
        world.edit(|settings| settings.schedule.poll_minutes += 1).await.unwrap();
    };
    let (done, ()) = tokio::join!(compare(), edit);
    let done = done.unwrap();
    assert_eq!(world.fired(rule), 2, "read once more, with the new settings");
    assert_eq!(done.run.drift, "repair");
    assert_eq!(world.runs().await.len(), 1);

    let keep_editing = async {
        let mut seen = world.fired(rule);
        loop {
            world.until("reading", |world| world.fired(rule) > seen).await;
            seen = world.fired(rule);
            world.edit(|settings| settings.schedule.poll_minutes += 1).await.unwrap();
        }
    };
    let ended = tokio::select! {
        ended = compare() => ended,
        () = keep_editing => unreachable!("it never ends"),
    };
    assert_eq!(ended.unwrap_err().code, Code::ReconcileOvertaken);
    assert_eq!(world.runs().await.len(), 1);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_runs_are_kept_for_each_connection_by_itself() {
    let world = World::reconciling(Drift::Report).await;
    let connection = connections::load(&world.engine.db, world.connection).await.unwrap();
    let none = last::last(&world.engine.db, &connection, 10).await.unwrap_err();
    assert_eq!(none.code, Code::ReconcileNever);
    let first = world.compare().await;
    let other =
        manage::add(&world.engine, "other", &connection.settings, &crate::fixture::secrets(&world.sandbox))
            .await
            .unwrap();
    let keep = async |connection: ConnectionId, run_id| {
        let mut db = world.engine.db.acquire().await.unwrap();
        let run = Run { run_id, ..first.clone() };
        reconciliation_runs::keep(&mut db, connection, world.engine.node, &run, &[]).await.unwrap();
    };
    keep(other, uuid::Uuid::now_v7()).await;
    let mut ids = Vec::new();
    for _ in 0..KEPT {
        let id = uuid::Uuid::now_v7();
        keep(world.connection, id).await;
        ids.insert(0, id);
    }
    let kept: Vec<_> = world.runs().await.into_iter().map(|run| run.run_id).collect();
    assert_eq!(kept, ids, "the first one is forgotten");
    let others = reconciliation_runs::newest(&world.engine.db, other, 100).await.unwrap();
    assert_eq!(others.len(), 1);
    let connection = connections::load(&world.engine.db, other).await.unwrap();
    manage::remove(&world.engine, &connection).await.unwrap();
    assert_eq!(reconciliation_runs::newest(&world.engine.db, other, 100).await.unwrap(), []);
    world.end().await;
}
