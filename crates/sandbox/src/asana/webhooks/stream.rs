//! Event streams: events kept for a day and the tokens that mark how far a reader has read.
//!
//! Source: `getEvents` and the "Events" page of the API reference. The token of one's last request may be used again
//! and gives the same answer; older ones are refused here, which Asana leaves open.

use std::collections::{BTreeMap, HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::config::WebhookConfig;
use super::event::Event;
use super::{Owner, hex};
use crate::asana::world::Gid;

/// The most events that one request answers.
const MAX_EVENTS: usize = 100;
/// The most events kept, all streams together; tokens of older ones are "too old", which Asana announces for times
/// of high load.
const MAX_KEPT: usize = 100_000;
/// The most tokens of one stream; requests without a token make new ones.
const MAX_TOKENS: usize = 100;

/// Where a token stands.
#[derive(Clone, Copy, Debug)]
struct Mark {
    /// Number of the first event after it.
    position: u64,
    given_at: Timestamp,
    /// What a request with it was answered: where it ended, and the token given then.
    answered: Option<(u64, u64)>,
}

#[derive(Debug, Default)]
struct Stream {
    marks: BTreeMap<u64, Mark>,
    given: u64,
}

impl Stream {
    fn give(&mut self, position: u64, now: Timestamp) -> u64 {
        self.given = self.given.saturating_add(1);
        self.marks.insert(self.given, Mark { position, given_at: now, answered: None });
        while self.marks.len() > MAX_TOKENS {
            self.marks.pop_first();
        }
        self.given
    }

    fn alive(&self, now: Timestamp, cfg: &WebhookConfig) -> bool {
        self.marks.last_key_value().is_some_and(|(_, mark)| fresh(mark.given_at, now, cfg))
    }
}

/// Whether something of this age is still kept.
fn fresh(at: Timestamp, now: Timestamp, cfg: &WebhookConfig) -> bool {
    now.duration_since(at) < SignedDuration::from_secs(i64::from(cfg.sync_token_seconds))
}

/// All streams and the events that they read.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    all: HashMap<(Gid, Owner), Stream>,
    /// Number of the first event kept.
    first: u64,
    kept: VecDeque<Event>,
}

/// One page of a stream.
pub(crate) struct Page {
    pub events: Vec<Event>,
    pub sync: String,
    pub has_more: bool,
}

impl Streams {
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub fn count_on(&self, resource: Gid, now: Timestamp, cfg: &WebhookConfig) -> usize {
        self.all.iter().filter(|((on, _), stream)| *on == resource && stream.alive(now, cfg)).count()
    }

    /// Whether this reader has a stream on the resource that still counts.
    pub fn has(&self, resource: Gid, owner: &Owner, now: Timestamp, cfg: &WebhookConfig) -> bool {
        self.all.get(&(resource, owner.clone())).is_some_and(|stream| stream.alive(now, cfg))
    }

    /// Keeps an event if a stream will want it.
    pub fn push(&mut self, event: Event, cfg: &WebhookConfig) {
        let now = event.at;
        self.all.retain(|_, stream| stream.alive(now, cfg));
        while self.kept.len() >= MAX_KEPT || self.kept.front().is_some_and(|e| !fresh(e.at, now, cfg)) {
            self.kept.pop_front();
            self.first = self.first.saturating_add(1);
        }
        if self.all.keys().any(|(resource, _)| event.scope.contains(resource)) {
            self.kept.push_back(event);
        }
    }

    fn end(&self) -> u64 {
        self.first.saturating_add(u64::try_from(self.kept.len()).unwrap_or(u64::MAX))
    }

    /// A token from which on everything that happens after now is read.
    pub fn begin(&mut self, resource: Gid, owner: &Owner, now: Timestamp) -> String {
        let end = self.end();
        let number = self.all.entry((resource, owner.clone())).or_default().give(end, now);
        token(resource, owner, number)
    }

