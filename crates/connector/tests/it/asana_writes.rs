//! Writes to Asana whose answer is lost, late, broken or an error: none is done twice, none is lost.

use connector::Code;
use connector::feed::Feed;
use connector::store::jobs::Job;
use sandbox::asana::Edit as AsanaEdit;
use sandbox::{AsanaConfig, Fault, FaultRule, GenerateOptions, SandboxConfig, Side};

use crate::expected;
use crate::fixture::{World, held};

fn status(status: u16, retry_after: Option<&str>, body: Option<&str>) -> Fault {
    Fault::Status {
        status,
        retry_after: retry_after.map(str::to_owned),
        body: body.map(str::to_owned),
        html: false,
    }
}

/// Whatever can happen to one request, applied or not.
fn mishaps() -> Vec<Fault> {
    vec![
        Fault::TimeoutBefore { ms: 30 },
        Fault::TimeoutAfter { ms: 30 },
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::TruncatedBody,
        Fault::MalformedJson,
        Fault::HtmlPage,
        status(500, None, None),
        status(503, Some("0"), None),
        status(504, None, Some("<html>gateway</html>")),
    ]
}

#[tokio::test]
async fn whatever_befalls_the_making_of_a_task_there_is_never_a_second_one() {
    let world = World::new().await;
    for (n, fault) in mishaps().into_iter().enumerate() {
        let number = format!("US-{n}");
        let order = world.order(&number, &["10"]);
        let rule = world.fault(FaultRule::new(fault.clone()).on(Side::Asana).method("POST").times(1));
        world.sync().await;
        assert_eq!(world.fired(rule), 1, "{fault:?}");
        world.settle().await;
        assert_eq!(world.task(&number).shows("line_item_amount"), Some("10"), "{fault:?}");
        assert_eq!(world.movement_of(order).await.state, "delivered");
    }
    // the link that was found after the doubt holds: the next change reaches the same task
    for order in world.sandbox.oracle().order_ids() {
        world.set_amount(order, 1, "11");
    }
    world.sync().await;
    assert_eq!(world.tasks().len(), mishaps().len());
    assert!(world.tasks().iter().all(|task| task.shows("line_item_amount") == Some("11")));
    world.end().await;
}

#[tokio::test]
async fn whatever_befalls_the_change_of_a_task_the_value_arrives() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    for (n, fault) in mishaps().into_iter().enumerate() {
        let amount = format!("{}", 20 + n);
        world.set_amount(order, 1, &amount);
        let rule = world.fault(FaultRule::new(fault.clone()).on(Side::Asana).method("PUT").times(1));
        world.sync().await;
        assert_eq!(world.fired(rule), 1, "{fault:?}");
        world.settle().await;
        assert_eq!(world.task("US-1").shows("line_item_amount"), Some(amount.as_str()), "{fault:?}");
        assert_eq!(world.movement_of(order).await.state, "delivered");
    }
    world.end().await;
}

#[tokio::test]
async fn a_write_without_answer_is_in_doubt_and_looked_up_before_it_is_sent_again() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    world.set_amount(order, 1, "11");
    let silent = FaultRule::new(Fault::TimeoutAfter { ms: 20 }).on(Side::Asana).method("PUT").times(1);
    let rule = world.fault(silent);
    world.sync().await;
    assert_eq!(world.fired(rule), 1);
    let movement = world.movement_of(order).await;
    assert_eq!(movement.code, Some(Code::AsanaNoAnswer.to_string()));
    assert_eq!(movement.state, "in_doubt");
    world.settle().await;
    let movement = world.movement_of(order).await;
    assert_eq!((movement.state.as_str(), movement.outcome.as_deref()), ("delivered", Some("unchanged")));
    let puts = world.sandbox.calls().count(|c| c.side == Side::Asana && c.method == "PUT");
    assert_eq!(puts, 1, "it had happened, so it is not sent again");
    world.end().await;
}

