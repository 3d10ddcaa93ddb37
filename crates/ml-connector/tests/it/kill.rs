//! `kill -9` at every point of a poll and a push: what is begun again ends as if nothing had happened.

use std::collections::BTreeSet;

use sandbox::{Edit, Fault, FaultRule, Side};
use tokio::process::Command;

use crate::pair::Pair;
use crate::program::{Running, start, until};
use crate::world::World;

/// Where the kill comes.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// The request was sent and will not be carried out.
    Before,
    /// The request was carried out and its answer did not arrive.
    After,
    /// Its answer has just left.
    Answered,
}

/// Either feed: a node reads both at once.
const READING: &str = "reading either feed";

const MOMENTS: [Moment; 3] = [Moment::Before, Moment::After, Moment::Answered];

/// A round makes at least so many requests: a token, two pages of orders, one of invoices, the board's
/// fields and its tasks, and a write for each of nine new orders and some changed ones. No multiple of three,
/// so that each of them meets each moment in turn.
const REQUESTS: usize = 16;

/// What the killed ones have shown.
#[derive(Debug, Default)]
struct Seen {
    /// Processes that ran until they were killed.
    kills: u32,
    /// How far they had come.
    phases: BTreeSet<&'static str>,
    /// Kills that left a task of which nothing was recorded.
    unrecorded_tasks: u32,
}

/// A disturbed and an undisturbed connection, in which the same happens.
struct Twins {
    world: World,
    disturbed: Pair,
    calm: Pair,
    seen: Seen,
}

impl Twins {
    async fn new() -> Twins {
        let (world, disturbed, calm) = tokio::join!(World::new(), Pair::new(), Pair::new());
        world.add("disturbed", &disturbed).await;
        world.add("calm", &calm).await;
        Twins { world, disturbed, calm, seen: Seen::default() }
    }

    /// A working day: new orders, and changes of old ones.
    fn work(&self, day: usize) {
        for pair in [&self.disturbed, &self.calm] {
            pair.sandbox.clock().advance(jiff::SignedDuration::from_mins(10));
            pair.add_orders(9);
            let ids = pair.sandbox.oracle().order_ids();
            let order = |n: usize| ids[(day * 7 + n) % ids.len()];
            pair.edit(Edit::LineAmount { order: order(0), line: 1, amount: format!("{day}.5"), touch: true });
            pair.edit(Edit::OrderStatus { order: order(3), code: "CLOSED".into(), touch: true });
            let supplier = format!("SUPPLIER {}", day % 5);
            if day % 4 == 3 {
                pair.edit(Edit::RenameSupplier {
                    supplier: supplier.clone(),
                    name: supplier + " LTD",
                    touch: true,
                });
            }
        }
    }

    /// Starts the program and kills it at the nth request that it makes.
    async fn kill_at(&mut self, command: Command, nth: usize, moment: Moment) {
        let (faults, calls) = (self.disturbed.sandbox.faults(), self.disturbed.sandbox.calls());
        calls.reset();
        let rule = match moment {
            Moment::Before => Some(Fault::TimeoutBefore { ms: 60_000 }),
            Moment::After => Some(Fault::TimeoutAfter { ms: 60_000 }),
            Moment::Answered => None,
        };
        let rule = rule.map(|fault| faults.add(FaultRule::new(fault).after(nth as u64 - 1).times(1)));
        let running = tokio::sync::Mutex::new(start(command));
        let reached = || rule.map_or_else(|| calls.total() >= nth as u64, |rule| faults.fired(rule) > 0);
        until("the request at which it is killed", || async { reached() || !running.lock().await.runs() })
            .await;
        let phase = self.phase();
        self.seen.phases.insert(phase);
        if phase.starts_with("reading") {
            self.seen.phases.insert(READING);
        }
        let was_running = Running::kill(running.into_inner()).await;
        self.seen.kills += u32::from(was_running);
        if let Some(rule) = rule {
            faults.remove(rule);
        }
        let linked = self
            .world
            .count(
                "select count(*) from links join connections using (connection_id) where name = 'disturbed'",
            )
            .await;
        self.seen.unrecorded_tasks += u32::from(self.disturbed.tasks().len() as i64 > linked);
        self.world.check_watermarks("disturbed", &self.disturbed).await;
        self.world.expire_leases().await;
    }

