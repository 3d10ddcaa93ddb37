//! `kill -9` at every request on the way from a completed task to its journal, before it happened, after it happened
//! and after its answer: one journal, found and adopted.

use jiff::{SignedDuration, Timestamp};
use sandbox::{Fault, FaultRule, Side};
use serde_json::Value;
use uuid::Uuid;

use crate::pair::Pair;
use crate::program::{start, until};
use crate::world::World;

/// A request to Oracle on the way of a journal.
#[derive(Debug, Clone, Copy)]
struct Request {
    method: &'static str,
    path: &'static str,
    /// How many of the same kind come before it.
    before: u64,
    is_upload: bool,
}

const fn get(path: &'static str, before: u64) -> Request {
    Request { method: "GET", path, before, is_upload: false }
}

/// In their order. A look-up asks in two forms at once, so the third is the one after the import.
const REQUESTS: [Request; 6] = [
    get("accountingPeriodStatusLOV", 0),
    get("accountCombinationsLOV", 0),
    get("journalBatches", 0),
    Request { method: "POST", path: "erpintegrations", before: 0, is_upload: true },
    get("erpintegrations", 0),
    get("journalBatches", 2),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// The request was sent and will not be carried out.
    Before,
    /// The request was carried out and its answer never comes.
    After,
    /// Its answer has just left.
    Answered,
}

const MOMENTS: [Moment; 3] = [Moment::Before, Moment::After, Moment::Answered];

/// Longer than Oracle is given to show a batch.
const SETTLED: SignedDuration = SignedDuration::from_hours(13);

const SILENCE_MS: u64 = 60_000;

struct Scene {
    world: World,
    pair: Pair,
    /// Kills that left an upload which happened and of which no answer was recorded.
    unanswered: u32,
}

impl Scene {
    async fn serve(&self) -> crate::program::Running {
        self.world.execute("update jobs set due_at = now() where job = 'sweep'").await;
        start(self.world.program(&["serve", "--listen", "127.0.0.1:0"]))
    }

    fn submissions(&self) -> Vec<u64> {
        let ledger: Value = serde_json::from_str(&self.pair.sandbox.oracle().ledger_json()).unwrap();
        ledger["submissions"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).collect()
    }

    async fn states(&self) -> Vec<String> {
        let sql = "select state from journals order by journal_id";
        sqlx::query_scalar(sql).fetch_all(&self.world.db).await.unwrap()
    }

    /// What happened to the newest journal.
    async fn steps(&self) -> Vec<String> {
        let sql = "select concat_ws(' | ', at, node_id, state, what, left(request, 60), response) from journal_steps
                   where journal_id = (select max(journal_id::text)::uuid from journals) order by at";
        sqlx::query_scalar(sql).fetch_all(&self.world.db).await.unwrap()
    }

    /// Runs a node until the request is where it is to be, and kills it there.
    async fn kill_at(&mut self, request: Request, moment: Moment) {
        let sent = self.submissions().len();
        self.pair.sandbox.calls().reset();
        let fault = match moment {
            Moment::Before => Some(Fault::TimeoutBefore { ms: SILENCE_MS }),
            Moment::After => Some(Fault::TimeoutAfter { ms: SILENCE_MS }),
            Moment::Answered => None,
        };
        let rule = fault.map(|fault| {
            let rule = FaultRule::new(fault).on(Side::Oracle).method(request.method).path(request.path);
            self.pair.sandbox.faults().add(rule.after(request.before).times(1))
        });
        let node = self.serve().await;
        until(&format!("{request:?} {moment:?}"), || async {
            let happened = !request.is_upload || self.submissions().len() > sent;
            match rule {
                Some(rule) => {
                    self.pair.sandbox.faults().fired(rule) == 1 && (moment == Moment::Before || happened)
                }
                None => {
                    let answered = self.pair.sandbox.calls().count(|call| {
                        call.method == request.method
                            && call.route.contains(request.path)
                            && call.status.is_some()
                    });
                    answered > request.before
                }
            }
        })
        .await;
        assert!(node.kill().await, "the node ran until it was killed");
        let open = "select count(*) from journals where state = 'submitting' and submissions > 0 and request_id is null";
        if request.is_upload && moment != Moment::Before {
            assert_eq!(self.submissions().len(), sent + 1, "{request:?} {moment:?}");
            self.unanswered += u32::from(self.world.count(open).await == 1);
        }
        if let Some(rule) = rule {
            self.pair.sandbox.faults().remove(rule);
        }
        self.world.expire_leases().await;
    }

    /// Runs a node until every journal is settled, while the time passes that Oracle is given for what is in doubt.
    async fn settle(&self, journals: usize) {
        let node = self.serve().await;
        until("every journal is imported", || async {
            let_doubts_age(&self.world).await;
            let states = self.states().await;
            states.len() == journals && states.iter().all(|state| state == "imported")
        })
        .await;
        node.stop().await.ends_with(0);
    }
}

/// Lets the time pass that Oracle is given for what is in doubt.
pub async fn let_doubts_age(world: &World) {
    let doubted: Vec<(Uuid, String)> = sqlx::query_as(
        "select journal_id, machine from journals where state = 'in_doubt' and due_at is not null",
    )
    .fetch_all(&world.db)
    .await
    .unwrap();
    for (id, machine) in doubted {
        let mut aged: Value = serde_json::from_str(&machine).unwrap();
        age(&mut aged);
        sqlx::query(
            // not while the node works on it
            "update journals set machine = $2, due_at = now()
             where journal_id = $1 and machine = $3 and due_at is not null",
        )
        .bind(id)
        .bind(aged.to_string())
        .bind(machine)
        .execute(&world.db)
        .await
        .unwrap();
    }
    world.execute("update jobs set due_at = now() where job = 'journals' and node_id is null").await;
}

/// Moves every instant in a stored machine into the past.
fn age(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Ok(at) = text.parse::<Timestamp>() {
                *text = (at - SETTLED).to_string();
            }
        }
        Value::Array(all) => all.iter_mut().for_each(age),
        Value::Object(all) => all.values_mut().for_each(age),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_at_any_request_leaves_one_journal_that_is_found_and_adopted() {
    let (world, pair) = tokio::join!(World::new(), Pair::with_journals("a-client-secret", "an-asana-token"));
    let rounds = REQUESTS.len() * MOMENTS.len();
    // the first one is undisturbed: a batch that a look-up can be proved by
    pair.add_orders(rounds + 1);
    world.add("main", &pair).await;
    world.succeeds(&["poll", "main"]).await;
    world.succeeds(&["connection", "activate", "main", "--without-dry-run"]).await;
    let mut scene = Scene { world, pair, unanswered: 0 };
    scene.pair.complete("PO-0");
    scene.settle(1).await;
    for round in 0..rounds {
        scene.pair.sandbox.clock().advance(SignedDuration::from_secs(1));
        scene.pair.complete(&format!("PO-{}", round + 1));
        scene.kill_at(REQUESTS[round % REQUESTS.len()], MOMENTS[round / REQUESTS.len()]).await;
        scene.settle(round + 2).await;
        let once = scene.submissions();
        let one_each = scene.pair.batches() == round + 2 && once.iter().all(|count| *count == 1);
        assert!(one_each && once.len() == round + 2, "round {round}: {once:?} {:#?}", scene.steps().await);
    }
    assert!(scene.unanswered >= 1, "no kill came between an upload and its answer");
    let debts = "select count(*) from completions where state <> 'journal'";
    assert_eq!(scene.world.count(debts).await, 0);
    scene.world.end().await;
}
