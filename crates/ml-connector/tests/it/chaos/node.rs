//! The nodes: begun, killed, stopped until their leases are others', with a clock that is off, and their database felled.

use rustix::process::{Pid, Signal, kill_process};
use uuid::Uuid;

use super::Scene;
use crate::program::{Running, start, until};

/// Where Debian's package `faketime` puts what shows a program another time.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// How long a node that is stopped keeps its leases: they run out by themselves, as they must before it goes on.
const LEASE_SECONDS: &str = "2";

/// How often a node is looked at until it holds a lease.
const LOOKS: usize = 40;

/// A node that serves.
pub struct Node {
    pub running: Running,
    id: Uuid,
    /// By how much its clock is off.
    skew: Option<&'static str>,
}

/// How far off the one clock is, by a seed. Nothing when the machine has no means for it.
#[expect(clippy::print_stdout, reason = "whoever runs it looks at it")]
pub fn skew(seed: u64) -> Option<&'static str> {
    if !std::path::Path::new(FAKETIME).exists() {
        println!("no clock is off: the package faketime is not installed ({FAKETIME})");
        return None;
    }
    Some(if seed.is_multiple_of(2) { "-1h" } else { "+1h" })
}

impl Scene {
    /// Begins a node, and waits until the database knows it and what its clock shows.
    pub async fn serve(&mut self, skew: Option<&'static str>) {
        let args = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--public-url",
            &self.door.url,
            "--lease-seconds",
            LEASE_SECONDS,
        ];
        let mut command = self.world.program(&args);
        command.env("DATABASE_URL", &self.wire.url);
        if let Some(skew) = skew {
            command.env("LD_PRELOAD", FAKETIME).env("FAKETIME", skew);
            command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("FAKETIME_DISABLE_SHM", "1");
        }
        let mut running = start(command);
        self.door.leads_to(Some(running.takes_deliveries().await));
        let pid = i64::from(running.child.id().unwrap());
        let sql = "select node_id, abs(abs(clock_offset) - 3600) < 60 from nodes where pid = $1 order by started_at desc limit 1";
        let known = async || -> Option<(Uuid, bool)> {
            sqlx::query_as(sql).bind(pid).fetch_optional(&self.world.db).await.unwrap()
        };
        until("the node is known", async || known().await.is_some()).await;
        let (id, is_off) = known().await.unwrap();
        assert_eq!(is_off, skew.is_some(), "whether its clock is off by an hour, with {skew:?}");
        if skew.is_some() {
            self.fired.happened("clock an hour off", 1);
        }
        self.nodes.push(Node { running, id, skew });
    }

    /// How many leases a node holds.
    async fn leases_of(&self, node: Uuid) -> u64 {
        let sql = "select count(*) from jobs where node_id = $1";
        let count: i64 = sqlx::query_scalar(sql).bind(node).fetch_one(&self.world.db).await.unwrap();
        count.unsigned_abs()
    }

    /// Looks for a while whether a node is at work.
    async fn is_at_work(&self, node: Uuid) -> bool {
        for look in 0..LOOKS {
            if self.leases_of(node).await > 0 {
                return true;
            }
            if look % 10 == 0 {
                self.let_time_pass().await;
            }
            tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        }
        false
    }

    /// Waits until nothing is a node's any more that does nothing more; unless `is_patient`, its leases are made to run
    /// out. Rows that it has locked are left alone.
    async fn takes_over(&mut self, node: Uuid, is_patient: bool) {
        let held = self.leases_of(node).await;
        let expire = "update jobs set lease_until = now() - interval '1 second'
                      where (connection_id, job) in (select connection_id, job from jobs
                             where node_id = $1 and lease_until > now() for update skip locked)";
        until("the leases of a node that is gone are others'", async || {
            if !is_patient {
                sqlx::query(expire).bind(node).execute(&self.world.db).await.unwrap();
            }
            // also what a breaker keeps from being claimed
            let asks = "update breakers set retry_at = now(), probing_until = null
                        where (connection_id, provider) in (select connection_id, provider from breakers
                               where open for update skip locked)";
            self.world.execute(asks).await;
            self.leases_of(node).await == 0
        })
        .await;
        self.fired.happened("lease taken over", held);
        if is_patient {
            self.fired.happened("lease run out", held);
        }
    }

    /// Kills a node and begins another.
    pub async fn kill(&mut self, victim: usize, is_patient: bool) {
        if is_patient {
            self.is_at_work(self.nodes[victim].id).await;
        }
        let node = self.nodes.swap_remove(victim);
        assert!(node.running.kill().await, "a node ended by itself");
        self.fired.happened("kill -9", 1);
        self.serve(node.skew).await;
        self.takes_over(node.id, is_patient).await;
    }

    /// Stops a node, in the middle of work if it can be met there, until its leases have run out and are another's.
    pub async fn pause(&mut self, victim: usize) {
        let (running, node) = (&self.nodes[victim].running, self.nodes[victim].id);
        let pid = Pid::from_raw(i32::try_from(running.child.id().unwrap()).unwrap()).unwrap();
        self.is_at_work(node).await;
        kill_process(pid, Signal::STOP).unwrap();
        self.takes_over(node, true).await;
        kill_process(pid, Signal::CONT).unwrap();
        self.fired.happened("SIGSTOP", 1);
    }

    /// PostgreSQL goes at once, until a node has noticed, and comes back.
    pub async fn fell_database(&mut self) {
        let before = self.wire.turned_away();
        self.world.fell_database().await;
        until("a node misses the database", async || self.wire.turned_away() > before).await;
        self.world.raise_database().await;
        self.fired.happened("PostgreSQL stopped", 1);
    }
}
