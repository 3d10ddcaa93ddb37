//! What waits to be sent to one webhook, and when: a state machine without a clock and without a network.
//!
//! Events wait until they are due, then become deliveries; a delivery that failed keeps its body and goes first.
//! Asana documents neither the order of deliveries nor the schedule of retries; both are settings.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use super::config::{Sending, WebhookConfig};

/// The most events that wait for one webhook; the oldest are given up, as "at most once" allows.
const MAX_WAITING: usize = 100_000;
/// The most events of one delivery.
const MAX_EVENTS: usize = 1000;

/// A body on its way to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// Tells deliveries of one webhook apart; copies share it.
    pub number: u64,
    pub body: String,
    /// Events in it; none in a heartbeat.
    pub events: usize,
    /// Attempts so far, this one included once it is under way.
    pub attempts: u32,
}

/// A webhook whose last delivery failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failing {
    /// The first failure since the last success.
    pub since: Timestamp,
    pub retries: u32,
    pub next_attempt: Timestamp,
}

/// What waits for one webhook.
#[derive(Debug)]
pub(crate) struct Queue {
    /// Events as text, with the instant at which each is due.
    waiting: VecDeque<(Timestamp, String)>,
    ready: VecDeque<Delivery>,
    in_flight: usize,
    made: u64,
    next_heartbeat: Timestamp,
    failing: Option<Failing>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Ready,
    Events,
    Heartbeat,
}

impl Queue {
    /// The queue of a webhook whose target has just answered the handshake, which counts as a heartbeat.
    pub fn new(now: Timestamp, cfg: &WebhookConfig) -> Self {
        Self {
            waiting: VecDeque::new(),
            ready: VecDeque::new(),
            in_flight: 0,
            made: 0,
            next_heartbeat: if cfg.heartbeat_after_handshake {
                now
            } else {
                later(now, cfg.heartbeat_seconds)
            },
            failing: None,
        }
    }

    /// Adds an event; returns how many old ones were given up for it.
    pub fn push(&mut self, event: String, at: Timestamp, cfg: &WebhookConfig) -> u64 {
        let delay = SignedDuration::from_millis(i64::try_from(cfg.delay_ms).unwrap_or(i64::MAX));
        let due = at.checked_add(delay).unwrap_or(Timestamp::MAX);
        let full = self.waiting.len() >= MAX_WAITING;
        if full {
            self.waiting.pop_front();
        }
        self.waiting.push_back((due, event));
        u64::from(full)
    }

    pub fn failing(&self) -> Option<Failing> {
        self.failing
    }

    /// Events and deliveries that are not yet answered with success.
    pub fn pending(&self) -> usize {
        let ready: usize = self.ready.iter().map(|d| d.events.max(1)).sum();
        self.waiting.len().saturating_add(ready).saturating_add(self.in_flight)
    }

    /// When the webhook is to be deleted unless a delivery succeeds.
    pub fn deletion(&self, cfg: &WebhookConfig) -> Option<Timestamp> {
        self.failing.map(|f| later(f.since, cfg.delete_after_seconds))
    }

    /// Whether nothing is under way and nothing is due.
    pub fn is_settled(&self, now: Timestamp, cfg: &WebhookConfig) -> bool {
        self.in_flight == 0 && self.next(now, cfg).is_none()
    }

    fn next(&self, now: Timestamp, cfg: &WebhookConfig) -> Option<Next> {
        let room = match self.failing {
            Some(failing) => now >= failing.next_attempt && self.in_flight == 0,
            None => self.in_flight < cfg.at_once.max(1),
        };
        if !room || cfg.sending == Sending::Hold {
            return None;
        }
        if !self.ready.is_empty() {
            return Some(Next::Ready);
        }
        if self.waiting.front().is_some_and(|(due, _)| *due <= now) {
            return Some(Next::Events);
        }
        (now >= self.next_heartbeat).then_some(Next::Heartbeat)
    }

    /// Takes the next delivery that is due; it is under way from then on.
    pub fn take(&mut self, now: Timestamp, cfg: &WebhookConfig) -> Option<Delivery> {
        let mut delivery = match self.next(now, cfg)? {
            Next::Ready if cfg.reordered => self.ready.pop_back()?,
            Next::Ready => self.ready.pop_front()?,
            Next::Events => {
                let events = self.due_events(now, cfg);
                let body = format!("{{\"events\":[{}]}}", events.join(","));
                let made = self.make(body, events.len());
                for _ in 1..cfg.copies.max(1) {
                    self.ready.push_back(made.clone());
                }
                made
            }
            Next::Heartbeat => {
                self.next_heartbeat = later(now, cfg.heartbeat_seconds);
                self.make(HEARTBEAT.to_owned(), 0)
            }
        };
        delivery.attempts = delivery.attempts.saturating_add(1);
        self.in_flight = self.in_flight.saturating_add(1);
        Some(delivery)
    }