    /// What happened since a token; `None` if it is not good any more.
    pub fn read(
        &mut self,
        resource: Gid,
        owner: &Owner,
        sync: &str,
        now: Timestamp,
        cfg: &WebhookConfig,
    ) -> Option<Page> {
        let number: u64 = sync.rsplit_once(':')?.1.parse().ok()?;
        if token(resource, owner, number) != sync {
            return None;
        }
        let (first, end) = (self.first, self.end());
        let stream = self.all.get_mut(&(resource, owner.clone()))?;
        let mark = *stream.marks.get(&number)?;
        if !fresh(mark.given_at, now, cfg) || mark.position < first {
            return None;
        }
        stream.marks.retain(|n, _| *n >= number);
        let from = usize::try_from(mark.position.saturating_sub(first)).ok()?;
        let wanted =
            (mark.position..).zip(self.kept.iter().skip(from)).filter(|(_, e)| e.scope.contains(&resource));
        let upto = mark.answered.map_or(end, |(upto, _)| upto);
        let mut found: Vec<(u64, &Event)> =
            wanted.take_while(|(n, _)| *n < upto).take(MAX_EVENTS.saturating_add(1)).collect();
        let has_more = found.len() > MAX_EVENTS;
        found.truncate(MAX_EVENTS);
        let stop = found.last().filter(|_| has_more).map_or(upto, |(n, _)| n.saturating_add(1));
        let next = match mark.answered {
            Some((_, next)) => next,
            None => {
                let next = stream.give(stop, now);
                if let Some(mark) = stream.marks.get_mut(&number) {
                    mark.answered = Some((upto, next));
                }
                next
            }
        };
        let events = found.into_iter().map(|(_, e)| e.clone()).collect();
        Some(Page { events, sync: token(resource, owner, next), has_more })
    }
}

/// Digits, a colon and a number, as the real service's look.
fn token(resource: Gid, owner: &Owner, number: u64) -> String {
    let app = owner.1.as_deref().unwrap_or_default();
    let digest = Sha256::digest(format!("sync token {resource} {} {app}", owner.0));
    format!("{}:{number}", hex(&digest[..16]))
}

#[cfg(test)]
mod tests {
    use super::super::event::{Action, Thing, Type};
    use super::*;

    const ON: Gid = Gid(5);
    const ME: Owner = (Gid(1), None);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn event(n: u64, seconds: i64, on: Gid) -> Event {
        Event {
            user: None,
            at: at(seconds),
            action: Action::Added,
            resource: Thing { gid: Gid(n), of: Type::Project },
            parent: None,
            change: None,
            scope: vec![Gid(n), on],
        }
    }

    fn numbers(page: &Page) -> Vec<u64> {
        page.events.iter().map(|e| e.resource.gid.0).collect()
    }

    #[test]
    fn a_token_gives_the_same_answer_again_and_then_goes_on_from_its_end() {
        let (cfg, mut streams) = (WebhookConfig::default(), Streams::default());
        let start = streams.begin(ON, &ME, at(0));
        streams.push(event(10, 1, ON), &cfg);
        streams.push(event(11, 1, Gid(6)), &cfg);
        streams.push(event(12, 2, ON), &cfg);
        let one = streams.read(ON, &ME, &start, at(3), &cfg).unwrap();
        assert_eq!((numbers(&one), one.has_more), (vec![10, 12], false));
        streams.push(event(13, 4, ON), &cfg);
        let again = streams.read(ON, &ME, &start, at(5), &cfg).unwrap();
        assert_eq!((numbers(&again), &again.sync), (vec![10, 12], &one.sync));
        let two = streams.read(ON, &ME, &one.sync, at(6), &cfg).unwrap();
        assert_eq!(numbers(&two), [13]);
        assert!(streams.read(ON, &ME, &start, at(7), &cfg).is_none(), "going back is refused");
        assert!(streams.read(Gid(6), &ME, &two.sync, at(7), &cfg).is_none(), "a token is of one resource");
        assert!(streams.read(ON, &(Gid(2), None), &two.sync, at(7), &cfg).is_none(), "and of one reader");
    }

    #[test]
    fn more_than_a_hundred_events_come_in_pages() {
        let (cfg, mut streams) = (WebhookConfig::default(), Streams::default());
        let mut sync = streams.begin(ON, &ME, at(0));
        for n in 0..205 {
            streams.push(event(n, 1, ON), &cfg);
        }
        let mut sizes = Vec::new();
        let mut all = Vec::new();
        loop {
            let page = streams.read(ON, &ME, &sync, at(2), &cfg).unwrap();
            sizes.push((page.events.len(), page.has_more));
            all.extend(numbers(&page));
            sync = page.sync;
            if !page.has_more {
                break;
            }
        }
        assert_eq!(sizes, [(100, true), (100, true), (5, false)]);
        assert_eq!(all, (0..205).collect::<Vec<_>>());
    }

    #[test]
    fn a_token_is_too_old_after_a_day() {
        let (cfg, mut streams) = (WebhookConfig::default(), Streams::default());
        let day = i64::from(cfg.sync_token_seconds);
        let start = streams.begin(ON, &ME, at(0));
        assert_eq!(streams.count_on(ON, at(day - 1), &cfg), 1);
        let renewed = streams.read(ON, &ME, &start, at(day - 1), &cfg).unwrap().sync;
        assert!(streams.read(ON, &ME, &start, at(day), &cfg).is_none());
        assert!(streams.read(ON, &ME, &renewed, at(2 * day - 2), &cfg).is_some());
        assert_eq!(streams.count_on(ON, at(9 * day), &cfg), 0);
    }
}
