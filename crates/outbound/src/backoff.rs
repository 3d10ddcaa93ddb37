//! How long to wait before the next attempt: exponential, with full jitter, bounded.

use std::time::Duration;

/// The first attempt's longest wait.
pub const BASE: Duration = Duration::from_secs(1);
/// No wait between attempts is longer.
pub const CAP: Duration = Duration::from_mins(5);
/// A movement fails after this many attempts.
pub const MAX_ATTEMPTS: u32 = 5;
/// A `Retry-After` is honoured up to this long.
pub const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);
/// Maintenance is waited out in steps of at most this.
pub const MAINTENANCE_STEP: Duration = Duration::from_mins(15);

/// For so long Oracle may announce that it is in maintenance before that is an error.
pub const MAX_MAINTENANCE: Duration = Duration::from_hours(8);

/// The longest wait before attempt `attempt + 1` (attempts count from 1).
#[must_use]
pub fn ceiling(attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    BASE.saturating_mul(1 << doublings).min(CAP)
}

/// The wait before the next attempt, for a uniformly random `random`.
#[must_use]
pub fn full_jitter(attempt: u32, random: u64) -> Duration {
    let ceiling_ms = u64::try_from(ceiling(attempt).as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(random % (ceiling_ms + 1))
}

/// The wait before the next attempt, by what backing off says and the other side asked for.
#[must_use]
pub fn wait(attempt: u32, retry_after: Option<Duration>) -> Duration {
    asked_for(retry_after, full_jitter(attempt, rand::random()))
}

/// What the other side asked for, an hour at most, but never less than `own` or [`BASE`]: a `Retry-After` of
/// zero, or of a date that the clock here has passed already, must not become a loop without a pause.
#[must_use]
pub fn asked_for(retry_after: Option<Duration>, own: Duration) -> Duration {
    retry_after.unwrap_or_default().min(MAX_RETRY_AFTER).max(own).max(BASE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_wait_is_never_longer_than_the_ceiling(attempt in 0u32..1000, random: u64) {
            let waited = full_jitter(attempt, random);
            prop_assert!(waited <= ceiling(attempt));
            prop_assert!(waited <= CAP);
        }
    }

    #[test]
    fn the_ceiling_doubles_up_to_five_minutes() {
        let seconds: Vec<u64> = (1..=10).map(|a| ceiling(a).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
    }

    #[test]
    fn a_retry_after_is_honoured_up_to_an_hour() {
        assert_eq!(wait(1, Some(Duration::from_secs(90))), Duration::from_secs(90));
        assert_eq!(wait(1, Some(Duration::from_hours(30))), MAX_RETRY_AFTER);
    }

    #[test]
    fn a_retry_after_of_zero_backs_off_all_the_same() {
        assert_eq!(asked_for(Some(Duration::ZERO), Duration::ZERO), BASE);
        let own = Duration::from_secs(200);
        assert_eq!(asked_for(Some(Duration::ZERO), own), own);
        assert_eq!(asked_for(Some(Duration::from_secs(1)), own), own);
        assert_eq!(asked_for(None, Duration::ZERO), BASE);
        assert!(wait(1, Some(Duration::ZERO)) >= BASE);
    }
}
