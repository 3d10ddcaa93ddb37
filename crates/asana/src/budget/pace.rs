//! When the next request may be sent: a pure calculation over instants, without a clock of its own.
//!
//! Each allowance is a bucket with a schedule: one moment in time says when it has room for the next request,
//! and a request moves it forward by one interval. It is written here instead of taken from a library because
//! a search needs room in two buckets at the same instant, because a change of the allowance must keep what
//! was already used, and because a rest must not save up a burst.

use std::time::{Duration, Instant};

/// Asana's allowances are counted over this time.
const WINDOW: Duration = Duration::from_secs(60);

/// What a request counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// A GET.
    Read,
    /// A POST or PUT.
    Write,
    /// A GET of the search, which has an allowance of its own besides.
    Search,
}

/// How fast a bucket runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rate {
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
    fn within(allowance: u32) -> Rate {
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
}

#[derive(Debug)]
struct Bucket {
    rate: Rate,
    /// When the schedule has room for the next request.
    next_at: Option<Instant>,
}

impl Bucket {
    fn wait(&self, now: Instant) -> Duration {
        self.next_at.map_or(Duration::ZERO, |next_at| next_at.saturating_duration_since(now))
    }

    /// Whoever is a little late keeps to the schedule, so that the next ones catch up. After a rest the
    /// schedule begins anew: a rest saves nothing up.
    fn take(&mut self, now: Instant) {
        let kept = self.next_at.filter(|next_at| now.saturating_duration_since(*next_at) <= self.rate.depth);
        self.next_at = Some(kept.unwrap_or(now) + self.rate.interval);
    }
}

/// The two allowances of a token, and the pause after a 429.
#[derive(Debug)]
pub(crate) struct Pace {
    requests: Bucket,
    searches: Bucket,
    paused_until: Option<Instant>,
}

impl Pace {
    pub(crate) fn new(requests_per_minute: u32, searches_per_minute: u32) -> Pace {
        let bucket = |allowance| Bucket { rate: Rate::within(allowance), next_at: None };
        Pace {
            requests: bucket(requests_per_minute),
            searches: bucket(searches_per_minute),
            paused_until: None,
        }
    }

    /// Changes the allowances; what was used stays used.
    pub(crate) fn set_allowances(&mut self, requests_per_minute: u32, searches_per_minute: u32) {
        self.requests.rate = Rate::within(requests_per_minute);
        self.searches.rate = Rate::within(searches_per_minute);
    }

    /// Takes the room for one request, or says how long to wait before asking again.
    pub(crate) fn admit(&mut self, lane: Lane, now: Instant) -> Result<(), Duration> {
        let mut wait = self.requests.wait(now).max(self.paused(now));
        if lane == Lane::Search {
            wait = wait.max(self.searches.wait(now));
        }
        if !wait.is_zero() {
            return Err(wait);
        }
        self.requests.take(now);
        if lane == Lane::Search {
            self.searches.take(now);
        }
        Ok(())
    }

    /// How long until the search allowance has room.
    pub(crate) fn search_wait(&self, now: Instant) -> Duration {
        self.searches.wait(now)
    }

    /// Lets nothing through before `until`; a pause is never shortened.
    pub(crate) fn pause_until(&mut self, until: Instant) {
        self.paused_until = Some(self.paused_until.map_or(until, |earlier| earlier.max(until)));
    }

