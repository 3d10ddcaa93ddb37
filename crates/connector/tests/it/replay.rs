//! Sending movements again from what is stored of them.

use connector::Code;
use connector::feed::Feed;
use connector::ids::MovementId;
use connector::replay::preview::{Preview, preview};
use connector::replay::{self, How, Report, edit};
use connector::store::connections::{self, Connection};
use connector::store::jobs::Job;
use connector::store::movements::{self, Filter, FullMovement, Movement};
use sandbox::{Fault, FaultRule, GenerateOptions, Side};
use tokio::sync::watch;

use crate::fixture::World;

fn how() -> How {
    How { by: "Ada".to_owned(), note: Some("the cause is mended".to_owned()), older: false }
}

fn refusing() -> FaultRule {
    let status = Fault::Status { status: 400, retry_after: None, body: None, html: false };
    FaultRule::new(status).on(Side::Asana)
}

impl World {
    async fn connection(&self) -> Connection {
        connections::load(&self.engine.db, self.connection).await.unwrap()
    }

    async fn replay(&self, ids: &[MovementId], how: &How) -> Report {
        let progress = watch::Sender::new(0);
        replay::replay(&self.engine.db, &self.connection().await, ids, how, &progress).await.unwrap()
    }

    async fn is_refused(&self, id: MovementId, how: &How) -> &'static str {
        let report = self.replay(&[id], how).await;
        assert_eq!((report.count, report.refused.len()), (0, 1), "{report:?}");
        report.refused[0].code
    }

    async fn foretold(&self, id: MovementId) -> Preview {
        preview(&self.engine, &self.connection().await, &[id], false).await.unwrap().pop().unwrap()
    }

    async fn edit_record(&self, id: MovementId, from: &str, to: &str) {
        let connection = self.connection().await;
        let text = edit::text(&self.engine.db, &connection, id).await.unwrap();
        assert!(text.contains(from), "{text}");
        edit::edit(&self.engine.db, &connection, id, &text.replace(from, to), &how()).await.unwrap();
    }

    async fn full(&self, id: MovementId) -> FullMovement {
        movements::show(&self.engine.db, self.connection, id).await.unwrap().unwrap()
    }

    async fn only(&self, state: &str) -> Movement {
        let found = self.in_state(state).await;
        assert_eq!(found.len(), 1, "{found:?}");
        found.into_iter().next().unwrap()
    }

    /// The only failed one that still needs somebody.
    async fn only_failure(&self) -> Movement {
        assert_eq!(self.failures_left().await, 1);
        let found = self.in_state("failed").await;
        found.into_iter().find(|movement| movement.settled_by.is_none()).unwrap()
    }

    /// An order whose movement Asana refused for good.
    async fn with_a_failed_one(&self) -> (i64, MovementId) {
        let order = self.order("US-1", &["10"]);
        let rule = self.fault(refusing().method("POST"));
        self.sync().await;
        assert_eq!(self.fired(rule), 1);
        self.sandbox.faults().clear();
        (order, MovementId(self.only("failed").await.movement_id))
    }

    fn oracle_calls(&self) -> u64 {
        self.sandbox.calls().count(|call| call.side == Side::Oracle)
    }

    /// How many failed movements still need somebody, on which all that counts or lists them agrees.
    async fn failures_left(&self) -> i64 {
        let db = &self.engine.db;
        let standing = movements::standing(db, self.connection).await.unwrap();
        let counts = movements::count(db, self.connection).await.unwrap();
        assert_eq!(
            (counts.open, counts.held, counts.failed),
            (standing.open, standing.held, standing.failed)
        );
        let causes = connector::store::causes::movements(db, self.connection).await.unwrap();
        let told: i64 = causes.iter().filter(|group| group.state == "failed").map(|group| group.count).sum();
        let unsettled = Filter { state: Some("failed".to_owned()), unsettled: true, ..Filter::default() };
        let grouped = movements::groups(db, self.connection, &unsettled).await.unwrap();
        let grouped: i64 = grouped.iter().map(|group| group.count).sum();
        let listed = movements::list(db, self.connection, &unsettled, 1_000).await.unwrap();
        assert!(listed.iter().all(|movement| movement.settled_by.is_none()), "{listed:?}");
        let listed = i64::try_from(listed.len()).unwrap();
        assert_eq!((told, grouped, listed), (standing.failed, standing.failed, standing.failed));
        standing.failed
    }

    /// What `movements replay --state failed` means.
    async fn replayed_with_all_that_failed(&self) -> Vec<MovementId> {
        let failed = Filter { state: Some("failed".to_owned()), ..Filter::default() };
        movements::newest_of_each(&self.engine.db, self.connection, &failed).await.unwrap()
    }

    async fn deviating(&self) -> i64 {
        let found = connector::store::causes::deviating(&self.engine.db, self.connection).await.unwrap();
        found.map_or(0, |group| group.count)
    }
}

