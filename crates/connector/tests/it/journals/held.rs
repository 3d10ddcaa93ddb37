//! A completion without a journal says why, and the journal comes when the reason is gone.

use std::collections::BTreeMap;

use connector::Code;
use connector::purpose::Purpose;
use connector::store::completions::Completion;
use connector::store::jobs::Job;
use sandbox::asana::Edit as AsanaEdit;
use sandbox::oracle::{Edit, NewOrder};
use sandbox::{Fault, FaultRule, Side};

use crate::fixture::{World, lines};

/// Completes a task and expects that it brings no journal.
async fn without_journal(world: &World, task: &str) -> Completion {
    world.complete(task);
    world.way_back().await;
    assert!(world.journals().await.is_empty(), "{:?}", world.journals().await);
    assert_eq!(world.ledger().submitted(), 0);
    world.completion().await
}

fn is(completion: &Completion, state: &str, code: Code) {
    assert_eq!((completion.state.as_str(), completion.code.as_deref()), (state, Some(code.info().code)));
    assert!(completion.reason.is_some());
}

#[tokio::test]
async fn an_order_that_is_not_known_yet_is_waited_for() {
    let world = World::with_journals().await;
    let task = world.persons_task("US-9");
    is(&without_journal(&world, &task).await, "held", Code::JournalOrderUnknown);
    world.order("US-9", &["10"]);
    world.sync().await;
    assert!(world.is_due(Job::Completions).await, "the poll that brought the order asks for the job");
    world.way_back().await;
    assert_eq!(world.journal().await.state, "imported");
    assert_eq!(world.completion().await.state, "journal");
    assert!(world.task_with_gid(&task).shows("journal_status").unwrap().starts_with("Journal imported"));
    world.end().await;
}

#[tokio::test]
async fn a_task_without_a_number_rests_until_it_gets_one() {
    let world = World::with_journals().await;
    world.ordered("US-1", &["10"]).await;
    let task = world.sandbox.asana().seed_task(&world.board.project, "Lunch", &BTreeMap::new()).unwrap();
    let completion = without_journal(&world, &task).await;
    is(&completion, "held", Code::JournalNoOrderNumber);
    assert_eq!(world.count("select count(*) from completions where due_at is not null").await, 0);
    world.type_in(&task, "po_number", "US-1");
    world.way_back().await;
    assert_eq!(world.journal().await.task_gid, task);
    world.end().await;
}

#[tokio::test]
async fn a_task_without_a_number_is_read_anew_when_its_number_stands_in_the_field_that_is_mapped_then() {
    let world = World::with_journals().await;
    let right = world.field("po_number").as_str().into();
    let wrong = world.field("requester").as_str().into();
    world.ordered("US-1", &["10"]).await;
    let task = world.persons_task("US-1");
    world
        .edit(|settings| {
            settings.fields.remove(&Purpose::Requester);
            settings.fields.insert(Purpose::PoNumber, wrong);
        })
        .await
        .unwrap();
    let completion = without_journal(&world, &task).await;
    is(&completion, "held", Code::JournalNoOrderNumber);
    world.edit(|settings| drop(settings.fields.insert(Purpose::PoNumber, right))).await.unwrap();
    assert!(world.is_due(Job::Completions).await);
    world.run(Job::Completions).await.unwrap();
    let completion = world.completion().await;
    assert_eq!((completion.state.as_str(), completion.order_number.as_deref()), ("journal", Some("US-1")));
    world.end().await;
}

#[tokio::test]
async fn a_canceled_order_brings_no_journal() {
    let world = World::with_journals().await;
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    world.oracle(Edit::OrderStatus { order, code: "CANCELED".into(), touch: true });
    world.sync().await;
    let task = world.task("US-1").gid;
    is(&without_journal(&world, &task).await, "held", Code::JournalOrderCanceled);
    assert!(world.task("US-1").shows("journal_status").unwrap().starts_with("Held: MLC-5105"));
    world.end().await;
}

#[tokio::test]
async fn a_cost_of_nothing_waits_until_the_order_has_an_amount() {
    let world = World::with_journals().await;
    let order = world.order("US-1", &["0"]);
    world.sync().await;
    let task = world.task("US-1").gid;
    is(&without_journal(&world, &task).await, "held", Code::JournalCostZero);
    world.set_amount(order, 1, "7.50");
    world.sync().await;
    world.way_back().await;
    assert_eq!(world.journal().await.amount, "7.50");
    world.end().await;
}

#[tokio::test]
async fn another_currency_waits_for_a_rate_type() {
    let world = World::with_journals_and(|_| {}, |journal| journal.rate_type = None).await;
    world.new_order(NewOrder {
        number: Some("US-1".into()),
        currency: Some("EUR".into()),
        lines: lines(&["10"]),
        ..NewOrder::default()
    });
    world.sync().await;
    let task = world.task("US-1").gid;
    is(&without_journal(&world, &task).await, "held", Code::JournalNoRateType);
    let rate_type = Some("Corporate".to_owned());
    world.edit(|settings| settings.journal.as_mut().unwrap().rate_type = rate_type).await.unwrap();
    world.way_back().await;
    assert_eq!(world.journal().await.state, "imported");
    world.end().await;
}

