//! A person decides a journal in doubt: only what Oracle shows, too, comes of it, nothing is sent twice, and whatever is
//! against it leaves everything as it was.

use std::time::Duration;

use connector::Code;
use connector::ids::JournalId;
use connector::posting::resolve::{self, Choice, How, Preview, Resolved};
use connector::posting::story;
use connector::store::actions;
use connector::store::connections;
use connector::store::jobs::{self, Job};
use connector::store::journals::Journal;
use connector::{Engine, node};
use sandbox::oracle::settings::Outcome;
use sandbox::{Fault, FaultRule, Side};
use tokio::sync::watch;

use crate::fixture::World;

/// Longer than the time of settling that these tests set.
const SETTLED: i64 = 61 * 60;

fn upload(fault: Fault) -> FaultRule {
    FaultRule::new(fault).on(Side::Oracle).method("POST").path("erpintegrations").times(1)
}

fn posted(batch: impl ToString) -> Choice {
    Choice::Posted { batch: batch.to_string() }
}

async fn decides(
    engine: &Engine,
    world: &World,
    journal: &Journal,
    choice: &Choice,
) -> connector::Result<Resolved> {
    let how = How { by: "Ada", note: Some("looked in Oracle"), patience: Duration::from_secs(30) };
    resolve::resolve(engine, world.connection, JournalId(journal.journal_id), choice, how).await
}

impl World {
    /// A world with one batch, by which a look-up can be proved, and a journal whose upload met this fault.
    async fn with_a_doubt(fault: Fault) -> (World, Journal) {
        let world = World::with_journals().await;
        world.record_uploads();
        let first = world.ordered("US-0", &["1"]).await;
        world.complete(&first);
        world.way_back().await;
        let journal = world.doubted(fault).await;
        (world, journal)
    }

    async fn doubted(&self, fault: Fault) -> Journal {
        let task = self.ordered("US-1", &["10", "20"]).await;
        self.complete(&task);
        let rule = self.fault(upload(fault));
        self.once_back().await.unwrap();
        assert_eq!(self.fired(rule), 1);
        self.newest_stands("in_doubt").await
    }

    /// The newest journal, which stands so.
    async fn newest_stands(&self, state: &str) -> Journal {
        let newest = self.journals().await.pop().unwrap();
        assert_eq!(newest.state, state, "{newest:#?} {:#?}", self.steps(&newest).await);
        newest
    }

    async fn resolves(&self, journal: &Journal, choice: Choice) -> connector::Result<Resolved> {
        decides(&self.engine, self, journal, &choice).await
    }

    async fn would(&self, journal: &Journal, choice: Choice) -> Preview {
        let id = JournalId(journal.journal_id);
        resolve::preview(&self.engine, self.connection, id, &choice).await.unwrap()
    }

    /// All that a decision could have changed.
    async fn everything(&self) -> String {
        let mut all = format!(
            "{:?} {:?} {}",
            self.journals().await,
            self.completions().await,
            self.ledger().submitted()
        );
        for sql in [
            "select coalesce(string_agg(s::text, ' ' order by step_id), '') from journal_steps s",
            "select coalesce(string_agg(a::text, ' '), '') from actions a",
            "select count(*)::text from attempts",
            "select coalesce(string_agg(machine || counts::text, ' ' order by journal_id), '') from journals",
            "select count(*)::text from movements",
        ] {
            let part: String = sqlx::query_scalar(sql).fetch_one(&self.engine.db).await.unwrap();
            all.push_str(&part);
        }
        all
    }

    /// Expects that the decision is refused, and that nothing changed and nothing was sent.
    async fn is_not_resolved(&self, journal: &Journal, choice: Choice, code: Code) -> String {
        let before = self.everything().await;
        let refused = self.resolves(journal, choice.clone()).await.unwrap_err();
        assert_eq!(refused.code, code, "{choice:?}: {}", refused.message);
        assert_eq!(self.everything().await, before, "{choice:?}");
        let leased = self.count("select count(*) from jobs where node_id is not null").await;
        assert_eq!(leased, 0, "{choice:?}");
        refused.message
    }

    /// The only action on a journal: what was found and what was decided.
    async fn action(&self, journal: &Journal) -> (String, String) {
        let told = actions::of(&self.engine.db, self.connection, journal.journal_id, 10).await.unwrap();
        let [one] = told.as_slice() else { panic!("{told:#?}") };
        assert_eq!((one.by.as_str(), one.what.as_str()), ("Ada", "resolved"));
        assert_eq!(one.note.as_deref(), Some("looked in Oracle"));
        (one.before.clone().unwrap(), one.after.clone().unwrap())
    }
}