#[tokio::test]
async fn a_failed_movement_is_sent_again_without_asking_oracle() {
    let world = World::new().await;
    let (_, failed) = world.with_a_failed_one().await;
    let asked = world.oracle_calls();
    let report = world.replay(&[failed], &how()).await;
    assert_eq!((report.count, report.refused.len()), (1, 0));
    assert_eq!(world.failures_left().await, 1, "until the replay has ended");
    world.run(Job::Push).await.unwrap();
    assert_eq!(world.failures_left().await, 0, "the replay settled it");
    assert_eq!(world.replayed_with_all_that_failed().await, []);
    assert_eq!(world.full(failed).await.movement.settled_by, Some(report.opened[0].movement.0));
    assert_eq!(world.only("failed").await.movement_id, failed.0, "the log keeps it");
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("10"));
    assert_eq!(world.oracle_calls(), asked);
    let again = world.full(report.opened[0].movement).await;
    assert_eq!((again.movement.state.as_str(), again.movement.replay_of), ("delivered", Some(failed.0)));
    let first = world.full(failed).await;
    assert_eq!(first.movement.state, "failed");
    assert_eq!(again.body, first.body);
    let action = &first.actions[0];
    assert_eq!((action.by.as_str(), action.what.as_str()), ("Ada", "replayed"));
    assert_eq!(action.note.as_deref(), Some("the cause is mended"));
    assert_eq!(action.after, Some(report.opened[0].movement.to_string()));
    assert_eq!(world.deviating().await, 0);
    world.end().await;
}

#[tokio::test]
async fn a_failure_counts_once_however_often_the_record_fails_and_a_newer_delivery_settles_it() {
    let world = World::new().await;
    let (order, failed) = world.with_a_failed_one().await;
    let rule = world.fault(refusing().method("POST"));
    assert_eq!(world.replay(&[failed], &how()).await.count, 1);
    world.run(Job::Push).await.unwrap();
    assert_eq!((world.fired(rule), world.in_state("failed").await.len()), (1, 2));
    assert_eq!(world.failures_left().await, 1, "the newer one counts in its place");
    let again = world.replayed_with_all_that_failed().await;
    assert_eq!(again.len(), 1);
    let connection = world.connection().await;
    replay::discard(&world.engine.db, &connection, &again, &how()).await.unwrap();
    assert_eq!(world.failures_left().await, 0, "the record was given up");

    world.set_amount(order, 1, "11");
    world.sync().await;
    assert_eq!((world.fired(rule), world.failures_left().await), (2, 1));
    world.sandbox.faults().clear();
    world.set_amount(order, 1, "12");
    world.sync().await;
    assert_eq!((world.failures_left().await, world.in_state("failed").await.len()), (0, 3));
    world.end().await;
}

#[tokio::test]
async fn of_the_tasks_of_one_record_none_settles_another() {
    let world = World::new().await;
    let tasks = [world.persons_task("US-1"), world.persons_task("US-1")];
    let order = world.order("US-1", &["10"]);
    for task in &tasks {
        let rule = world.fault(refusing().method("PUT").path(task));
        world.sync().await;
        world.set_amount(order, 1, if *task == tasks[0] { "20" } else { "30" });
        assert_eq!(world.fired(rule), 1);
        assert_eq!(world.only_failure().await.destination_id.as_ref(), Some(task));
        world.sandbox.faults().clear();
    }
    world.sync().await;
    assert_eq!((world.failures_left().await, world.in_state("failed").await.len()), (0, 2));
    world.end().await;
}

