//! The right to send, which runs out unless it is renewed.
//!
//! Whoever works under a lease that others take over when it runs out must not send afterwards: a process can be stopped
//! anywhere and go on much later. Inside [`while_holding`] no request leaves unless the right is sure to last for a
//! while; one whose right has run out waits until it is renewed, or for ever, until whoever works is dropped.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;

/// A right to send for a time, from its last renewal on.
#[derive(Debug)]
pub struct Right {
    lasts: Duration,
    renewed: watch::Sender<Moment>,
}

/// An instant by both clocks: the steady one may stand still while a machine sleeps, the other may be set.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    steady: Instant,
    wall: SystemTime,
}

impl Moment {
    /// The present one.
    #[must_use]
    pub fn now() -> Moment {
        Moment { steady: Instant::now(), wall: SystemTime::now() }
    }

    /// The time since, by the clock that shows more.
    fn elapsed(&self, now: Moment) -> Duration {
        let steady = now.steady.saturating_duration_since(self.steady);
        steady.max(now.wall.duration_since(self.wall).unwrap_or_default())
    }
}

impl Right {
    /// A right that was given at this moment, or later.
    #[must_use]
    pub fn given(at: Moment, lasts: Duration) -> Right {
        Right { lasts, renewed: watch::Sender::new(at) }
    }

    /// How long it lasts from a renewal on.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        self.lasts
    }

    /// Lets it last anew from this moment, which lies before the renewal was asked for.
    pub fn renew(&self, at: Moment) {
        self.renewed.send_replace(at);
    }

    /// Whether a request may leave: the half that is left is for its way.
    fn is_sure(&self, now: Moment) -> bool {
        self.renewed.borrow().elapsed(now) < self.lasts / 2
    }

    async fn sure(&self) {
        let mut renewed = self.renewed.subscribe();
        while !self.is_sure(Moment::now()) {
            if renewed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

tokio::task_local! {
    static RIGHT: Arc<Right>;
}

/// Does something of which every request of the same task waits for the right to send it.
pub async fn while_holding<F: Future>(right: Arc<Right>, work: F) -> F::Output {
    RIGHT.scope(right, work).await
}

/// Waits until a request may leave: at once without a right around it, and while that lasts.
pub async fn may_leave() {
    if let Ok(right) = RIGHT.try_with(Arc::clone) {
        right.sure().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later(moment: Moment, steady: u64, wall: i64) -> Moment {
        let by = Duration::from_secs(wall.unsigned_abs());
        let wall = if wall < 0 { moment.wall - by } else { moment.wall + by };
        Moment { steady: moment.steady + Duration::from_secs(steady), wall }
    }

    #[test]
    fn it_is_sure_for_half_of_its_time_by_both_clocks() {
        let begun = Moment::now();
        let right = Right::given(begun, Duration::from_secs(60));
        assert!(right.is_sure(begun));
        assert!(right.is_sure(later(begun, 29, 29)));
        assert!(!right.is_sure(later(begun, 30, 29)));
        assert!(!right.is_sure(later(begun, 0, 30)), "a machine that slept");
        assert!(right.is_sure(later(begun, 29, -3600)), "a clock that was set back");
        right.renew(later(begun, 30, 30));
        assert!(right.is_sure(later(begun, 59, 59)));
    }

    #[tokio::test]
    async fn what_has_lost_it_sends_nothing_until_it_is_renewed() {
        may_leave().await;
        let hour = Duration::from_hours(1);
        let lost = Moment { steady: Instant::now(), wall: SystemTime::now() - hour };
        let right = Arc::new(Right::given(lost, Duration::from_secs(60)));
        let mut leaves = tokio::spawn(while_holding(right.clone(), may_leave()));
        tokio::task::yield_now().await;
        assert!(!leaves.is_finished());
        right.renew(Moment::now());
        (&mut leaves).await.unwrap();
    }
}