#[tokio::test]
async fn a_batch_that_oracle_shows_with_the_journal_s_group_is_taken() {
    let (world, doubtful) = World::with_a_doubt(Fault::DropAfter).await;
    let sent = world.ledger().submitted();
    let own = world.ledger().batches.iter().find(|b| b.group.to_string() == doubtful.group_id).unwrap().id;
    let preview = world.would(&doubtful, posted(own)).await;
    assert!(preview.would.unwrap().starts_with("it would be imported"), "{:?}", preview.refused);
    let resolved = world.resolves(&doubtful, posted(own)).await.unwrap();
    assert_eq!((resolved.state, resolved.batch), ("imported", Some(own.to_string())));
    let imported = world.newest_stands("imported").await;
    assert_eq!((imported.batch_id, imported.code), (Some(own.to_string()), None));
    let (found, decided) = world.action(&doubtful).await;
    assert!(found.contains(&doubtful.group_id) && found.contains(&own.to_string()), "{found}");
    assert!(decided.contains(&format!("Ada decided that it is batch {own}")), "{decided}");
    assert!(world.is_due(Job::Completions).await && world.is_due(Job::Push).await);
    world.way_back().await;
    let shown = format!("Journal imported: batch {own}");
    assert_eq!(world.task("US-1").shows("journal_status"), Some(shown.as_str()));
    // it bears its cost on
    let second = world.persons_task("US-1");
    world.complete(&second);
    world.way_back().await;
    assert_eq!((world.journals().await.len(), world.ledger().submitted()), (2, sent));
    world.is_not_resolved(&doubtful, posted(own), Code::JournalNotInDoubt).await;
    world.end().await;
}

#[tokio::test]
async fn a_batch_of_another_journal_or_of_none_is_not_taken() {
    let (world, doubtful) = World::with_a_doubt(Fault::DropAfter).await;
    let ledger = world.ledger();
    let (own, others): (Vec<_>, Vec<_>) =
        ledger.batches.iter().partition(|batch| batch.group.to_string() == doubtful.group_id);
    for batch in [others[0].id.to_string(), "999".to_owned(), own[0].name.clone(), String::new()] {
        let told = world.is_not_resolved(&doubtful, posted(batch), Code::JournalBatchNotIts).await;
        assert!(told.contains(&format!("batch {}", own[0].id)), "it says what was found: {told}");
    }
    let preview = world.would(&doubtful, posted(others[0].id)).await;
    assert_eq!(preview.refused.unwrap().code, "MLC-6518");
    world.end().await;
}

#[tokio::test]
async fn what_is_proved_not_to_be_there_is_sent_anew_once() {
    let (world, doubtful) = World::with_a_doubt(Fault::DropBefore).await;
    world.is_not_resolved(&doubtful, posted("999"), Code::JournalBatchNotIts).await;
    let told = world.is_not_resolved(&doubtful, Choice::SendAnew, Code::JournalNotSettled).await;
    assert!(told.contains("until 20"), "it says until when: {told}");
    world.pass(SETTLED).await;
    let before = world.everything().await;
    let preview = world.would(&doubtful, Choice::SendAnew).await;
    assert_eq!(world.everything().await, before);
    assert!(preview.look_up.contains(&doubtful.group_id) && preview.found.starts_with("no batch"));
    let resolved = world.resolves(&doubtful, Choice::SendAnew).await.unwrap();
    assert_eq!((resolved.state, Some(&resolved.group)), ("ready", preview.group.as_ref()));
    let (found, decided) = world.action(&doubtful).await;
    assert!(found.contains("no batch") && decided.contains(&resolved.group), "{found} {decided}");
    assert!(world.is_due(Job::Journals).await);
    world.is_not_resolved(&doubtful, Choice::SendAnew, Code::JournalNotInDoubt).await;
    world.way_back().await;
    let imported = world.newest_stands("imported").await;
    assert_eq!((imported.submissions, &imported.group_id), (2, &resolved.group));
    let sent: Vec<String> =
        world.steps(&imported).await.into_iter().filter_map(|step| step.request).collect();
    assert!(sent.contains(&preview.sending.unwrap().request.unwrap()), "{sent:#?}");
    assert_eq!((world.ledger().batches.len(), world.ledger().submitted()), (2, 2));
    assert_eq!(world.uploads_after_a_look().await, 3);
    assert_eq!(world.sendings_after_a_look(&imported).await, 2);
    world.end().await;
}

