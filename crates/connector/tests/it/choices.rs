//! Suppliers and accounts that may not be used: what an order brings, and what a person chose on a task.

use connector::Code;
use connector::ids::FieldGid;
use connector::purpose::Purpose;
use connector::reference::{Invalid, Kind, ReferenceSettings};
use connector::search::{self, Wanted, Words};
use connector::store::alerts::{self, Alert};
use connector::store::jobs::{self, Job};
use connector::store::{choices, connections};
use jiff::civil::date;
use sandbox::asana::{Edit as AsanaEdit, FieldKind, FieldSpec};
use sandbox::oracle::{Edit, NewLine, NewOrder};
use sandbox::{Fault, FaultRule, Side};

use crate::fixture::{World, held, lines};

const SUPPLIERS: Job = Job::Reference(Kind::Suppliers);
const ACCOUNTS: Job = Job::Reference(Kind::Accounts);

/// A world with `[reference]`, and the field for marks.
async fn with_mark(change: impl FnOnce(&mut ReferenceSettings)) -> (World, String) {
    let world = World::new().await;
    let spec = FieldSpec::new("Check", FieldKind::Text);
    let mark = world.sandbox.asana().seed_local_field(&world.board.project, &spec).unwrap();
    let chart = world.sandbox.oracle().ledger_facts().chart_of_accounts_id.to_string();
    let mut reference = ReferenceSettings {
        mark: Some(FieldGid(mark.clone())),
        chart_of_accounts: Some(chart),
        ..ReferenceSettings::default()
    };
    change(&mut reference);
    world.edit(|settings| settings.reference = Some(reference)).await.unwrap();
    (world, mark)
}

impl World {
    fn order_of(&self, number: &str, supplier: &str) -> i64 {
        let (number, supplier) = (Some(number.to_owned()), Some(supplier.to_owned()));
        self.new_order(NewOrder { number, supplier, lines: lines(&["10"]), ..NewOrder::default() })
    }

    /// Oracle says from now on that the supplier is inactive, or that it is active again.
    fn deactivate(&self, supplier: &str, is_inactive: bool) {
        let supplier = self.sandbox.oracle().supplier_named(supplier).unwrap();
        self.oracle(Edit::DeactivateSupplier { supplier, from: is_inactive.then(|| date(2020, 1, 1)) });
    }

    /// A task of no order, on which a person chose a supplier.
    fn task_with(&self, supplier: &str) -> String {
        let values = [(self.field("supplier"), supplier.into())].into();
        self.sandbox.asana().seed_task(&self.board.project, "made by a person", &values).unwrap()
    }

    fn choose(&self, task: &str, key: &str, value: &str) {
        let (task, field) = (task.to_owned(), self.field(key));
        self.asana(AsanaEdit::SetValue { task, field, value: value.into() });
    }

    /// The open alerts about choices after a look at the causes: what about, and how many tasks.
    async fn wrong_choices(&self) -> Vec<(String, i64)> {
        self.run(Job::Alerts).await.unwrap();
        let open: Vec<Alert> = alerts::list(&self.engine.db, self.connection, false, 100).await.unwrap();
        let told = open.into_iter().filter(|alert| alert.kind == "choice_invalid");
        told.map(|alert| {
            assert_eq!(alert.code.as_deref(), Some("MLC-8010"));
            assert!(!alert.detail.contains("BOLT") && !alert.detail.contains("NOBODY"), "{alert:?}");
            (alert.subject, alert.count)
        })
        .collect()
    }

    async fn asks_for(&self, job: Job) -> bool {
        let all = jobs::status(&self.engine.db, self.connection).await.unwrap();
        all.iter().any(|status| status.job == job.as_str() && status.due_at.is_some())
    }
}

fn suppliers(count: i64) -> Vec<(String, i64)> {
    vec![("supplier".to_owned(), count)]
}

