//! Faults on demand: rules that make chosen requests go wrong, repeatably.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Which service a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The REST resources of Oracle.
    Oracle,
    /// The identity domain's token endpoint.
    Token,
    /// The Asana API.
    Asana,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// An answer with this status in place of the real one; the request is not applied.
    Status {
        /// The HTTP status.
        status: u16,
        /// Value of `Retry-After`.
        #[serde(default)]
        retry_after: Option<String>,
        /// The body; empty when absent.
        #[serde(default)]
        body: Option<String>,
        /// Whether the body is a page (a stock page when `body` is absent).
        #[serde(default)]
        html: bool,
    },
    /// The request is handled this many real milliseconds later; further rules still apply.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// Silence for this long, then the connection drops; the request is not applied.
    TimeoutBefore {
        /// Milliseconds.
        ms: u64,
    },
    /// The request is applied, then silence, then the connection drops.
    TimeoutAfter {
        /// Milliseconds.
        ms: u64,
    },
    /// The connection drops; the request is not applied.
    DropBefore,
    /// The request is applied, then the connection drops without an answer.
    DropAfter,
    /// The request is applied; the answer breaks off half-way through its body.
    TruncatedBody,
    /// 200 with a page in place of the answer; the request is not applied.
    HtmlPage,
    /// The request is applied; the answer is whole to HTTP, but its JSON ends half-way.
    MalformedJson,
    /// The page that was served before from this path, once more (Oracle).
    RepeatPage,
}

/// When a fault happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Only requests to this side.
    #[serde(default)]
    pub side: Option<Side>,
    /// Only this HTTP method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only requests whose path and query contain this text.
    #[serde(default)]
    pub path: Option<String>,
    /// Share of the matching requests that it hits, 0 to 1.
    #[serde(default = "always")]
    pub probability: f64,
    /// How often it may happen; without end when absent.
    #[serde(default)]
    pub count: Option<u64>,
    /// How many matching requests pass first.
    #[serde(default)]
    pub skip: u64,
    /// What happens.
    pub fault: Fault,
}

fn always() -> f64 {
    1.0
}

impl FaultRule {
    /// A rule that hits every request.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self { side: None, method: None, path: None, probability: always(), count: None, skip: 0, fault }
    }

    /// Only on `side`.
    #[must_use]
    pub fn on(mut self, side: Side) -> Self {
        self.side = Some(side);
        self
    }

    /// Only with this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only where path and query contain `text`.
    #[must_use]
    pub fn path(mut self, text: &str) -> Self {
        self.path = Some(text.to_owned());
        self
    }

    /// At most `count` times.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// After `skip` matching requests went well.
    #[must_use]
    pub fn after(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }

    /// With this probability.
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = probability;
        self
    }

    fn matches(&self, side: Side, method: &str, path: &str) -> bool {
        self.side.is_none_or(|wanted| wanted == side)
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path.as_deref().is_none_or(|wanted| path.contains(wanted))
    }
}

/// A rule and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultStatus {
    /// Names the rule in later calls.
    pub id: u64,
    /// The rule.
    pub rule: FaultRule,
    /// Requests that it matched.
    pub matched: u64,
    /// How often it happened.
    pub fired: u64,
}

/// All rules; clones share them.
#[derive(Clone, Debug)]
pub struct Faults(Arc<Mutex<Rules>>);

#[derive(Debug)]
struct Rules {
    random: ChaCha8Rng,
    next_id: u64,
    list: Vec<FaultStatus>,
}

impl Faults {
    /// No rules; probabilities draw from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let random = ChaCha8Rng::seed_from_u64(seed);
        Self(Arc::new(Mutex::new(Rules { random, next_id: 1, list: Vec::new() })))
    }

    fn lock(&self) -> MutexGuard<'_, Rules> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a rule after the others and returns its id.
    pub fn add(&self, mut rule: FaultRule) -> u64 {
        rule.probability = if rule.probability.is_nan() { 1.0 } else { rule.probability.clamp(0.0, 1.0) };
        let mut rules = self.lock();
        let id = rules.next_id;
        rules.next_id += 1;
        rules.list.push(FaultStatus { id, rule, matched: 0, fired: 0 });
        id
    }

    /// The rules with their counts.
    #[must_use]
    pub fn list(&self) -> Vec<FaultStatus> {
        self.lock().list.clone()
    }

    /// How often a rule happened; 0 for one that does not exist.
    #[must_use]
    pub fn fired(&self, id: u64) -> u64 {
        self.lock().list.iter().find(|status| status.id == id).map_or(0, |status| status.fired)
    }

    /// Takes one rule away; false when there is none with this id.
    pub fn remove(&self, id: u64) -> bool {
        let mut rules = self.lock();
        let before = rules.list.len();
        rules.list.retain(|status| status.id != id);
        rules.list.len() < before
    }

    /// Takes all rules away.
    pub fn clear(&self) {
        self.lock().list.clear();
    }

    /// What happens to this request: delays, and at most one other fault, the first that hits.
    pub(crate) fn strike(&self, side: Side, method: &str, path: &str) -> Vec<Fault> {
        let mut struck = Vec::new();
        let mut rules = self.lock();
        let Rules { random, list, .. } = &mut *rules;
        for status in list.iter_mut().filter(|status| status.rule.matches(side, method, path)) {
            status.matched += 1;
            let rule = &status.rule;
            let spent = rule.count.is_some_and(|count| status.fired >= count);
            if status.matched <= rule.skip || spent || !random.random_bool(rule.probability) {
                continue;
            }
            status.fired += 1;
            struck.push(rule.fault.clone());
            if !matches!(rule.fault, Fault::Delay { .. }) {
                break;
            }
        }
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_passes_some_requests_then_fires_a_number_of_times() {
        let faults = Faults::new(7);
        let id = faults.add(FaultRule::new(Fault::DropBefore).on(Side::Oracle).after(2).times(2));
        let hits: Vec<bool> = (0..6).map(|_| !faults.strike(Side::Oracle, "GET", "/x").is_empty()).collect();
        assert_eq!(hits, [false, false, true, true, false, false]);
        assert!(faults.strike(Side::Asana, "GET", "/x").is_empty());
        assert_eq!(faults.fired(id), 2);
    }

    #[test]
    fn equal_seeds_hit_the_same_requests() {
        let hits = |seed| {
            let faults = Faults::new(seed);
            faults.add(FaultRule::new(Fault::DropBefore).probability(0.3));
            (0..200).map(|_| faults.strike(Side::Oracle, "GET", "/").len()).collect::<Vec<_>>()
        };
        assert_eq!(hits(1), hits(1));
        assert_ne!(hits(1), hits(2));
        let share: usize = hits(1).iter().sum();
        assert!((30..90).contains(&share), "{share}");
    }

    #[test]
    fn rules_read_from_json() {
        let text = r#"{"side":"token","count":1,"fault":{"kind":"status","status":503,"html":true}}"#;
        let rule: FaultRule = serde_json::from_str(text).unwrap();
        assert_eq!(rule.count, Some(1));
        assert!(matches!(rule.fault, Fault::Status { status: 503, html: true, .. }));
    }
}
