//! Rate limits of one token: allowance over a minute and over a shorter span, searches, requests in flight.
//!
//! Source: <https://developers.asana.com/docs/rate-limits>. A refused request uses up allowance like any other.
//! The cost-based quota is not modelled: Asana publishes no figures for it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::config::AsanaConfig;

const MINUTE_MS: i64 = 60_000;
/// Instants remembered per token beyond the allowance; more hammering changes nothing.
const REMEMBERED: usize = 4;

/// What a request, or all the actions of a batch, need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    pub reads: u32,
    pub writes: u32,
    pub searches: u32,
}

impl Cost {
    pub fn plus(self, other: Self) -> Self {
        Self {
            reads: self.reads.saturating_add(other.reads),
            writes: self.writes.saturating_add(other.writes),
            searches: self.searches.saturating_add(other.searches),
        }
    }
}

#[derive(Debug, Default)]
struct Usage {
    requests: VecDeque<i64>,
    searches: VecDeque<i64>,
    reads: u32,
    writes: u32,
}

/// The limits of all tokens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits(Arc<Mutex<HashMap<String, Usage>>>);

/// Counts as in flight until dropped.
#[derive(Debug)]
pub(crate) struct InFlight {
    limits: Limits,
    token: String,
    cost: Cost,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(usage) = self.limits.lock().get_mut(&self.token) {
            usage.reads = usage.reads.saturating_sub(self.cost.reads);
            usage.writes = usage.writes.saturating_sub(self.cost.writes);
        }
    }
}

impl Limits {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Usage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a request in, or says after how many seconds to come back.
    pub fn admit(&self, cfg: &AsanaConfig, token: &str, now_ms: i64, cost: Cost) -> Result<InFlight, u64> {
        let mut all = self.lock();
        let usage = all.entry(token.to_owned()).or_default();
        let allowance = cfg.allowance();
        let asked = cost.reads.saturating_add(cost.writes);
        let spans = [
            (&mut usage.requests, asked, allowance, MINUTE_MS),
            (&mut usage.searches, cost.searches, cfg.searches_per_minute, MINUTE_MS),
        ];
        let mut wait_ms = 0;
        for (past, n, limit, span) in spans {
            if n == 0 || limit == 0 {
                continue;
            }
            record(past, n, limit, now_ms);
            wait_ms = wait_ms.max(wait(past, n, limit, span, now_ms));
            let short = u64::from(limit).saturating_mul(u64::from(cfg.short_span_percent)) / 100;
            if cfg.short_span_seconds > 0 && short > 0 {
                let limit = u32::try_from(short).unwrap_or(u32::MAX);
                let span = i64::from(cfg.short_span_seconds).saturating_mul(1000);
                wait_ms = wait_ms.max(wait(past, n, limit, span, now_ms));
            }
        }
        if wait_ms > 0 {
            return Err(u64::try_from(wait_ms).unwrap_or(0).div_ceil(1000).max(1));
        }
        let over =
            |used: u32, more: u32, limit: u32| more > 0 && limit > 0 && used.saturating_add(more) > limit;
        if over(usage.reads, cost.reads, cfg.reads_at_once)
            || over(usage.writes, cost.writes, cfg.writes_at_once)
        {
            return Err(cfg.at_once_retry_after_seconds);
        }
        usage.reads = usage.reads.saturating_add(cost.reads);
        usage.writes = usage.writes.saturating_add(cost.writes);
        Ok(InFlight { limits: self.clone(), token: token.to_owned(), cost })
    }
}

/// Whether the `n` that were just recorded exceed the limit: milliseconds until `n` more fit, or 0.
fn wait(past: &VecDeque<i64>, n: u32, limit: u32, span: i64, now: i64) -> i64 {
    let first = past.partition_point(|at| now.saturating_sub(*at) >= span);
    let excess = past.len().saturating_sub(first).saturating_sub(limit as usize);
    if excess == 0 {
        return 0;
    }
    // The refused ones stay counted, so that whoever comes back in time must find room beside them.
    let leaving = first.saturating_add(excess).saturating_add(n as usize).saturating_sub(1);
    let at = past.get(leaving).copied().unwrap_or(now);
    at.saturating_add(span).saturating_sub(now).max(1)
}

fn record(past: &mut VecDeque<i64>, n: u32, limit: u32, now: i64) {
    while past.front().is_some_and(|at| now.saturating_sub(*at) >= MINUTE_MS) {
        past.pop_front();
    }
    for _ in 0..n {
        past.push_back(now);
    }
    while past.len() > (limit as usize).saturating_mul(REMEMBERED) {
        past.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Cost = Cost { reads: 1, writes: 0, searches: 0 };
    const WRITE: Cost = Cost { reads: 0, writes: 1, searches: 0 };

    fn cfg(per_minute: u32) -> AsanaConfig {
        AsanaConfig { requests_per_minute: Some(per_minute), short_span_seconds: 0, ..AsanaConfig::default() }
    }

    #[test]
    fn a_refused_request_uses_up_allowance() {
        let (limits, cfg) = (Limits::default(), cfg(2));
        for at in [0, 1000] {
            assert!(limits.admit(&cfg, "t", at, READ).is_ok());
        }
        assert_eq!(limits.admit(&cfg, "t", 2000, READ).unwrap_err(), 59);
        // Without the refused one at second 2, one place would be free at second 60.
        assert!(limits.admit(&cfg, "t", 60_500, READ).is_err());
    }

    #[test]
    fn whoever_waits_as_told_is_let_in() {
        let (limits, cfg) = (Limits::default(), cfg(3));
        for at in [0, 10, 20] {
            assert!(limits.admit(&cfg, "t", at, READ).is_ok());
        }
        let after = limits.admit(&cfg, "t", 30, READ).unwrap_err();
        let at = 30 + i64::try_from(after).unwrap() * 1000;
        assert!(limits.admit(&cfg, "t", at, READ).is_ok());
    }

    #[test]
    fn a_burst_is_refused_within_the_shorter_span() {
        let limits = Limits::default();
        let cfg = AsanaConfig { short_span_seconds: 15, short_span_percent: 25, ..cfg(40) };
        for _ in 0..10 {
            assert!(limits.admit(&cfg, "t", 0, READ).is_ok());
        }
        assert_eq!(limits.admit(&cfg, "t", 1, READ).unwrap_err(), 15);
    }

    #[test]
    fn reads_and_writes_in_flight_are_limited_apart() {
        let limits = Limits::default();
        let cfg = AsanaConfig { reads_at_once: 1, writes_at_once: 1, ..cfg(0) };
        let read = limits.admit(&cfg, "t", 0, READ).unwrap();
        let _write = limits.admit(&cfg, "t", 0, WRITE).unwrap();
        assert!(limits.admit(&cfg, "t", 0, READ).is_err());
        drop(read);
        assert!(limits.admit(&cfg, "t", 0, READ).is_ok());
        assert!(limits.admit(&cfg, "t", 0, WRITE).is_err());
        assert!(limits.admit(&cfg, "other", 0, WRITE).is_ok(), "limits are per token");
    }
}