#[tokio::test]
async fn several_orders_with_the_task_s_number_are_not_guessed_among() {
    let world = World::with_journals().await;
    let task = world.persons_task("4711");
    for entity in ["US1 Legal Entity", "US2 Legal Entity"] {
        world.new_order(NewOrder {
            number: Some("4711".into()),
            legal_entity: Some(entity.into()),
            lines: lines(&["10"]),
            ..NewOrder::default()
        });
    }
    world.sync().await;
    is(&without_journal(&world, &task).await, "held", Code::JournalOrderAmbiguous);
    world.end().await;
}

#[tokio::test]
async fn a_task_that_is_linked_to_one_order_and_shows_another_is_held() {
    let world = World::with_journals().await;
    world.ordered("US-2", &["20"]).await;
    let task = world.ordered("US-1", &["10"]).await;
    world.type_in(&task, "po_number", "US-2");
    let completion = without_journal(&world, &task).await;
    is(&completion, "held", Code::JournalOrderMismatch);
    let reason = completion.reason.unwrap();
    assert!(reason.contains("US-1") && reason.contains("US-2"), "{reason}");
    world.type_in(&task, "po_number", "US-1");
    world.way_back().await;
    assert_eq!(world.journal().await.amount, "10.00");
    world.end().await;
}

#[tokio::test]
async fn an_approval_counts_only_when_it_is_approved() {
    let world = World::with_journals().await;
    let decide = |world: &World, task: &str, status: &str| {
        world.asana(AsanaEdit::DecideApproval { task: task.to_owned(), status: status.into() });
    };
    let (yes, no) = (world.ordered("US-1", &["10"]).await, world.ordered("US-2", &["20"]).await);
    for task in [&yes, &no] {
        world.asana(AsanaEdit::ChangeSubtype { task: task.clone(), subtype: "approval".into() });
    }
    decide(&world, &yes, "approved");
    decide(&world, &no, "rejected");
    world.way_back().await;
    assert_eq!(world.journal().await.task_gid, yes);
    let completions = world.completions().await;
    let of = |task: &str| completions.iter().find(|c| c.task_gid == task).unwrap();
    is(of(&no), "skipped", Code::JournalNotApproved);
    // it is approved after all; to Asana that is the same completion
    decide(&world, &no, "approved");
    world.way_back().await;
    assert_eq!(world.journals().await.len(), 2);
    assert_eq!(world.completions().await.len(), 2);
    assert_eq!(world.ledger().batches.len(), 2);
    world.end().await;
}

#[tokio::test]
async fn while_oracle_cannot_be_reached_the_completion_says_so_and_then_the_journal_comes() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    let down = world.fault(FaultRule::new(Fault::DropBefore).on(Side::Oracle));
    for _ in 0..8 {
        // an hour of the job's attempts
        world.run(Job::Sweep).await.unwrap();
        assert_eq!(world.run(Job::Completions).await.unwrap_err().code, Code::OracleUnreachable);
        assert!(world.is_due(Job::Completions).await);
        is(&world.completion().await, "held", Code::OracleUnreachable);
        world.tells(&task, "Oracle", Some(Code::OracleUnreachable.info().remedy)).await;
    }
    assert!(world.journals().await.is_empty());
    world.sandbox.faults().remove(down);
    world.way_back().await;
    assert_eq!((world.journal().await.state.as_str(), world.completion().await.code), ("imported", None));
    world.end().await;
}

#[tokio::test]
async fn a_journal_that_is_open_waits_out_an_outage_and_uses_up_no_attempt() {
    for side in [Side::Oracle, Side::Token] {
        let world = World::with_journals().await;
        let task = world.ordered("US-1", &["10"]).await;
        world.complete(&task);
        for job in [Job::Sweep, Job::Completions] {
            world.run(job).await.unwrap();
        }
        world.oracle(Edit::RevokeTokens);
        let down = world.fault(FaultRule::new(Fault::DropBefore).on(side));
        for _ in 0..10 {
            world.run(Job::Journals).await.unwrap();
            let journal = world.journal().await;
            assert_eq!((journal.state.as_str(), journal.submissions), ("ready", 0), "{side:?}");
            assert!(journal.due_at.is_some());
            world.pass(360).await;
        }
        assert!(world.fired(down) >= 10);
        world.sandbox.faults().remove(down);
        world.way_back().await;
        let journal = world.journal().await;
        assert_eq!((journal.state.as_str(), journal.submissions), ("imported", 1));
        world.end().await;
    }
}

#[tokio::test]
async fn what_is_held_for_the_same_reason_is_looked_at_again_with_one_statement() {
    let world = World::with_journals().await;
    for n in 0..30 {
        let task = world.persons_task(&format!("X-{n}"));
        world.complete(&task);
    }
    world.way_back().await;
    assert_eq!(world.count("select count(*) from completions where state = 'held'").await, 30);
    let written = "select count(distinct xmin::text) from completions";
    assert!(world.count(written).await > 1, "each was told once");
    world.an_hour_later_for_completions().await;
    world.run(Job::Completions).await.unwrap();
    assert_eq!(world.count(written).await, 1);
    assert_eq!(world.count("select count(*) from completions where due_at > now()").await, 30);
    world.end().await;
}
