//! Histories: whatever people do to tasks, whatever goes wrong with Oracle, and wherever nodes stop, each completion
//! ends with its journal or a reason, and the books hold each cost once.

use std::collections::BTreeMap;
use std::sync::Arc;

use connector::journal::settings::Reopened;
use connector::store::jobs::Job;
use connector::store::journals::Journal;
use connector::{Engine, node};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sandbox::oracle::Edit;
use sandbox::oracle::settings::Phases;
use sandbox::{Fault, FaultRule, Side};
use tokio::sync::watch;

use crate::fixture::World;

/// Histories that are tried unless PROPTEST_CASES says otherwise.
const CASES: u32 = 6;
/// Orders; the first two have two tasks each.
const ORDERS: usize = 4;
/// Longer than the time of settling.
const SETTLED: i64 = 61 * 60;
/// Rounds after which everything is settled.
const ROUNDS: u32 = 6;

/// One step of a history. Tasks are picked by any number, which wraps around.
#[derive(Debug, Clone)]
enum Step {
    Complete(usize),
    Reopen(usize),
    /// The first node works, as far as it gets.
    Work,
    /// Another one does.
    OtherWorks,
    /// The first node stops at one of its requests to Oracle, which then happens or not.
    Stop {
        request: u64,
        happens: bool,
    },
    /// The next uploads go wrong.
    Uploads(Fault, u64),
    /// The next reads go wrong.
    Reads(Side, Fault, u64),
    /// Time passes.
    Pass(i64),
    /// The account that everything is charged to is disabled, or enabled.
    Account(bool),
}

