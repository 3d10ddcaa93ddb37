//! What Oracle rejects is told with its codes, and is never sent again by itself.

use connector::Code;
use connector::ids::JournalId;
use connector::journal::machine::{self, Context, Decision, Limits, Observation};
use connector::journal::settings::Suspense;
use connector::posting::story;
use connector::store::completions::Completion;
use connector::store::connections;
use connector::store::jobs::Job;
use connector::store::journals::{self, Journal, Submits};
use sandbox::oracle::settings::{Outcome, RejectedStatus};
use sandbox::oracle::{Edit, NewOrder};
use sandbox::{Fault, FaultRule, Side};

use crate::fixture::{World, lines};

const CHARGED: &str = "101.10.60540.000.000.000";

fn enable(world: &World, enabled: bool) {
    let account = CHARGED.to_owned();
    world.oracle(Edit::ChangeAccount { account, enabled: Some(enabled), detail_posting: None });
}

#[tokio::test]
async fn a_disabled_account_rejects_the_journal_with_its_code_and_what_it_means() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    enable(&world, false);
    world.complete(&task);
    world.way_back().await;
    let journal = world.journal().await;
    assert_eq!((journal.state.as_str(), journal.submissions), ("rejected", 1));
    assert_eq!(journal.code, Some(Code::JournalImportRejected.to_string()));
    let reason = journal.reason.clone().unwrap();
    assert!(reason.contains("EF03") && reason.contains("the account is disabled"), "{reason}");
    world.tells(&task, "EF03", Some("Mend what the codes say")).await;
    let log = world.steps(&journal).await;
    assert!(log.iter().any(|step| step.response.as_deref().is_some_and(|text| text.contains("EF03"))));
    assert!(world.ledger().batches.is_empty());
    assert!(world.task("US-1").shows("journal_status").unwrap().starts_with("Journal rejected: MLC-5136"));
    world.end().await;
}

#[tokio::test]
async fn a_rejected_group_leaves_its_lines_and_is_never_sent_again_by_itself() {
    let world = World::with_journals_and(|o| o.erp.rejected_status = RejectedStatus::Warning, |_| {}).await;
    let task = world.ordered("US-1", &["10", "20"]).await;
    enable(&world, false);
    world.complete(&task);
    world.way_back().await;
    let rejected = world.journal().await;
    assert_eq!(rejected.state, "rejected");
    enable(&world, true);
    for _ in 0..3 {
        world.pass(100_000).await;
        world.an_hour_later_for_completions().await;
        world.way_back().await;
    }
    let (journal, ledger) = (world.journal().await, world.ledger());
    assert_eq!((journal.state.as_str(), journal.submissions), ("rejected", 1));
    assert_eq!(ledger.submitted(), 1);
    assert!(ledger.batches.is_empty());
    assert_eq!(ledger.interface.len(), 3, "{ledger:?}");
    let group: i64 = journal.group_id.parse().unwrap();
    assert!(ledger.interface.iter().all(|row| row.group == group && row.status != "NEW"), "{ledger:?}");
    // completed again, the task is posted under a group of its own, which takes none of the old lines along
    world.reopen(&task);
    world.way_back().await;
    world.complete(&task);
    world.way_back().await;
    let ledger = world.ledger();
    assert_eq!(ledger.one().lines().len(), 3);
    assert_ne!(ledger.one().group, group);
    world.end().await;
}

#[tokio::test]
async fn another_task_posts_the_cost_when_the_first_one_s_journal_is_rejected() {
    let world = World::with_journals().await;
    let (first, second) = (world.persons_task("US-1"), world.persons_task("US-1"));
    world.order("US-1", &["10"]);
    world.sync().await;
    world.complete(&first);
    for job in [Job::Sweep, Job::Completions] {
        world.run(job).await.unwrap();
    }
    world.complete(&second);
    for job in [Job::Sweep, Job::Completions] {
        world.run(job).await.unwrap();
    }
    assert_eq!(of(&world, &second).await.code, Some(Code::JournalAlreadyPosted.to_string()));
    enable(&world, false);
    for _ in 0..4 {
        world.run(Job::Journals).await.unwrap();
        world.pass(60).await;
    }
    assert_eq!(world.journal().await.state, "rejected");
    enable(&world, true);
    world.way_back().await;
    let [rejected, imported] = &world.journals().await[..] else { panic!() };
    assert_eq!((imported.task_gid.as_str(), imported.state.as_str()), (second.as_str(), "imported"));
    assert_eq!((rejected.task_gid.as_str(), rejected.state.as_str()), (first.as_str(), "rejected"));
    let taken = of(&world, &second).await;
    assert_eq!((taken.state.as_str(), taken.code, taken.reason), ("journal", None, None));
    // sent anew, the first one would post the cost a second time
    let refused = send_anew(&world, rejected).await.unwrap_err();
    assert_eq!(refused.code, Code::JournalAlreadyPosted);
    world.way_back().await;
    assert_eq!(world.journals().await[0].state, "rejected");
    assert_eq!((world.ledger().batches.len(), world.ledger().submitted()), (1, 2));
    world.end().await;
}