#[tokio::test]
async fn what_is_given_up_frees_its_cost_and_says_who_gave_it_up() {
    let (world, doubtful) = World::with_a_doubt(Fault::DropBefore).await;
    let second = world.persons_task("US-1");
    world.complete(&second);
    world.once_back().await.unwrap();
    assert_eq!(world.journals().await.len(), 2, "the cost is borne");
    world.is_not_resolved(&doubtful, Choice::GiveUp, Code::JournalNotSettled).await;
    world.pass(SETTLED).await;
    world.resolves(&doubtful, Choice::GiveUp).await.unwrap();
    let given_up = world.journals().await.into_iter().find(|j| j.journal_id == doubtful.journal_id).unwrap();
    assert_eq!((given_up.state.as_str(), given_up.code), ("withdrawn", Some("MLC-6524".to_owned())));
    assert!(given_up.reason.unwrap().contains("Ada gave it up"));
    assert!(given_up.decided_at.is_some() && given_up.due_at.is_none());
    world.tells(&doubtful.task_gid, "Ada gave it up", Some("complete it again")).await;
    world.way_back().await;
    let taken_over = world.newest_stands("imported").await;
    assert_eq!(taken_over.task_gid, second);
    let group = doubtful.group_id.parse().unwrap();
    assert_eq!(world.sandbox.oracle().submissions_of(group), 0, "never sent again");
    assert_eq!(world.ledger().batches.len(), 2);
    world.end().await;
}

#[tokio::test]
async fn what_is_there_is_neither_sent_anew_nor_given_up() {
    let (world, doubtful) = World::with_a_doubt(Fault::DropAfter).await;
    for choice in [Choice::SendAnew, Choice::GiveUp] {
        let told = world.is_not_resolved(&doubtful, choice.clone(), Code::JournalBatchExists).await;
        let own =
            world.ledger().batches.into_iter().find(|b| b.group.to_string() == doubtful.group_id).unwrap();
        assert!(told.contains(&own.id.to_string()), "{told}");
        let refused = world.would(&doubtful, choice).await.refused.unwrap();
        assert!(refused.code == "MLC-6519" && refused.remedy.contains("--posted"), "{refused:?}");
    }
    world.pass(SETTLED).await;
    world.is_not_resolved(&doubtful, Choice::SendAnew, Code::JournalBatchExists).await;
    world.end().await;
}

#[tokio::test]
async fn without_proof_nothing_is_sent_anew_or_given_up() {
    let world = World::with_journals().await;
    let doubtful = world.doubted(Fault::DropBefore).await;
    world.pass(SETTLED).await;
    for choice in [Choice::SendAnew, Choice::GiveUp] {
        let told = world.is_not_resolved(&doubtful, choice, Code::JournalLookUpUnproved).await;
        assert!(told.contains("none of any kind is visible"), "{told}");
    }
    assert_eq!(world.ledger().submitted(), 0);
    world.end().await;
}

#[tokio::test]
async fn a_look_up_that_fails_or_is_cut_off_decides_nothing() {
    let (world, doubtful) = World::with_a_doubt(Fault::DropBefore).await;
    world.pass(SETTLED).await;
    let status = |status| Fault::Status { status, retry_after: None, body: None, html: false };
    let empty = Fault::Status { status: 200, retry_after: None, body: None, html: false };
    for fault in [
        Fault::TruncatedBody,
        Fault::MalformedJson,
        Fault::HtmlPage,
        Fault::DropAfter,
        empty,
        status(403),
        status(500),
        status(503),
    ] {
        // the last of the questions alone: that the others were answered is no help
        for skip in [0, 1, 2] {
            let rule = FaultRule::new(fault.clone()).on(Side::Oracle).path("journalBatches").after(skip);
            let rule = world.fault(rule);
            world.is_not_resolved(&doubtful, Choice::SendAnew, Code::JournalLookUpFailed).await;
            assert!(world.fired(rule) > 0, "{fault:?}");
            if skip == 0 {
                world.is_not_resolved(&doubtful, posted("1"), Code::JournalLookUpFailed).await;
            }
            world.sandbox.faults().clear();
        }
    }
    world.resolves(&doubtful, Choice::SendAnew).await.unwrap();
    world.way_back().await;
    assert_eq!(world.newest_stands("imported").await.submissions, 2);
    assert_eq!(world.ledger().submitted(), 2);
    world.end().await;
}

