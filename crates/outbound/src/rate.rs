//! How fast requests may follow each other: a pure calculation over instants, without a clock of its own.
//!
//! Each allowance is a bucket with a schedule: one moment in time says when it has room for the next request,
//! and a request moves it forward by one interval. It is written here instead of taken from a library because
//! a request may need room in two buckets at the same instant, because a change of the allowance must keep what
//! was already used, because a rest must not save up a burst, and because the schedule must be one that several
//! processes can share.

use std::time::{Duration, Instant};

/// Allowances are counted over this time.
pub const WINDOW: Duration = Duration::from_secs(60);

/// How late a timer may wake on a busy machine.
const TIMER_LATENESS: Duration = Duration::from_millis(250);

/// How fast a bucket runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// One request after each.
    interval: Duration,
    /// How late a request may be and still count as on time.
    depth: Duration,
}

impl Rate {
    /// A rate at which no 60 seconds carry more than `allowance` requests.
    ///
    /// In any span a bucket lets through its burst and one request per interval, so both together must stay
    /// within the allowance. Asana evaluates it "more often than once a minute" without saying how often: with
    /// a quarter of what stays unused as burst, no 15 seconds carry more than a quarter of the allowance
    /// either, where it is large enough for that. The burst lets waiters that woke late catch up. At least
    /// 98.5 % are used from 100 a minute on.
    #[must_use]
    pub fn within(allowance: u32) -> Rate {
        let spare = u64::from(allowance) * 15 / 1_000;
        let burst = (spare / 4).max(2).min(spare).max(1);
        let reserve = spare.saturating_sub(burst);
        let even = u64::from(allowance).saturating_sub(burst + reserve);
        let window = u64::try_from(WINDOW.as_nanos()).unwrap_or(u64::MAX);
        // An allowance of one leaves nothing to be let through evenly: a little more than the window then.
        let nanos = if even == 0 { window + 1 } else { window.div_ceil(even) };
        let ahead = nanos.saturating_mul(burst - 1);
        Rate { interval: Duration::from_nanos(nanos), depth: Duration::from_nanos(ahead) }
    }

    /// From one request to the next.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// How late a request may be and still count as on time.
    #[must_use]
    pub fn depth(&self) -> Duration {
        self.depth
    }

    /// How late a place of a shared schedule may be used: a timer wakes late even where nothing may catch up.
    #[must_use]
    pub(crate) fn lateness(&self) -> Duration {
        self.depth.max((self.interval / 2).min(TIMER_LATENESS))
    }
}

/// A schedule of requests at a rate.
#[derive(Debug)]
pub struct Bucket {
    rate: Rate,
    /// When the schedule has room for the next request.
    next_at: Option<Instant>,
}

impl Bucket {
    /// One from which nothing was taken yet.
    #[must_use]
    pub fn new(rate: Rate) -> Bucket {
        Bucket { rate, next_at: None }
    }

    /// Changes the rate; what was taken stays taken.
    pub fn set_rate(&mut self, rate: Rate) {
        self.rate = rate;
    }

    /// How long until it has room for a request.
    #[must_use]
    pub fn wait(&self, now: Instant) -> Duration {
        self.next_at.map_or(Duration::ZERO, |next_at| next_at.saturating_duration_since(now))
    }

    /// Takes the room for a request.
    ///
    /// Whoever is a little late keeps to the schedule, so that the next ones catch up. After a rest the
    /// schedule begins anew: a rest saves nothing up.
    pub fn take(&mut self, now: Instant) {
        let kept = self.next_at.filter(|next_at| now.saturating_duration_since(*next_at) <= self.rate.depth);
        self.next_at = Some(kept.unwrap_or(now) + self.rate.interval);
    }