#[tokio::test]
async fn a_change_that_comes_while_a_creation_is_in_doubt_makes_no_second_task() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    for feed in Feed::ALL {
        world.run(Job::Poll(feed)).await.unwrap();
    }
    let silent = FaultRule::new(Fault::TimeoutAfter { ms: 1_500 }).on(Side::Asana).method("POST").times(1);
    let rule = world.fault(silent);
    let (pushed, ()) = tokio::join!(world.run(Job::Push), async {
        // the task is made, and its answer is still awaited
        world.until("the creation", |world| world.fired(rule) > 0).await;
        world.set_amount(order, 1, "11");
        world.run(Job::Poll(Feed::PurchaseOrders)).await.unwrap();
    });
    pushed.unwrap();
    assert_eq!(world.in_state("in_doubt").await.len(), 2, "{:?}", world.movements().await);
    assert_eq!(world.tasks_of("US-1").len(), 1);
    world.settle().await;
    assert_eq!(world.tasks_of("US-1").len(), 1);
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("11"));
    assert_eq!(world.count("select count(*) from creations").await, 0);
    world.end().await;
}

#[tokio::test]
async fn a_task_that_no_listing_shows_is_made_anew_only_when_its_request_can_no_longer_arrive() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    let lost = FaultRule::new(Fault::DropBefore).on(Side::Asana).method("POST").times(1);
    let rule = world.fault(lost);
    world.sync().await;
    assert_eq!(world.fired(rule), 1);
    let due = "update movements set next_attempt_at = now() - interval '1 second'";
    for _ in 0..2 {
        world.sql(due).await;
        world.run(Job::Push).await.unwrap();
        let movement = world.movement_of(order).await;
        assert_eq!((movement.state.as_str(), movement.attempts), ("in_doubt", 1), "{movement:?}");
        assert!(movement.reason.unwrap().contains("no listing shows the task yet"));
    }
    assert!(world.tasks().is_empty());
    world.settle().await;
    assert_eq!(world.tasks_of("US-1").len(), 1);
    let posts = world.sandbox.calls().count(|c| c.side == Side::Asana && c.method == "POST");
    assert_eq!(posts, 2);
    world.end().await;
}

#[tokio::test]
async fn being_asked_to_slow_down_uses_up_no_attempt() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    world.set_amount(order, 1, "11");
    let busy = FaultRule::new(status(429, Some("0"), None)).on(Side::Asana).method("PUT").times(8);
    let rule = world.fault(busy);
    world.sync().await;
    world.settle().await;
    assert_eq!(world.fired(rule), 8);
    let movement = world.movement_of(order).await;
    assert_eq!((movement.state.as_str(), movement.attempts), ("delivered", 1));
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("11"));
    world.end().await;
}

#[tokio::test]
async fn asanas_own_limit_of_writes_at_once_is_met_and_everything_arrives() {
    let asana = AsanaConfig { writes_at_once: 4, latency_ms: 20, ..AsanaConfig::unlimited() };
    let world = World::with(SandboxConfig { asana, ..SandboxConfig::default() }, |_| {}).await;
    let made = GenerateOptions { orders: 15, invoices: 0, ..GenerateOptions::default() };
    world.sandbox.oracle().generate(&made).unwrap();
    world.sync().await;
    world.settle().await;
    assert!(world.sandbox.asana().rate_limited() > 0);
    assert_eq!(world.tasks().len(), 15);
    assert!(world.in_state("delivered").await.iter().all(|m| m.attempts == 1));
    world.end().await;
}

#[tokio::test]
async fn after_five_attempts_a_movement_has_failed_and_the_next_change_delivers() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    world.set_amount(order, 1, "11");
    let rule = world.fault(FaultRule::new(status(500, None, None)).on(Side::Asana).method("PUT"));
    world.sync().await;
    world.settle().await;
    assert_eq!(world.fired(rule), 5);
    let movement = world.movement_of(order).await;
    assert_eq!((movement.state.as_str(), movement.attempts), ("failed", 5));
    assert_eq!(movement.code, Some(Code::OutOfAttempts.to_string()));
    world.sandbox.faults().clear();
    world.set_amount(order, 1, "12");
    world.sync().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("12"));
    world.end().await;
}