    fn make(&mut self, body: String, events: usize) -> Delivery {
        self.made = self.made.saturating_add(1);
        Delivery { number: self.made, body, events, attempts: 0 }
    }

    /// The events of the next delivery; those that come first or, when reordered, last.
    fn due_events(&mut self, now: Timestamp, cfg: &WebhookConfig) -> Vec<String> {
        let most = if cfg.events_per_delivery == 0 { MAX_EVENTS } else { cfg.events_per_delivery };
        let due = self.waiting.iter().take_while(|(at, _)| *at <= now).count();
        let n = due.min(most.min(MAX_EVENTS));
        if cfg.reordered {
            let first = due.saturating_sub(n);
            return self.waiting.drain(first..due).rev().map(|(_, event)| event).collect();
        }
        self.waiting.drain(..n).map(|(_, event)| event).collect()
    }

    /// The target answered with success.
    pub fn succeeded(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.failing = None;
    }

    /// The target did not: the delivery waits for its next attempt.
    pub fn failed(&mut self, delivery: Delivery, now: Timestamp, cfg: &WebhookConfig) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.ready.push_front(delivery);
        let retries = match self.failing {
            // It was sent beside one that failed before it, and says nothing new.
            Some(failing) if now < failing.next_attempt => return,
            Some(failing) => failing.retries.saturating_add(1),
            None => 0,
        };
        let since = self.failing.map_or(now, |f| f.since);
        self.failing = Some(Failing { since, retries, next_attempt: later(now, backoff(retries, cfg)) });
    }

    /// The next instant after `now` at which something becomes due.
    pub fn wakes_at(&self, now: Timestamp, cfg: &WebhookConfig) -> Option<Timestamp> {
        let sends = match (cfg.sending, self.failing) {
            (Sending::Hold, _) => [None, None],
            (_, Some(failing)) => [Some(failing.next_attempt), None],
            (_, None) => [self.waiting.front().map(|(due, _)| *due), Some(self.next_heartbeat)],
        };
        // What is past waits for an attempt that is under way, and its end wakes too.
        sends.into_iter().chain([self.deletion(cfg)]).flatten().filter(|at| *at > now).min()
    }
}

/// A delivery without events, which asks whether the target is there.
pub(crate) const HEARTBEAT: &str = "{\"events\":[]}";

fn later(at: Timestamp, seconds: u32) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(Timestamp::MAX)
}