fn status(status: u16) -> Fault {
    Fault::Status { status, retry_after: None, body: None, html: false }
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => Just(Fault::DropAfter),
        2 => Just(Fault::DropBefore),
        1 => Just(Fault::TimeoutAfter { ms: 5 }),
        1 => Just(Fault::TruncatedBody),
        1 => Just(Fault::HtmlPage),
        1 => Just(status(503)),
        1 => Just(status(500)),
        1 => Just(status(429)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let pick = || 0usize..100;
    let side = prop_oneof![Just(Side::Oracle), Just(Side::Asana)];
    prop_oneof![
        8 => pick().prop_map(Step::Complete),
        4 => pick().prop_map(Step::Reopen),
        6 => Just(Step::Work),
        2 => Just(Step::OtherWorks),
        4 => (0u64..12, any::<bool>()).prop_map(|(request, happens)| Step::Stop { request, happens }),
        3 => (fault(), 1u64..3).prop_map(|(fault, times)| Step::Uploads(fault, times)),
        2 => (side, fault(), 1u64..4).prop_map(|(side, fault, times)| Step::Reads(side, fault, times)),
        2 => prop_oneof![Just(60), Just(SETTLED)].prop_map(Step::Pass),
        1 => any::<bool>().prop_map(Step::Account),
    ]
}

struct History {
    world: World,
    other: Arc<Engine>,
    tasks: Vec<String>,
    complete: Vec<bool>,
    /// How long each of the four phases of an import takes in Oracle.
    phase_ms: i64,
}

impl History {
    async fn begin(reopened: Reopened, phase_ms: i64) -> History {
        let phases = Phases { wait_ms: phase_ms, run_ms: phase_ms, load_ms: phase_ms, import_ms: phase_ms };
        let world =
            World::with_journals_and(|o| o.erp.phases = phases, |journal| journal.reopened = reopened).await;
        let mut tasks = Vec::new();
        for n in 0..ORDERS {
            let number = format!("US-{n}");
            if n < 2 {
                tasks.extend([world.persons_task(&number), world.persons_task(&number)]);
            }
            world.order(&number, &["10", "20.01"]);
        }
        // a batch that a look-up can be proved by
        let proof = world.ordered("US-proof", &["1"]).await;
        world.complete(&proof);
        world.way_back().await;
        world.sandbox.clock().advance(jiff::SignedDuration::from_millis(4 * phase_ms));
        world.way_back().await;
        assert_eq!(world.journal().await.state, "imported", "the proof of look-ups");
        tasks.extend((2..ORDERS).map(|n| world.task(&format!("US-{n}")).gid));
        let other = world.another_node().await;
        let complete = vec![false; tasks.len()];
        History { world, other, tasks, complete, phase_ms }
    }

    async fn carry_out(&mut self, step: Step) {
        let world = &self.world;
        match step {
            Step::Complete(pick) => self.tick(pick, true),
            Step::Reopen(pick) => self.tick(pick, false),
            Step::Work => {
                world.pass(2).await;
                work(&world.engine, world).await;
            }
            Step::OtherWorks => {
                world.pass(2).await;
                work(&self.other, world).await;
            }
            Step::Stop { request, happens } => {
                let fault =
                    if happens { Fault::TimeoutAfter { ms: 60_000 } } else { Fault::Delay { ms: 60_000 } };
                let rule = world.fault(FaultRule::new(fault).on(Side::Oracle).after(request).times(1));
                world.pass(2).await;
                tokio::select! {
                    () = work(&world.engine, world) => {}
                    () = world.until("the request", |world| world.fired(rule) > 0) => {}
                }
                world.sandbox.faults().remove(rule);
                world.sql("update jobs set lease_until = now() - interval '1 second'").await;
            }
            Step::Uploads(fault, times) => {
                let rule = FaultRule::new(fault).on(Side::Oracle).method("POST").path("erpintegrations");
                world.fault(rule.times(times));
            }
            Step::Reads(side, fault, times) => {
                world.fault(FaultRule::new(fault).on(side).method("GET").times(times));
            }
            Step::Pass(seconds) => self.pass(seconds).await,
            Step::Account(enabled) => {
                let account = "101.10.60540.000.000.000".to_owned();
                world.oracle(Edit::ChangeAccount { account, enabled: Some(enabled), detail_posting: None });
            }
        }
    }

    /// Time passes on both sides: an import that Oracle accepted before has ended by then.
    async fn pass(&self, seconds: i64) {
        self.world.sandbox.clock().advance(jiff::SignedDuration::from_millis(4 * self.phase_ms));
        self.world.pass(seconds).await;
    }

    fn tick(&mut self, pick: usize, complete: bool) {
        let at = pick % self.tasks.len();
        if self.complete[at] != complete {
            self.complete[at] = complete;
            let task = &self.tasks[at];
            if complete { self.world.complete(task) } else { self.world.reopen(task) }
        }
    }

    /// Everything works again, and all time that it takes passes.
    async fn settle(&self) {
        let world = &self.world;
        world.sandbox.faults().clear();
        world
            .sql("update jobs set lease_until = now() - interval '1 second' where node_id is not null")
            .await;
        for _ in 0..ROUNDS {
            world.sandbox.clock().advance(jiff::SignedDuration::from_secs(60));
            world.way_back().await;
            world.pass(SETTLED).await;
            world.an_hour_later_for_completions().await;
        }
        world.way_back().await;
    }

    async fn check(&self, reopened: Reopened) {
        let world = &self.world;
        let (journals, ledger) = (world.journals().await, world.ledger());
        for completion in world.completions().await {
            let of = |kind: &str| {
                let same = |j: &&_| is_of(j, &completion.task_gid, completion.ordinal, kind);
                journals.iter().filter(same).count()
            };
            assert!(of("posting") <= 1 && of("reversal") <= of("posting"), "{completion:?} {journals:#?}");
            if completion.state == "journal" {
                assert_eq!(of("posting"), 1, "{completion:?}");
            } else {
                assert!(completion.code.is_some() && completion.reason.is_some(), "{completion:?}");
            }
        }
        let mut batches: Vec<String> = ledger.batches.iter().map(|batch| batch.id.to_string()).collect();
        let mut imported: Vec<String> = journals.iter().filter_map(|j| j.batch_id.clone()).collect();
        batches.sort();
        imported.sort();
        assert_eq!(batches, imported, "batches in Oracle, and journals that are imported: {journals:#?}");
        assert!(ledger.submissions.values().all(|count| *count == 1), "a group was sent twice: {ledger:?}");
        let mut in_the_books: BTreeMap<&str, i32> = BTreeMap::new();
        for journal in &journals {
            let settled = ["imported", "rejected", "withdrawn"].contains(&journal.state.as_str());
            assert!(settled && journal.due_at.is_none(), "{journal:#?} {:#?}", world.steps(journal).await);
            assert!(journal.state == "rejected" || journal.code.is_none(), "{journal:#?}");
            let sendings = world.sendings_after_a_look(journal).await;
            assert_eq!(sendings, journal.submissions, "{journal:#?}");
            if journal.state == "imported" {
                let sign = if journal.kind == "reversal" { -1 } else { 1 };
                *in_the_books.entry(journal.order_number.as_deref().unwrap()).or_default() += sign;
            }
        }
        for (order, count) in &in_the_books {
            assert!((0..=1).contains(count), "{order} is in the books {count} times: {journals:#?}");
        }
        if reopened == Reopened::Reverse {
            self.follows_the_tasks(&journals, &in_the_books).await;
        }
    }

    /// When journals are taken back, the books hold exactly the orders with a complete task whose own journal was not
    /// rejected; where a reversal was rejected, they hold what a person must take back.
    async fn follows_the_tasks(&self, journals: &[Journal], in_the_books: &BTreeMap<&str, i32>) {
        let completions = self.world.completions().await;
        let rejected = |task: &str, ordinal: i32, kind: &str| {
            journals.iter().any(|j| is_of(j, task, ordinal, kind) && j.state == "rejected")
        };
        for n in 0..ORDERS {
            let number = format!("US-{n}");
            let (mut takes, mut unclear) = (false, false);
            for task in self.world.tasks_of(&number) {
                let mut of_task = completions.iter().filter(|c| c.task_gid == task.gid);
                unclear |= of_task.clone().any(|c| rejected(&task.gid, c.ordinal, "reversal"));
                let at = self.tasks.iter().position(|gid| *gid == task.gid);
                let last = of_task.next_back().filter(|_| at.is_some_and(|at| self.complete[at]));
                takes |= last.is_some_and(|last| !rejected(&task.gid, last.ordinal, "posting"));
            }
            if !unclear {
                let held = in_the_books.get(number.as_str()).copied().unwrap_or(0);
                assert_eq!(held, i32::from(takes), "{number}: {journals:#?} {completions:#?}");
            }
        }
    }
}

fn is_of(journal: &Journal, task: &str, ordinal: i32, kind: &str) -> bool {
    journal.task_gid == task && journal.ordinal == ordinal && journal.kind == kind
}

/// The jobs once each, as far as they get.
async fn work(engine: &Engine, world: &World) {
    for job in [Job::Sweep, Job::Completions, Job::Journals] {
        if let Err(error) = node::run_once(engine, world.connection, &[job], &watch::Sender::new(0)).await {
            let code = error.code.info().code;
            assert!(code.starts_with("MLC-2") || code.starts_with("MLC-3"), "{error}");
        }
    }
}

#[test]
fn whatever_happens_each_completion_has_one_journal_or_a_reason_and_the_books_agree() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(CASES);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config = Config { cases, max_shrink_iters: 12, failure_persistence: None, ..Config::default() };
    let reopened = prop_oneof![1 => Just(Reopened::Ignore), 2 => Just(Reopened::Reverse)];
    let history = (reopened, prop_oneof![Just(0i64), Just(400)], prop::collection::vec(step(), 8..30));
    let result = TestRunner::new(config).run(&history, |(reopened, phase_ms, steps)| {
        runtime.block_on(async {
            let mut history = History::begin(reopened, phase_ms).await;
            for step in steps {
                history.carry_out(step).await;
            }
            history.settle().await;
            history.check(reopened).await;
            history.other.db.close().await;
            history.world.end().await;
        });
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}
