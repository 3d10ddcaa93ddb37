//! The upload's answer is lost, or it never arrives: nothing is sent a second time that may be there already.

use connector::Code;
use sandbox::{Fault, FaultRule, Side};

use crate::fixture::World;

/// Longer than the time of settling that these tests set.
const SETTLED: i64 = 61 * 60;

fn upload(fault: Fault) -> FaultRule {
    FaultRule::new(fault).on(Side::Oracle).method("POST").path("erpintegrations").times(1)
}

fn status(status: u16) -> Fault {
    Fault::Status { status, retry_after: None, body: None, html: false }
}

/// The upload happened, and its answer is lost.
async fn accepted_and_lost(fault: Fault) {
    let world = World::with_journals().await;
    world.record_uploads();
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    let rule = world.fault(upload(fault));
    world.once_back().await.unwrap();
    assert_eq!(world.fired(rule), 1);
    assert_eq!(world.journal().await.state, "in_doubt");
    world.way_back().await;
    let (journal, ledger) = (world.journal().await, world.ledger());
    assert_eq!((journal.state.as_str(), journal.submissions), ("imported", 1));
    assert_eq!(journal.batch_id, Some(ledger.one().id.to_string()));
    let group = journal.group_id.parse().unwrap();
    assert_eq!(world.sandbox.oracle().submissions_of(group), 1);
    assert_eq!(world.sandbox.oracle().batches_of(group).len(), 1);
    assert_eq!(world.uploads_after_a_look().await, 1);
    world.end().await;
}

/// The upload did not happen, and nobody can know.
async fn never_arrived(fault: Fault) {
    let world = World::with_journals().await;
    world.record_uploads();
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.fault(upload(fault));
    world.way_back().await;
    let doubtful = world.journal().await;
    assert_eq!((doubtful.state.as_str(), doubtful.submissions), ("in_doubt", 1));
    assert_eq!(world.ledger().submitted(), 0);
    assert_eq!(world.task("US-1").shows("journal_status"), Some("Journal in doubt"));
    // another batch exists by now, so that a look-up can be trusted
    let other = world.ordered("US-2", &["20"]).await;
    world.complete(&other);
    world.way_back().await;
    assert_eq!(world.journals().await[0].submissions, 1, "not before it has settled");
    world.pass(SETTLED).await;
    world.way_back().await;
    let journal = &world.journals().await[0];
    assert_eq!((journal.state.as_str(), journal.submissions), ("imported", 2));
    assert_ne!(journal.group_id, doubtful.group_id, "under a new group");
    assert_eq!(world.sandbox.oracle().submissions_of(journal.group_id.parse().unwrap()), 1);
    assert_eq!((world.ledger().batches.len(), world.ledger().submitted()), (2, 2));
    assert_eq!(world.uploads_after_a_look().await, 3);
    world.end().await;
}

#[tokio::test]
async fn an_upload_whose_connection_drops_after_it_was_accepted_is_found() {
    accepted_and_lost(Fault::DropAfter).await;
}

#[tokio::test]
async fn an_upload_that_is_accepted_in_silence_is_found() {
    accepted_and_lost(Fault::TimeoutAfter { ms: 20 }).await;
}

#[tokio::test]
async fn an_upload_whose_answer_breaks_off_is_found() {
    accepted_and_lost(Fault::TruncatedBody).await;
}

#[tokio::test]
async fn an_upload_whose_answer_cannot_be_read_is_found() {
    accepted_and_lost(Fault::MalformedJson).await;
}

#[tokio::test]
async fn an_upload_whose_connection_drops_before_it_arrived_is_sent_again_once_it_has_settled() {
    never_arrived(Fault::DropBefore).await;
}

#[tokio::test]
async fn an_upload_that_meets_silence_is_sent_again_once_it_has_settled() {
    never_arrived(Fault::TimeoutBefore { ms: 20 }).await;
}

#[tokio::test]
async fn an_upload_that_a_gateway_answers_with_503_is_sent_again_once_it_has_settled() {
    never_arrived(status(503)).await;
}

#[tokio::test]
async fn an_upload_that_is_answered_with_a_page_is_sent_again_once_it_has_settled() {
    never_arrived(Fault::HtmlPage).await;
}

#[tokio::test]
async fn a_first_journal_that_left_nothing_waits_for_a_person_since_no_batch_at_all_is_visible() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.fault(upload(Fault::DropBefore));
    world.way_back().await;
    world.pass(SETTLED).await;
    world.way_back().await;
    let journal = world.journal().await;
    assert_eq!((journal.state.as_str(), journal.submissions), ("in_doubt", 1));
    assert_eq!(journal.code, Some(Code::JournalInDoubt.to_string()));
    assert!(journal.due_at.is_some(), "it is looked for on and on");
    // the proof comes with any batch that can be found
    let other = world.ordered("US-2", &["20"]).await;
    world.complete(&other);
    world.way_back().await;
    let journals = world.journals().await;
    assert!(journals.iter().all(|journal| journal.state == "imported"), "{journals:#?}");
    assert_eq!((world.ledger().batches.len(), world.ledger().submitted()), (2, 2));
    world.end().await;
}

#[tokio::test]
async fn an_upload_that_is_asked_to_slow_down_is_sent_later_and_uses_up_no_attempt() {
    let world = World::with_journals().await;
    world.record_uploads();
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    let busy = Fault::Status { status: 429, retry_after: Some("0".into()), body: None, html: false };
    let rule = world.fault(FaultRule { count: Some(7), ..upload(busy) });
    world.way_back().await;
    let journal = world.journal().await;
    assert_eq!((world.fired(rule), journal.state.as_str(), journal.submissions), (7, "imported", 8));
    assert_eq!(world.ledger().submitted(), 1);
    assert_eq!(world.uploads_after_a_look().await, 8);
    world.end().await;
}

#[tokio::test]
async fn a_pod_that_takes_one_wildcard_only_is_looked_up_by_that_one() {
    for wildcards in
        [sandbox::oracle::settings::Wildcards::Star, sandbox::oracle::settings::Wildcards::Percent]
    {
        let world = World::with_journals_and(|oracle| oracle.wildcards = wildcards, |_| {}).await;
        let task = world.ordered("US-1", &["10"]).await;
        world.complete(&task);
        world.fault(upload(Fault::DropAfter));
        world.way_back().await;
        assert_eq!(world.journal().await.state, "imported", "{wildcards:?}");
        assert_eq!(world.ledger().submitted(), 1);
        world.end().await;
    }
}

#[tokio::test]
async fn a_database_from_yesterday_s_backup_finds_the_batch_and_sends_nothing() {
    let world = World::with_journals().await;
    world.record_uploads();
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.way_back().await;
    let batch = world.ledger().one().id;
    for table in ["delete from completions", "delete from journals", "delete from events"] {
        world.sql(table).await;
    }
    world.way_back().await;
    let journal = world.journal().await;
    assert_eq!((journal.state.as_str(), journal.submissions), ("imported", 0));
    assert_eq!(journal.batch_id, Some(batch.to_string()));
    assert_eq!(world.ledger().submitted(), 1);
    world.end().await;
}
