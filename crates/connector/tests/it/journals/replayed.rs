//! A rejected journal is sent anew by a person, once, and only while nothing else bears its cost.

use connector::Code;
use connector::ids::JournalId;
use connector::manage;
use connector::posting::replay::{self, Preview, Replayed};
use connector::store::actions;
use connector::store::connections;
use connector::store::jobs::Job;
use connector::store::journals::Journal;
use sandbox::oracle::Edit;
use sandbox::{Fault, FaultRule, Side};

use super::reopened::REVERSE;
use crate::fixture::World;

const CHARGED: &str = "101.10.60540.000.000.000";

impl World {
    fn enable(&self, enabled: bool) {
        let account = CHARGED.to_owned();
        self.oracle(Edit::ChangeAccount { account, enabled: Some(enabled), detail_posting: None });
    }

    /// A journal that Oracle rejected for a cause that is mended by now, and its task.
    async fn with_a_mended_one() -> (World, String, Journal) {
        World::with_journals().await.rejecting_one().await
    }

    async fn rejecting_one(self) -> (World, String, Journal) {
        let world = self;
        world.record_uploads();
        let task = world.ordered("US-1", &["10", "20"]).await;
        world.enable(false);
        world.complete(&task);
        world.way_back().await;
        let rejected = world.journal().await;
        assert_eq!((rejected.state.as_str(), rejected.submissions), ("rejected", 1));
        world.enable(true);
        (world, task, rejected)
    }

    async fn sends_anew(&self, journal: &Journal) -> connector::Result<Replayed> {
        let connection = connections::load(&self.engine.db, self.connection).await?;
        let who = ("Ada", Some("the account is open again"));
        replay::replay(&self.engine.db, &connection, JournalId(journal.journal_id), who).await
    }

    async fn would_send(&self, journal: &Journal) -> Preview {
        let clients = self.engine.clients(self.connection).await.unwrap();
        replay::preview(&self.engine.db, &clients, JournalId(journal.journal_id)).await.unwrap()
    }

    /// Expects that sending anew is refused, and that nothing of the journals changes and nothing is sent.
    async fn is_not_sent_anew(&self, journal: &Journal, code: Code) {
        let (before, submitted) = (format!("{:?}", self.journals().await), self.ledger().submitted());
        let refused = self.sends_anew(journal).await.unwrap_err();
        assert_eq!(refused.code, code, "{}", refused.message);
        assert_eq!(format!("{:?}", self.journals().await), before);
        let told = actions::of(&self.engine.db, self.connection, journal.journal_id, 10).await.unwrap();
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(self.ledger().submitted(), submitted);
    }
}

#[tokio::test]
async fn a_rejected_journal_is_sent_anew_once_its_cause_is_mended() {
    let (world, _, rejected) = World::with_a_mended_one().await;
    let replayed = world.sends_anew(&rejected).await.unwrap();
    assert!(world.is_due(Job::Journals).await);
    assert_eq!(replayed.old_group, rejected.group_id);
    world.way_back().await;
    let (journal, ledger) = (world.journal().await, world.ledger());
    assert_eq!((journal.state.as_str(), journal.submissions), ("imported", 2));
    assert_eq!((journal.journal_id, &journal.group_id), (rejected.journal_id, &replayed.group));
    assert_ne!(journal.group_id, rejected.group_id);
    assert_eq!(ledger.one().group.to_string(), replayed.group);
    assert_eq!(ledger.one().lines().len(), 3, "none of the old lines went along");
    assert_eq!((ledger.submitted(), world.uploads_after_a_look().await), (2, 2));
    let told = actions::of(&world.engine.db, world.connection, journal.journal_id, 10).await.unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].by.as_str(), told[0].what.as_str()), ("Ada", "replayed"));
    assert_eq!(told[0].note.as_deref(), Some("the account is open again"));
    assert_eq!(told[0].after, Some(replayed.group));
    // it bears its cost again
    let second = world.persons_task("US-1");
    world.complete(&second);
    world.way_back().await;
    assert_eq!((world.journals().await.len(), world.ledger().submitted()), (1, 2));
    assert_eq!(world.sends_anew(&journal).await.unwrap_err().code, Code::JournalReplayImported);
    world.end().await;
}

