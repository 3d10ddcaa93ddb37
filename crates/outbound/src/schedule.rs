//! The places of a shared schedule that this process may use. Pure.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A stretch of places.
#[derive(Debug)]
struct Stretch {
    next: Instant,
    left: u32,
    interval: Duration,
}

/// Whether a request may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Now.
    Now,
    /// In a while.
    In(Duration),
    /// There is no place left.
    Nothing,
}

/// See the module. A place may be used at its time or a little later, never before, and once.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    stretches: VecDeque<Stretch>,
}

impl Schedule {
    pub fn add(&mut self, first: Instant, places: u32, interval: Duration) {
        self.stretches.push_back(Stretch { next: first, left: places, interval });
    }

    /// Takes the next place; what is older than `depth` is lost.
    pub fn take(&mut self, now: Instant, depth: Duration) -> Taken {
        self.forget(now, depth);
        let Some(stretch) = self.stretches.front_mut() else { return Taken::Nothing };
        let wait = stretch.next.saturating_duration_since(now);
        if !wait.is_zero() {
            return Taken::In(wait);
        }
        stretch.next += stretch.interval;
        stretch.left -= 1;
        Taken::Now
    }

    /// Takes the places of the last stretch that lie ahead out of the schedule. Returns the time that they cover.
    pub fn give_back(&mut self, now: Instant) -> Duration {
        let Some(last) = self.stretches.back_mut() else { return Duration::ZERO };
        let due = match now.checked_duration_since(last.next) {
            Some(late) => late.as_nanos() / last.interval.as_nanos().max(1) + 1,
            None => 0,
        };
        let due = u32::try_from(due).unwrap_or(u32::MAX).min(last.left);
        let ahead = last.left - due;
        last.left = due;
        last.interval.saturating_mul(ahead)
    }

    /// Places that can still be used.
    pub fn left(&mut self, now: Instant, depth: Duration) -> u32 {
        self.forget(now, depth);
        self.stretches.iter().map(|stretch| stretch.left).sum()
    }

    fn forget(&mut self, now: Instant, depth: Duration) {
        while let Some(stretch) = self.stretches.front_mut() {
            let late = now.saturating_duration_since(stretch.next);
            if late > depth {
                let passed = (late - depth).as_nanos().div_ceil(stretch.interval.as_nanos().max(1));
                let passed = u32::try_from(passed).unwrap_or(u32::MAX).min(stretch.left);
                stretch.left -= passed;
                stretch.next += stretch.interval.saturating_mul(passed);
            }
            if stretch.left > 0 {
                return;
            }
            self.stretches.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INTERVAL: Duration = Duration::from_millis(40);
    const DEPTH: Duration = Duration::from_millis(160);

    #[test]
    fn places_are_used_in_their_time_and_once() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        schedule.add(start, 2, INTERVAL);
        assert_eq!(schedule.take(start, DEPTH), Taken::Now);
        assert_eq!(schedule.take(start, DEPTH), Taken::In(INTERVAL));
        assert_eq!(schedule.take(start + INTERVAL, DEPTH), Taken::Now);
        assert_eq!(schedule.take(start + INTERVAL, DEPTH), Taken::Nothing);
    }

    #[test]
    fn places_that_passed_unused_are_lost() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        schedule.add(start, 25, INTERVAL);
        // at 600 ms those of 440 to 600 ms can still be used
        let now = start + Duration::from_millis(600);
        let mut used = 0;
        while schedule.take(now, DEPTH) == Taken::Now {
            used += 1;
        }
        assert_eq!(used, 5);
        assert_eq!(schedule.left(now, DEPTH), 9);
        assert_eq!(schedule.left(start + Duration::from_secs(5), DEPTH), 0);
    }

    #[test]
    fn places_that_lie_ahead_are_given_back() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        assert_eq!(schedule.give_back(start), Duration::ZERO);
        schedule.add(start, 10, INTERVAL);
        schedule.add(start + INTERVAL * 10, 10, INTERVAL);
        assert_eq!(schedule.take(start, DEPTH), Taken::Now);
        // of the last stretch only: another may have taken what lies between the two
        assert_eq!(schedule.give_back(start), INTERVAL * 10);
        assert_eq!(schedule.left(start, DEPTH), 9);
        schedule = Schedule::default();
        schedule.add(start, 10, INTERVAL);
        // those of 0, 40 and 80 ms may still be used here
        let now = start + Duration::from_millis(90);
        assert_eq!(schedule.give_back(now), INTERVAL * 7);
        assert_eq!(schedule.left(now, DEPTH), 3);
        assert_eq!(schedule.give_back(now), Duration::ZERO);
    }

    proptest! {
        /// Two processes that take stretches of one schedule in turn never send more together than one alone may.
        #[test]
        fn two_that_share_a_schedule_keep_to_its_pace(
            stretches in proptest::collection::vec((1u32..=25, any::<bool>(), 0u64..=300), 1..60),
        ) {
            let start = Instant::now();
            let (mut next, mut both, mut sent) = (start, [Schedule::default(), Schedule::default()], Vec::new());
            let mut now = start;
            for (places, which, pause) in stretches {
                next = next.max(now.checked_sub(DEPTH).unwrap_or(now));
                both[usize::from(which)].add(next, places, INTERVAL);
                next += INTERVAL * places;
                now += Duration::from_millis(pause);
                for schedule in &mut both {
                    while schedule.take(now, DEPTH) == Taken::Now {
                        sent.push(now);
                    }
                }
            }
            for (first, at) in sent.iter().enumerate() {
                let within = sent[first..].iter().filter(|one| **one - *at <= Duration::from_secs(1)).count();
                // 25 in a second, and what may be late
                prop_assert!(within <= 25 + 1 + 4, "{within}");
            }
        }
    }
}
