//! A completed task becomes one journal that charges its order's distributions.

use connector::Code;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use sandbox::oracle::settings::CombinationShape;
use sandbox::oracle::{NewLine, NewOrder};

use super::ledger::decimal;
use crate::fixture::World;

/// Where an order's line is charged when nothing else is said.
const CHARGED: &str = "101.10.60540.000.000.000";
const CLEARING: &str = "101.10.21990.000.000.000";

fn line(amount: &str, accounts: &[&str]) -> NewLine {
    let accounts = accounts.iter().map(|account| (*account).to_owned()).collect();
    NewLine { amount: amount.into(), accounts, ..NewLine::default() }
}

fn order(number: &str, lines: Vec<NewLine>) -> NewOrder {
    NewOrder { number: Some(number.into()), lines, ..NewOrder::default() }
}

/// The amounts of the one batch's lines; credits are below zero.
fn amounts(world: &World) -> Vec<Decimal> {
    world.ledger().one().lines().into_iter().map(|(_, amount)| amount).collect()
}

#[tokio::test]
async fn a_completed_task_brings_one_imported_batch() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["1200.10", "99.90"]).await;
    world.complete(&task);
    world.way_back().await;
    let ledger = world.ledger();
    let batch = ledger.one();
    assert_eq!(
        batch.lines(),
        [(CHARGED, decimal("1200.10")), (CHARGED, decimal("99.90")), (CLEARING, decimal("-1300.00"))]
    );
    assert_eq!(batch.totals(), (decimal("1300.00"), decimal("1300.00")));
    assert_eq!(world.task("US-1").shows("line_item_amount").map(decimal), Some(decimal("1300")));
    assert_eq!(ledger.submitted(), 1);
    assert!(ledger.interface.is_empty(), "{ledger:?}");
    let journal = world.journal().await;
    assert_eq!((journal.state.as_str(), journal.submissions), ("imported", 1));
    assert_eq!(journal.batch_id, Some(batch.id.to_string()));
    assert_eq!(journal.group_id, batch.group.to_string());
    assert!(journal.due_at.is_none() && journal.decided_at.is_some());
    let completion = world.completion().await;
    assert_eq!((completion.state.as_str(), completion.ordinal), ("journal", 1));
    assert_eq!((completion.code, completion.found_by.as_str()), (None, "sweep"));
    world.end().await;
}

#[tokio::test]
async fn every_line_says_which_task_order_and_day_it_is_for() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10", "20"]).await;
    world.complete(&task);
    world.way_back().await;
    let (ledger, completion) = (world.ledger(), world.completion().await);
    let day = completion.completed_at.to_zoned(TimeZone::get("America/New_York").unwrap()).date();
    let of = format!("completed {day}: {}", world.task("US-1").name);
    assert_eq!(
        ledger.one().descriptions(),
        [
            format!("PO US-1 line 1 distribution 1, {of}"),
            format!("PO US-1 line 2 distribution 1, {of}"),
            format!("PO US-1, {of}"),
        ]
    );
    let (batch, facts) = (ledger.one(), world.sandbox.oracle().ledger_facts());
    assert_eq!((&batch.source, &batch.journal().category), (&facts.source, &facts.category));
    assert_eq!(batch.journal().date, day.to_string());
    assert_eq!(batch.period, day.strftime("%b-%y").to_string());
    assert!(batch.name.contains(&format!("Asana {task} US-1")), "{}", batch.name);
    world.end().await;
}

#[tokio::test]
async fn the_task_shows_what_became_of_its_journal() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    assert_eq!(world.task("US-1").shows("journal_status"), None);
    world.complete(&task);
    world.way_back().await;
    let shown = format!("Journal imported: batch {}", world.ledger().one().id);
    assert_eq!(world.task("US-1").shows("journal_status"), Some(shown.as_str()));
    let writes = world.asana_writes();
    world.way_back().await;
    assert_eq!(world.asana_writes(), writes, "nothing is written again");
    world.end().await;
}

#[tokio::test]
async fn the_steps_of_a_journal_say_what_was_asked_and_answered() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.way_back().await;
    let journal = world.journal().await;
    let steps = world.steps(&journal).await;
    let states: Vec<_> = steps.iter().map(|step| step.state.as_str()).collect();
    assert_eq!(states, ["submitting", "submitting", "submitted", "submitted", "imported"], "{steps:#?}");
    assert!(steps[1].what.starts_with("its import begins: group ") && steps[1].response.is_none());
    let sent = steps[2].request.as_deref().unwrap();
    assert!(sent.contains("GlInterface.csv") && sent.contains(&journal.group_id), "{sent}");
    assert!(steps[2].response.as_deref().unwrap().contains("ReqstId"), "{steps:#?}");
    assert!(steps[3].response.as_deref().unwrap().contains("Import Journals"), "{steps:#?}");
    let batch = journal.batch_id.as_deref().unwrap();
    assert!(steps[4].response.as_deref().unwrap().contains(batch), "{steps:#?}");
    assert!(steps.iter().all(|step| step.node_id == world.engine.node.0));
    world.end().await;
}

#[tokio::test]
async fn an_answer_that_says_the_same_again_takes_no_further_row() {
    let world = World::with_journals_and(
        |oracle| oracle.erp.outcome = Some(sandbox::oracle::settings::Outcome::Stuck),
        |_| {},
    )
    .await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.way_back().await;
    world.way_back().await;
    let journal = world.journal().await;
    assert_eq!(journal.state, "submitted");
    let steps = world.steps(&journal).await;
    let last = steps.last().unwrap();
    assert_eq!(steps.len(), 4, "{steps:#?}");
    assert!(last.what == "the job runs" && last.repeats >= 10 && last.last_at > last.at, "{last:?}");
    assert_eq!(world.ledger().submitted(), 1);
    world.end().await;
}

