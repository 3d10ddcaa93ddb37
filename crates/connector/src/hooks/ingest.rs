//! Storing deliveries: what waits is committed together, and only then is each one answered.
//!
//! Nothing waits for a batch to fill: a committer takes what is there, and while it commits the next batch
//! gathers. One transaction at a time makes the largest batches; only when one takes long, as on a slow disk or over
//! a connection that hangs, another begins beside it. Everything is bounded: what is not admitted has to be refused
//! before its body is read.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::code::Code;
use crate::error::{Error, Result};
use crate::hooks::arrivals::Arrivals;
use crate::hooks::event::Event;
use crate::hooks::notes::Notes;
use crate::ids::{ConnectionId, DeliveryId, WebhookId};
use crate::node::chain;
use crate::store::inbox::Inbox;

/// Longest body of a delivery, in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Most deliveries in one transaction, so that none waits long for the others.
const MAX_BATCH_DELIVERIES: usize = 256;
/// A batch that has this many bytes takes no further delivery.
const MAX_BATCH_BYTES: usize = 2 * 1024 * 1024;
/// A batch that has this many events takes no further delivery.
const MAX_BATCH_EVENTS: usize = 4_000;
/// A transaction that takes longer no longer holds up the next one.
const ALONE_FOR: Duration = Duration::from_millis(20);

/// How much may be under way at once in this process.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Deliveries between being admitted and being answered.
    pub deliveries: usize,
    /// Bytes of their bodies; memory is a few times that, since a batch is written from copies.
    pub bytes: usize,
    /// Transactions at once, when they take long.
    pub committers: usize,
    /// Longest time for one transaction. Asana waits 10 seconds for an answer; a refusal should come before that.
    pub commit_within: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            deliveries: 512,
            bytes: 8 * MAX_BODY_BYTES,
            committers: 2,
            commit_within: Duration::from_secs(5),
        }
    }
}

/// A signed delivery, ready to be stored.
#[derive(Debug)]
pub struct Delivery {
    /// Its id, made here.
    pub id: DeliveryId,
    /// Whose it is.
    pub connection: ConnectionId,
    /// The registration it came to.
    pub webhook: WebhookId,
    /// Its raw text.
    pub body: String,
    /// What is in it; at least one.
    pub events: Vec<Event>,
}

/// Where batches go.
pub trait Sink: Send + 'static {
    /// Stores all of it or nothing. When this returns, it is committed. It may be cancelled at any point.
    fn store(&mut self, batch: &[Delivery]) -> impl Future<Output = Result<()>> + Send;
}

/// A place among what is under way, held until the answer is known.
#[derive(Debug)]
pub struct Admission {
    _place: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
}

/// It was not stored, or it is not known whether it was: it has to be delivered again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotStored;

struct Waiting {
    delivery: Delivery,
    admission: Admission,
    stored: oneshot::Sender<bool>,
}

/// See the module.
#[derive(Debug)]
pub struct Ingest {
    places: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    queue: mpsc::Sender<Waiting>,
    arrivals: Arc<Arrivals>,
    notes: Arc<Notes>,
    stop: watch::Sender<bool>,
    tasks: Mutex<JoinSet<()>>,
}

impl Ingest {
    /// Starts storing into this database. It opens connections of its own when the first delivery comes.
    #[must_use]
    pub fn start(db: &PgPool, limits: Limits) -> Arc<Ingest> {
        let sinks = (0..limits.committers.max(1)).map(|_| Inbox::of(db)).collect();
        Ingest::with_sinks(db, limits, sinks)
    }

    /// Starts storing into these sinks, each with a transaction of its own; the database takes the notes.
    #[must_use]
    pub fn with_sinks<S: Sink>(db: &PgPool, limits: Limits, sinks: Vec<S>) -> Arc<Ingest> {
        let (queue, waiting) = mpsc::channel(limits.deliveries.max(1));
        let (stop, stopped) = watch::channel(false);
        let (arrivals, notes) = (Arc::new(Arrivals::default()), Arc::new(Notes::default()));
        let mut tasks = JoinSet::new();
        let waiting = Arc::new(Mutex::new(waiting));
        for sink in sinks {
            let committer =
                Committer { sink, commit_within: limits.commit_within, arrivals: arrivals.clone() };
            tasks.spawn(commit_batches(waiting.clone(), committer, stopped.clone()));
        }
        let (written, db) = (notes.clone(), db.clone());
        tasks.spawn(async move { written.keep_written(&db, stopped).await });
        Arc::new(Ingest {
            places: Arc::new(Semaphore::new(limits.deliveries.max(1))),
            bytes: Arc::new(Semaphore::new(limits.bytes.max(MAX_BODY_BYTES))),
            queue,
            arrivals,
            notes,
            stop,
            tasks: Mutex::new(tasks),
        })
    }