async fn of(world: &World, task: &str) -> Completion {
    world.completions().await.into_iter().find(|completion| completion.task_gid == task).unwrap()
}

/// Stores a person's decision to send a journal anew.
async fn send_anew(world: &World, journal: &Journal) -> connector::Result<()> {
    let (machine, fence, turn): (String, i64, i64) =
        sqlx::query_as("select machine, fence, turn from journals where journal_id = $1")
            .bind(journal.journal_id)
            .fetch_one(&world.engine.db)
            .await
            .unwrap();
    let settings = super::world::journal_settings(&world.sandbox);
    let context = Context {
        now: jiff::Timestamp::now(),
        random: 0,
        limits: Limits::of(&settings),
        expected: None,
        suspense: false,
    };
    let seen = Observation::Person(Decision::SendAnew);
    let step = machine::step(serde_json::from_str(&machine).unwrap(), &seen, &context);
    assert_eq!((step.journal.state.as_str(), step.journal.progress.generation), ("ready", 1));
    let record = journals::Step {
        id: JournalId(journal.journal_id),
        turn,
        machine: &step.journal,
        group: journal.group_id.parse().unwrap(),
        told: None,
        again_in: Some(0.0),
        submits: Submits::No,
        plan: None,
    };
    let mut db = world.engine.db.acquire().await?;
    journals::record_step(&mut db, world.connection, fence, world.engine.node, &record).await
}

#[tokio::test]
async fn a_currency_without_a_rate_is_rejected_by_oracle() {
    let world = World::with_journals().await;
    world.new_order(NewOrder {
        number: Some("US-1".into()),
        currency: Some("CHF".into()),
        lines: lines(&["10"]),
        ..NewOrder::default()
    });
    world.sync().await;
    world.complete(&world.task("US-1").gid);
    world.way_back().await;
    let journal = world.journal().await;
    assert_eq!(journal.state, "rejected");
    assert!(journal.reason.as_deref().unwrap().contains("EC06"), "{journal:?}");
    world.end().await;
}

#[tokio::test]
async fn an_upload_that_oracle_does_not_schedule_is_rejected() {
    let world = World::with_journals_and(|oracle| oracle.erp.job_privilege = false, |_| {}).await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.way_back().await;
    let journal = world.journal().await;
    assert_eq!(journal.code, Some(Code::JournalNotScheduled.to_string()));
    assert_eq!((journal.state.as_str(), world.ledger().submitted()), ("rejected", 0));
    world.end().await;
}

#[tokio::test]
async fn an_upload_that_oracle_refuses_is_rejected_with_its_words() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    let body = Some(r#"{"title":"Bad Request","detail":"The document account is wrong."}"#.to_owned());
    let refused = Fault::Status { status: 400, retry_after: None, body, html: false };
    world.fault(FaultRule::new(refused).on(Side::Oracle).method("POST").path("erpintegrations"));
    world.way_back().await;
    let journal = world.journal().await;
    assert_eq!((journal.state.as_str(), journal.submissions), ("rejected", 1));
    assert_eq!(journal.code, Some(Code::JournalRefused.to_string()));
    assert!(journal.reason.as_deref().unwrap().contains("document account is wrong"), "{journal:?}");
    world.end().await;
}

#[tokio::test]
async fn a_load_and_an_import_that_fail_are_told_apart() {
    for (outcome, code) in [
        (Outcome::Error, Code::JournalLoadFailed),
        (Outcome::Expired, Code::JournalLoadFailed),
        (Outcome::ImportError, Code::JournalImportFailed),
    ] {
        let world = World::with_journals_and(|oracle| oracle.erp.outcome = Some(outcome), |_| {}).await;
        let task = world.ordered("US-1", &["10"]).await;
        world.complete(&task);
        world.way_back().await;
        let journal = world.journal().await;
        assert_eq!(
            (journal.state.as_str(), journal.code),
            ("rejected", Some(code.to_string())),
            "{outcome:?}"
        );
        assert_eq!(world.ledger().submitted(), 1);
        world.end().await;
    }
}

