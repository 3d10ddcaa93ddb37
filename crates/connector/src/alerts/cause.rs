//! Causes, and what follows from comparing them with the open alerts. Pure.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::ids::AlertId;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $text:literal;)*) => {
        /// What kind of cause.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum Kind { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];

            /// The name in the table.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Kind::$name => $text,)* }
            }
        }
    };
}

kinds! {
    /// Movements that were given up, or a job that keeps failing.
    AttemptsExhausted "attempts_exhausted";
    /// Movements that need a person.
    Held "held";
    /// Asana shows a replayed record that is not Oracle's newest.
    ReplayDeviates "replay_deviates";
    /// Completions that need a person.
    CompletionHeld "completion_held";
    /// Something was sent more than an hour ago, and it is not known whether it happened.
    InDoubt "in_doubt";
    /// Oracle rejected a journal.
    JournalRejected "journal_rejected";
    /// Oracle or Asana refuses a credential, or it cannot be read.
    CredentialRefused "credential_refused";
    /// A feed that had records is empty.
    DataAccessEmpty "data_access_empty";
    /// Webhooks were lost.
    WebhooksLost "webhooks_lost";
    /// A feed was not read to its end for three intervals.
    FeedLate "feed_late";
    /// A feed has more to read, and its watermark does not move.
    WatermarkStands "watermark_stands";
    /// A provider keeps asking to slow down.
    RateBudget "rate_budget";
    /// A node is gone.
    NodeGone "node_gone";
    /// A node's clock is wrong.
    ClockSkew "clock_skew";
    /// A secret is about to expire.
    SecretExpires "secret_expires";
    /// A single-select field has no room for the options of all suppliers or accounts.
    OptionsFull "options_full";
    /// People chose suppliers or accounts on tasks that may not be used.
    ChoiceInvalid "choice_invalid";
    /// Messages about alerts do not arrive.
    ChannelFailing "channel_failing";
    /// A reconciliation left differences to a person.
    DriftFound "drift_found";
}

/// One thing that is wrong now.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    /// What kind.
    pub kind: Kind,
    /// What it is about, within the kind: the key of the alert.
    pub subject: String,
    /// The code of what went wrong, where there is one.
    pub code: Option<String>,
    /// How many things are concerned, or how often it happened in a row.
    pub count: i64,
    /// One line: what happened.
    pub title: String,
    /// What is known, and what to do.
    pub detail: String,
    /// For what is told once although it may be over before anybody looks: when it happened.
    pub event_at: Option<Timestamp>,
    /// Only with `event_at`: whether it is over.
    pub over: bool,
}

/// An alert that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub id: AlertId,
    /// Its kind, as stored.
    pub kind: String,
    /// Its subject.
    pub subject: String,
}

/// The newest moment that alerts of a kind and subject told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The kind, as stored.
    pub kind: String,
    /// The subject.
    pub subject: String,
    /// The moment.
    pub event_at: Timestamp,
}

/// What follows from a comparison.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// To be opened, or, if over, to be written down as closed.
    pub open: Vec<Cause>,
    /// To be updated, or, if over, to be updated and closed.
    pub touch: Vec<(AlertId, Cause)>,
    /// To be closed.
    pub close: Vec<AlertId>,
}