#[tokio::test]
async fn one_of_two_that_send_anew_at_once_does() {
    let (world, _, rejected) = World::with_a_mended_one().await;
    let (one, other) = tokio::join!(world.sends_anew(&rejected), world.sends_anew(&rejected));
    let refused: Vec<Code> = [one, other].into_iter().filter_map(|done| Some(done.err()?.code)).collect();
    assert_eq!(refused, [Code::JournalReplayUnderWay]);
    world.way_back().await;
    assert_eq!(world.journal().await.submissions, 2);
    assert_eq!((world.ledger().batches.len(), world.ledger().submitted()), (1, 2));
    world.end().await;
}

#[tokio::test]
async fn what_is_rejected_again_may_be_sent_anew_again() {
    let (world, _, first) = World::with_a_mended_one().await;
    world.enable(false);
    world.sends_anew(&first).await.unwrap();
    world.way_back().await;
    let again = world.journal().await;
    assert_eq!((again.state.as_str(), again.submissions), ("rejected", 2));
    world.enable(true);
    let third = world.sends_anew(&again).await.unwrap();
    world.way_back().await;
    assert_eq!(world.ledger().one().group.to_string(), third.group);
    assert_eq!((world.journal().await.submissions, world.uploads_after_a_look().await), (3, 3));
    world.end().await;
}

#[tokio::test]
async fn a_cost_that_another_completion_took_over_is_not_posted_a_second_time() {
    let (world, _, rejected) = World::with_a_mended_one().await;
    let second = world.persons_task("US-1");
    world.complete(&second);
    world.way_back().await;
    assert_eq!(world.ledger().batches.len(), 1);
    world.is_not_sent_anew(&rejected, Code::JournalAlreadyPosted).await;
    world.way_back().await;
    assert_eq!((world.ledger().batches.len(), world.ledger().submitted()), (1, 2));
    world.end().await;
}

#[tokio::test]
async fn a_cost_that_another_connection_took_over_is_not_posted_a_second_time() {
    let world = World::with_journals().await;
    let (one, other) = (world.connection, world.another("other").await);
    // so that it counts completions from now on
    world.activates(other).await.unwrap();
    manage::pause(&world.engine, &world.the(other).await).await.unwrap();
    let (mut world, _, rejected) = world.rejecting_one().await;
    world.connection = other;
    world.activates(other).await.unwrap();
    world.sync().await;
    world.way_back().await;
    assert_eq!(world.ledger().batches.len(), 1);
    world.connection = one;
    world.is_not_sent_anew(&rejected, Code::JournalAlreadyPosted).await;
    world.end().await;
}

#[tokio::test]
async fn an_order_is_not_posted_beside_one_of_its_lines_nor_a_line_beside_its_order() {
    let (world, task, rejected) = World::with_a_mended_one().await;
    let second = world.persons_task("US-1");
    world.complete(&second);
    world.way_back().await;
    let imported = world.journals().await.pop().unwrap();
    assert_eq!((imported.subject.as_str(), imported.state.as_str()), (rejected.subject.as_str(), "imported"));
    assert_ne!(imported.task_gid, task);
    // as when the other one's task had stood for a line
    world.sql("update journals set subject = 'line 77' where state = 'imported'").await;
    world.is_not_sent_anew(&rejected, Code::JournalAlreadyPosted).await;
    let turned = format!("update journals set subject = '{}' where state = 'imported'", rejected.subject);
    world.sql(Box::leak(turned.into_boxed_str())).await;
    world.sql("update journals set subject = 'line 77' where state = 'rejected'").await;
    world.is_not_sent_anew(&rejected, Code::JournalAlreadyPosted).await;
    // two lines are two costs
    world.sql("update journals set subject = 'line 78' where state = 'imported'").await;
    world.sends_anew(&rejected).await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn what_is_under_way_in_doubt_or_imported_is_refused() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    for job in [Job::Sweep, Job::Completions] {
        world.run(job).await.unwrap();
    }
    world.is_not_sent_anew(&world.journal().await, Code::JournalReplayUnderWay).await;
    let rule = FaultRule::new(Fault::DropAfter).on(Side::Oracle).method("POST").path("erpintegrations");
    world.fault(rule.times(1));
    world.run(Job::Journals).await.unwrap();
    assert_eq!(world.journal().await.state, "in_doubt");
    world.is_not_sent_anew(&world.journal().await, Code::JournalReplayInDoubt).await;
    world.way_back().await;
    world.is_not_sent_anew(&world.journal().await, Code::JournalReplayImported).await;
    assert_eq!(world.ledger().submitted(), 1);
    let unknown = Journal { journal_id: JournalId::new().0, ..world.journal().await };
    world.is_not_sent_anew(&unknown, Code::JournalSubjectUnknown).await;
    world.end().await;
}