/// Seconds to wait after this many retries: twice as long each time, up to the longest.
fn backoff(retries: u32, cfg: &WebhookConfig) -> u32 {
    let factor = 1_u32.checked_shl(retries).unwrap_or(u32::MAX);
    cfg.retry_first_seconds.saturating_mul(factor).min(cfg.retry_most_seconds.max(cfg.retry_first_seconds))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn cfg() -> WebhookConfig {
        WebhookConfig { retry_first_seconds: 10, retry_most_seconds: 100, ..WebhookConfig::default() }
    }

    fn filled(events: usize, cfg: &WebhookConfig) -> Queue {
        let mut queue = Queue::new(at(0), cfg);
        for n in 0..events {
            queue.push(n.to_string(), at(0), cfg);
        }
        queue
    }

    fn bodies(queue: &mut Queue, cfg: &WebhookConfig) -> Vec<String> {
        let mut bodies = Vec::new();
        while let Some(delivery) = queue.take(at(0), cfg) {
            bodies.push(delivery.body);
            queue.succeeded();
        }
        bodies
    }

    #[test]
    fn events_that_wait_together_go_together() {
        let cfg = cfg();
        assert_eq!(bodies(&mut filled(3, &cfg), &cfg), ["{\"events\":[0,1,2]}"]);
        let each = WebhookConfig { events_per_delivery: 1, copies: 2, ..cfg.clone() };
        assert_eq!(
            bodies(&mut filled(2, &each), &each),
            [0, 0, 1, 1].map(|n| format!("{{\"events\":[{n}]}}"))
        );
        let backwards = WebhookConfig { events_per_delivery: 2, reordered: true, ..cfg };
        assert_eq!(
            bodies(&mut filled(3, &backwards), &backwards),
            ["{\"events\":[2,1]}", "{\"events\":[0]}"]
        );
    }

    #[test]
    fn a_failed_delivery_keeps_its_body_and_waits_twice_as_long_each_time() {
        let cfg = cfg();
        let mut queue = filled(1, &cfg);
        let mut now = 0;
        for (retries, wait) in [(0, 10), (1, 20), (2, 40), (3, 80), (4, 100), (5, 100)] {
            let delivery = queue.take(at(now), &cfg).unwrap();
            assert_eq!((delivery.attempts, delivery.body.as_str()), (retries + 1, "{\"events\":[0]}"));
            assert!(queue.take(at(now), &cfg).is_none(), "one attempt at a time while it fails");
            queue.failed(delivery, at(now), &cfg);
            queue.push("later".to_owned(), at(now), &cfg);
            let failing = queue.failing().unwrap();
            assert_eq!(
                (failing.retries, failing.next_attempt, failing.since),
                (retries, at(now + wait), at(0))
            );
            assert!(queue.take(at(now + wait - 1), &cfg).is_none());
            assert!(queue.is_settled(at(now + wait - 1), &cfg));
            assert_eq!(queue.wakes_at(at(now), &cfg), Some(at(now + wait)));
            now += wait;
        }
        queue.take(at(now), &cfg).unwrap();
        queue.succeeded();
        assert_eq!(queue.failing(), None);
        assert_eq!(queue.take(at(now), &cfg).unwrap().events, 6);
    }

    #[test]
    fn a_heartbeat_comes_every_eight_hours() {
        let cfg = cfg();
        let mut queue = Queue::new(at(0), &cfg);
        let hours = |n: i64| n * 3600;
        assert!(queue.take(at(hours(8) - 1), &cfg).is_none());
        let beat = queue.take(at(hours(8)), &cfg).unwrap();
        assert_eq!((beat.body.as_str(), beat.events), (HEARTBEAT, 0));
        queue.succeeded();
        assert!(queue.take(at(hours(16) - 1), &cfg).is_none());
        assert!(queue.take(at(hours(16)), &cfg).is_some());
    }

    #[test]
    fn what_is_held_back_is_not_due_and_what_is_delayed_waits() {
        let cfg = cfg();
        let held = WebhookConfig { sending: Sending::Hold, ..cfg.clone() };
        let mut queue = filled(1, &cfg);
        assert!(queue.take(at(99_999), &held).is_none() && queue.is_settled(at(99_999), &held));
        assert!(!queue.is_settled(at(0), &cfg));
        let slow = WebhookConfig { delay_ms: 60_000, ..cfg };
        let mut queue = filled(1, &slow);
        assert!(queue.take(at(59), &slow).is_none());
        assert_eq!(queue.wakes_at(at(59), &slow), Some(at(60)));
        assert!(queue.take(at(60), &slow).is_some());
    }

    proptest! {
        /// However deliveries end, every event arrives, and none more often than there are copies and retries.
        #[test]
        fn no_event_is_lost_between_failures(
            ends in prop::collection::vec(any::<bool>(), 0..40),
            size in 0_usize..4,
            at_once in 1_usize..4,
            reordered: bool,
        ) {
            let cfg = WebhookConfig { events_per_delivery: size, at_once, reordered, ..cfg() };
            let mut queue = Queue::new(at(0), &cfg);
            let mut arrived = Vec::new();
            let mut now = 0;
            let mut under_way = VecDeque::new();
            for (n, good) in ends.iter().enumerate() {
                queue.push(n.to_string(), at(now), &cfg);
                under_way.extend(queue.take(at(now), &cfg));
                if let Some(delivery) = under_way.pop_front() {
                    if *good {
                        arrived.push(delivery.body);
                        queue.succeeded();
                    } else {
                        queue.failed(delivery, at(now), &cfg);
                    }
                }
                now += 7;
            }
            for _ in 0..200 {
                now += 100;
                under_way.extend(queue.take(at(now), &cfg));
                if let Some(delivery) = under_way.pop_front() {
                    arrived.push(delivery.body);
                    queue.succeeded();
                }
            }
            let mut seen: Vec<usize> = arrived
                .iter()
                .flat_map(|body| body.trim_matches(|c: char| !c.is_ascii_digit()).split(','))
                .filter_map(|n| n.parse().ok())
                .collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..ends.len()).collect::<Vec<_>>());
            prop_assert_eq!(queue.pending(), 0);
        }
    }
}
