//! The stand-ins' own clock: real time plus an offset that a test may move.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// One clock shared by both stand-ins; clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct VirtualClock(Arc<State>);

#[derive(Debug, Default)]
struct State {
    offset_ms: AtomicI64,
    /// Unix milliseconds at which the clock stands still; 0 when it runs.
    frozen_at_ms: AtomicI64,
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
    }

    /// Stops the clock at `at`; [`VirtualClock::advance`] still moves it.
    pub fn freeze(&self, at: Timestamp) {
        self.0.offset_ms.store(0, Ordering::SeqCst);
        self.0.frozen_at_ms.store(at.as_millisecond(), Ordering::SeqCst);
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
}
