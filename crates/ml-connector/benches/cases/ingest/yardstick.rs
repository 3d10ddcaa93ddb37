//! What the database alone can do with the same bodies, from within one process.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use sqlx::PgConnection;
use tokio::sync::{Mutex, mpsc, oneshot};
use uuid::Uuid;

use crate::database::connect;

/// Transactions at once, as the receiver has.
const COMMITTERS: usize = 2;

/// A body, and who waits for its commit.
type Waiting = (String, oneshot::Sender<()>);

/// Bodies a second, committed in groups into one table without an index: so many senders, each waiting for the
/// commit, and nothing else to be done.
pub async fn group(url: &str, bodies: &[&str], senders: usize) -> anyhow::Result<f64> {
    create(url, "create table in_groups (body text not null)").await?;
    let (queue, waiting) = mpsc::channel::<Waiting>(senders);
    let waiting = Arc::new(Mutex::new(waiting));
    let mut committers = Vec::new();
    for _ in 0..COMMITTERS {
        committers.push(tokio::spawn(commit(connect(url).await?, waiting.clone())));
    }
    let started = Instant::now();
    let sending = (0..senders).map(|place| {
        let queue = queue.clone();
        async move {
            for body in bodies.iter().skip(place).step_by(senders) {
                let (done, committed) = oneshot::channel();
                queue.send(((*body).to_owned(), done)).await.ok().context("a committer ended")?;
                committed.await?;
            }
            Ok::<_, anyhow::Error>(())
        }
    });
    futures_util::future::try_join_all(sending).await?;
    let elapsed = started.elapsed();
    drop(queue);
    for committer in committers {
        committer.await??;
    }
    Ok(bodies.len() as f64 / elapsed.as_secs_f64())
}

async fn commit(mut db: PgConnection, waiting: Arc<Mutex<mpsc::Receiver<Waiting>>>) -> anyhow::Result<()> {
    loop {
        let mut batch = Vec::new();
        waiting.lock().await.recv_many(&mut batch, 256).await;
        if batch.is_empty() {
            return Ok(());
        }
        let (bodies, done): (Vec<String>, Vec<_>) = batch.into_iter().unzip();
        let insert = "insert into in_groups (body) select * from unnest($1::text[])";
        sqlx::query(insert).bind(bodies).execute(&mut db).await?;
        for done in done {
            // the other side waits for it
            let _ = done.send(());
        }
    }
}

/// Deliveries a second without their events, each in a transaction of its own over so many connections, into a
/// table like that of the receiver.
pub async fn single(url: &str, bodies: &[&str], connections: usize) -> anyhow::Result<f64> {
    create(url, "create table one_by_one (like deliveries including all)").await?;
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(connect(url).await?);
    }
    let owner = Uuid::now_v7();
    let started = Instant::now();
    let inserting = open.iter_mut().enumerate().map(|(place, db)| async move {
        let insert = "insert into one_by_one (connection_id, delivery_id, webhook_id, events, body)
                      values ($1, $2, $1, 2, $3)";
        for body in bodies.iter().skip(place).step_by(connections) {
            sqlx::query(insert).bind(owner).bind(Uuid::now_v7()).bind(*body).execute(&mut *db).await?;
        }
        Ok::<_, anyhow::Error>(())
    });
    futures_util::future::try_join_all(inserting).await?;
    Ok(bodies.len() as f64 / started.elapsed().as_secs_f64())
}

async fn create(url: &str, table: &'static str) -> anyhow::Result<()> {
    sqlx::query(table).execute(&mut connect(url).await?).await?;
    Ok(())
}