#[tokio::test]
async fn an_edited_record_is_previewed_exactly_and_sent_and_told_of_until_oracle_changes_it() {
    let world = World::new().await;
    let (order, failed) = world.with_a_failed_one().await;
    let carried = world.full(failed).await.body;
    world.edit_record(failed, "\"US-1\"", "\"US-1-B\"").await;
    let (writes, movements, asked) =
        (world.asana_writes(), world.movements().await.len(), world.oracle_calls());
    let foretold = world.foretold(failed).await;
    assert!(foretold.is_edited);
    assert_eq!(foretold.requests.len(), 1, "{foretold:?}");
    assert!(foretold.requests[0].starts_with("POST /tasks\n"), "{foretold:?}");
    assert!(foretold.requests[0].contains("US-1-B"));
    assert_eq!((world.asana_writes(), world.oracle_calls()), (writes, asked));
    assert_eq!(world.movements().await.len(), movements);

    let report = world.replay(&[failed], &how()).await;
    world.run(Job::Push).await.unwrap();
    let again = world.full(report.opened[0].movement).await;
    assert_eq!(without_time(again.request.as_deref().unwrap()), without_time(&foretold.requests[0]));
    assert!(again.deviates && again.body.unwrap().contains("US-1-B"));
    assert_eq!(world.full(failed).await.body, carried, "what was carried is kept");
    assert_eq!(world.deviating().await, 1);
    assert_eq!(world.task("US-1-B").shows("line_item_amount"), Some("10"));

    world.set_amount(order, 1, "12.50");
    world.sync().await;
    let task = world.task("US-1");
    assert_eq!(task.shows("line_item_amount"), Some("12.5"));
    assert_eq!((world.tasks().len(), world.deviating().await), (1, 0));
    world.end().await;
}

/// A request without the moment that it was planned at.
fn without_time(request: &str) -> String {
    let mut parts = request.split("date_time\":\"");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.split_once('"').map_or("", |(_, rest)| rest));
    }
    text
}

#[tokio::test]
async fn an_edit_of_an_invoice_reaches_the_task_of_its_order() {
    let world = World::new().await;
    world.order("US-1", &["10"]);
    let invoice = world.invoice("INV-1", &[("US-1", "4.25")]);
    world.sync().await;
    let moved = MovementId(world.movement_of(invoice).await.movement_id);
    world.edit_record(moved, "\"INV-1\"", "\"INV-1-B\"").await;
    assert_eq!(world.replay(&[moved], &how()).await.count, 1);
    world.run(Job::Push).await.unwrap();
    let task = world.task("US-1");
    assert_eq!(
        (task.shows("invoice_numbers"), task.shows("invoiced_amount")),
        (Some("INV-1-B"), Some("4.25"))
    );
    world.end().await;
}

#[tokio::test]
async fn an_older_record_is_refused_unless_it_is_wanted_and_is_told_of_then() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    let old = MovementId(world.movement_of(order).await.movement_id);
    world.set_amount(order, 1, "20");
    world.sync().await;
    assert_eq!(world.is_refused(old, &how()).await, Code::ReplayOlder.info().code);
    let older = How { older: true, ..how() };
    assert_eq!(world.replay(&[old], &older).await.count, 1);
    world.run(Job::Push).await.unwrap();
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("10"));
    assert_eq!(world.deviating().await, 1);
    let newest = world.movements().await.into_iter().find(|m| m.replay_of.is_none()).unwrap();
    assert_eq!(world.replay(&[MovementId(newest.movement_id)], &how()).await.count, 1);
    world.run(Job::Push).await.unwrap();
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("20"));
    assert_eq!(world.deviating().await, 0, "the newest record was sent again");
    world.end().await;
}

#[tokio::test]
async fn a_change_that_comes_while_a_replay_waits_is_not_swallowed_by_it() {
    let world = World::new().await;
    let (order, failed) = world.with_a_failed_one().await;
    world.edit_record(failed, "\"US-1\"", "\"US-1-B\"").await;
    let report = world.replay(&[failed], &how()).await;
    world.set_amount(order, 1, "33");
    world.run(Job::Poll(Feed::PurchaseOrders)).await.unwrap();
    assert_eq!(world.is_refused(failed, &how()).await, Code::ReplayUnderWay.info().code);
    world.run(Job::Push).await.unwrap();
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("33"));
    let again = world.full(report.opened[0].movement).await;
    assert_eq!(again.movement.outcome.as_deref(), Some("superseded"));
    assert_eq!((world.tasks().len(), world.deviating().await), (1, 0));
    world.end().await;
}

#[tokio::test]
async fn what_is_under_way_or_unknown_is_refused() {
    let world = World::new().await;
    world.order("US-1", &["10"]);
    world.run(Job::Poll(Feed::PurchaseOrders)).await.unwrap();
    let pending = MovementId(world.only("pending").await.movement_id);
    assert_eq!(world.is_refused(pending, &how()).await, Code::ReplayTooEarly.info().code);
    let connection = world.connection().await;
    let progress = watch::Sender::new(0);
    let unknown = [MovementId::new()];
    let error = replay::replay(&world.engine.db, &connection, &unknown, &how(), &progress).await.unwrap_err();
    assert_eq!(error.code, Code::MovementUnknown);
    let error = edit::text(&world.engine.db, &connection, unknown[0]).await.unwrap_err();
    assert_eq!(error.code, Code::MovementUnknown);
    let error = replay::discard(&world.engine.db, &connection, &[pending], &how()).await.unwrap_err();
    assert_eq!(error.code, Code::DiscardUnfit);
    world.end().await;
}

