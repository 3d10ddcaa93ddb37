//! Which alerts a channel is told now. Pure.

use jiff::{SignedDuration, Timestamp};

use super::cause::Kind;
use super::settings::{AlertSettings, Channel};
use crate::store::alerts::Alert;

/// An alert, and what a channel was told of it.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The alert.
    pub alert: Alert,
    /// When the channel was last told of it.
    pub told_at: Option<Timestamp>,
}

/// Why a channel is told of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is open and was not told yet.
    Opened,
    /// It is still open and nobody took note.
    Again,
    /// Its cause is gone.
    Closed,
}

/// What a channel is told now, by when its last message was made. What must wait is found again later.
#[must_use]
pub fn due<'a>(
    settings: &AlertSettings,
    channel: &Channel,
    found: &'a [Candidate],
    last: Option<Timestamp>,
    now: Timestamp,
) -> Vec<(&'a Alert, Reason)> {
    let digest = SignedDuration::from_mins(i64::from(settings.digest_minutes));
    if last.is_some_and(|last| now.duration_since(last) < digest) {
        return Vec::new();
    }
    let resend = SignedDuration::from_hours(i64::from(settings.resend_hours));
    let quiet = settings.quiet.as_ref().filter(|quiet| quiet.holds(now));
    let names = |kinds: &[Kind], kind: &str| kinds.iter().any(|one| one.as_str() == kind);
    let mut told = Vec::new();
    for Candidate { alert, told_at } in found {
        let wanted = channel.kinds.is_empty() || names(&channel.kinds, &alert.kind);
        let of_itself = alert.kind == Kind::ChannelFailing.as_str() && alert.subject == channel.name;
        if !wanted || of_itself || quiet.is_some_and(|quiet| !names(&quiet.pass, &alert.kind)) {
            continue;
        }
        let reason = match (alert.closed_at, told_at) {
            (Some(_), _) => Reason::Closed,
            (None, None) => Reason::Opened,
            (None, Some(told_at))
                if !resend.is_zero()
                    && alert.acked_at.is_none()
                    && now.duration_since(*told_at) >= resend =>
            {
                Reason::Again
            }
            (None, Some(_)) => continue,
        };
        told.push((alert, reason));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AlertId;

    const NOON: &str = "2026-11-27T12:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn candidate(kind: &str) -> Candidate {
        let alert = Alert {
            alert_id: AlertId::new(),
            kind: kind.to_owned(),
            subject: "ops".to_owned(),
            code: None,
            count: 1,
            title: String::new(),
            detail: String::new(),
            opened_at: at(NOON),
            seen_at: at(NOON),
            closed_at: None,
            acked_at: None,
            acked_by: None,
            note: None,
        };
        Candidate { alert, told_at: None }
    }

    fn settings(text: &str) -> AlertSettings {
        toml::from_str(&format!("{text}\n[[channels]]\nname = \"ops\"\nkind = \"slack\"")).unwrap()
    }

    fn reasons(settings: &AlertSettings, one: &Candidate, last: Option<&str>, now: &str) -> Vec<Reason> {
        let found = std::slice::from_ref(one);
        let told = due(settings, &settings.channels[0], found, last.map(at), at(now));
        told.into_iter().map(|(_, reason)| reason).collect()
    }

    #[test]
    fn the_first_is_told_at_once_and_the_next_with_the_digest() {
        let (settings, one) = (settings("digest_minutes = 10"), candidate("held"));
        assert_eq!(reasons(&settings, &one, None, NOON), [Reason::Opened]);
        assert_eq!(reasons(&settings, &one, Some("2026-11-27T11:50:01Z"), NOON), []);
        assert_eq!(reasons(&settings, &one, Some("2026-11-27T11:50:00Z"), NOON), [Reason::Opened]);
    }

    #[test]
    fn in_quiet_hours_only_what_passes_is_told() {
        let quiet = "[quiet]\ntime_zone = \"UTC\"\nfrom = \"11:00\"\nto = \"13:00\"\npass = [\"in_doubt\"]";
        let settings = settings(quiet);
        assert_eq!(reasons(&settings, &candidate("held"), None, NOON), []);
        assert_eq!(reasons(&settings, &candidate("in_doubt"), None, NOON), [Reason::Opened]);
        assert_eq!(reasons(&settings, &candidate("held"), None, "2026-11-27T13:00:00Z"), [Reason::Opened]);
    }

    #[test]
    fn what_nobody_noted_is_told_again_and_its_end_once() {
        let settings = settings("resend_hours = 24");
        let mut one = candidate("held");
        one.told_at = Some(at("2026-11-26T12:00:00Z"));
        assert_eq!(reasons(&settings, &one, None, "2026-11-27T11:59:59Z"), []);
        assert_eq!(reasons(&settings, &one, None, NOON), [Reason::Again]);
        one.alert.acked_at = Some(at(NOON));
        assert_eq!(reasons(&settings, &one, None, NOON), []);
        one.alert.closed_at = Some(at(NOON));
        assert_eq!(reasons(&settings, &one, None, NOON), [Reason::Closed]);
    }

    #[test]
    fn a_channel_gets_its_kinds_and_is_not_told_of_itself() {
        let mut settings = settings("");
        assert_eq!(reasons(&settings, &candidate("channel_failing"), None, NOON), []);
        settings.channels[0].kinds = vec![Kind::InDoubt];
        assert_eq!(reasons(&settings, &candidate("held"), None, NOON), []);
        assert_eq!(reasons(&settings, &candidate("in_doubt"), None, NOON), [Reason::Opened]);
    }
}
