//! Everything at once, by a seed: a schedule of edits and completions, a schedule of faults, and a checker at the end.
//! `script/chaos` runs the long one.

mod checker;
mod database;
mod expected;
mod faults;
mod node;
mod schedule;
mod wire;

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use sandbox::Edit;
use sandbox::asana::{Edit as AsanaEdit, Sending};

use self::faults::Fired;
use self::node::Node;
use self::schedule::{KINDS, Round};
use self::wire::{Way, Wire};
use crate::door::Door;
use crate::kill_journals::let_doubts_age;
use crate::pair::Pair;
use crate::program::until;
use crate::world::World;

/// A round that nothing ends sooner.
const ROUND: Duration = Duration::from_millis(1_200);

/// How long the end may take: an attempt waits up to some minutes for its turn, which the harness lets pass.
const BOUND: Duration = Duration::from_secs(120);

/// How long faults that did not meet their request in their round are waited for.
const DRAIN: Duration = Duration::from_secs(30);

/// How many requests a round without a kill waits for.
const ENOUGH: u64 = 30;

/// A disturbed connection, an undisturbed one in which the same happens, and the nodes.
struct Scene {
    world: World,
    pair: Pair,
    calm: Pair,
    door: Door,
    wire: Wire,
    nodes: Vec<Node>,
    fired: Fired,
    completed: Vec<String>,
}

impl Scene {
    /// With a node whose clock is an hour off, before or behind by the seed, when there are two.
    async fn new(nodes: usize, seed: u64) -> Scene {
        let pair = Pair::with_journals("a-client-secret", "an-asana-token");
        let (world, pair, calm, door) = tokio::join!(World::new(), pair, Pair::new(), Door::new());
        calm.sandbox.clock().freeze(pair.sandbox.clock().now());
        pair.sandbox.calls().record_exchanges(1_000_000);
        pair.sandbox.asana().change_webhooks(|hooks| {
            hooks.retry_first_seconds = 1;
            hooks.retry_most_seconds = 4;
        });
        let wire = Wire::to(&world.database_url).await;
        let mut scene = Scene {
            world,
            pair,
            calm,
            door,
            wire,
            nodes: Vec::new(),
            fired: Fired::default(),
            completed: Vec::new(),
        };
        scene.world.add("main", &scene.pair).await;
        scene.world.add("calm", &scene.calm).await;
        scene.both(|pair| pair.add_orders(5));
        scene.world.succeeds(&["poll", "main"]).await;
        scene.world.succeeds(&["connection", "activate", "main", "--without-dry-run"]).await;
        for n in 0..nodes {
            let skew = node::skew(seed).filter(|_| n == 1);
            scene.serve(skew).await;
        }
        scene
    }

    fn both(&self, what: impl Fn(&Pair)) {
        what(&self.pair);
        what(&self.calm);
    }