#[tokio::test]
async fn one_of_two_people_who_decide_at_once_does() {
    let (world, doubtful) = World::with_a_doubt(Fault::DropBefore).await;
    let other = world.another_node().await;
    world.pass(SETTLED).await;
    let (one, two) = tokio::join!(
        world.resolves(&doubtful, Choice::SendAnew),
        decides(&other, &world, &doubtful, &Choice::GiveUp)
    );
    let refused: Vec<Code> =
        [one.err(), two.err()].into_iter().flatten().map(|refused| refused.code).collect();
    assert_eq!(refused, [Code::JournalNotInDoubt]);
    world.action(&doubtful).await;
    world.way_back().await;
    let journal = world.journals().await.pop().unwrap();
    assert!(["imported", "withdrawn"].contains(&journal.state.as_str()), "{journal:#?}");
    let sent = u64::from(journal.state == "imported");
    assert_eq!(world.ledger().submitted(), 1 + sent);
    other.db.close().await;
    world.end().await;
}

#[tokio::test]
async fn a_node_that_works_on_the_journals_is_not_disturbed() {
    let (world, doubtful) = World::with_a_doubt(Fault::DropBefore).await;
    let other = world.another_node().await;
    world.pass(SETTLED).await;
    let lease = jobs::claim(&other.db, other.node, world.connection, Job::Journals).await.unwrap().unwrap();
    let before = world.everything().await;
    let how = How { by: "Ada", note: None, patience: Duration::ZERO };
    let id = JournalId(doubtful.journal_id);
    let busy = resolve::resolve(&world.engine, world.connection, id, &Choice::GiveUp, how).await.unwrap_err();
    assert_eq!(busy.code, Code::LeaseBusy);
    assert_eq!(world.everything().await, before);
    // a command that waits gets its turn as soon as the node is done
    let (resolved, ()) = tokio::join!(world.resolves(&doubtful, Choice::GiveUp), async {
        jobs::finish(&other.db, &lease, None, None).await.unwrap();
    });
    assert_eq!(resolved.unwrap().state, "withdrawn");
    other.db.close().await;
    world.end().await;
}

#[tokio::test]
async fn a_node_that_comes_in_between_wins_and_the_decision_changes_nothing() {
    let (world, doubtful) = World::with_a_doubt(Fault::DropBefore).await;
    let other = world.another_node().await;
    world.pass(SETTLED).await;
    let slow = FaultRule::new(Fault::Delay { ms: 1_500 }).on(Side::Oracle).path("journalBatches").times(1);
    let rule = world.fault(slow);
    let (lost, ()) = tokio::join!(world.resolves(&doubtful, Choice::GiveUp), async {
        world.until("the look-up", |world| world.fired(rule) > 0).await;
        world.sql("update jobs set lease_until = now() - interval '1 second' where job = 'journals'").await;
        node::run_once(&other, world.connection, &[Job::Journals], &watch::Sender::new(0)).await.unwrap();
    });
    assert_eq!(lost.unwrap_err().code, Code::JournalTakenOver);
    let told = actions::of(&world.engine.db, world.connection, doubtful.journal_id, 10).await.unwrap();
    assert!(told.is_empty(), "{told:?}");
    // the node itself had proof, and sent it anew
    world.way_back().await;
    let journal = world.newest_stands("imported").await;
    assert_eq!((journal.submissions, journal.code), (2, None));
    assert_eq!(world.ledger().submitted(), 2);
    other.db.close().await;
    world.end().await;
}

#[tokio::test]
async fn an_accepted_request_of_which_nothing_came_is_decided_by_a_person_alone() {
    let world = World::with_journals().await;
    world.record_uploads();
    let first = world.ordered("US-0", &["1"]).await;
    world.complete(&first);
    world.way_back().await;
    world.sandbox.oracle().change_settings(|s| s.erp.outcome = Some(Outcome::ImportMissing));
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    for _ in 0..3 {
        world.way_back().await;
        world.pass(100_000).await;
    }
    let doubtful = world.newest_stands("in_doubt").await;
    world.sandbox.oracle().change_settings(|s| s.erp.outcome = None);
    let request = doubtful.request_id.clone().unwrap();
    let preview = world.would(&doubtful, Choice::SendAnew).await;
    assert!(preview.look_up.contains(&request), "the job is looked at, too: {}", preview.look_up);
    let failed = FaultRule::new(Fault::TruncatedBody).on(Side::Oracle).method("GET").path("erpintegrations");
    world.fault(failed);
    world.is_not_resolved(&doubtful, Choice::SendAnew, Code::JournalLookUpFailed).await;
    world.sandbox.faults().clear();
    let resolved = world.resolves(&doubtful, Choice::SendAnew).await.unwrap();
    world.way_back().await;
    let imported = world.newest_stands("imported").await;
    assert_eq!((imported.submissions, &imported.group_id), (2, &resolved.group));
    assert_eq!((world.ledger().batches.len(), world.uploads_after_a_look().await), (2, 3));
    world.end().await;
}

