//! The stand-ins' own clock: real time plus an offset that a test may move.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// One clock shared by both stand-ins; clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct VirtualClock(Arc<State>);

#[derive(Debug, Default)]
struct State {
    offset_ms: AtomicI64,
    /// Unix milliseconds at which the clock stands still; 0 when it runs.
    frozen_at_ms: AtomicI64,
    /// Counts the moves, so that whoever waits for an instant looks again.
    moves: watch::Sender<u64>,
}

impl VirtualClock {
    /// The virtual instant, in whole milliseconds as both APIs show them.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let frozen = self.0.frozen_at_ms.load(Ordering::SeqCst);
        let base = if frozen == 0 { Timestamp::now().as_millisecond() } else { frozen };
        let ms = base.saturating_add(self.0.offset_ms.load(Ordering::SeqCst));
        Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
    }

    /// Moves the clock forward (or back, with a negative duration).
    pub fn advance(&self, by: SignedDuration) {
        let ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.0.offset_ms.fetch_add(ms, Ordering::SeqCst);
        self.moved();
    }

    /// Stops the clock at `at`; [`VirtualClock::advance`] still moves it.
    pub fn freeze(&self, at: Timestamp) {
        self.0.offset_ms.store(0, Ordering::SeqCst);
        self.0.frozen_at_ms.store(at.as_millisecond(), Ordering::SeqCst);
        self.moved();
    }

    /// Returns once the clock shows `at` or later. A clock that stands still gets there only by being moved.
    pub async fn reached(&self, at: Timestamp) {
        let mut moves = self.0.moves.subscribe();
        loop {
            let left_ms = at.as_millisecond().saturating_sub(self.now().as_millisecond());
            let Ok(left) = u64::try_from(left_ms) else { return };
            if left == 0 {
                return;
            }
            let stands = self.0.frozen_at_ms.load(Ordering::SeqCst) != 0;
            // The sender lives as long as this clock does, so that waiting for a move never fails.
            if stands {
                let _ = moves.changed().await;
            } else {
                let _ = tokio::time::timeout(Duration::from_millis(left), moves.changed()).await;
            }
        }
    }

    fn moved(&self) {
        self.0.moves.send_modify(|moves| *moves = moves.wrapping_add(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_moves_only_when_advanced() {
        let clock = VirtualClock::default();
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        clock.freeze(start);
        assert_eq!(clock.now(), start);
        clock.clone().advance(SignedDuration::from_hours(8));
        assert_eq!(clock.now(), start + SignedDuration::from_hours(8));
    }

    #[tokio::test]
    async fn whoever_waits_for_an_instant_wakes_when_the_clock_is_moved_there() {
        let clock = VirtualClock::default();
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        clock.freeze(start);
        let waiting = tokio::spawn({
            let clock = clock.clone();
            async move { clock.reached(start + SignedDuration::from_hours(8)).await }
        });
        clock.advance(SignedDuration::from_hours(7));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        clock.advance(SignedDuration::from_hours(1));
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn a_running_clock_gets_there_by_itself() {
        let clock = VirtualClock::default();
        let at = clock.now() + SignedDuration::from_millis(5);
        clock.reached(at).await;
        assert!(clock.now() >= at);
    }
}
