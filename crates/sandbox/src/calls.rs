//! What was asked of the stand-ins: counts of all calls and, on demand, whole exchanges.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;

use crate::faults::{Fault, Side};

/// A kind of call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Call {
    /// Which service.
    pub side: Side,
    /// HTTP method.
    pub method: String,
    /// The path with ids replaced by `{id}`.
    pub route: String,
    /// The status answered; absent when the connection was dropped.
    pub status: Option<u16>,
}

/// A kind of call and how often it came.
#[derive(Clone, Debug, Serialize)]
pub struct CallCount {
    /// The kind.
    #[serde(flatten)]
    pub call: Call,
    /// How often.
    pub count: u64,
}

/// One request and its answer, in full. The value of `Authorization` is left out.
#[derive(Clone, Debug, Serialize)]
pub struct Exchange {
    /// Which service.
    pub side: Side,
    /// HTTP method.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Header names and values of the request.
    pub request_headers: Vec<(String, String)>,
    /// Body of the request.
    pub request_body: String,
    /// When it came, in microseconds of this machine's steady clock since the program's first exchange.
    pub came_us: u64,
    /// When its answer was ready, likewise.
    pub answered_us: u64,
    /// The status answered; absent when the connection was dropped.
    pub status: Option<u16>,
    /// Header names and values of the answer.
    pub response_headers: Vec<(String, String)>,
    /// Body of the answer as it was made, before any truncation.
    pub response_body: String,
    /// The fault that kept this answer from the client, or changed it after it was made: then nobody read `response_body`
    /// as it stands here.
    pub spoilt_by: Option<Fault>,
}

/// The record of calls; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<Log>>);

#[derive(Debug, Default)]
struct Log {
    counts: BTreeMap<Call, u64>,
    keep: usize,
    exchanges: VecDeque<Exchange>,
}

impl Calls {
    fn lock(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All kinds of calls with their counts.
    #[must_use]
    pub fn counts(&self) -> Vec<CallCount> {
        let log = self.lock();
        log.counts.iter().map(|(call, count)| CallCount { call: call.clone(), count: *count }).collect()
    }

    /// Number of calls.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.lock().counts.values().sum()
    }

    /// Number of calls to a side.
    #[must_use]
    pub fn total_of(&self, side: Side) -> u64 {
        self.count(|call| call.side == side)
    }

    /// Number of calls of the kinds that `wanted` accepts.
    #[must_use]
    pub fn count(&self, wanted: impl Fn(&Call) -> bool) -> u64 {
        self.lock().counts.iter().filter(|(call, _)| wanted(call)).map(|(_, count)| count).sum()
    }

    /// Forgets counts and exchanges.
    pub fn reset(&self) {
        let mut log = self.lock();
        log.counts.clear();
        log.exchanges.clear();
    }

    /// Keeps the newest `keep` exchanges in full from now on; 0 keeps none.
    pub fn record_exchanges(&self, keep: usize) {
        let mut log = self.lock();
        log.keep = keep;
        while log.exchanges.len() > keep {
            log.exchanges.pop_front();
        }
    }

    /// The exchanges kept, oldest first.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.lock().exchanges.iter().cloned().collect()
    }

    pub(crate) fn is_recording(&self) -> bool {
        self.lock().keep > 0
    }

    pub(crate) fn add(&self, side: Side, method: &str, path: &str, status: Option<u16>) {
        let call = Call { side, method: method.to_owned(), route: route_of(path), status };
        *self.lock().counts.entry(call).or_default() += 1;
    }

    pub(crate) fn keep(&self, exchange: Exchange) {
        let mut log = self.lock();
        if log.keep == 0 {
            return;
        }
        while log.exchanges.len() >= log.keep {
            log.exchanges.pop_front();
        }
        log.exchanges.push_back(exchange);
    }
}

static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Microseconds since the first exchange of the program.
pub(crate) fn now_us() -> u64 {
    u64::try_from(BEGAN.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Whether a path segment names one record: digits only, a long key with digits in it, or an e-mail address.
fn is_id(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let key = digits == segment.len() || (segment.len() > 20 && digits > 4);
    !segment.is_empty() && (key || segment.contains('@'))
}

/// The path with ids replaced, so that calls of one kind count together.
fn route_of(path: &str) -> String {
    let segments: Vec<&str> =
        path.split('/').map(|segment| if is_id(segment) { "{id}" } else { segment }).collect();
    segments.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_one_kind_count_together() {
        let calls = Calls::default();
        calls.add(Side::Asana, "PUT", "/api/1.0/tasks/1201", Some(200));
        calls.add(Side::Asana, "PUT", "/api/1.0/tasks/1202", Some(200));
        calls.add(Side::Oracle, "GET", "/fscmRestApi/resources/11.13.18.05/purchaseOrders", None);
        calls.add(Side::Asana, "GET", "/api/1.0/users/ana@example.com", Some(200));
        assert_eq!(calls.count(|call| call.route == "/api/1.0/tasks/{id}"), 2);
        assert_eq!(calls.count(|call| call.route == "/api/1.0/users/{id}"), 1);
        assert_eq!(calls.total_of(Side::Oracle), 1);
        assert!(calls.counts().iter().any(|count| count.call.route.contains("11.13.18.05/purchaseOrders")));
        calls.reset();
        assert_eq!(calls.total(), 0);
    }
}
