use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::postgres::PgPoolOptions;

use super::*;
use crate::hooks::event;
use crate::hooks::resource::ResourceKind;

/// A pool that opens no connection.
fn nowhere() -> PgPool {
    PgPoolOptions::new().connect_lazy("postgres://nobody@127.0.0.1:1/none").unwrap()
}

/// Remembers what it stored, one permit a batch.
#[derive(Clone)]
struct Remembering {
    batches: Arc<StdMutex<Vec<Vec<DeliveryId>>>>,
    permits: Arc<Semaphore>,
    /// Batches that were begun.
    begun: Arc<AtomicUsize>,
    fail: bool,
}

impl Remembering {
    fn new(permits: usize) -> Remembering {
        Remembering {
            batches: Arc::default(),
            permits: Arc::new(Semaphore::new(permits)),
            begun: Arc::default(),
            fail: false,
        }
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    fn sizes(&self) -> Vec<usize> {
        self.batches.lock().unwrap().iter().map(Vec::len).collect()
    }
}

impl Sink for Remembering {
    async fn store(&mut self, batch: &[Delivery]) -> Result<()> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.permits.acquire().await.unwrap().forget();
        if self.fail {
            return Err(Error::plain(Code::HookNotStored));
        }
        self.batches.lock().unwrap().push(batch.iter().map(|delivery| delivery.id).collect());
        Ok(())
    }
}

fn delivery(bytes: usize) -> Delivery {
    let mut body = r#"{"events":[{"resource":{"gid":"1","resource_type":"task"}}]}"#.to_owned();
    let events = event::read(ResourceKind::Project, &body).unwrap();
    body.extend(std::iter::repeat_n(' ', bytes.saturating_sub(body.len())));
    let (id, connection, webhook) = (DeliveryId::new(), ConnectionId::new(), WebhookId::new());
    Delivery { id, connection, webhook, body, events }
}

fn begin(ingest: &Arc<Ingest>, bytes: usize) -> tokio::task::JoinHandle<std::result::Result<(), NotStored>> {
    let (ingest, delivery) = (ingest.clone(), delivery(bytes));
    let admission = ingest.admit(delivery.body.len()).unwrap();
    tokio::spawn(async move { ingest.commit(admission, delivery).await })
}

async fn until(what: impl Fn() -> bool) {
    while !what() {
        tokio::task::yield_now().await;
    }
}

fn limits() -> Limits {
    Limits { deliveries: 1_000, bytes: 64 * MAX_BODY_BYTES, committers: 1, ..Limits::default() }
}

#[tokio::test]
async fn what_waits_while_a_batch_is_committed_is_the_next_batch() {
    let sink = Remembering::new(0);
    let ingest = Ingest::with_sinks(&nowhere(), limits(), vec![sink.clone()]);
    let first = begin(&ingest, 0);
    // taken by the committer, which waits for its permit
    until(|| sink.begun() == 1).await;
    let others: Vec<_> = (0..20).map(|_| begin(&ingest, 0)).collect();
    until(|| ingest.queue.capacity() == 980).await;
    assert!(!first.is_finished());
    sink.permits.add_permits(2);
    for answer in [first].into_iter().chain(others) {
        assert_eq!(answer.await.unwrap(), Ok(()));
    }
    assert_eq!(sink.sizes(), [1, 20]);
    assert_eq!(ingest.places.available_permits(), 1_000);
    assert_eq!(ingest.bytes.available_permits(), 64 * MAX_BODY_BYTES);
}

#[tokio::test]
async fn a_batch_is_bounded_in_deliveries_and_in_bytes() {
    for (count, bytes, expected) in [(300, 0, vec![1, 256, 43]), (5, MAX_BODY_BYTES, vec![1, 2, 2])] {
        let sink = Remembering::new(0);
        let ingest = Ingest::with_sinks(&nowhere(), limits(), vec![sink.clone()]);
        let mut answers = vec![begin(&ingest, bytes)];
        until(|| sink.begun() == 1).await;
        answers.extend((1..count).map(|_| begin(&ingest, bytes)));
        until(|| ingest.queue.capacity() == 1_001 - count).await;
        sink.permits.add_permits(10);
        for answer in answers {
            assert_eq!(answer.await.unwrap(), Ok(()));
        }
        assert_eq!(sink.sizes(), expected);
    }
}

