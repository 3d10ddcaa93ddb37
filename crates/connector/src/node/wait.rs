//! How long a job waits that failed. Pure.

use std::time::Duration;

use crate::code::Code;
use crate::error::Error;
use crate::store::jobs::Lease;
use crate::{backoff, limits, trouble};

/// A job that was asked to slow down without a time, and has waited where it stood, goes on with steps that are longer
/// by so many doublings.
const BUSY_STEPS: u32 = 5;

/// How long a failed job waits: what the other side asks, but never less than the backoff, which begins with
/// longer steps in maintenance. What asking again does not mend, and what has failed five times in a row, is asked
/// as often as if nothing were wrong; nothing waits longer than that by itself.
pub(super) fn retry_wait(lease: &Lease, error: &Error, usual: Option<Duration>) -> Duration {
    let failures = u32::try_from(lease.failures).unwrap_or(0) + 1;
    let maintenance = error.code == Code::OracleMaintenance;
    let busy = limits::is_busy(error.code);
    // being asked to slow down does not count, so its steps begin where the other side is known to be busy
    let attempt = match () {
        () if maintenance => failures + 2,
        () if busy => failures + BUSY_STEPS,
        () => failures,
    };
    let own = backoff::full_jitter(attempt, rand::random());
    let given_up = !maintenance && failures >= backoff::MAX_ATTEMPTS || trouble::needs_a_person(error.code);
    let own = match usual {
        Some(usual) if given_up => usual,
        Some(usual) => own.min(usual),
        None => own,
    };
    backoff::asked_for(error.retry_after, own)
}

#[cfg(test)]
mod tests {
    use outbound::Moment;

    use super::*;
    use crate::feed::Feed;
    use crate::ids::{ConnectionId, NodeId};
    use crate::store::jobs::{Holder, Job};

    fn wait(failures: i32, code: Code, retry_after: Option<Duration>, usual: Duration) -> Duration {
        let (connection, node) = (ConnectionId::new(), NodeId::new());
        let lease =
            Holder::from(node).lease(connection, Job::Poll(Feed::Invoices), (1, failures), Moment::now());
        retry_wait(&lease, &Error::plain(code).wait(retry_after), Some(usual))
    }

    #[test]
    fn what_a_person_must_mend_is_asked_on_schedule() {
        let usual = Duration::from_mins(10);
        for code in [Code::OracleForbidden, Code::OracleRefused, Code::OracleClientRefused] {
            assert_eq!(wait(0, code, None, usual), usual, "{code}");
        }
    }

    #[test]
    fn after_five_failures_in_a_row_it_is_asked_on_schedule() {
        let usual = Duration::from_mins(10);
        for before in 0..4 {
            assert!(wait(before, Code::OracleServer, None, usual) <= Duration::from_secs(8));
        }
        assert_eq!(wait(4, Code::OracleServer, None, usual), usual);
        assert_eq!(wait(900, Code::OracleUnreachable, None, usual), usual);
        // maintenance goes on being waited out
        assert!(wait(900, Code::OracleMaintenance, None, usual) <= backoff::CAP);
    }

    #[test]
    fn only_the_other_side_makes_it_wait_longer_than_the_schedule() {
        let usual = Duration::from_mins(1);
        for before in 0..50 {
            assert!(wait(before, Code::OracleServer, None, usual) <= usual);
            assert!(wait(before, Code::OracleMaintenance, None, usual) <= usual);
        }
        let asked = Duration::from_mins(20);
        assert_eq!(wait(9, Code::OracleBusy, Some(asked), usual), asked);
    }
}