#[tokio::test]
async fn an_inactive_supplier_that_a_person_chooses_is_told_and_marked_until_it_is_put_right() {
    let (world, mark) = with_mark(|_| {}).await;
    world.order_of("US-1", "ACME");
    world.order_of("US-2", "BOLT");
    world.sync().await;
    let task = world.task_with("BOLT");
    world.sync().await;
    world.deactivate("BOLT", true);
    world.run(SUPPLIERS).await.unwrap();
    let writes = world.asana_writes();
    world.sync().await;
    let words = "supplier `BOLT` is inactive in Oracle";
    assert_eq!(world.task_with_gid(&task).shows_gid(&mark), Some(words));
    assert_eq!(world.wrong_choices().await, suppliers(1), "what the order itself says is no choice");
    assert_eq!(world.task("US-2").shows_gid(&mark), None);
    // the log has it like any other write
    let moved = world.movements().await.into_iter().find(|movement| movement.source_id == task).unwrap();
    assert_eq!((moved.state.as_str(), moved.feed.as_str()), ("delivered", "tasks"));
    assert_eq!((moved.outcome.as_deref(), moved.destination_id.as_deref()), (Some("updated"), Some(&*task)));
    let loaded = connections::load(&world.engine.db, world.connection).await.unwrap();
    let told = connector::trace::of(&world.engine.db, &loaded, &task).await.unwrap();
    assert_eq!(moved.reason.as_deref(), Some("marked: supplier `BOLT` is inactive in Oracle"));
    let sent = format!("mark of task {task}: sent to Asana, task {task}: field {mark} `supplier `BOLT`");
    assert!(told.entries.iter().any(|entry| entry.what.starts_with(&sent)), "{told:?}");
    // whoever looks for it finds it, by its words and by its task
    let find = async |text: &str| {
        let words = Words { text: Some(text.to_owned()), ..Words::default() };
        let wanted = Wanted { words, ..Wanted::default() };
        search::take_up(&world.engine.db, world.connection, |_| {}).await.unwrap();
        let answer = search::find(&world.engine.db, world.connection, &wanted, 50).await.unwrap();
        let choices = answer.found.into_iter().filter(|found| found.what == "choice");
        choices.map(|found| (found.task.unwrap(), found.reason.unwrap())).collect::<Vec<_>>()
    };
    let choice = [(task.clone(), words.to_owned())];
    for asked in ["bolt", "BO", task.as_str()] {
        assert_eq!(find(asked).await, choice, "{asked}");
    }
    assert_eq!(find("acme").await, []);
    let projects = [world.board.project.as_str().into()];
    let as_of = choices::as_of(&world.engine.db, world.connection, &projects).await.unwrap();
    assert!(as_of.listed.is_some());
    assert_eq!(as_of.read.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [Kind::Suppliers]);
    let with_another = [projects[0].clone(), "1".into()];
    let as_of = choices::as_of(&world.engine.db, world.connection, &with_another).await.unwrap();
    assert_eq!(as_of.listed, None, "one of them was never listed");
    // its own write is no reason for another
    for _ in 0..3 {
        world.sync().await;
    }
    assert_eq!(world.asana_writes(), writes + 1);
    world.choose(&task, "supplier", "acme");
    let writes = world.asana_writes();
    for _ in 0..3 {
        world.sync().await;
    }
    assert_eq!(world.task_with_gid(&task).shows_gid(&mark), None);
    assert_eq!(world.task_with_gid(&task).shows("supplier"), Some("acme"));
    assert_eq!(find("bolt").await, [], "it was put right");
    let told = connector::trace::of(&world.engine.db, &loaded, &task).await.unwrap();
    assert!(told.entries.iter().any(|entry| entry.what.contains("the mark is emptied")), "{told:?}");
    assert_eq!(world.wrong_choices().await, []);
    assert_eq!(world.asana_writes(), writes + 1);
    world.end().await;
}

