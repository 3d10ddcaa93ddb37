//! Whom alerts are sent to, and when.

use jiff::Timestamp;
use jiff::civil::Time;
use lettre::message::Mailbox;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::cause::Kind;

/// Whom alerts are sent to, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlertSettings {
    /// A channel gets at most one message in so many minutes; the first one at once.
    pub digest_minutes: u32,
    /// An alert that nobody took note of is sent again after so many hours; 0: never.
    pub resend_hours: u32,
    /// When only some kinds are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Quiet>,
    /// Whom they are sent to.
    pub channels: Vec<Channel>,
}

impl Default for AlertSettings {
    fn default() -> Self {
        AlertSettings { digest_minutes: 5, resend_hours: 24, quiet: None, channels: Vec::new() }
    }
}

/// Hours in which only some kinds are sent; the others wait for their end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quiet {
    /// An IANA time zone, such as `Europe/Berlin`.
    pub time_zone: String,
    /// Beginning, such as `20:00`.
    pub from: Time,
    /// End; earlier than the beginning: the next day.
    pub to: Time,
    /// Kinds that are sent all the same.
    #[serde(default)]
    pub pass: Vec<Kind>,
}

impl Quiet {
    /// Whether it is quiet at this moment.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        let Ok(local) = now.in_tz(&self.time_zone) else { return false };
        let time = local.time();
        if self.from <= self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        }
    }
}

/// How a channel is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// Mail over SMTP; the secret, if there is a user, is the password.
    Email,
    /// A POST signed by the rules of Standard Webhooks; the secret begins with `whsec_`.
    Webhook,
    /// A hook that takes what Slack's takes; the secret is its address.
    Slack,
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpTls {
    /// TLS begins after STARTTLS, or nothing is sent.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Implicit,
    /// None; only to this machine.
    None,
}

/// One receiver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Its name, unique in the connection.
    pub name: String,
    /// How it is reached.
    pub kind: ChannelKind,
    /// `webhook`: its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// `email`: who receives it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// `email`: who sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// `email`: the mail server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_host: Option<String>,
    /// `email`: its port; absent: 587, or 465 with implicit TLS, or 25 with none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_port: Option<u16>,
    /// `email`: how the connection is protected.
    #[serde(default)]
    pub smtp_tls: SmtpTls,
    /// `email`: the user, if the server wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_user: Option<String>,
    /// The kinds that are sent; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<Kind>,
    /// Whether alerts about nodes are sent too. They belong to no connection and name hosts.
    #[serde(default)]
    pub nodes: bool,
}

/// Whether something may be sent there: https, or http to this machine.
pub(super) fn may_be_sent_to(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    url.has_host() && (url.scheme() == "https" || (url.scheme() == "http" && here))
}

impl Channel {
    fn problems(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        match self.kind {
            ChannelKind::Email => {
                if self.to.is_empty() {
                    wrong.push("needs `to`");
                }
                if self.to.iter().chain(&self.from).any(|address| address.parse::<Mailbox>().is_err()) {
                    wrong.push("`to` and `from` must be mail addresses");
                }
                if self.from.is_none() {
                    wrong.push("needs `from`");
                }
                let host = self.smtp_host.as_deref().unwrap_or_default();
                if host.is_empty() {
                    wrong.push("needs `smtp_host`");
                }
                let here = matches!(host, "localhost" | "127.0.0.1" | "::1");
                if self.smtp_tls == SmtpTls::None && !here {
                    wrong.push("`smtp_tls = \"none\"` is for this machine only");
                }
            }
            ChannelKind::Webhook if !self.url.as_ref().is_some_and(may_be_sent_to) => {
                wrong.push("needs `url`, an https address");
            }
            ChannelKind::Slack if self.url.is_some() => {
                wrong.push("the address of a Slack hook is a secret: store it with `alerts secret`");
            }
            ChannelKind::Webhook | ChannelKind::Slack => {}
        }
        wrong.iter().map(|what| format!("alerts.channels, `{}`: {what}", self.name)).collect()
    }
}

impl AlertSettings {
    /// The channel of that name.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.name == name)
    }

    /// What cannot work.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = self.channels.iter().flat_map(Channel::problems).collect();
        let mut names: Vec<&str> = self.channels.iter().map(|channel| channel.name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|two| two[0] == two[1]) || names.contains(&"") {
            problems.push("alerts.channels: every channel needs a name of its own".to_owned());
        }
        if let Some(quiet) = &self.quiet
            && Timestamp::UNIX_EPOCH.in_tz(&quiet.time_zone).is_err()
        {
            problems.push("alerts.quiet.time_zone is no IANA time zone".to_owned());
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_go_over_midnight_in_their_zone() {
        let text = r#"time_zone = "Europe/Berlin"
from = "20:00"
to = "07:00""#;
        let quiet: Quiet = toml::from_str(text).unwrap();
        let holds = |at: &str| quiet.holds(at.parse().unwrap());
        assert!(holds("2026-11-27T19:00:00Z") && holds("2026-11-28T05:59:00Z"));
        assert!(!holds("2026-11-27T18:59:00Z") && !holds("2026-11-28T06:00:00Z"));
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        let told = |text: &str| toml::from_str::<AlertSettings>(text).unwrap().problems().join("; ");
        let channel = |text: &str| told(&format!("[[channels]]\nname = \"a\"\n{text}"));
        assert!(channel("kind = \"webhook\"\nurl = \"http://example.com/\"").contains("https"));
        assert!(channel("kind = \"webhook\"").contains("https"));
        assert_eq!(channel("kind = \"webhook\"\nurl = \"http://127.0.0.1:9/\""), "");
        assert!(channel("kind = \"slack\"\nurl = \"https://hooks.slack.com/x\"").contains("secret"));
        assert!(channel("kind = \"email\"\nto = [\"nobody\"]").contains("mail addresses"));
        let mail =
            "kind = \"email\"\nto = [\"a@b.example\"]\nfrom = \"c@d.example\"\nsmtp_host = \"m.example\"";
        assert_eq!(channel(mail), "");
        assert!(channel(&format!("{mail}\nsmtp_tls = \"none\"")).contains("this machine only"));
        let slack = "[[channels]]\nname = \"a\"\nkind = \"slack\"\n";
        assert!(told(&format!("{slack}{slack}")).contains("a name of its own"));
        assert!(told("[quiet]\ntime_zone = \"Mars/X\"\nfrom = \"20:00\"\nto = \"07:00\"").contains("IANA"));
    }
}
