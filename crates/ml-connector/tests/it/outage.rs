//! The database goes away at once while deliveries come in and tasks are made: deliveries are refused with 503, the node
//! lives, and goes on by itself when the database is back. Nothing that was acknowledged is missing.

use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sqlx::Connection;
use tokio::sync::watch;

use crate::door::Door;
use crate::pair::Pair;
use crate::program::{start, until};
use crate::world::World;

/// Until deliveries are taken and tasks are written again after the database accepts connections.
const RECOVERS_WITHIN: Duration = Duration::from_secs(2);
const ORDERS: usize = 400;
const SENDERS: usize = 4;
/// How many tasks are made and recorded.
const LINKS: &str = "select count(*) from links";
/// Between two deliveries of a sender.
const PAUSE: Duration = Duration::from_millis(50);

/// A delivery and what came of it; no status where no answer came.
struct Sent {
    at: Instant,
    took: Duration,
    status: Option<u16>,
    mark: String,
}

/// Where deliveries go and what signs them.
#[derive(Clone)]
struct Hook {
    url: String,
    secret: String,
    task: String,
    client: reqwest::Client,
}

impl Hook {
    async fn deliver(&self, mark: String) -> Sent {
        let body = format!(
            r#"{{"events":[{{"user":{{"gid":"1","resource_type":"user"}},"created_at":"{}","action":"changed","resource":{{"gid":"{}","resource_type":"task"}},"parent":null,"change":{{"field":"{mark}","action":"changed"}}}}]}}"#,
            jiff::Timestamp::now(),
            self.task,
        );
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let signature: String =
            mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let at = Instant::now();
        let request = self.client.post(&self.url).header("x-hook-signature", signature);
        let answer = request.header("content-type", "application/json").body(body).send().await;
        Sent { at, took: at.elapsed(), status: answer.ok().map(|answer| answer.status().as_u16()), mark }
    }

    async fn load(self, sender: usize, stop: watch::Receiver<bool>) -> Vec<Sent> {
        let mut sent = Vec::new();
        while !*stop.borrow() {
            sent.push(self.deliver(format!("load-{sender}-{}", sent.len())).await);
            tokio::time::sleep(PAUSE).await;
        }
        sent
    }
}

/// The door's secrets are a token and a secret, in no order that tells which is which.
async fn hook(door: &Door, at: std::net::SocketAddr, task: String) -> Hook {
    let secrets = door.secrets();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
    for token in &secrets {
        for secret in secrets.iter().filter(|secret| *secret != token) {
            let url = format!("http://{at}/hooks/asana/{token}");
            let hook = Hook { url, secret: secret.clone(), task: task.clone(), client: client.clone() };
            if hook.deliver("first".to_owned()).await.status == Some(200) {
                return hook;
            }
        }
    }
    panic!("no delivery is taken");
}