#[tokio::test]
async fn of_two_people_at_once_one_sends_again() {
    let world = World::new().await;
    let (_, failed) = world.with_a_failed_one().await;
    let other = World::another_node(&world).await;
    let connection = world.connection().await;
    let ids = [failed];
    for _ in 0..5 {
        let (one, two) = (watch::Sender::new(0), watch::Sender::new(0));
        let how = how();
        let (one, two) = tokio::join!(
            replay::replay(&world.engine.db, &connection, &ids, &how, &one),
            replay::replay(&other.db, &connection, &ids, &how, &two),
        );
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_eq!(one.count + two.count, 1, "{one:?} {two:?}");
        let refused = [one.refused, two.refused].concat();
        assert_eq!(refused[0].code, Code::ReplayUnderWay.info().code);
        world.run(Job::Push).await.unwrap();
    }
    assert_eq!(world.tasks().len(), 1);
    other.db.close().await;
    world.end().await;
}

#[tokio::test]
async fn a_held_movement_makes_room_for_its_replay_and_a_discarded_one_stays_given_up() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    let task = world.task("US-1").gid;
    let rule = {
        let status = Fault::Status { status: 403, retry_after: None, body: None, html: false };
        world.fault(FaultRule::new(status).on(Side::Asana).method("PUT"))
    };
    world.set_amount(order, 1, "11");
    world.sync().await;
    assert_eq!(world.fired(rule), 1);
    let held = MovementId(world.only("held").await.movement_id);
    assert_eq!(world.replay(&[held], &how()).await.count, 1);
    let replaced = world.full(held).await.movement;
    assert_eq!(replaced.outcome.as_deref(), Some("superseded"));
    assert!(replaced.reason.unwrap().contains("by Ada"));
    world.run(Job::Push).await.unwrap();
    let held = MovementId(world.only("held").await.movement_id);
    let connection = world.connection().await;
    replay::discard(&world.engine.db, &connection, &[held], &how()).await.unwrap();
    world.sandbox.faults().clear();
    world.an_hour_later().await;
    let discarded = world.full(held).await;
    assert_eq!(discarded.movement.state, "failed");
    assert_eq!(discarded.movement.outcome.as_deref(), Some("discarded"));
    assert_eq!(discarded.actions.last().unwrap().what, "discarded");
    assert_eq!(world.task_with_gid(&task).shows("line_item_amount"), Some("10"));
    let failed = Filter { state: Some("failed".to_owned()), ..Filter::default() };
    let meant = movements::newest_of_each(&world.engine.db, world.connection, &failed).await.unwrap();
    assert_eq!(meant, [], "what a person gave up is not sent again with all that failed");
    let causes = connector::store::causes::movements(&world.engine.db, world.connection).await.unwrap();
    assert!(causes.is_empty(), "{causes:?}");
    world.end().await;
}

#[tokio::test]
async fn hundreds_are_sent_again_by_a_filter_each_record_once() {
    let world = World::new().await;
    let made = GenerateOptions { orders: 600, invoices: 0, ..GenerateOptions::default() };
    world.sandbox.oracle().generate(&made).unwrap();
    world.run(Job::Poll(Feed::PurchaseOrders)).await.unwrap();
    let rule = world.fault(refusing().method("POST"));
    world.run(Job::Push).await.unwrap();
    assert_eq!(world.fired(rule), 600);
    world.sandbox.faults().clear();
    let filter = Filter { state: Some("failed".to_owned()), ..Filter::default() };
    let groups = movements::groups(&world.engine.db, world.connection, &filter).await.unwrap();
    assert_eq!(groups.iter().map(|group| group.count).sum::<i64>(), 600);
    let ids = movements::newest_of_each(&world.engine.db, world.connection, &filter).await.unwrap();
    let report = world.replay(&ids, &how()).await;
    assert_eq!((report.count, report.opened.len()), (600, 100));
    let asked = world.oracle_calls();
    world.run(Job::Push).await.unwrap();
    assert_eq!((world.tasks().len(), world.oracle_calls()), (600, asked));
    // a second wish finds every record shown already, and makes no task
    let everything = Filter { until: Some(jiff::Timestamp::now()), ..Filter::default() };
    let ids = movements::newest_of_each(&world.engine.db, world.connection, &everything).await.unwrap();
    assert_eq!(ids.len(), 600);
    assert_eq!(world.replay(&ids, &how()).await.count, 600);
    let writes = world.asana_writes();
    world.run(Job::Push).await.unwrap();
    assert_eq!(world.asana_writes(), writes);
    world.end().await;
}