#[tokio::test]
async fn three_distributions_share_a_hundred_to_the_last_cent() {
    let world = World::with_journals().await;
    let accounts = ["101.10.60540.000.000.000", "101.20.60540.000.000.000", "101.30.60540.000.000.000"];
    world.new_order(order("US-1", vec![line("100.00", &accounts)]));
    world.sync().await;
    world.complete(&world.task("US-1").gid);
    world.way_back().await;
    let ledger = world.ledger();
    let shares = ["33.34", "33.33", "33.33"].map(decimal);
    let mut expected: Vec<_> = accounts.into_iter().zip(shares).collect();
    expected.push((CLEARING, decimal("-100.00")));
    assert_eq!(ledger.one().lines(), expected);
    world.end().await;
}

#[tokio::test]
async fn each_company_clears_its_own_share() {
    let world = World::with_journals().await;
    let accounts = ["101.10.60540.000.000.000", "102.10.60540.000.000.000"];
    world.new_order(order("US-1", vec![line("100.01", &accounts)]));
    world.sync().await;
    world.complete(&world.task("US-1").gid);
    world.way_back().await;
    let ledger = world.ledger();
    let expected = [
        (accounts[0], decimal("50.01")),
        (accounts[1], decimal("50.00")),
        (CLEARING, decimal("-50.01")),
        ("102.10.21990.000.000.000", decimal("-50.00")),
    ];
    assert_eq!(ledger.one().lines(), expected);
    world.end().await;
}

#[tokio::test]
async fn yen_are_split_without_decimals_and_converted_by_the_set_rate_type() {
    let world = World::with_journals().await;
    let lines = vec![line("1001", &[CHARGED, "101.20.60540.000.000.000", "101.30.60540.000.000.000"])];
    world.new_order(NewOrder { currency: Some("JPY".into()), ..order("US-1", lines) });
    world.sync().await;
    world.complete(&world.task("US-1").gid);
    world.way_back().await;
    assert_eq!(amounts(&world), ["334", "334", "333", "-1001"].map(decimal));
    let ledger = world.ledger();
    let journal = ledger.one().journal();
    assert_eq!((journal.currency.as_str(), journal.conversion_type.as_deref()), ("JPY", Some("Corporate")));
    assert_eq!(world.journal().await.code, None, "totals in another currency are not compared");
    world.end().await;
}

#[tokio::test]
async fn a_credit_line_takes_its_part_off_and_the_sum_holds() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["100.00", "-19.99"]).await;
    world.complete(&task);
    world.way_back().await;
    assert_eq!(amounts(&world), ["100.00", "-19.99", "-80.01"].map(decimal));
    assert_eq!(world.ledger().one().totals(), (decimal("100.00"), decimal("100.00")));
    world.end().await;
}

#[tokio::test]
async fn a_cost_on_the_task_wins_over_the_order_s() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["100", "300"]).await;
    world.type_in(&task, "cost", 10.05);
    world.complete(&task);
    world.way_back().await;
    // in the lines' proportion
    assert_eq!(amounts(&world), ["2.51", "7.54", "-10.05"].map(decimal));
    assert_eq!(world.completion().await.own_cost.as_deref(), Some("10.05"));
    assert_eq!(world.task("US-1").shows("cost"), Some("10.05"), "it is never written");
    world.end().await;
}

#[tokio::test]
async fn an_order_that_needs_more_characters_than_ascii_is_posted() {
    let world = World::with_journals().await;
    world.new_order(NewOrder {
        supplier: Some("Müller, \"Söhne\" & 株式会社".into()),
        ..order("Ü-1 \u{1F4E6}", vec![line("12.34", &[CHARGED])])
    });
    world.sync().await;
    let task = world.task("Ü-1 \u{1F4E6}");
    world.complete(&task.gid);
    world.way_back().await;
    assert_eq!(world.journal().await.state, "imported");
    let (ledger, name) = (world.ledger(), &task.name);
    assert!(ledger.one().descriptions().iter().all(|text| text.contains(name.as_str())), "{ledger:?}");
    world.end().await;
}

/// What the stand-in's primary chart calls its segments where the tenant has named them.
const SEGMENTS: [&str; 6] = ["company", "lineOfBusiness", "account", "costCenter", "product", "intercompany"];

#[tokio::test]
async fn segments_that_the_tenant_named_are_taken_by_their_names() {
    for names in [&SEGMENTS[..], &[]] {
        // the rows then say nothing in one piece, so that only the names lead to the clearing account
        let world = World::with_journals_and(
            |oracle| oracle.ledger.combinations = CombinationShape::TenantNamed,
            |journal| journal.segment_names = names.iter().map(|name| (*name).to_owned()).collect(),
        )
        .await;
        let task = world.ordered("US-1", &["10"]).await;
        world.complete(&task);
        world.way_back().await;
        if names.is_empty() {
            let code = world.completion().await.code;
            assert_eq!(code, Some(Code::JournalAccountUnusable.to_string()), "without the names it is held");
            assert_eq!(world.ledger().submitted(), 0);
        } else {
            assert_eq!(world.journal().await.state, "imported");
            let lines = [(CHARGED, decimal("10")), (CLEARING, decimal("-10"))];
            assert_eq!(world.ledger().one().lines(), lines);
        }
        world.end().await;
    }
}