#[tokio::test]
async fn an_import_that_never_appears_is_in_doubt_and_not_sent_again() {
    let world = World::with_journals_and(|o| o.erp.outcome = Some(Outcome::ImportMissing), |_| {}).await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.way_back().await;
    for _ in 0..3 {
        world.pass(100_000).await;
        world.way_back().await;
    }
    let journal = world.journal().await;
    assert_eq!((journal.state.as_str(), journal.submissions), ("in_doubt", 1));
    assert_eq!(journal.code, Some(Code::JournalInDoubt.to_string()));
    assert_eq!(world.ledger().submitted(), 1);
    world.end().await;
}

#[tokio::test]
async fn an_import_that_only_warns_is_imported_and_told() {
    let world = World::with_journals_and(|oracle| oracle.erp.outcome = Some(Outcome::Warning), |_| {}).await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.way_back().await;
    let journal = world.journal().await;
    assert_eq!(journal.state, "imported");
    assert_eq!(journal.code, Some(Code::JournalImportWarned.to_string()));
    assert_eq!(world.ledger().batches.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn what_went_to_suspense_is_told_with_what_to_do() {
    let world = World::with_journals_and(|_| {}, |journal| journal.suspense = Suspense::On).await;
    world.oracle(Edit::Suspense { allowed: true, ledger: None });
    let (fine, task) = (world.ordered("US-1", &["10"]).await, world.ordered("US-2", &["20"]).await);
    world.complete(&fine);
    world.way_back().await;
    let journal = world.journal().await;
    assert_eq!((journal.state.as_str(), journal.code), ("imported", None), "{:?}", journal.reason);
    enable(&world, false);
    world.complete(&task);
    world.way_back().await;
    let suspense = world.sandbox.oracle().ledger_facts().suspense_account;
    let ledger = world.ledger();
    let batch = ledger.batches.last().unwrap();
    assert!(batch.lines().iter().any(|(account, _)| *account == suspense), "{batch:?}");
    let journal = world.journals().await.pop().unwrap();
    assert_eq!(journal.state, "imported");
    assert_eq!(journal.code, Some(Code::JournalImportWarned.to_string()));
    let reason = journal.reason.clone().unwrap();
    assert!(reason.contains("WF02 (the suspense account was used)"), "{reason}");
    assert_eq!(explained(&world, &task).await, ["WF02"]);
    world.end().await;
}

#[tokio::test]
async fn a_log_that_cannot_be_had_does_not_hold_up_a_journal_that_may_be_in_suspense() {
    for status in [404, 500] {
        let world = World::with_journals_and(|_| {}, |journal| journal.suspense = Suspense::On).await;
        world.oracle(Edit::Suspense { allowed: true, ledger: None });
        let task = world.ordered("US-1", &["10"]).await;
        enable(&world, false);
        world.complete(&task);
        let failing = Fault::Status { status, retry_after: None, body: None, html: false };
        // the upload comes first; every later one reads the log
        world.fault(FaultRule::new(failing).on(Side::Oracle).method("POST").path("erpintegrations").after(1));
        for _ in 0..2 {
            world.way_back().await;
        }
        let journal = world.journal().await;
        assert_eq!((journal.state.as_str(), journal.submissions), ("imported", 1), "{status}: {journal:?}");
        assert_eq!(journal.code, Some(Code::JournalLogUnread.to_string()));
        world.end().await;
    }
}

#[tokio::test]
async fn an_unknown_category_is_rejected_with_its_code() {
    let world = World::with_journals_and(|_| {}, |journal| journal.category = "No such one".to_owned()).await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.way_back().await;
    let journal = world.journal().await;
    assert_eq!(journal.state, "rejected");
    assert_eq!(journal.code, Some(Code::JournalImportRejected.to_string()), "{:?}", journal.reason);
    assert!(journal.reason.as_deref().unwrap().contains("EM01"), "{:?}", journal.reason);
    assert_eq!(explained(&world, &task).await, ["EM01"]);
    world.end().await;
}

/// The codes of Oracle's that `journals show` explains for a task.
async fn explained(world: &World, task: &str) -> Vec<String> {
    let connection = connections::load(&world.engine.db, world.connection).await.unwrap();
    let mut stories = story::find(&world.engine.db, &connection, task).await.unwrap();
    let told = stories.remove(0).journals.remove(0);
    told.import_codes.into_iter().map(|advice| advice.code.to_string()).collect()
}