#[tokio::test]
async fn an_answer_that_shows_another_value_is_a_failure_with_both_on_record() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    let task = world.task("US-1").gid;
    world.set_amount(order, 1, "11");
    let field = world.field("line_item_amount");
    let project = &world.board.project;
    let body = format!(
        r#"{{"data":{{"gid":"{task}","name":"x","created_at":"2026-01-01T00:00:00.000Z",
            "modified_at":"2026-01-01T00:00:00.000Z","completed":false,
            "memberships":[{{"project":{{"gid":"{project}"}}}}],"custom_fields":[
            {{"gid":"{field}","resource_subtype":"number","number_value":11.5}}]}}}}"#
    );
    world.fault(FaultRule::new(status(200, None, Some(&body))).on(Side::Asana).method("PUT").times(1));
    world.sync().await;
    let movement = world.movement_of(order).await;
    assert_eq!(movement.state, "failed", "{movement:?}");
    assert_eq!(movement.code, Some(Code::AsanaStoredOther.to_string()));
    world.set_amount(order, 1, "12");
    world.sync().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("12"));
    world.end().await;
}

#[tokio::test]
async fn through_a_storm_of_faults_every_order_has_exactly_one_task_with_the_right_values() {
    let world = World::new().await;
    let made = GenerateOptions { orders: 150, invoices: 100, ..GenerateOptions::default() };
    world.sandbox.oracle().generate(&made).unwrap();
    // one request in 17 goes wrong: the same one five times in a row is not to be expected
    let mut rules = Vec::new();
    for fault in mishaps().into_iter().chain([status(429, Some("0"), None)]) {
        for method in ["POST", "PUT"] {
            let rule = FaultRule::new(fault.clone()).on(Side::Asana).method(method).probability(0.006);
            rules.push(world.fault(rule));
        }
    }
    world.sync().await;
    world.settle().await;
    for order in world.sandbox.oracle().order_ids() {
        world.set_amount(order, 1, "7.25");
    }
    world.sync().await;
    world.settle().await;
    assert!(rules.iter().map(|rule| world.fired(*rule)).sum::<u64>() > 5);
    assert!(world.in_state("failed").await.is_empty());
    let found = expected::compare(&world).await;
    assert_eq!(found.agree + found.held, 150, "{found:?}");
    world.end().await;
}

#[tokio::test]
async fn a_deleted_task_holds_its_order_until_it_is_restored_from_the_trash() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    let task = world.task("US-1").gid;
    world.asana(AsanaEdit::DeleteTask { task: task.clone() });
    world.set_amount(order, 1, "11");
    world.sync().await;
    assert_eq!(world.held().await, held(&[order], Code::TaskGone));
    assert!(world.tasks().is_empty(), "nothing is made in its place");
    world.an_hour_later().await;
    assert_eq!(world.held().await, held(&[order], Code::TaskGone));
    world.asana(AsanaEdit::RestoreTask { task: task.clone() });
    world.an_hour_later().await;
    assert!(world.held().await.is_empty(), "{:?}", world.held().await);
    assert_eq!(world.task("US-1").gid, task);
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("11"));
    world.end().await;
}

#[tokio::test]
async fn a_deleted_task_is_made_again_when_the_settings_say_so() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    let deleted = world.task("US-1").gid;
    world.asana(AsanaEdit::DeleteTask { task: deleted.clone() });
    world.set_amount(order, 1, "11");
    world.sync().await;
    assert!(world.tasks().is_empty());
    world.edit(|s| s.tasks.deleted = connector::settings::WhenDeleted::Recreate).await.unwrap();
    world.sync().await;
    let made = world.task("US-1");
    assert_ne!(made.gid, deleted);
    assert_eq!(made.shows("line_item_amount"), Some("11"));
    assert!(world.held().await.is_empty());
    // and with the setting on, it happens in one go
    world.asana(AsanaEdit::DeleteTask { task: made.gid });
    world.set_amount(order, 1, "12");
    world.sync().await;
    world.settle().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("12"));
    world.end().await;
}