/// Compares what is wrong now with the open alerts. Of several causes with one key the first counts. A story
/// that was told to its end is not told again.
#[must_use]
pub fn compare(causes: Vec<Cause>, open: &[Known], told: &[Told]) -> Changes {
    let key = |kind: &str, subject: &str| (kind.to_owned(), subject.to_owned());
    let mut by_key: HashMap<_, AlertId> =
        open.iter().map(|alert| (key(&alert.kind, &alert.subject), alert.id)).collect();
    let told: HashMap<_, Timestamp> =
        told.iter().map(|told| (key(&told.kind, &told.subject), told.event_at)).collect();
    let mut seen = HashSet::new();
    let mut changes = Changes::default();
    for cause in causes {
        let key = key(cause.kind.as_str(), &cause.subject);
        if !seen.insert(key.clone()) {
            continue;
        }
        if let Some(id) = by_key.remove(&key) {
            changes.touch.push((id, cause));
            continue;
        }
        let told_already = told.get(&key).is_some_and(|told| cause.event_at.is_some_and(|at| at <= *told));
        if !told_already {
            changes.open.push(cause);
        }
    }
    changes.close = by_key.into_values().collect();
    changes.close.sort();
    changes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cause(kind: usize, subject: u8, event: Option<(i64, bool)>) -> Cause {
        Cause {
            kind: Kind::ALL[kind % Kind::ALL.len()],
            subject: subject.to_string(),
            code: None,
            count: 1,
            title: String::new(),
            detail: String::new(),
            event_at: event.map(|(at, _)| Timestamp::from_second(at).unwrap()),
            over: event.is_some_and(|(_, over)| over),
        }
    }

    /// What the store makes of changes.
    fn apply(changes: &Changes, open: &mut Vec<Known>, told: &mut Vec<Told>) {
        open.retain(|known| !changes.close.contains(&known.id));
        for (id, cause) in &changes.touch {
            assert!(open.iter().any(|known| known.id == *id));
            if cause.over {
                open.retain(|known| known.id != *id);
            }
        }
        for cause in &changes.open {
            if !cause.over {
                let (kind, subject) = (cause.kind.as_str().to_owned(), cause.subject.clone());
                open.push(Known { id: AlertId::new(), kind, subject });
            }
        }
        for cause in changes.open.iter().chain(changes.touch.iter().map(|(_, cause)| cause)) {
            if let Some(event_at) = cause.event_at {
                let (kind, subject) = (cause.kind.as_str().to_owned(), cause.subject.clone());
                let is_key = |t: &Told| (&t.kind, &t.subject) == (&kind, &subject);
                let event_at = told.iter().filter(|t| is_key(t)).fold(event_at, |at, t| at.max(t.event_at));
                told.retain(|t| !is_key(t));
                told.push(Told { kind, subject, event_at });
            }
        }
    }

    fn causes() -> impl Strategy<Value = Vec<Cause>> {
        let event = prop::option::of((0..4_i64, any::<bool>()));
        prop::collection::vec((0..3_usize, 0..3_u8, event), 0..8).prop_map(|all| {
            all.into_iter().map(|(kind, subject, event)| cause(kind, subject, event)).collect()
        })
    }

    proptest! {
        #[test]
        fn never_two_are_open_for_one_cause_and_none_without(rounds in prop::collection::vec(causes(), 1..8)) {
            let (mut open, mut told) = (Vec::new(), Vec::new());
            for present in rounds {
                let (were_open, were_told) = (open.clone(), told.clone());
                apply(&compare(present.clone(), &open, &told), &mut open, &mut told);
                let mut keys: Vec<_> = open.iter().map(|k| (k.kind.clone(), k.subject.clone())).collect();
                keys.sort();
                let mut wanted: Vec<_> = Vec::new();
                let mut seen = HashSet::new();
                for cause in &present {
                    // a story that was told to its end is not told again
                    let is = |kind: &str, subject: &str| kind == cause.kind.as_str() && subject == cause.subject;
                    let ended = !were_open.iter().any(|known: &Known| is(&known.kind, &known.subject))
                        && were_told.iter().any(|t: &Told| {
                            is(&t.kind, &t.subject) && cause.event_at.is_some_and(|at| at <= t.event_at)
                        });
                    if seen.insert((cause.kind, &cause.subject)) && !cause.over && !ended {
                        wanted.push((cause.kind.as_str().to_owned(), cause.subject.clone()));
                    }
                }
                wanted.sort();
                prop_assert_eq!(keys, wanted);
                // a second look at the same opens and closes nothing
                let again = compare(present, &open, &told);
                prop_assert!(again.close.is_empty());
                prop_assert!(again.touch.iter().all(|(_, cause)| !cause.over));
            }
        }
    }

    #[test]
    fn what_is_over_before_anybody_looked_is_told_once() {
        let over = cause(7, 0, Some((5, true)));
        let first = compare(vec![over.clone()], &[], &[]);
        assert_eq!(first.open, std::slice::from_ref(&over));
        let (mut open, mut told) = (Vec::new(), Vec::new());
        apply(&first, &mut open, &mut told);
        assert_eq!(compare(vec![over], &open, &told), Changes::default());
        // a later one is another story
        assert_eq!(compare(vec![cause(7, 0, Some((6, true)))], &open, &told).open.len(), 1);
    }
}
