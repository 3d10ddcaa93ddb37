//! The accounting date when the completion's period takes no entries.

use connector::Code;
use connector::journal::settings::ClosedPeriod;
use connector::store::jobs::Job;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sandbox::oracle::Edit;
use sandbox::{Fault, FaultRule, Side};

use crate::fixture::World;

/// Today in the ledger's time zone.
fn today() -> Date {
    jiff::Timestamp::now().to_zoned(TimeZone::get("America/New_York").unwrap()).date()
}

/// Gives the present period a status.
fn set_period(world: &World, status: &str) {
    let period = today().strftime("%b-%y").to_string();
    world.oracle(Edit::PeriodStatus { period, status: status.into(), ledger: None, application: None });
}

#[tokio::test]
async fn a_closed_period_moves_the_journal_to_the_next_open_one_and_says_so() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    set_period(&world, "C");
    world.complete(&task);
    world.way_back().await;
    let next = today().first_of_month().checked_add(jiff::Span::new().months(1)).unwrap();
    let (ledger, completion) = (world.ledger(), world.completion().await);
    assert_eq!(ledger.one().journal().date, next.to_string());
    assert_eq!(world.journal().await.accounting_date, next.to_string());
    let reason = completion.reason.unwrap();
    assert!(reason.contains(&today().to_string()) && reason.contains(&next.to_string()), "{reason}");
    world.tells(&task, "since that period takes no entries", None).await;
    // the day of completion is not lost
    assert!(ledger.one().descriptions()[0].contains(&format!("completed {}", today())));
    world.end().await;
}

#[tokio::test]
async fn a_journal_that_is_to_wait_for_its_period_comes_when_that_is_opened() {
    let world = World::with_journals_and(|_| {}, |journal| journal.closed_period = ClosedPeriod::Hold).await;
    let task = world.ordered("US-1", &["10"]).await;
    set_period(&world, "C");
    world.complete(&task);
    world.way_back().await;
    let held = world.completion().await;
    assert_eq!((held.state.as_str(), held.code), ("held", Some(Code::JournalPeriodClosed.to_string())));
    assert!(world.task("US-1").shows("journal_status").unwrap().starts_with("Held: MLC-5122"));
    world.tells(&task, "is closed", Some("Open the period in Oracle")).await;
    set_period(&world, "O");
    world.an_hour_later_for_completions().await;
    world.way_back().await;
    let ledger = world.ledger();
    assert_eq!(ledger.one().journal().date, today().to_string());
    assert_eq!(world.completion().await.reason, None);
    world.end().await;
}

/// A journal is decided, then Oracle cannot be reached for an hour, in which the period is closed.
async fn an_outage_over_the_close(world: &World) {
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    for job in [Job::Sweep, Job::Completions] {
        world.run(job).await.unwrap();
    }
    assert_eq!(world.journal().await.accounting_date, today().to_string());
    let down = world.fault(FaultRule::new(Fault::DropBefore).on(Side::Oracle));
    for _ in 0..6 {
        world.run(Job::Journals).await.unwrap();
        world.pass(600).await;
    }
    set_period(world, "C");
    forget_periods(world).await;
    world.sandbox.faults().remove(down);
    let journal = world.journal().await;
    assert_eq!((journal.state.as_str(), journal.submissions), ("ready", 0));
}

/// What is remembered of the periods is older than five minutes.
async fn forget_periods(world: &World) {
    world.edit(|settings| settings.schedule.poll_minutes += 1).await.unwrap();
}

#[tokio::test]
async fn a_period_that_is_closed_before_the_journal_is_sent_moves_it_and_says_so() {
    let world = World::with_journals().await;
    an_outage_over_the_close(&world).await;
    world.way_back().await;
    let next = today().first_of_month().checked_add(jiff::Span::new().months(1)).unwrap().to_string();
    let (journal, ledger) = (world.journal().await, world.ledger());
    assert_eq!((journal.state.as_str(), journal.submissions), ("imported", 1));
    assert_eq!((&journal.accounting_date, &ledger.one().journal().date), (&next, &next));
    let is_told = |text: &str| text.contains("took no entries any more") && text.contains(&next);
    assert!(is_told(&world.completion().await.reason.unwrap()));
    world.tells(&journal.task_gid, "took no entries any more", None).await;
    let steps = world.steps(&journal).await;
    assert!(steps.iter().any(|step| step.state == "submitting" && is_told(&step.what)), "{steps:#?}");
    world.end().await;
}

#[tokio::test]
async fn a_period_that_is_closed_before_the_journal_is_sent_is_waited_for_when_that_is_set() {
    let world = World::with_journals_and(|_| {}, |journal| journal.closed_period = ClosedPeriod::Hold).await;
    an_outage_over_the_close(&world).await;
    world.way_back().await;
    let journal = world.journal().await;
    assert_eq!((journal.state.as_str(), journal.submissions), ("ready", 0));
    assert_eq!(journal.code, Some(Code::JournalPeriodClosed.to_string()));
    world.tells(&journal.task_gid, "is closed", Some("Open the period in Oracle")).await;
    assert!(journal.due_at.is_some() && world.ledger().submitted() == 0);
    assert_eq!(world.task("US-1").shows("journal_status"), Some("Journal waits: MLC-5122"));
    set_period(&world, "O");
    forget_periods(&world).await;
    world.way_back().await;
    let journal = world.journal().await;
    assert_eq!((journal.state.as_str(), journal.code, journal.submissions), ("imported", None, 1));
    assert_eq!(world.ledger().one().journal().date, today().to_string());
    world.end().await;
}

#[tokio::test]
async fn what_was_sent_once_is_never_dated_anew() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    let busy = Fault::Status { status: 429, retry_after: None, body: None, html: false };
    let rule =
        world.fault(FaultRule::new(busy).on(Side::Oracle).method("POST").path("erpintegrations").times(1));
    world.once_back().await.unwrap();
    let journal = world.journal().await;
    assert_eq!((journal.state.as_str(), journal.submissions, world.fired(rule)), ("ready", 1, 1));
    set_period(&world, "C");
    forget_periods(&world).await;
    world.way_back().await;
    let journal = world.journal().await;
    assert_eq!((journal.state.as_str(), journal.submissions), ("rejected", 2));
    assert_eq!(journal.accounting_date, today().to_string());
    assert!(journal.reason.unwrap().contains("EP01"));
    world.end().await;
}