    /// A place for a delivery whose body has at most `bytes`; `None` when too much is under way already, or
    /// it is being closed. Never waits.
    #[must_use]
    pub fn admit(&self, bytes: usize) -> Option<Admission> {
        let bytes = u32::try_from(bytes.min(MAX_BODY_BYTES)).ok()?;
        Some(Admission {
            _place: self.places.clone().try_acquire_owned().ok()?,
            _bytes: self.bytes.clone().try_acquire_many_owned(bytes).ok()?,
        })
    }

    /// Stores a delivery; when this returns `Ok`, it and its events are committed.
    ///
    /// # Errors
    /// [`NotStored`]: it may have been stored nevertheless, when the answer of the database was lost.
    pub async fn commit(
        &self,
        admission: Admission,
        delivery: Delivery,
    ) -> std::result::Result<(), NotStored> {
        let (stored, answer) = oneshot::channel();
        self.queue.try_send(Waiting { delivery, admission, stored }).map_err(|_| NotStored)?;
        match answer.await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(NotStored),
        }
    }

    /// Whose events arrived, for waking the work.
    #[must_use]
    pub fn arrived(&self) -> Arc<Arrivals> {
        self.arrivals.clone()
    }

    /// What is noted of registrations, besides deliveries.
    #[must_use]
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Admits nothing more, commits what waits, writes the notes, and ends.
    pub async fn close(&self) {
        self.places.close();
        self.stop.send_replace(true);
        let mut tasks = self.tasks.lock().await;
        while tasks.join_next().await.is_some() {}
    }
}

struct Committer<S> {
    sink: S,
    commit_within: Duration,
    arrivals: Arc<Arrivals>,
}

async fn commit_batches<S: Sink>(
    queue: Arc<Mutex<mpsc::Receiver<Waiting>>>,
    mut committer: Committer<S>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let mut turn = queue.lock().await;
        let first = tokio::select! {
            biased;
            first = turn.recv() => first,
            // what waits goes before the end
            _ = stop.wait_for(|stop| *stop) => turn.try_recv().ok(),
        };
        let Some(first) = first else { return };
        let batch = gather(first, &mut turn);
        let mut committing = std::pin::pin!(commit(&mut committer, batch));
        if tokio::time::timeout(ALONE_FOR, &mut committing).await.is_err() {
            drop(turn);
            committing.await;
        }
    }
}

/// The first one and what waits behind it, as far as the limits allow.
fn gather(first: Waiting, queue: &mut mpsc::Receiver<Waiting>) -> Vec<Waiting> {
    let (mut bytes, mut events) = (first.delivery.body.len(), first.delivery.events.len());
    let mut batch = vec![first];
    while batch.len() < MAX_BATCH_DELIVERIES && bytes < MAX_BATCH_BYTES && events < MAX_BATCH_EVENTS {
        let Ok(next) = queue.try_recv() else { break };
        bytes += next.delivery.body.len();
        events += next.delivery.events.len();
        batch.push(next);
    }
    batch
}

async fn commit<S: Sink>(committer: &mut Committer<S>, batch: Vec<Waiting>) {
    let mut deliveries = Vec::with_capacity(batch.len());
    let mut waiting = Vec::with_capacity(batch.len());
    for Waiting { delivery, admission, stored } in batch {
        deliveries.push(delivery);
        waiting.push((stored, admission));
    }
    let stored = match tokio::time::timeout(committer.commit_within, committer.sink.store(&deliveries)).await
    {
        Ok(stored) => stored,
        Err(_) => Err(Error::new(Code::HookNotStored, "the database took too long")),
    };
    if let Err(error) = &stored {
        tracing::warn!(deliveries = deliveries.len(), error = chain(error), "deliveries could not be stored");
    } else {
        let open = deliveries.iter().filter(|delivery| delivery.events.iter().any(|event| event.open));
        committer.arrivals.note(open.map(|delivery| delivery.connection));
    }
    // before the answers, so that a place is free when the next request comes
    drop(deliveries);
    for (answer, admission) in waiting {
        drop(admission);
        // nobody listens any more when the sender hung up
        let _ = answer.send(stored.is_ok());
    }
}

#[cfg(test)]
mod tests;
