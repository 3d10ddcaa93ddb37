//! A completed task is opened again.

use connector::Code;
use connector::journal::settings::{ClosedPeriod, Reopened};
use connector::store::jobs::Job;
use jiff::tz::TimeZone;
use sandbox::oracle::Edit;
use sandbox::{Fault, FaultRule, Side};

use super::ledger::decimal;
use crate::fixture::World;

/// The setting under which a journal is taken back.
pub const REVERSE: Reopened = Reopened::Reverse;

async fn reversing() -> World {
    World::with_journals_and(|_| {}, |journal| journal.reopened = REVERSE).await
}

#[tokio::test]
async fn by_default_the_journal_stays_and_a_second_completion_brings_none() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.way_back().await;
    world.reopen(&task);
    world.way_back().await;
    world.tells(&task, "by the settings the journal stays", Some("reverse its batch in Oracle")).await;
    world.complete(&task);
    world.way_back().await;
    assert_eq!(world.journal().await.state, "imported");
    let completions = world.completions().await;
    let [first, second] = completions.as_slice() else { panic!("{completions:?}") };
    assert_eq!((first.state.as_str(), first.code.as_deref()), ("journal", Some("MLC-5130")));
    assert!(first.reopened_at.is_some());
    assert_eq!((second.ordinal, second.state.as_str()), (2, "skipped"));
    assert_eq!(second.code, Some(Code::JournalAlreadyPosted.to_string()));
    assert_eq!((world.ledger().batches.len(), world.ledger().submitted()), (1, 1));
    world.tells(&task, "completion 1", Some("map a cost field")).await;
    world.end().await;
}

#[tokio::test]
async fn a_journal_is_reversed_and_a_second_completion_is_posted_anew() {
    let world = reversing().await;
    world.record_uploads();
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    let task = world.task("US-1").gid;
    world.complete(&task);
    world.way_back().await;
    world.reopen(&task);
    world.way_back().await;
    let [posting, reversal] = &world.journals().await[..] else { panic!() };
    assert_eq!((reversal.kind.as_str(), reversal.state.as_str()), ("reversal", "imported"));
    let ledger = world.ledger();
    let [first, second] = ledger.batches.as_slice() else { panic!("{ledger:?}") };
    let swapped: Vec<_> = first.lines().into_iter().map(|(account, amount)| (account, -amount)).collect();
    assert_eq!(second.lines(), swapped);
    assert!(second.descriptions()[0].contains(&format!("Reversal of batch {}", first.id)));
    assert_eq!(posting.batch_id, Some(first.id.to_string()), "the posting is still the posting");
    let shown = format!("Reversal imported: batch {}", second.id);
    assert_eq!(world.task("US-1").shows("journal_status"), Some(shown.as_str()));
    // the order's amount is another one by now
    world.set_amount(order, 1, "12.50");
    world.sync().await;
    world.complete(&task);
    world.way_back().await;
    let ledger = world.ledger();
    assert_eq!(ledger.batches.len(), 3);
    assert_eq!(ledger.batches[2].totals(), (decimal("12.50"), decimal("12.50")));
    let completions = world.completions().await;
    assert!(completions.iter().all(|completion| completion.state == "journal"), "{completions:?}");
    assert_eq!(world.uploads_after_a_look().await, 3);
    world.end().await;
}

#[tokio::test]
async fn a_second_completion_waits_until_the_reversal_is_in_the_books() {
    let world = reversing().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.way_back().await;
    world.reopen(&task);
    for job in [Job::Sweep, Job::Completions] {
        world.run(job).await.unwrap();
    }
    world.complete(&task);
    for job in [Job::Sweep, Job::Completions] {
        world.run(job).await.unwrap();
    }
    let waiting = world.completions().await.remove(1);
    assert_eq!((waiting.state.as_str(), waiting.ordinal), ("held", 2));
    assert_eq!(world.journals().await.len(), 2, "posting and reversal");
    world.way_back().await;
    let journals = world.journals().await;
    let kinds: Vec<_> = journals.iter().map(|j| (j.kind.as_str(), j.ordinal, j.state.as_str())).collect();
    assert_eq!(kinds, [("posting", 1, "imported"), ("reversal", 1, "imported"), ("posting", 2, "imported")]);
    world.end().await;
}

#[tokio::test]
async fn a_task_that_nobody_saw_open_in_between_is_reversed_and_posted_anew() {
    let world = reversing().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.way_back().await;
    world.reopen(&task);
    world.complete(&task);
    world.way_back().await;
    let completions = world.completions().await;
    assert_eq!(completions.len(), 2);
    assert!(completions[0].reopened_at.is_some() && completions[1].reopened_at.is_none());
    let kinds: Vec<_> = world.journals().await.into_iter().map(|j| (j.kind, j.ordinal)).collect();
    assert_eq!(kinds, [("posting".into(), 1), ("reversal".into(), 1), ("posting".into(), 2)]);
    assert_eq!(world.ledger().batches.len(), 3);
    world.end().await;
}

