//! Which connections got events since somebody last asked: the in-process hint that wakes the work.
//!
//! Only a hint: it is lost with the process, and rows that nobody was told of are found by the clock.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::ids::ConnectionId;

/// At most one answer in this time, however many commits there are.
const COALESCE: Duration = Duration::from_millis(50);

/// See the module. One waiter at a time is meant; with several, each connection is told to one of them.
#[derive(Debug, Default)]
pub struct Arrivals {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Debug, Default)]
struct State {
    connections: BTreeSet<ConnectionId>,
    told_at: Option<Instant>,
}

impl Arrivals {
    pub(crate) fn note(&self, connections: impl IntoIterator<Item = ConnectionId>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.connections.extend(connections);
        if !state.connections.is_empty() {
            self.news.notify_one();
        }
    }

    /// Waits until events were committed, and tells whose. Answers at most every 50 ms, with all connections
    /// since.
    pub async fn next(&self) -> BTreeSet<ConnectionId> {
        loop {
            let (empty, told_at) = {
                let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                (state.connections.is_empty(), state.told_at)
            };
            if empty {
                self.news.notified().await;
                continue;
            }
            if let Some(told_at) = told_at {
                tokio::time::sleep_until(told_at + COALESCE).await;
            }
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let connections = std::mem::take(&mut state.connections);
            if !connections.is_empty() {
                state.told_at = Some(Instant::now());
                return connections;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn all_that_arrives_within_50_ms_is_told_at_once() {
        let arrivals = Arrivals::default();
        let (a, b, c) = (ConnectionId::new(), ConnectionId::new(), ConnectionId::new());
        assert_eq!(arrivals.next().now_or_never(), None);
        arrivals.note([a]);
        assert_eq!(arrivals.next().now_or_never(), Some(BTreeSet::from([a])));
        let told = Instant::now();
        arrivals.note([b, b]);
        assert_eq!(arrivals.next().now_or_never(), None);
        arrivals.note([c]);
        assert_eq!(arrivals.next().await, BTreeSet::from([b, c]));
        assert!(told.elapsed() + Duration::from_millis(2) >= COALESCE, "{:?}", told.elapsed());
        assert_eq!(arrivals.next().now_or_never(), None);
    }

    #[tokio::test]
    async fn a_waiter_that_gave_up_loses_nothing() {
        let arrivals = Arrivals::default();
        let connection = ConnectionId::new();
        arrivals.note([connection]);
        arrivals.next().await;
        arrivals.note([connection]);
        assert_eq!(arrivals.next().now_or_never(), None);
        assert_eq!(arrivals.next().await, BTreeSet::from([connection]));
    }

    #[tokio::test]
    async fn somebody_who_waits_is_woken() {
        let arrivals = std::sync::Arc::new(Arrivals::default());
        let connection = ConnectionId::new();
        let waiting = tokio::spawn({
            let arrivals = arrivals.clone();
            async move { arrivals.next().await }
        });
        tokio::task::yield_now().await;
        arrivals.note([connection]);
        assert_eq!(waiting.await.unwrap(), BTreeSet::from([connection]));
    }
}
