//! A breaker: whether one side of a connection is asked at all. Pure.
//!
//! Closed, every job may ask. After [`OPENS_AFTER`] failures in a row that concern the whole side, whichever jobs met
//! them, it opens: nothing asks until a while has passed, then one job does, as a probe. An answer closes it; another
//! failure makes the while longer.

use std::time::Duration;

use crate::backoff;

/// Failures in a row after which nothing is asked for a while. More than one call in a row fails by chance.
pub const OPENS_AFTER: u32 = 5;
/// A maintenance begins with steps of this many doublings more: it is announced, and lasts.
const MAINTENANCE_HEADSTART: u32 = 4;

/// What a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// No connection, or no answer.
    Unreachable,
    /// An answer that says that the other side is broken, or none that can be read.
    Server,
    /// The credential is not taken: a person must mend it, and asking often could lock it.
    Credential,
    /// Announced: one word of it is enough.
    Maintenance,
}

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Breaker {
    /// Failures in a row.
    pub failures: u32,
    /// Whether nothing is asked.
    pub open: bool,
}

/// What a job saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The side answered and took the credential.
    Answered,
    /// It failed, and asks to be left alone for so long.
    Failed(Trouble, Option<Duration>),
}

impl Breaker {
    /// The breaker after a job saw this. `is_due`: an open one's while has passed, so that the job was a probe. The
    /// wait, if any, begins now; without one, that which runs goes on.
    #[must_use]
    pub fn after(self, seen: Seen, is_due: bool, random: u64) -> (Breaker, Option<Duration>) {
        let Seen::Failed(trouble, asked) = seen else { return (Breaker::default(), None) };
        let failures = self.failures.saturating_add(1);
        let opens = failures >= OPENS_AFTER || trouble == Trouble::Maintenance;
        let open = self.open || opens;
        let begins = open && (!self.open || is_due);
        let own = match trouble {
            Trouble::Unreachable | Trouble::Server => backoff::full_jitter(failures, random),
            Trouble::Credential => backoff::CAP,
            Trouble::Maintenance => backoff::full_jitter(failures + MAINTENANCE_HEADSTART, random),
        };
        (Breaker { failures, open }, begins.then(|| backoff::asked_for(asked, own)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen() -> impl Strategy<Value = Seen> {
        let trouble = prop_oneof![
            Just(Trouble::Unreachable),
            Just(Trouble::Server),
            Just(Trouble::Credential),
            Just(Trouble::Maintenance),
        ];
        let asked = proptest::option::of((0u64..100_000).prop_map(Duration::from_secs));
        prop_oneof![
            1 => Just(Seen::Answered),
            3 => (trouble, asked).prop_map(|(trouble, asked)| Seen::Failed(trouble, asked)),
        ]
    }

    proptest! {
        #[test]
        fn it_is_open_exactly_after_enough_failures_in_a_row(
            story in proptest::collection::vec((seen(), any::<bool>(), any::<u64>()), 1..60),
        ) {
            let mut breaker = Breaker::default();
            let (mut row, mut maintenance) = (0, false);
            for (seen, is_due, random) in story {
                let was_open = breaker.open;
                let (next, wait) = breaker.after(seen, is_due, random);
                match seen {
                    Seen::Answered => (row, maintenance) = (0, false),
                    Seen::Failed(trouble, _) => {
                        row += 1;
                        maintenance |= trouble == Trouble::Maintenance;
                    }
                }
                prop_assert_eq!(next.failures, row);
                prop_assert_eq!(next.open, row >= OPENS_AFTER || maintenance);
                // whoever asked before it opened, and fails late, does not make the while longer
                prop_assert_eq!(wait.is_some(), next.open && (!was_open || is_due));
                if let Some(wait) = wait {
                    prop_assert!(wait >= backoff::BASE && wait <= backoff::MAX_RETRY_AFTER);
                }
                if let (Some(wait), Seen::Failed(_, Some(asked))) = (wait, seen) {
                    prop_assert!(wait >= asked.min(backoff::MAX_RETRY_AFTER));
                }
                breaker = next;
            }
        }
    }

    #[test]
    fn an_answer_closes_it() {
        let open = Breaker { failures: 40, open: true };
        assert_eq!(open.after(Seen::Answered, true, 7), (Breaker::default(), None));
    }

    #[test]
    fn a_credential_is_tried_again_every_five_minutes() {
        let mut breaker = Breaker { failures: OPENS_AFTER - 1, open: false };
        for _ in 0..3 {
            let (next, wait) = breaker.after(Seen::Failed(Trouble::Credential, None), true, 0);
            assert_eq!(wait, Some(backoff::CAP));
            breaker = next;
        }
    }
}