    async fn round(&mut self, round: &Round) {
        self.both(|pair| pair.sandbox.clock().advance(SignedDuration::from_secs(2)));
        self.work(round);
        for trip in &round.trips {
            self.fired.lay(&self.pair, trip);
        }
        if round.around == Some("webhook deleted") {
            until("a webhook that can be deleted", async || {
                self.let_time_pass().await;
                !self.pair.sandbox.asana().webhooks().is_empty()
            })
            .await;
        }
        if let Some((in_answer, after)) = round.cut {
            self.wire.cut(if in_answer { Way::Answering } else { Way::Asking }, after);
        }
        self.begin_around(round.around);
        self.complete(round.completed);
        self.let_time_pass().await;
        let before = self.pair.sandbox.calls().total();
        let begun = Instant::now();
        let goal = round.kill_after.unwrap_or(ENOUGH);
        let mut passed = Instant::now();
        while self.pair.sandbox.calls().total() < before + goal && begun.elapsed() < ROUND {
            if passed.elapsed() > ROUND / 4 {
                self.let_time_pass().await;
                passed = Instant::now();
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let victim = round.victim % self.nodes.len();
        if round.is_felled {
            self.fell_database().await;
        }
        if round.kill_after.is_some() {
            self.kill(victim, round.is_patient).await;
        } else if self.nodes.len() > 1 {
            self.pause(victim).await;
        }
        self.end_around(round.around).await;
    }

    /// Edits in Oracle.
    fn work(&self, round: &Round) {
        let line = |order, amount| Edit::LineAmount { order, line: 1, amount, touch: true };
        self.both(|pair| {
            pair.add_orders(round.new_orders);
            let ids = pair.sandbox.oracle().order_ids();
            for (order, cents) in &round.amounts {
                pair.edit(line(ids[order % ids.len()], format!("{}.{:02}", cents / 100, cents % 100)));
            }
            if let Some(order) = round.closed {
                let order = ids[order % ids.len()];
                pair.edit(Edit::OrderStatus { order, code: "CLOSED".into(), touch: true });
            }
        });
    }

    /// Ticks off the oldest tasks that are still open.
    fn complete(&mut self, count: usize) {
        for _ in 0..count {
            let number = format!("PO-{}", self.completed.len());
            let exists = self.pair.tasks().values().any(|task| task["po_number"] == number);
            if exists {
                self.completed.push(self.pair.complete(&number));
            }
        }
    }

    fn begin_around(&mut self, kind: Option<&'static str>) {
        let asana = self.pair.sandbox.asana();
        match kind {
            Some("token revoked") => faults::revoke_tokens(&self.pair),
            Some("webhook deleted") => {
                let hooks = asana.webhooks();
                for hook in &hooks {
                    asana.apply(AsanaEdit::DeleteWebhook { webhook: hook.gid.clone() }).unwrap();
                }
                self.fired.happened("webhook deleted", hooks.len() as u64);
            }
            Some("deliveries lost") => asana.change_webhooks(|hooks| hooks.sending = Sending::Lose),
            Some("deliveries doubled") => asana.change_webhooks(|hooks| hooks.copies = 2),
            Some("deliveries reordered") => asana.change_webhooks(|hooks| {
                hooks.reordered = true;
                hooks.events_per_delivery = 1;
            }),
            Some("door closed") => self.door.leads_to(None),
            _ => return,
        }
        if let Some(
            kind @ ("token revoked" | "deliveries doubled" | "deliveries reordered" | "door closed"),
        ) = kind
        {
            self.fired.happened(kind, 1);
        }
    }

    /// Deliveries go as they should again.
    async fn end_around(&mut self, kind: Option<&'static str>) {
        if kind == Some("deliveries lost") {
            self.fired.happened("deliveries lost", 1);
        }
        self.pair.sandbox.asana().change_webhooks(|hooks| {
            hooks.sending = Sending::Send;
            hooks.copies = 1;
            hooks.reordered = false;
            hooks.events_per_delivery = 0;
        });
        if kind == Some("door closed") {
            // whoever stood behind the door may be gone, so a new one is put there
            self.kill(0, false).await;
        }
    }

    /// Everything that waits for its time has waited long enough.
    async fn let_time_pass(&self) {
        let_doubts_age(&self.world).await;
        self.world
            .execute("update movements set next_attempt_at = now() where state in ('retrying', 'in_doubt')")
            .await;
        self.world.age_creations().await;
        // places that nodes had taken ahead when they were killed are of the past
        self.world.execute("update budgets set next_at = least(next_at, now()), paused_until = null").await;
        // a registration that a killed node began is left alone for a while
        self.world
            .execute(
                "update webhooks set created_at = created_at - interval '1 hour'
                 where state = 'pending' and created_at < now() - interval '2 seconds'",
            )
            .await;
        // a side that failed is asked again, and a probe of a node that is gone counts no longer
        self.world.execute("update breakers set retry_at = now(), probing_until = null where open").await;
        self.world
            .execute("update jobs set due_at = now() where node_id is null and due_at is not null")
            .await;
    }

    /// Work goes on until each fault that was laid has happened, since one that never happens proves nothing.
    async fn let_all_happen(&mut self) {
        let begun = Instant::now();
        while (Fired::are_waiting(&self.pair) || self.wire.is_waiting()) && begun.elapsed() < DRAIN {
            self.go_on().await;
        }
    }

    /// A little more work.
    async fn go_on(&mut self) {
        self.both(|pair| {
            pair.sandbox.clock().advance(SignedDuration::from_secs(1));
            pair.add_orders(1);
        });
        self.complete(1);
        self.let_time_pass().await;
        tokio::time::sleep(Duration::from_millis(150)).await;
    }

    /// Work goes on until a delivery with events was taken: in a few rounds it is chance whether one was.
    async fn let_a_delivery_be_taken(&mut self) {
        let begun = Instant::now();
        let is_taken = |scene: &Scene| {
            let attempts = scene.pair.sandbox.asana().delivery_attempts();
            attempts.iter().any(|attempt| attempt.succeeded() && attempt.events > 0)
        };
        while !is_taken(self) {
            let webhooks = self.pair.sandbox.asana().webhooks();
            assert!(begun.elapsed() < BOUND, "no delivery is taken: {webhooks:?}");
            self.go_on().await;
        }
    }

    /// Without faults, until everything is as it should be, or for as long as the bound lets.
    async fn converge(&mut self) -> Vec<String> {
        self.fired.end(&self.pair);
        let (asking, answering) = self.wire.end();
        self.fired.happened("database cut asking", asking);
        self.fired.happened("database cut answering", answering);
        self.world.succeeds(&["poll", "calm"]).await;
        let begun = Instant::now();
        loop {
            // the whole comparison is slow, and meanwhile no time passes: it is made when nothing is under way
            while checker::is_under_way(self).await && begun.elapsed() < BOUND {
                self.pair.sandbox.clock().advance(SignedDuration::from_secs(1));
                self.let_time_pass().await;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            let found = checker::findings(self).await;
            if found.is_empty() || begun.elapsed() > BOUND {
                return found;
            }
            self.pair.sandbox.clock().advance(SignedDuration::from_secs(1));
            self.let_time_pass().await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn stop(&mut self) {
        for node in self.nodes.drain(..) {
            node.running.stop().await.ends_with(0);
        }
    }
}

/// Runs a schedule to its end, at which nothing is wrong.
#[expect(clippy::print_stdout, reason = "whoever runs it looks at it")]
async fn run(seed: u64, rounds: usize, nodes: usize) -> Scene {
    println!(
        "seed {seed}, {rounds} rounds, {nodes} nodes: script/chaos --seed {seed} --rounds {rounds} --nodes {nodes}"
    );
    let mut scene = Scene::new(nodes, seed).await;
    for (n, round) in schedule::schedule(seed, rounds).iter().enumerate() {
        let begun = Instant::now();
        scene.round(round).await;
        println!(
            "round {:>4} {:>5} ms {:?} {:?}",
            n + 1,
            begun.elapsed().as_millis(),
            round.around,
            round.trips
        );
    }
    scene.let_all_happen().await;
    scene.let_a_delivery_be_taken().await;
    let begun = Instant::now();
    let found = scene.converge().await;
    println!(
        "{} orders, {} completions, {} batches, converged in {:?}; faults that fired:\n{}",
        scene.pair.tasks().len(),
        scene.completed.len(),
        scene.pair.batches(),
        begun.elapsed(),
        scene.fired.table()
    );
    assert!(found.is_empty(), "seed {seed}: {found:#?}");
    scene.stop().await;
    scene
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_seeded_run_of_every_fault_loses_nothing_and_doubles_nothing() {
    let scene = run(1, 12, 1).await;
    for kind in KINDS {
        assert!(scene.fired.of(kind) > 0, "{kind} never happened:\n{}", scene.fired.table());
    }
    let mut known = Vec::new();
    for (defect, finding) in DEFECTS {
        scene.world.execute(defect).await;
        let found = checker::findings(&scene).await;
        let is_found = found.iter().any(|one| one.contains(finding) && !known.contains(one));
        assert!(is_found, "{defect} is not found: {found:#?}");
        known = found;
    }
    scene.world.end().await;
}

/// Defects that are planted one after the other, each with what must be found.
const DEFECTS: [(&str, &str); 8] = [
    (
        "update movements set request = replace(request, '\"', '\"x') where request is not null",
        "is in no log",
    ),
    ("delete from links where task_gid = (select min(task_gid) from links)", "tasks without a link"),
    (
        "update events set state = 'open' where event_key = (select event_key from events limit 1)",
        "1 open events",
    ),
    ("with known as (delete from events) delete from deliveries", "is not in the inbox"),
    ("update journals set submissions = 0 where state = 'imported'", "0 in the log"),
    (
        "with steps as (update journal_steps set request = null)
         update journals set group_id = group_id + 1000000",
        "is in no journal's log",
    ),
    ("delete from completions where task_gid = (select min(task_gid) from completions)", "is lost"),
    // the last, since it is waited for
    ("update jobs set node_id = gen_random_uuid() where job = 'push'", "open leases"),
];

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes as long as CHAOS_ROUNDS says; script/chaos runs it"]
async fn a_long_seeded_run() {
    let (rounds, nodes) = (number("CHAOS_ROUNDS", 200) as usize, number("CHAOS_NODES", 1) as usize);
    let scene = run(number("CHAOS_SEED", 1), rounds, nodes).await;
    let fired = &scene.fired;
    let paused = if nodes > 1 { &["SIGSTOP", "lease taken over"][..] } else { &[] };
    for kind in KINDS.iter().chain(paused).filter(|_| rounds >= 40) {
        assert!(fired.of(kind) > 0, "{kind} never happened:\n{}", fired.table());
    }
    scene.world.end().await;
}