#[tokio::test]
async fn on_an_orders_task_the_order_wins_with_its_next_change_and_the_mark_goes_with_it() {
    let (world, mark) = with_mark(|_| {}).await;
    let order = world.order_of("US-1", "ACME");
    world.sync().await;
    world.run(SUPPLIERS).await.unwrap();
    world.sync().await;
    let writes = world.asana_writes();
    let task = world.task("US-1").gid;
    world.choose(&task, "supplier", "NOBODY LTD");
    world.sync().await;
    let shown = world.task("US-1");
    assert_eq!(shown.shows_gid(&mark), Some("supplier `NOBODY LTD` is not known to Oracle"));
    assert_eq!(shown.shows("supplier"), Some("NOBODY LTD"), "it is put right with the order's next change");
    assert_eq!((world.asana_writes(), world.wrong_choices().await), (writes + 1, suppliers(1)));
    world.set_amount(order, 1, "12");
    world.sync().await;
    let shown = world.task("US-1");
    assert_eq!((shown.shows("supplier"), shown.shows_gid(&mark)), (Some("ACME"), None));
    assert_eq!(world.asana_writes(), writes + 2, "one request for all of it");
    world.sync().await;
    assert_eq!(world.wrong_choices().await, []);
    assert_eq!(world.asana_writes(), writes + 2);
    world.end().await;
}

#[tokio::test]
async fn an_order_and_a_mark_of_one_task_are_one_write() {
    let (world, mark) = with_mark(|_| {}).await;
    let order = world.order_of("US-1", "ACME");
    world.sync().await;
    world.run(SUPPLIERS).await.unwrap();
    world.sync().await;
    let writes = world.asana_writes();
    world.choose(&world.task("US-1").gid, "supplier", "NOBODY LTD");
    world.set_amount(order, 1, "12");
    for _ in 0..3 {
        world.sync().await;
    }
    let shown = world.task("US-1");
    assert_eq!((shown.shows("supplier"), shown.shows_gid(&mark)), (Some("ACME"), None));
    assert_eq!(world.asana_writes(), writes + 1);
    assert_eq!(world.wrong_choices().await, []);
    world.end().await;
}

#[tokio::test]
async fn what_may_be_used_is_looked_at_anew_after_a_reading_and_on_another_day() {
    let (world, mark) = with_mark(|_| {}).await;
    world.order_of("US-1", "ACME");
    let (first, second) = (world.task_with("ACME"), world.task_with("NOBODY LTD"));
    world.sync().await;
    assert_eq!(
        world.task_with_gid(&second).shows_gid(&mark),
        None,
        "nothing was read, so nothing can be said"
    );
    let expect = async |words: Option<&str>, count| {
        world.run(SUPPLIERS).await.unwrap();
        assert!(world.asks_for(Job::Push).await);
        world.run(Job::Push).await.unwrap();
        assert_eq!(world.task_with_gid(&first).shows_gid(&mark), words);
        assert_eq!(world.wrong_choices().await, suppliers(count));
    };
    expect(None, 1).await;
    assert!(world.task_with_gid(&second).shows_gid(&mark).unwrap().contains("NOBODY LTD"));
    world.deactivate("ACME", true);
    expect(Some("supplier `ACME` is inactive in Oracle"), 2).await;
    world.deactivate("ACME", false);
    expect(None, 1).await;
    // what was deleted is in no listing; the next day it is looked for
    world.asana(AsanaEdit::DeleteTask { task: second });
    world.run(Job::Push).await.unwrap();
    assert_eq!(world.wrong_choices().await, suppliers(1));
    world.sql("update reference_looks set looked_at = looked_at - interval '1 day'").await;
    world.run(Job::Push).await.unwrap();
    assert_eq!(world.wrong_choices().await, []);
    world.end().await;
}

#[tokio::test]
async fn an_option_that_stands_for_no_supplier_is_marked_and_a_bound_one_is_judged_by_its_supplier() {
    let (world, mark) = with_mark(|reference| reference.options = vec![Purpose::Supplier]).await;
    let spec = FieldSpec::new("Supplier (list)", FieldKind::Enum(vec!["By hand".into()]));
    let list = world.sandbox.asana().seed_local_field(&world.board.project, &spec).unwrap();
    let set = FieldGid(list.clone());
    world.edit(|settings| drop(settings.fields.insert(Purpose::Supplier, set))).await.unwrap();
    world.order_of("US-1", "ACME");
    world.sync().await;
    world.run(SUPPLIERS).await.unwrap();
    world.sync().await;
    let option = |name: &str| {
        let options = world.sandbox.asana().options(&list);
        options.into_iter().find(|(_, its)| its == name).unwrap().0
    };
    let values = |name: &str| [(list.clone(), option(name).into())].into();
    let seed = |name: &str| {
        world.sandbox.asana().seed_task(&world.board.project, "made by a person", &values(name)).unwrap()
    };
    let (by_hand, acme) = (seed("By hand"), seed("ACME"));
    world.sync().await;
    let words = Some("supplier `By hand` is not known to Oracle");
    assert_eq!(world.task_with_gid(&by_hand).shows_gid(&mark), words);
    assert_eq!(world.task_with_gid(&acme).shows_gid(&mark), None);
    assert_eq!(world.wrong_choices().await, suppliers(1));
    world.end().await;
}

