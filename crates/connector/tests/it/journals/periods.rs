//! The accounting date when the completion's period takes no entries.

use connector::Code;
use connector::journal::settings::ClosedPeriod;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sandbox::oracle::Edit;

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
    set_period(&world, "O");
    world.an_hour_later_for_completions().await;
    world.way_back().await;
    let ledger = world.ledger();
    assert_eq!(ledger.one().journal().date, today().to_string());
    assert_eq!(world.completion().await.reason, None);
    world.end().await;
}
