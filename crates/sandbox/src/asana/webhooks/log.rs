//! What was sent to webhooks, kept for whoever looks on.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;

/// The most attempts kept; the oldest go first.
const MAX_ATTEMPTS: usize = 10_000;

/// Why something was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To hand the secret over, while a registration is open.
    Handshake,
    /// To ask whether the target is there.
    Heartbeat,
    /// To tell events.
    Events,
}

/// One request to a target and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// Gid of the webhook; absent in a handshake, before there is one.
    pub webhook: Option<String>,
    /// Where it went.
    pub target: String,
    /// Why.
    pub purpose: Purpose,
    /// Number of the delivery, counted up for each webhook; repetitions share it.
    pub delivery: u64,
    /// Which attempt of this delivery, from 1.
    pub attempt: u32,
    /// When it ended, on the virtual clock.
    pub at: Timestamp,
    /// Number of events in it.
    pub events: usize,
    /// The body as sent.
    pub body: String,
    /// Value of `X-Hook-Signature`; absent in a handshake.
    pub signature: Option<String>,
    /// The status answered; absent when there was no answer in time.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
}

impl Attempt {
    /// Whether the target took it.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        matches!(self.status, Some(200 | 204))
    }
}

/// What was sent so far, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeliveryCounts {
    /// Handshakes, whatever came of them.
    pub handshakes: u64,
    /// Attempts of deliveries and heartbeats.
    pub attempts: u64,
    /// Those that the target did not take.
    pub failures: u64,
    /// Deliveries of events that the target took.
    pub delivered: u64,
    /// Events in them.
    pub events: u64,
    /// Heartbeats that the target took.
    pub heartbeats: u64,
    /// Events that were never sent.
    pub lost: u64,
    /// Webhooks deleted by Asana itself.
    pub deleted: u64,
}

/// Attempts and counts.
#[derive(Debug, Default)]
pub(crate) struct Log {
    attempts: VecDeque<Attempt>,
    pub counts: DeliveryCounts,
}

impl Log {
    pub fn add(&mut self, attempt: Attempt) {
        let counts = &mut self.counts;
        let one = |count: &mut u64| *count = count.saturating_add(1);
        if attempt.purpose == Purpose::Handshake {
            one(&mut counts.handshakes);
        } else {
            one(&mut counts.attempts);
            match (attempt.succeeded(), attempt.purpose) {
                (false, _) => one(&mut counts.failures),
                (true, Purpose::Heartbeat) => one(&mut counts.heartbeats),
                (true, _) => {
                    one(&mut counts.delivered);
                    counts.events = counts.events.saturating_add(u64::try_from(attempt.events).unwrap_or(0));
                }
            }
        }
        while self.attempts.len() >= MAX_ATTEMPTS {
            self.attempts.pop_front();
        }
        self.attempts.push_back(attempt);
    }

    pub fn attempts(&self) -> Vec<Attempt> {
        self.attempts.iter().cloned().collect()
    }

    pub fn clear(&mut self) {
        self.attempts.clear();
    }
}