#[tokio::test]
async fn accounts_that_a_person_listed_are_judged_one_by_one() {
    let (world, mark) = with_mark(|_| {}).await;
    world.order_of("US-1", "ACME");
    world.sandbox.oracle().generate_reference(0, 3).unwrap();
    world.oracle(Edit::ChangeAccount {
        account: "101.10.60000.101.000.000".into(),
        enabled: Some(false),
        detail_posting: None,
    });
    world.run(ACCOUNTS).await.unwrap();
    let listed = "101.10.60000.100.000.000, 101.10.60000.101.000.000, 1.2.3";
    let values = [(world.field("gl_account"), listed.into())].into();
    let task = world.sandbox.asana().seed_task(&world.board.project, "made by a person", &values).unwrap();
    world.sync().await;
    assert_eq!(
        world.task_with_gid(&task).shows_gid(&mark),
        Some(
            "account `101.10.60000.101.000.000` is inactive in Oracle; account `1.2.3` is not known to Oracle"
        )
    );
    assert_eq!(world.wrong_choices().await, [("gl_account".to_owned(), 1)]);
    world.end().await;
}

#[tokio::test]
async fn a_mark_whose_answer_was_lost_is_looked_up_and_not_written_twice() {
    let (world, mark) = with_mark(|_| {}).await;
    world.order_of("US-1", "ACME");
    world.sync().await;
    world.run(SUPPLIERS).await.unwrap();
    let task = world.task_with("NOBODY LTD");
    let fault = FaultRule::new(Fault::DropAfter).on(Side::Asana).method("PUT").path(&task).times(1);
    let rule = world.fault(fault);
    let writes = world.asana_writes();
    world.sync().await;
    assert_eq!(world.fired(rule), 1);
    world.settle().await;
    assert!(world.task_with_gid(&task).shows_gid(&mark).unwrap().contains("NOBODY LTD"));
    assert_eq!(world.asana_writes(), writes + 1);
    assert_eq!(world.wrong_choices().await, suppliers(1));
    world.end().await;
}

#[tokio::test]
async fn without_a_field_for_marks_there_is_the_alert_alone() {
    let (world, mark) = with_mark(|reference| reference.mark = None).await;
    world.order_of("US-1", "ACME");
    world.sync().await;
    world.run(SUPPLIERS).await.unwrap();
    let task = world.task_with("NOBODY LTD");
    let writes = world.asana_writes();
    world.sync().await;
    assert_eq!(world.wrong_choices().await, suppliers(1));
    world.choose(&task, "supplier", "ACME");
    world.sync().await;
    assert_eq!(world.wrong_choices().await, []);
    assert_eq!((world.asana_writes(), world.task_with_gid(&task).shows_gid(&mark)), (writes, None));
    world.end().await;
}

#[tokio::test]
async fn an_order_of_an_inactive_supplier_is_written_and_its_movement_says_so() {
    let (world, mark) = with_mark(|_| {}).await;
    world.order_of("US-1", "BOLT");
    world.deactivate("BOLT", true);
    world.run(SUPPLIERS).await.unwrap();
    world.sync().await;
    let order = world.order_of("US-2", "BOLT");
    world.sync().await;
    let moved = world.movement_of(order).await;
    assert_eq!(moved.state, "delivered");
    assert_eq!(moved.reason.as_deref(), Some("supplier `BOLT` is inactive in Oracle"));
    let shown = world.task("US-2");
    assert_eq!((shown.shows("supplier"), shown.shows_gid(&mark)), (Some("BOLT"), None));
    assert_eq!(world.wrong_choices().await, [], "no person chose it");
    world.end().await;
}