    /// How much of the pause is left.
    pub(crate) fn paused(&self, now: Instant) -> Duration {
        self.paused_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// Whether no pause holds and the last request left more than a window ago.
    pub(crate) fn is_idle(&self, now: Instant) -> bool {
        let forgotten = self.requests.next_at.is_none_or(|at| now.saturating_duration_since(at) > WINDOW);
        forgotten && self.paused(now).is_zero()
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
    fn saturate(pace: &mut Pace, lane: Lane, time: Duration, late: &mut impl FnMut() -> u64) -> Vec<Instant> {
        let start = Instant::now();
        let mut now = start;
        let mut sent = Vec::new();
        while now - start <= time {
            match pace.admit(lane, now) {
                Ok(()) => sent.push(now),
                Err(wait) => now += wait + Duration::from_micros(late()),
            }
        }
        sent
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
            let mut pace = Pace::new(allowance, 60);
            let sent = saturate(&mut pace, Lane::Read, Duration::from_secs(200), &mut noise(seed, late));
            prop_assert!(busiest_window(&sent) <= allowance as usize);
        }

        #[test]
        fn pauses_between_the_requests_save_nothing_up(
            gaps in proptest::collection::vec(0u64..=5_000, 1..600), allowance in 1u32..=200,
        ) {
            let mut pace = Pace::new(allowance, 60);
            let mut now = Instant::now();
            let mut sent = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                while let Err(wait) = pace.admit(Lane::Write, now) {
                    now += wait;
                }
                sent.push(now);
            }
            prop_assert!(busiest_window(&sent) <= allowance as usize);
        }

        #[test]
        fn at_least_ninety_eight_and_a_half_percent_are_used(
            allowance in 100u32..=2_000, seed in any::<u64>(),
        ) {
            let mut pace = Pace::new(allowance, 60);
            // Timers of the runtime are up to two milliseconds late.
            let sent = saturate(&mut pace, Lane::Read, Duration::from_secs(600), &mut noise(seed, 2_000));
            prop_assert!(sent.len() * 1_000 >= 10 * allowance as usize * 985, "{}", sent.len());
        }

        #[test]
        fn searches_keep_within_both_allowances(searches in 1u32..=120, requests in 1u32..=200) {
            let mut pace = Pace::new(requests, searches);
            let sent = saturate(&mut pace, Lane::Search, Duration::from_secs(300), &mut noise(7, 1_000));
            prop_assert!(busiest_window(&sent) <= searches.min(requests) as usize);
        }
    }

    #[test]
    fn no_fifteen_seconds_carry_more_than_a_quarter_of_the_paid_allowance() {
        for allowance in [1_500, 6_000] {
            let mut pace = Pace::new(allowance, 60);
            let mut late = noise(11, 150_000);
            let sent = saturate(&mut pace, Lane::Write, Duration::from_secs(200), &mut late);
            let most = busiest(&sent, Duration::from_secs(15));
            assert!(most <= allowance as usize / 4, "{allowance}: {most}");
        }
    }

    #[test]
    fn the_plans_of_asana_are_used_to_the_full() {
        for (allowance, least) in [(1_500u32, 14_775), (150, 1_477), (60, 590)] {
            let mut pace = Pace::new(allowance, 60);
            let sent = saturate(&mut pace, Lane::Read, Duration::from_secs(600), &mut || 0);
            assert!(sent.len() >= least, "{allowance}: {}", sent.len());
            assert!(busiest_window(&sent) <= allowance as usize);
        }
    }

    #[test]
    fn a_pause_holds_everything_and_is_never_shortened() {
        let now = Instant::now();
        let mut pace = Pace::new(1_500, 60);
        pace.pause_until(now + Duration::from_secs(30));
        pace.pause_until(now + Duration::from_secs(10));
        for lane in [Lane::Read, Lane::Write, Lane::Search] {
            assert_eq!(pace.admit(lane, now), Err(Duration::from_secs(30)));
        }
        assert_eq!(pace.admit(Lane::Read, now + Duration::from_secs(30)), Ok(()));
    }

    #[test]
    fn a_search_that_must_wait_takes_nothing_from_the_requests() {
        let now = Instant::now();
        let mut pace = Pace::new(1, 1);
        assert_eq!(pace.admit(Lane::Search, now), Ok(()));
        let later = now + Duration::from_secs(61);
        pace.pause_until(later + Duration::from_secs(1));
        assert!(pace.admit(Lane::Search, later).is_err());
        assert_eq!(pace.admit(Lane::Search, later + Duration::from_secs(1)), Ok(()));
    }

    #[test]
    fn a_changed_allowance_keeps_what_was_used() {
        let now = Instant::now();
        let mut pace = Pace::new(1, 60);
        assert_eq!(pace.admit(Lane::Read, now), Ok(()));
        pace.set_allowances(2, 60);
        assert!(pace.admit(Lane::Read, now + Duration::from_secs(59)).is_err());
        assert_eq!(pace.admit(Lane::Read, now + Duration::from_secs(61)), Ok(()));
    }
}