#[tokio::test]
async fn a_task_that_was_opened_again_does_not_bring_its_journal_any_more() {
    let (world, task, rejected) = World::with_a_mended_one().await;
    world.reopen(&task);
    world.way_back().await;
    world.is_not_sent_anew(&rejected, Code::JournalReplayReopened).await;
    world.end().await;
}

#[tokio::test]
async fn a_task_that_is_opened_while_its_journal_waits_to_be_sent_anew_withdraws_it() {
    let world = World::with_journals_and(|_| {}, |journal| journal.reopened = REVERSE).await;
    let (world, task, rejected) = world.rejecting_one().await;
    world.sends_anew(&rejected).await.unwrap();
    world.reopen(&task);
    world.way_back().await;
    assert_eq!((world.journal().await.state.as_str(), world.ledger().submitted()), ("withdrawn", 1));
    world.end().await;
}

#[tokio::test]
async fn the_lost_answer_of_a_sending_anew_makes_no_second_batch() {
    let (world, _, rejected) = World::with_a_mended_one().await;
    let rule = FaultRule::new(Fault::DropAfter).on(Side::Oracle).method("POST").path("erpintegrations");
    let rule = world.fault(rule.times(1));
    world.sends_anew(&rejected).await.unwrap();
    world.way_back().await;
    assert_eq!(world.fired(rule), 1);
    let (journal, ledger) = (world.journal().await, world.ledger());
    assert_eq!((journal.state.as_str(), journal.submissions), ("imported", 2));
    assert_eq!(journal.batch_id, Some(ledger.one().id.to_string()));
    assert_eq!((ledger.submitted(), world.uploads_after_a_look().await), (2, 2));
    world.end().await;
}

#[tokio::test]
async fn a_preview_shows_the_request_that_is_sent_then_and_changes_nothing() {
    let (world, _, rejected) = World::with_a_mended_one().await;
    let (before, submitted) = (format!("{:?}", world.journal().await), world.ledger().submitted());
    let preview = world.would_send(&rejected).await;
    assert_eq!(format!("{:?}", world.journal().await), before);
    assert_eq!(world.ledger().submitted(), submitted);
    assert!(preview.look_up.contains(&rejected.group_id) && preview.look_up.contains(&preview.group));
    assert_eq!(preview.found, "no batch");
    assert_eq!(world.sends_anew(&rejected).await.unwrap().group, preview.group);
    world.way_back().await;
    let journal = world.journal().await;
    let sent: Vec<String> = world.steps(&journal).await.into_iter().filter_map(|step| step.request).collect();
    assert_eq!(journal.state, "imported");
    assert!(sent.contains(&preview.sending.request.unwrap()), "{sent:#?}");
    world.end().await;
}

#[tokio::test]
async fn a_period_that_was_closed_since_moves_what_is_sent_anew() {
    let (world, _, rejected) = World::with_a_mended_one().await;
    let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
    let today = jiff::Timestamp::now().to_zoned(zone).date();
    let period = today.strftime("%b-%y").to_string();
    world.oracle(Edit::PeriodStatus { period, status: "C".into(), ledger: None, application: None });
    world.engine.clients(world.connection).await.unwrap().ledger.forget_periods();
    let next = today.first_of_month().checked_add(jiff::Span::new().months(1)).unwrap().to_string();
    let preview = world.would_send(&rejected).await;
    assert_eq!(preview.sending.accounting_date, next);
    assert!(preview.sending.dated.is_some());
    world.sends_anew(&rejected).await.unwrap();
    world.way_back().await;
    assert_eq!(world.ledger().one().journal().date, next);
    assert_eq!(world.journal().await.accounting_date, next);
    world.end().await;
}