    /// Whether the last request was taken more than a window ago.
    #[must_use]
    pub fn is_forgotten(&self, now: Instant) -> bool {
        self.next_at.is_none_or(|at| now.saturating_duration_since(at) > WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Most requests in any 60 seconds, both ends included.
    fn busiest_window(sent: &[Instant]) -> usize {
        busiest(sent, WINDOW)
    }

    fn busiest(sent: &[Instant], span: Duration) -> usize {
        let mut first = 0;
        let mut most = 0;
        for (last, at) in sent.iter().enumerate() {
            while *at - sent[first] > span {
                first += 1;
            }
            most = most.max(last - first + 1);
        }
        most
    }

    /// Sends without end for `time`, each waiter waking up to `late` microseconds too late.
    fn saturate(bucket: &mut Bucket, time: Duration, late: &mut impl FnMut() -> u64) -> Vec<Instant> {
        let start = Instant::now();
        let mut now = start;
        let mut sent = Vec::new();
        while now - start <= time {
            match bucket.wait(now) {
                Duration::ZERO => {
                    bucket.take(now);
                    sent.push(now);
                }
                wait => now += wait + Duration::from_micros(late()),
            }
        }
        sent
    }

    fn bucket(allowance: u32) -> Bucket {
        Bucket::new(Rate::within(allowance))
    }

    fn noise(seed: u64, most: u64) -> impl FnMut() -> u64 {
        let mut state = seed | 1;
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % (most + 1)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_sixty_seconds_carry_more_than_the_allowance(
            allowance in 1u32..=2_000, late in 0u64..=400_000, seed in any::<u64>(),
        ) {
            let mut pace = bucket(allowance);
            let sent = saturate(&mut pace, Duration::from_secs(200), &mut noise(seed, late));
            prop_assert!(busiest_window(&sent) <= allowance as usize);
        }

        #[test]
        fn pauses_between_the_requests_save_nothing_up(
            gaps in proptest::collection::vec(0u64..=5_000, 1..600), allowance in 1u32..=200,
        ) {
            let mut pace = bucket(allowance);
            let mut now = Instant::now();
            let mut sent = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                now += pace.wait(now);
                pace.take(now);
                sent.push(now);
            }
            prop_assert!(busiest_window(&sent) <= allowance as usize);
        }

        #[test]
        fn at_least_ninety_eight_and_a_half_percent_are_used(
            allowance in 100u32..=2_000, seed in any::<u64>(),
        ) {
            let mut pace = bucket(allowance);
            // Timers of the runtime are up to two milliseconds late.
            let sent = saturate(&mut pace, Duration::from_secs(600), &mut noise(seed, 2_000));
            prop_assert!(sent.len() * 1_000 >= 10 * allowance as usize * 985, "{}", sent.len());
        }
    }

    #[test]
    fn no_fifteen_seconds_carry_more_than_a_quarter_of_the_paid_allowance() {
        for allowance in [1_500, 6_000] {
            let mut pace = bucket(allowance);
            let mut late = noise(11, 150_000);
            let sent = saturate(&mut pace, Duration::from_secs(200), &mut late);
            let most = busiest(&sent, Duration::from_secs(15));
            assert!(most <= allowance as usize / 4, "{allowance}: {most}");
        }
    }

    #[test]
    fn the_plans_of_asana_are_used_to_the_full() {
        for (allowance, least) in [(1_500u32, 14_775), (150, 1_477), (60, 590)] {
            let mut pace = bucket(allowance);
            let sent = saturate(&mut pace, Duration::from_secs(600), &mut || 0);
            assert!(sent.len() >= least, "{allowance}: {}", sent.len());
            assert!(busiest_window(&sent) <= allowance as usize);
        }
    }

    #[test]
    fn a_changed_allowance_keeps_what_was_used() {
        let now = Instant::now();
        let mut pace = bucket(1);
        pace.take(now);
        pace.set_rate(Rate::within(2));
        assert!(!pace.wait(now + Duration::from_secs(59)).is_zero());
        assert!(pace.wait(now + Duration::from_secs(61)).is_zero());
    }
}