/// When the database accepts a connection.
async fn accepts(url: &str) -> Instant {
    loop {
        if let Ok(connection) = sqlx::PgConnection::connect(url).await {
            let at = Instant::now();
            let _ = connection.close().await;
            return at;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits for the rest of the tasks.
async fn every_task_is_made(world: &World) {
    until("every task is made", || async {
        // what was about to be made when the database went waits until it is known that it was not
        world.age_creations().await;
        let due = "update movements set next_attempt_at = now() where state = 'in_doubt' and next_attempt_at > now()";
        world.execute(due).await;
        world.execute("update jobs set due_at = now() where job = 'push' and node_id is null").await;
        world.count(LINKS).await == ORDERS as i64
    })
    .await;
}

#[expect(clippy::print_stdout, reason = "whoever runs it looks at it")]
async fn database_is_away(away: Duration) {
    let pair = Pair::with_journals("a-client-secret", "an-asana-token");
    let (mut world, pair, door) = tokio::join!(World::new(), pair, Door::new());
    pair.add_orders(ORDERS);
    world.add("main", &pair).await;
    // as fast as Asana allows, so that there is work left when the database goes
    world.succeeds(&["connection", "edit", "main", "--set", "asana.requests_per_minute=1500"]).await;
    world.succeeds(&["connection", "activate", "main", "--without-dry-run"]).await;
    let mut node = start(world.program(&["serve", "--listen", "127.0.0.1:0", "--public-url", &door.url]));
    let address = node.takes_deliveries().await;
    door.leads_to(Some(address));
    let active = "select count(*) from webhooks where state = 'active'";
    until("the project is watched", || async { world.count(active).await == 1 }).await;
    let delivered = "select count(*) from movements where state = 'delivered'";
    until("tasks are made", || async { world.count(LINKS).await >= 20 }).await;
    let task: String =
        sqlx::query_scalar("select task_gid from links limit 1").fetch_one(&world.db).await.unwrap();
    let hook = hook(&door, address, task).await;
    let stop = watch::Sender::new(false);
    let load: Vec<_> =
        (0..SENDERS).map(|sender| tokio::spawn(hook.clone().load(sender, stop.subscribe()))).collect();
    let taken = "select count(*) from deliveries";
    until("deliveries are taken", || async { world.count(taken).await >= 50 }).await;

    world.fell_database().await;
    let gone = Instant::now();
    let made = pair.tasks().len();
    assert!(made < ORDERS, "nothing is left to be pushed");
    // how long the database is away is what is tried
    tokio::time::sleep(away.saturating_sub(gone.elapsed())).await;
    assert!(node.runs(), "the node ended with its database");
    let url = world.database_url.clone();
    let (back, ()) = tokio::join!(accepts(&url), world.raise_database());
    let was = world.count(delivered).await;
    until("pushes go on", || async { world.count(delivered).await > was }).await;
    let pushes = back.elapsed();
    let before = world.count(taken).await;
    until("deliveries are taken again", || async { world.count(taken).await >= before + 50 }).await;
    stop.send_replace(true);
    let mut sent = Vec::new();
    for sender in load {
        sent.extend(sender.await.unwrap());
    }
    let of = |status: Option<u16>| sent.iter().filter(|one| one.status == status).count();
    let answered = |one: &&Sent| one.status == Some(200) && one.at + one.took >= back;
    let first = sent.iter().filter(answered).map(|one| one.at + one.took - back).min().unwrap();
    let longest = sent.iter().map(|one| one.took).max().unwrap();
    println!(
        "away {:?}: {} deliveries, {} x 200, {} x 503, {} without answer, longest {longest:?}; first 200 {first:?} and \
         first push {pushes:?} after the database accepts; {made} tasks before, {was} recorded",
        back - gone,
        sent.len(),
        of(Some(200)),
        of(Some(503)),
        of(None)
    );
    assert!(of(Some(503)) > 0 && of(Some(200)) + of(Some(503)) == sent.len(), "every answer is 200 or 503");
    let during = |one: &&Sent| one.status == Some(200) && one.at > gone && one.at + one.took < back;
    assert_eq!(sent.iter().filter(during).count(), 0, "nothing is taken without a database");
    assert!(first <= RECOVERS_WITHIN, "the first 200 came after {first:?}");
    assert!(pushes <= RECOVERS_WITHIN, "the first push came after {pushes:?}");
    let stored: Vec<String> =
        sqlx::query_scalar("select body from deliveries").fetch_all(&world.db).await.unwrap();
    let stored = stored.concat();
    for one in sent.iter().filter(|one| one.status == Some(200)) {
        assert!(stored.contains(&format!("\"{}\"", one.mark)), "{} was acknowledged and is lost", one.mark);
    }
    every_task_is_made(&world).await;
    assert_eq!(pair.tasks().len(), ORDERS);
    assert!(node.runs(), "the node ended afterwards");
    node.stop().await.ends_with(0);
    world.end().await;
}

/// A node that starts while its database is away refuses deliveries, says so, and works when the database is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_starts_before_its_database() {
    let mut world = World::new().await;
    world.fell_database().await;
    let mut node = start(world.program(&["serve", "--listen", "127.0.0.1:0"]));
    let address = node.listens().await;
    let told = node.says("it is asked again and again").await;
    assert!(told.contains("MLC-1206") && told.contains("refused"), "{told}");
    let asks = |path: &str| {
        let url = format!("{address}{path}");
        async move { reqwest::get(&url).await.unwrap().status().as_u16() }
    };
    assert_eq!((asks("/health").await, asks("/ready").await, asks("/").await), (200, 503, 503));
    let token = format!("{address}/hooks/asana/{}", "a".repeat(43));
    let delivered = reqwest::Client::new().post(&token).body("{}").send().await.unwrap().status().as_u16();
    assert_ne!(delivered, 410, "Asana would delete its webhook");

    world.raise_database().await;
    node.says("the work begins").await;
    assert_eq!(asks("/ready").await, 200);
    let beats = "select count(*) from nodes";
    until("the node works", || async { world.count(beats).await == 1 }).await;
    node.stop().await.ends_with(0);

    // told to stop, it stops, database or not
    world.fell_database().await;
    let mut node = start(world.program(&["serve", "--listen", "127.0.0.1:0"]));
    node.says("it is asked again and again").await;
    node.stop().await.ends_with(0);

    // what no time mends ends it at once
    world.raise_database().await;
    let mut other = world.program(&["serve", "--listen", "127.0.0.1:0"]);
    let mut wrong = reqwest::Url::parse(&world.database_url).unwrap();
    wrong.set_path("/no-such-database");
    other.env("DATABASE_URL", wrong.as_str());
    let refused = crate::program::run(other).await.ends_with(1);
    assert!(refused.stderr.contains("MLC-1206"), "{refused:?}");
    world.end().await;
}

/// `script/outage`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn a_database_that_is_away_for_minutes_under_load() {
    let seconds = std::env::var("SECONDS_AWAY").ok().map_or(120, |text| text.parse().unwrap());
    database_is_away(Duration::from_secs(seconds)).await;
}