    fn phase(&self) -> &'static str {
        let calls = self.disturbed.sandbox.calls();
        let seen = |side: Side, method: &str, part: &str| {
            calls.count(|c| c.side == side && (c.method == method) && c.route.contains(part)) > 0
        };
        match () {
            () if seen(Side::Asana, "PUT", "") || seen(Side::Asana, "POST", "") => "writing to Asana",
            () if seen(Side::Asana, "GET", "") => "listing tasks",
            () if seen(Side::Oracle, "GET", "invoices") => "reading invoices",
            () if seen(Side::Oracle, "GET", "purchaseOrders") => "reading orders",
            () => "beginning",
        }
    }

    /// What the disturbed one holds and shows equals what the calm one does, once it is known of each task whether it was
    /// made.
    async fn check(&self) {
        until("nothing is in doubt", || async {
            self.world.age_creations().await;
            self.world.execute("update movements set next_attempt_at = now() where state = 'in_doubt'").await;
            let doubts = self.world.count("select count(*) from creations").await;
            if doubts > 0 {
                self.world.succeeds(&["poll", "disturbed"]).await;
            }
            doubts == 0
        })
        .await;
        self.world.succeeds(&["poll", "calm"]).await;
        assert_eq!(self.world.documents("disturbed").await, self.world.documents("calm").await);
        let tasks = self.disturbed.tasks();
        assert_eq!(tasks.len(), self.disturbed.sandbox.oracle().counts().0);
        assert_eq!(tasks, self.calm.tasks());
        assert_eq!(self.world.undelivered("disturbed").await, []);
    }

    fn has_met(&self, every_phase: &[&'static str]) -> bool {
        self.seen.unrecorded_tasks > 0 && every_phase.iter().all(|phase| self.seen.phases.contains(phase))
    }

    async fn end(self, every_phase: &[&'static str]) {
        assert!(self.has_met(every_phase), "{:?}", self.seen);
        self.world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_that_is_killed_anywhere_ends_as_an_undisturbed_one_when_begun_again() {
    let mut twins = Twins::new().await;
    // twice through all the requests that a round makes at least, at another moment each time
    for round in 0..2 * REQUESTS {
        twins.work(round);
        let command = twins.world.program(&["poll", "disturbed"]);
        twins.kill_at(command, 1 + round % REQUESTS, MOMENTS[round % 3]).await;
        if round % 5 == 4 {
            twins.world.succeeds(&["poll", "disturbed"]).await;
            twins.check().await;
        }
    }
    twins.world.succeeds(&["poll", "disturbed"]).await;
    twins.check().await;
    assert!(twins.seen.kills as usize >= 2 * REQUESTS - 3, "{:?}", twins.seen);
    twins
        .end(&["beginning", "reading orders", "reading invoices", "listing tasks", "writing to Asana"])
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_anywhere_is_replaced_without_a_trace() {
    let mut twins = Twins::new().await;
    twins.world.succeeds(&["connection", "activate", "disturbed", "--without-dry-run"]).await;
    // what a kill meets is chance, so there are more until each was met
    let wanted = [READING, "writing to Asana"];
    let mut rounds = 0;
    while rounds < REQUESTS || (rounds < 4 * REQUESTS && !twins.has_met(&wanted)) {
        let round = rounds;
        rounds += 1;
        twins.work(round);
        twins
            .world
            .execute("update jobs set due_at = now() where job in ('purchase_orders', 'invoices')")
            .await;
        let command = twins.world.program(&["serve", "--listen", "127.0.0.1:0"]);
        twins.kill_at(command, 1 + (round * 5) % REQUESTS, MOMENTS[round % 3]).await;
        if round % 5 == 4 {
            serve_until_idle(&twins.world).await;
            twins.check().await;
        }
    }
    serve_until_idle(&twins.world).await;
    twins.check().await;
    assert_eq!(twins.seen.kills as usize, rounds, "{:?}", twins.seen);
    // a node reads both feeds at once: which one a kill meets does not matter
    twins.end(&wanted).await;
}

/// Runs a node until nothing is due, and stops it.
async fn serve_until_idle(world: &World) {
    world.execute("update jobs set due_at = now() where job in ('purchase_orders', 'invoices')").await;
    let node = start(world.program(&["serve", "--listen", "127.0.0.1:0"]));
    until("nothing is due", || async {
        world
            .count(
                "select count(*) from jobs join connections using (connection_id)
                     where state = 'active' and (due_at <= now() or node_id is not null)",
            )
            .await
            == 0
    })
    .await;
    node.stop().await.ends_with(0);
}