#[tokio::test]
async fn what_is_not_in_doubt_is_refused_with_where_it_stands() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    for job in [Job::Sweep, Job::Completions] {
        world.run(job).await.unwrap();
    }
    let choices = || [posted("1"), Choice::SendAnew, Choice::GiveUp];
    let refused = |state: &'static str, code: Code| {
        let world = &world;
        async move {
            let journal = world.newest_stands(state).await;
            for choice in choices() {
                let told = world.is_not_resolved(&journal, choice, code).await;
                assert!(told.contains(state), "{told}");
            }
        }
    };
    refused("ready", Code::JournalNotInDoubt).await;
    let body = Some("{\"title\":\"Bad Request\"}".to_owned());
    world.fault(upload(Fault::Status { status: 400, retry_after: None, body, html: false }));
    world.way_back().await;
    refused("rejected", Code::JournalResolveRejected).await;
    let unknown = Journal { journal_id: JournalId::new().0, ..world.newest_stands("rejected").await };
    world.is_not_resolved(&unknown, Choice::GiveUp, Code::JournalSubjectUnknown).await;
    world.end().await;
}

#[tokio::test]
async fn a_task_that_was_opened_again_does_not_bring_its_doubtful_journal_but_it_can_be_given_up() {
    let (world, doubtful) = World::with_a_doubt(Fault::DropBefore).await;
    world.reopen(&doubtful.task_gid);
    world.run(Job::Sweep).await.unwrap();
    world.run(Job::Completions).await.unwrap();
    world.pass(SETTLED).await;
    world.is_not_resolved(&doubtful, Choice::SendAnew, Code::JournalReplayReopened).await;
    world.resolves(&doubtful, Choice::GiveUp).await.unwrap();
    world.newest_stands("withdrawn").await;
    assert_eq!(world.ledger().submitted(), 1);
    world.end().await;
}

#[tokio::test]
async fn the_story_of_a_journal_explains_a_batch_that_a_stopped_node_left() {
    let world = World::with_journals().await;
    let other = world.another_node().await;
    let task = world.ordered("US-1", &["10", "20"]).await;
    world.complete(&task);
    let rule = world.fault(upload(Fault::TimeoutAfter { ms: 60_000 }));
    tokio::select! {
        _ = world.once_back() => panic!("the node cannot hear the answer"),
        () = world.until("the upload", |world| world.fired(rule) > 0 && world.ledger().submitted() == 1) => {}
    }
    world.sandbox.faults().clear();
    world.sql("update jobs set lease_until = now() - interval '1 second' where node_id is not null").await;
    node::run_once(&other, world.connection, &[Job::Journals], &watch::Sender::new(0)).await.unwrap();
    let journal = world.newest_stands("imported").await;
    assert_eq!(
        (journal.submissions, journal.batch_id.as_deref()),
        (1, Some(&*world.ledger().one().id.to_string()))
    );
    let connection = connections::load(&world.engine.db, world.connection).await.unwrap();
    let stories = story::find(&world.engine.db, &connection, &journal.group_id).await.unwrap();
    let steps = &stories[0].journals[0].steps;
    let whats: Vec<&str> = steps.iter().map(|step| step.what.as_str()).collect();
    let [looked, begun, stopped, found] = whats.as_slice() else { panic!("{whats:#?}") };
    let digest = begun.rsplit(' ').next().unwrap();
    assert!(digest.len() == 64 && begun.contains(&journal.group_id), "{begun}");
    assert!(
        looked.contains("sending the journal") && stopped.contains("a node stopped while it was sending")
    );
    assert!(found.contains("no answer to its sending was recorded"), "{found}");
    assert!(
        found.contains(digest) && found.contains(&journal.group_id) && found.contains("began at 20"),
        "{found}"
    );
    // the request before it left, and the same made again of the plan, with its rows
    let request = |at: usize| steps[at].request.as_deref().unwrap_or_default();
    let head = request(1).split("\n\n").next().unwrap();
    assert!(head.starts_with("POST erpintegrations importBulkData") && request(2).starts_with(head));
    assert!(request(1).contains(digest) && steps[2].response.as_deref().unwrap().contains(digest));
    assert!(request(2).contains("GlInterface.csv\nNEW,"), "{}", request(2));
    let whole = connector::trace::of(&world.engine.db, &connection, &task).await.unwrap();
    assert!(whole.entries.iter().any(|entry| entry.what.contains(digest)), "the trace tells it, too");
    other.db.close().await;
    world.end().await;
}