#[tokio::test]
async fn a_journal_that_was_not_sent_is_withdrawn() {
    for oracle_is_there in [true, false] {
        let world = reversing().await;
        let task = world.ordered("US-1", &["10"]).await;
        world.complete(&task);
        for job in [Job::Sweep, Job::Completions] {
            world.run(job).await.unwrap();
        }
        assert_eq!(world.journal().await.state, "ready");
        world.reopen(&task);
        let down = world.fault(FaultRule::new(Fault::DropBefore).on(Side::Oracle));
        if oracle_is_there {
            world.sandbox.faults().remove(down);
        }
        for job in [Job::Sweep, Job::Completions] {
            world.run(job).await.unwrap();
        }
        world.sandbox.faults().clear();
        world.way_back().await;
        let (journal, completion) = (world.journal().await, world.completion().await);
        assert_eq!((journal.state.as_str(), journal.submissions), ("withdrawn", 0));
        assert_eq!(completion.state, "skipped");
        assert_eq!(completion.code, Some(Code::JournalReopened.to_string()));
        assert_eq!(world.ledger().submitted(), 0);
        // completed again, it is a completion of its own
        world.complete(&task);
        world.way_back().await;
        assert_eq!((world.ledger().submitted(), world.journals().await.len()), (1, 2));
        world.end().await;
    }
}

#[tokio::test]
async fn a_journal_whose_import_runs_is_reversed_once_it_is_known() {
    let world = World::with_journals_and(
        |oracle| oracle.erp.phases.import_ms = 600_000,
        |journal| journal.reopened = REVERSE,
    )
    .await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.once_back().await.unwrap();
    assert_eq!(world.journal().await.state, "submitted");
    world.reopen(&task);
    world.way_back().await;
    assert_eq!(world.journal().await.state, "submitted", "nothing is reversed that is not there");
    world.sandbox.clock().advance(jiff::SignedDuration::from_secs(700));
    world.way_back().await;
    assert_eq!(world.journals().await.len(), 2);
    world.sandbox.clock().advance(jiff::SignedDuration::from_secs(700));
    world.way_back().await;
    let states: Vec<_> = world.journals().await.into_iter().map(|j| (j.kind, j.state)).collect();
    assert_eq!(states, [("posting".into(), "imported".into()), ("reversal".into(), "imported".into())]);
    world.end().await;
}

#[tokio::test]
async fn a_reversal_waits_for_its_period_and_the_first_reason_is_not_lost() {
    let world = World::with_journals_and(
        |_| {},
        |journal| {
            journal.reopened = REVERSE;
            journal.closed_period = ClosedPeriod::Hold;
        },
    )
    .await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.way_back().await;
    let now = jiff::Timestamp::now().to_zoned(TimeZone::get("America/New_York").unwrap());
    let set = |status: &str| {
        let period = now.strftime("%b-%y").to_string();
        world.oracle(Edit::PeriodStatus { period, status: status.into(), ledger: None, application: None });
    };
    set("C");
    // what is remembered of the periods is older than five minutes
    world.edit(|settings| settings.schedule.poll_minutes = 11).await.unwrap();
    world.reopen(&task);
    world.once_back().await.unwrap();
    let completion = world.completion().await;
    world.tells(&task, "it is to be reversed, but", Some("Open the period in Oracle")).await;
    assert_eq!((completion.state.as_str(), world.journals().await.len()), ("journal", 1));
    set("O");
    world.an_hour_later_for_completions().await;
    world.way_back().await;
    assert_eq!(world.journals().await.len(), 2);
    assert_eq!(world.ledger().batches.len(), 2);
    world.end().await;
}

#[tokio::test]
async fn while_a_reversal_is_rejected_the_second_completion_waits() {
    let world = reversing().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.way_back().await;
    let account = "101.10.60540.000.000.000".to_owned();
    world.oracle(Edit::ChangeAccount { account, enabled: Some(false), detail_posting: None });
    world.reopen(&task);
    world.way_back().await;
    assert_eq!(world.journals().await[1].state, "rejected");
    world.complete(&task);
    world.way_back().await;
    assert_eq!(world.journals().await.len(), 2, "the cost is still in the books");
    let waiting = world.completions().await.remove(1);
    assert_eq!((waiting.state.as_str(), waiting.ordinal), ("held", 2));
    world.end().await;
}