#[tokio::test]
async fn with_hold_an_inactive_supplier_is_not_written_until_oracle_allows_it() {
    let (world, _) = with_mark(|reference| reference.invalid = Invalid::Hold).await;
    let shown = world.order_of("US-1", "BOLT");
    world.sync().await;
    world.deactivate("BOLT", true);
    world.run(SUPPLIERS).await.unwrap();
    let order = world.order_of("US-2", "BOLT");
    // what is not known yet is asked for, and not called invalid
    world.order_of("US-3", "NEWCOMER");
    world.set_amount(shown, 1, "12");
    world.sql("update jobs set finished_at = now() - interval '2 hours' where job = 'suppliers'").await;
    let (options, progress) = (connector::dry_run::Options::default(), tokio::sync::watch::Sender::new(0));
    let dry = connector::dry_run::run(&world.engine, world.connection, options, &progress);
    assert_eq!(dry.await.unwrap().counts.held, 1, "a dry run foretells it");
    world.sync().await;
    assert_eq!(world.held().await, held(&[order], Code::ReferenceInvalid));
    let reason = world.movement_of(order).await.reason;
    assert_eq!(reason.as_deref(), Some("supplier `BOLT` is inactive in Oracle"));
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("12"), "it shows the supplier already");
    assert_eq!(world.task("US-3").shows("supplier"), Some("NEWCOMER"));
    assert!(world.tasks_of("US-2").is_empty());
    assert!(world.asks_for(SUPPLIERS).await);
    world.deactivate("BOLT", false);
    world.run(SUPPLIERS).await.unwrap();
    world.run(Job::Push).await.unwrap();
    assert!(world.held().await.is_empty());
    assert_eq!(world.task("US-2").shows("supplier"), Some("BOLT"));
    world.end().await;
}

#[tokio::test]
async fn accounts_that_an_order_names_and_nobody_read_are_asked_for_once_an_hour() {
    let (world, _) = with_mark(|reference| reference.chart_of_accounts = None).await;
    let order = |number: &str, account: &str| {
        let line = NewLine { amount: "10".into(), accounts: vec![account.into()], ..NewLine::default() };
        world.new_order(NewOrder { number: Some(number.into()), lines: vec![line], ..NewOrder::default() })
    };
    // other settings ask for a reading; what follows is about orders
    let nothing_is_due = "update jobs set due_at = null where job = 'accounts'";
    world.sql(nothing_is_due).await;
    order("US-1", "101.10.60000.100.000.000");
    world.sync().await;
    assert!(!world.asks_for(ACCOUNTS).await, "which chart is meant, nothing tells");
    let chart = world.sandbox.oracle().ledger_facts().chart_of_accounts_id.to_string();
    let set = |settings: &mut connector::settings::Settings| {
        settings.reference.as_mut().unwrap().chart_of_accounts = Some(chart);
    };
    world.edit(set).await.unwrap();
    world.sql(nothing_is_due).await;
    order("US-2", "101.10.60000.101.000.000");
    world.sync().await;
    assert!(world.asks_for(ACCOUNTS).await);
    world.run(ACCOUNTS).await.unwrap();
    order("US-3", "101.10.60000.102.000.000");
    world.sync().await;
    assert!(!world.asks_for(ACCOUNTS).await, "they were read within the hour");
    world.sql("update jobs set finished_at = now() - interval '2 hours' where job = 'accounts'").await;
    order("US-4", "101.10.60000.102.000.000");
    world.sync().await;
    assert!(world.asks_for(ACCOUNTS).await);
    world.run(ACCOUNTS).await.unwrap();
    world.sql("update jobs set finished_at = now() - interval '2 hours' where job = 'accounts'").await;
    order("US-5", "101.10.60000.102.000.000");
    world.sync().await;
    assert!(!world.asks_for(ACCOUNTS).await, "all are known");
    world.end().await;
}
