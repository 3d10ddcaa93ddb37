//! What a pod asks with a 429: no request leaves before the time it names, whoever makes it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A `Retry-After` is honoured up to this long.
const LONGEST: Duration = Duration::from_secs(3600);

/// Until when nothing is sent; shared by all that use one client.
#[derive(Debug, Default)]
pub(crate) struct Pause(Mutex<Option<Instant>>);

impl Pause {
    /// Lets nothing through for this long; a pause is never shortened.
    pub fn begin(&self, wait: Duration, now: Instant) {
        let until = now + wait.min(LONGEST);
        let mut paused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *paused = Some(paused.map_or(until, |earlier| earlier.max(until)));
    }

    /// How much of it is left, if any.
    pub fn left(&self, now: Instant) -> Option<Duration> {
        let paused = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        paused.map(|until| until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_ends_is_never_shortened_and_lasts_an_hour_at_most() {
        let (pause, now) = (Pause::default(), Instant::now());
        assert_eq!(pause.left(now), None);
        pause.begin(Duration::from_secs(30), now);
        pause.begin(Duration::from_secs(10), now);
        assert_eq!(pause.left(now + Duration::from_secs(29)), Some(Duration::from_secs(1)));
        assert_eq!(pause.left(now + Duration::from_secs(30)), None);
        pause.begin(Duration::MAX, now);
        assert_eq!(pause.left(now), Some(LONGEST));
    }
}
