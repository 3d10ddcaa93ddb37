//! What became of each exchange: noted by the clients, kept by whoever listens.
//!
//! The clients call [`note`] for every request that was sent, whatever came of it. It is kept only while the task is
//! inside [`watched`], so that nobody who does not ask pays for it.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With an answer of any status.
    Answered,
    /// No whole answer came in time.
    TimedOut,
    /// The connection broke.
    Dropped,
    /// No connection could be made, so nothing was sent.
    Unreachable,
    /// The answer is larger than is read.
    TooLarge,
}

impl Ending {
    /// A stable name, for stored records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Ending::Answered => "answered",
            Ending::TimedOut => "timed_out",
            Ending::Dropped => "dropped",
            Ending::Unreachable => "unreachable",
            Ending::TooLarge => "too_large",
        }
    }
}

/// One request and what came of it.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The operation or the resource.
    pub what: &'static str,
    /// When it was sent, by this machine's clock.
    pub at: Timestamp,
    /// The answer's HTTP status.
    pub status: Option<u16>,
    /// How it ended.
    pub ending: Ending,
    /// From sending to the end of the answer.
    pub elapsed: Duration,
    /// By what the other side finds the request again, where it says so.
    pub request_id: Option<String>,
}

/// An exchange that has begun.
#[derive(Debug, Clone, Copy)]
pub struct Begun {
    what: &'static str,
    at: Timestamp,
    since: Instant,
}

impl Begun {
    /// Begins now.
    #[must_use]
    pub fn now(what: &'static str) -> Begun {
        Begun { what, at: Timestamp::now(), since: Instant::now() }
    }

    /// How long it has taken so far.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    /// Notes how it ended.
    pub fn ended(self, ending: Ending, status: Option<u16>, request_id: Option<String>) {
        let Begun { what, at, since } = self;
        note(Exchange { what, at, status, ending, elapsed: since.elapsed(), request_id });
    }
}

tokio::task_local! {
    static SEEN: RefCell<Vec<Exchange>>;
}

/// Notes an exchange, for the innermost [`watched`] around it.
pub fn note(exchange: Exchange) {
    // nobody watches: then it is not kept
    let _ = SEEN.try_with(|seen| seen.borrow_mut().push(exchange));
}

/// Runs something, and returns with its result every exchange that ended meanwhile in the same task.
pub async fn watched<F: Future>(work: F) -> (F::Output, Vec<Exchange>) {
    SEEN.scope(RefCell::default(), async {
        let result = work.await;
        (result, SEEN.with(RefCell::take))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_ends_meanwhile_is_returned_and_what_nobody_watches_is_dropped() {
        Begun::now("before").ended(Ending::Answered, Some(200), None);
        let (result, seen) = watched(async {
            Begun::now("first").ended(Ending::Answered, Some(429), None);
            tokio::task::yield_now().await;
            Begun::now("second").ended(Ending::TimedOut, None, None);
            7
        })
        .await;
        let told: Vec<_> = seen.iter().map(|one| (one.what, one.status, one.ending)).collect();
        assert_eq!(result, 7);
        assert_eq!(told, [("first", Some(429), Ending::Answered), ("second", None, Ending::TimedOut)]);
    }
}
