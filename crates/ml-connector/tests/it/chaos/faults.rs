//! How the schedule's faults are laid, and how many of them happened.

use std::collections::BTreeMap;

use sandbox::{Edit, Fault, FaultRule, Side};

use super::schedule::{KINDS, Trip};
use crate::pair::Pair;

/// Shorter than what a client waits, as a proxy's own limit is.
const SILENCE_MS: u64 = 300;

/// What was laid and what happened, by kind.
#[derive(Debug, Default)]
pub struct Fired {
    laid: BTreeMap<u64, &'static str>,
    counted: BTreeMap<&'static str, u64>,
}

impl Fired {
    pub fn lay(&mut self, pair: &Pair, trip: &Trip) {
        let rule = FaultRule::new(fault(trip.kind)).times(1);
        let rule = match (trip.kind, trip.in_asana) {
            // where the job is asked for
            ("ReqstId -1", _) => rule.on(Side::Oracle).method("POST").path("erpintegrations"),
            (_, true) => rule.on(Side::Asana).after(trip.skip),
            (_, false) => rule.on(Side::Oracle).after(trip.skip),
        };
        self.laid.insert(pair.sandbox.faults().add(rule), trip.kind);
    }

    /// Whether a fault that was laid has not happened yet.
    pub fn are_waiting(pair: &Pair) -> bool {
        pair.sandbox.faults().list().iter().any(|status| status.fired == 0)
    }

    pub fn happened(&mut self, kind: &'static str, times: u64) {
        *self.counted.entry(kind).or_default() += times;
    }

    /// Ends all faults of requests.
    pub fn end(&mut self, pair: &Pair) {
        for status in pair.sandbox.faults().list() {
            let kind = self.laid[&status.id];
            self.happened(kind, status.fired);
        }
        pair.sandbox.faults().clear();
    }

    pub fn of(&self, kind: &str) -> u64 {
        self.counted.get(kind).copied().unwrap_or_default()
    }

    /// A line for each kind.
    pub fn table(&self) -> String {
        let others = self.counted.keys().filter(|kind| !KINDS.contains(kind));
        let line = |kind: &&'static str| format!("  {kind:<22}{:>6}\n", self.of(kind));
        KINDS.iter().chain(others).map(line).collect()
    }
}

fn fault(kind: &str) -> Fault {
    let status = |status: u16, body: Option<&str>| Fault::Status {
        status,
        retry_after: (status == 429).then(|| "1".to_owned()),
        body: body.map(str::to_owned),
        html: false,
    };
    match kind {
        "429" => status(429, None),
        "500" => status(500, None),
        "503" => status(503, None),
        "silence before" => Fault::TimeoutBefore { ms: SILENCE_MS },
        "silence after" => Fault::TimeoutAfter { ms: SILENCE_MS },
        "dropped before" => Fault::DropBefore,
        "dropped after" => Fault::DropAfter,
        "truncated" => Fault::TruncatedBody,
        "HTML" => Fault::HtmlPage,
        "malformed JSON" => Fault::MalformedJson,
        "empty 200" => status(200, None),
        "ReqstId -1" => status(201, Some(r#"{"ReqstId":-1}"#)),
        other => panic!("{other} is no fault of a request"),
    }
}

/// Oracle forgets every token that it gave.
pub fn revoke_tokens(pair: &Pair) {
    pair.sandbox.oracle().apply(Edit::RevokeTokens).unwrap();
}