#[tokio::test]
async fn a_batch_that_fails_is_refused_as_a_whole_and_wakes_nobody() {
    let sink = Remembering { fail: true, ..Remembering::new(10) };
    let ingest = Ingest::with_sinks(&nowhere(), limits(), vec![sink]);
    let answers: Vec<_> = (0..5).map(|_| begin(&ingest, 0)).collect();
    for answer in answers {
        assert_eq!(answer.await.unwrap(), Err(NotStored));
    }
    use futures_util::FutureExt;
    assert_eq!(ingest.arrived().next().now_or_never(), None);
    assert_eq!(ingest.places.available_permits(), 1_000);
}

#[tokio::test]
async fn a_commit_wakes_whoever_waits_for_the_connection() {
    let ingest = Ingest::with_sinks(&nowhere(), limits(), vec![Remembering::new(10)]);
    let (open, mut ignored) = (delivery(0), delivery(0));
    ignored.events[0].open = false;
    let connection = open.connection;
    for delivery in [ignored, open] {
        ingest.commit(ingest.admit(1).unwrap(), delivery).await.unwrap();
    }
    assert_eq!(ingest.arrived().next().await.into_iter().collect::<Vec<_>>(), [connection]);
}

#[tokio::test]
async fn beyond_the_limits_nothing_is_admitted_until_something_is_answered() {
    let limits = Limits { deliveries: 3, bytes: 2 * MAX_BODY_BYTES, committers: 1, ..Limits::default() };
    let ingest = Ingest::with_sinks(&nowhere(), limits, vec![Remembering::new(10)]);
    let small: Vec<_> = (0..3).map(|_| ingest.admit(10).unwrap()).collect();
    assert!(ingest.admit(10).is_none());
    drop(small);
    let large: Vec<_> = (0..2).map(|_| ingest.admit(MAX_BODY_BYTES).unwrap()).collect();
    assert!(ingest.admit(1).is_none());
    drop(large);
    let admission = ingest.admit(MAX_BODY_BYTES).unwrap();
    ingest.commit(admission, delivery(0)).await.unwrap();
    assert_eq!(ingest.places.available_permits(), 3);
}

#[tokio::test]
async fn a_transaction_that_takes_long_does_not_hold_up_the_next() {
    let sink = Remembering::new(0);
    let ingest = Ingest::with_sinks(&nowhere(), limits(), vec![sink.clone(), sink.clone()]);
    let first = begin(&ingest, 0);
    until(|| sink.begun() == 1).await;
    let second = begin(&ingest, 0);
    until(|| sink.begun() == 2).await;
    sink.permits.add_permits(2);
    for answer in [first, second] {
        assert_eq!(answer.await.unwrap(), Ok(()));
    }
    assert_eq!(sink.sizes(), [1, 1]);
}

#[tokio::test]
async fn a_store_that_hangs_is_given_up_in_time() {
    let sink = Remembering::new(0);
    let limits = Limits { commit_within: Duration::from_millis(50), ..limits() };
    let ingest = Ingest::with_sinks(&nowhere(), limits, vec![sink.clone()]);
    assert_eq!(begin(&ingest, 0).await.unwrap(), Err(NotStored));
    // and the next one is stored
    sink.permits.add_permits(1);
    assert_eq!(begin(&ingest, 0).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn closing_commits_what_waits_and_admits_no_more() {
    let sink = Remembering::new(0);
    let ingest = Ingest::with_sinks(&nowhere(), limits(), vec![sink.clone()]);
    let answers: Vec<_> = (0..5).map(|_| begin(&ingest, 0)).collect();
    until(|| ingest.places.available_permits() == 995).await;
    let late = ingest.admit(1).unwrap();
    let closing = tokio::spawn({
        let ingest = ingest.clone();
        async move { ingest.close().await }
    });
    until(|| ingest.admit(1).is_none()).await;
    sink.permits.add_permits(10);
    for answer in answers {
        assert_eq!(answer.await.unwrap(), Ok(()));
    }
    closing.await.unwrap();
    assert_eq!(ingest.commit(late, delivery(0)).await, Err(NotStored));
}
