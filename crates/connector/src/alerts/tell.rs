//! From what stands in the rows to causes in words. Pure.

use std::time::Duration;

use jiff::civil::Date;

use super::cause::{Cause, Kind};
use crate::backoff;
use crate::code::Code;
use crate::journal::import_code;
use crate::settings::Settings;
use crate::store::causes::{Group, JobFacts, LostWebhooks, StuckJournal};
use crate::store::nodes::Node;
use crate::store::notifications::Failing;
use crate::store::reference::KeptStatus;

/// A feed is late when it was not read well for so many intervals.
const LATE_INTERVALS: u64 = 3;
/// An unfinished feed whose watermark has not moved for so long stands still.
const STANDS_AFTER_SECONDS: f64 = 1800.0;
/// A provider that has asked to slow down for so long is told of.
const BUSY_SECONDS: f64 = 300.0;
/// A node's clock may differ from the database's by so much.
const CLOCK_SECONDS: f64 = 60.0;

pub(super) fn cause(
    kind: Kind,
    subject: impl Into<String>,
    code: Option<&str>,
    count: i64,
    title: String,
) -> Cause {
    Cause {
        kind,
        subject: subject.into(),
        code: code.map(str::to_owned),
        count,
        title,
        detail: remedy(code).unwrap_or_default(),
        event_at: None,
        over: false,
    }
}

/// What the code's page says to do.
fn remedy(code: Option<&str>) -> Option<String> {
    let info = Code::find(code?)?.info();
    Some(format!("{}\n{}", info.meaning, info.remedy))
}

fn titled(code: Option<&str>) -> String {
    code.and_then(Code::find).map_or_else(String::new, |code| format!(": {}", code.info().title))
}

fn with_examples(mut cause: Cause, group: &Group) -> Cause {
    for example in &group.examples {
        cause.detail.push_str("\n- ");
        cause.detail.push_str(example);
    }
    let more = group.count - i64::try_from(group.examples.len()).unwrap_or(0);
    if more > 0 {
        cause.detail.push_str(&format!("\nand {more} more"));
    }
    cause
}

pub(super) fn movements(groups: &[Group]) -> Vec<Cause> {
    let one = |group: &Group| {
        let code = group.code.as_deref();
        let (kind, what) = match group.state.as_str() {
            "held" => (Kind::Held, "held for a person"),
            "failed" => (Kind::AttemptsExhausted, "given up"),
            "deviates" => (Kind::ReplayDeviates, "sent again with other values than Oracle's newest"),
            _ => (Kind::InDoubt, "in doubt for more than an hour"),
        };
        let title =
            format!("{} on the way to Asana {what}{}", counted(group.count, "movement"), titled(code));
        let subject = format!("movements {}", code.unwrap_or("-"));
        with_examples(cause(kind, subject, code, group.count, title), group)
    };
    groups.iter().map(one).collect()
}

pub(super) fn completions(groups: &[Group]) -> Vec<Cause> {
    let one = |group: &Group| {
        let code = group.code.as_deref();
        let tasks = counted(group.count, "completed task");
        let title = format!("{tasks} without a journal, held for a person{}", titled(code));
        with_examples(cause(Kind::CompletionHeld, code.unwrap_or("-"), code, group.count, title), group)
    };
    groups.iter().map(one).collect()
}

pub(super) fn journals(journals: &[StuckJournal]) -> Vec<Cause> {
    journals.iter().map(journal).collect()
}

fn journal(journal: &StuckJournal) -> Cause {
    let (kind, what) = if journal.state == "rejected" {
        (Kind::JournalRejected, "was rejected")
    } else {
        (Kind::InDoubt, "has been in doubt for more than an hour")
    };
    let code = journal.code.as_deref();
    let title = format!("The journal of task {} {what}{}", journal.task_gid, titled(code));
    let subject = format!("journal {}", journal.journal_id);
    let mut told = cause(kind, subject, code, i64::from(journal.submissions), title);
    let reason = journal.reason.as_deref().unwrap_or_default();
    let mut lines = vec![reason.to_owned()];
    for known in import_code::KNOWN.iter().filter(|known| reason.contains(known.code)) {
        lines.push(format!("{}: {}. {}", known.code, known.meaning, known.remedy));
    }
    lines.push(told.detail);
    lines.retain(|line| !line.is_empty());
    told.detail = lines.join("\n");
    told
}

/// What the jobs tell. A feed that is late because of a failure that has an alert of its own is late all the same:
/// that is what a person misses.
pub(super) fn jobs(jobs: &[JobFacts], poll_every: Option<Duration>) -> Vec<Cause> {
    let mut found = Vec::new();
    for job in jobs {
        found.extend(failing(job));
        found.extend(feed(job, poll_every));
    }
    found
}

/// What a job's failure is: of jobs that fail for the same credential or the same budget the first is told.
fn failing(job: &JobFacts) -> Option<Cause> {
    let text = job.code.as_deref()?;
    let code = Code::find(text)?;
    let failures = i64::from(job.failures);
    let (kind, subject, what) = match code {
        Code::OracleClientRefused | Code::OracleScopeRefused | Code::OracleUnauthorized => {
            (Kind::CredentialRefused, "oracle".to_owned(), "Oracle refuses the credential".to_owned())
        }
        Code::AsanaUnauthorized => {
            (Kind::CredentialRefused, "asana".to_owned(), "Asana refuses the token".to_owned())
        }
        Code::CredentialMissing | Code::CredentialUnreadable | Code::KeyWrong => {
            let what = "A stored credential cannot be used".to_owned();
            (Kind::CredentialRefused, "stored".to_owned(), what)
        }
        Code::OracleBusy | Code::AsanaBusy => {
            if job.code_seconds < BUSY_SECONDS {
                return None;
            }
            let side = if code == Code::OracleBusy { "oracle" } else { "asana" };
            let what = "Requests are refused since there are too many".to_owned();
            (Kind::RateBudget, side.to_owned(), what)
        }
        // what is wrong with a field's options is told of the field
        Code::TooManyOptions => return None,
        Code::OracleMaintenance if job.code_seconds < backoff::MAX_MAINTENANCE.as_secs_f64() => return None,
        _ if failures >= i64::from(backoff::MAX_ATTEMPTS) => {
            let what = format!("{} has failed {failures} times in a row", job.job);
            (Kind::AttemptsExhausted, format!("job {}", job.job), what)
        }
        _ => return None,
    };
    // being asked to slow down counts no failures: the minutes are told
    let minutes = i64::try_from(whole(job.code_seconds) / 60).unwrap_or(i64::MAX);
    let count = if kind == Kind::RateBudget { minutes } else { failures };
    let mut told = cause(kind, subject, Some(text), count, format!("{what}{}", titled(Some(text))));
    if code == Code::AsanaBusy {
        told.detail.push_str(
            "\nThe budget is the token's: whatever else uses the same token, in this program or elsewhere, uses it up too.",
        );
    }
    if let Some(reason) = &job.reason {
        told.detail = format!("{}: {reason}\n{}", job.job, told.detail);
    }
    Some(told)
}

/// Whole seconds; what lies in the future is none.
fn whole(seconds: f64) -> u64 {
    Duration::try_from_secs_f64(seconds).map_or(0, |duration| duration.as_secs())
}

fn feed(job: &JobFacts, poll_every: Option<Duration>) -> Vec<Cause> {
    let mut found = Vec::new();
    let is_feed = crate::feed::Feed::ALL.iter().any(|feed| feed.as_str() == job.job);
    let every = poll_every.map(|every| every.as_secs().max(1)).filter(|_| is_feed);
    let silent = whole(job.silent_seconds);
    if let Some(every) = every.filter(|every| silent > LATE_INTERVALS * every) {
        let missed = i64::try_from(silent / every).unwrap_or(i64::MAX);
        let minutes = silent / 60;
        let title = format!("{} was not read for {minutes} minutes", job.job);
        let mut late = cause(Kind::FeedLate, &job.job, job.code.as_deref(), missed, title);
        late.detail.insert_str(0, &last_failure(job));
        found.push(late);
    }
    if let Some(seconds) = job.stands_seconds.filter(|seconds| *seconds > STANDS_AFTER_SECONDS) {
        let minutes = whole(seconds) / 60;
        let title =
            format!("{} has more to read, and its watermark has not moved for {minutes} minutes", job.job);
        let mut stands = cause(Kind::WatermarkStands, &job.job, job.code.as_deref(), 1, title);
        stands.detail.insert_str(0, &last_failure(job));
        found.push(stands);
    }
    if let Some(since) = job.empty_since {
        let title = format!("{} is empty in Oracle, though records were read before", job.job);
        let mut empty = cause(Kind::DataAccessEmpty, &job.job, None, 1, title);
        empty.detail = format!(
            "Since {since} complete readings find no row. Oracle answers a user without data access with nothing \
             instead of an error. Compare the data access of the integration user (business units, roles) with what \
             it was. Nothing in Asana was changed because of it."
        );
        found.push(empty);
    }
    found
}

fn last_failure(job: &JobFacts) -> String {
    match (&job.code, &job.reason) {
        (Some(code), Some(reason)) => format!("Last failure: {code}: {reason}\n"),
        _ => "No failure is known; see whether a node is running (`ml-connector serve`).\n".to_owned(),
    }
}

/// The story of lost webhooks: over when all are registered anew, a sweep has found what no webhook told of, and
/// the journals of that are decided.
pub(super) fn webhooks(lost: &LostWebhooks) -> Cause {
    let over = lost.missing == 0 && lost.swept && lost.under_way == 0;
    let code = Code::HookLost.info().code;
    let title =
        format!("{} lost, {} registered anew", counted(lost.lost, "webhook"), lost.lost - lost.missing);
    let mut told = cause(Kind::WebhooksLost, "webhooks", Some(code), lost.lost, title);
    let again = lost
        .again_at
        .map_or_else(|| "not yet registered anew".to_owned(), |at| format!("registered anew by {at}"));
    let swept =
        if lost.swept { "The sweep has looked for what was missed" } else { "The sweep has not ended yet" };
    told.detail = format!(
        "Found lost between {} and {}; {again}. {swept}: {} without a webhook, {} of them with an imported journal.\n{}",
        lost.first_at,
        lost.last_at,
        counted(lost.found, "completion"),
        lost.imported,
        told.detail
    );
    told.event_at = Some(lost.last_at);
    told.over = over;
    told
}

pub(super) fn nodes(nodes: &[Node]) -> Vec<Cause> {
    let mut found = Vec::new();
    for node in nodes {
        let name = format!("{} (process {}, {})", node.host, node.pid, node.node);
        if node.gone {
            let title = format!("Node {name} is gone");
            let mut gone = cause(Kind::NodeGone, node.node.to_string(), None, 1, title);
            gone.detail = format!(
                "Last seen {}. It did not stop in order. Other nodes take over its work within a minute; if there is \
                 none, start one. This closes when the node is seen again, or a day after it was last seen.",
                node.seen_at
            );
            found.push(gone);
        } else if node.clock_offset.abs() > CLOCK_SECONDS {
            let title =
                format!("The clock of node {name} differs from the database's by {:.0} s", node.clock_offset);
            let mut skew = cause(Kind::ClockSkew, node.node.to_string(), None, 1, title);
            skew.detail =
                "What is due and who holds a lease goes by the database's clock, so nothing is lost; but \
                           the node comes back to its work too early or too late. Set its clock (NTP)."
                    .to_owned();
            found.push(skew);
        }
    }
    found
}

/// A secret is told of so many days before it expires, each time as an alert of its own.
const EXPIRY_DAYS: [i32; 3] = [1, 7, 30];

pub(super) fn expiries(settings: &Settings, today: Date) -> Vec<Cause> {
    let sides = [
        ("oracle", "Oracle's client secret", settings.oracle.secret_expires),
        ("asana", "Asana's token", settings.asana.token_expires),
    ];
    let mut found = Vec::new();
    for (side, what, expires) in sides {
        let Some(expires) = expires else { continue };
        let left = (expires - today).get_days();
        let Some(step) = EXPIRY_DAYS.into_iter().find(|days| left <= *days) else { continue };
        let title = if left < 0 {
            format!("{what} expired on {expires}")
        } else {
            format!("{what} expires on {expires}, in {}", counted(left.into(), "day"))
        };
        let mut told = cause(Kind::SecretExpires, format!("{side} {step}"), None, 1, title);
        told.detail = "Make a new one, store it with `connection edit`, and set its date in the settings \
                       (oracle.secret_expires, asana.token_expires)."
            .to_owned();
        found.push(told);
    }
    found
}

/// Fields whose options the settings ask to be kept, and that have no room for all.
pub(super) fn options(kept: &[KeptStatus], settings: &Settings) -> Vec<Cause> {
    let wished = settings.reference.as_ref().map_or(&[] as &[_], |reference| &reference.options);
    let is_wished = |status: &&KeptStatus| {
        wished.iter().any(|purpose| {
            purpose.as_str() == status.purpose
                && settings.fields.get(purpose).is_some_and(|gid| gid.0 == status.field)
        })
    };
    let one = |status: &KeptStatus| {
        let code = status.code.as_deref()?;
        let title = format!("The options for {}{}", status.purpose, titled(Some(code)));
        let mut told = cause(Kind::OptionsFull, &status.purpose, Some(code), status.needed, title);
        if let Some(reason) = &status.reason {
            told.detail.insert_str(0, &format!("{reason}\n"));
        }
        Some(told)
    };
    kept.iter().filter(is_wished).filter_map(one).collect()
}

pub(super) fn channels(failing: &[Failing]) -> Vec<Cause> {
    let one = |failing: &Failing| {
        let (name, code) = (&failing.channel, failing.code.as_deref());
        let title = format!(
            "Channel {name}: {} did not arrive, {} of them given up",
            counted(failing.count, "message"),
            failing.given_up
        );
        let mut told = cause(Kind::ChannelFailing, name, code, failing.count, title);
        if let Some(reason) = &failing.reason {
            told.detail.insert_str(0, &format!("{reason}\n"));
        }
        told
    };
    failing.iter().map(one).collect()
}

pub(super) fn counted(count: i64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_told_of_thirty_seven_and_one_days_before() {
        let text = include_str!("../../../../docs/settings.md");
        let example = text.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let mut settings = Settings::from_toml(example).unwrap();
        (settings.oracle.secret_expires, settings.asana.token_expires) = (None, None);
        let today: Date = "2027-01-01".parse().unwrap();
        assert_eq!(expiries(&settings, today), []);
        let mut subject = |date: &str| {
            settings.oracle.secret_expires = Some(date.parse().unwrap());
            expiries(&settings, today).pop().map(|cause| cause.subject).unwrap_or_default()
        };
        assert_eq!(subject("2027-02-01"), "");
        assert_eq!(subject("2027-01-31"), "oracle 30");
        assert_eq!(subject("2027-01-08"), "oracle 7");
        assert_eq!(subject("2027-01-02"), "oracle 1");
        assert_eq!(subject("2026-12-31"), "oracle 1");
        settings.asana.token_expires = settings.oracle.secret_expires;
        assert!(expiries(&settings, today)[1].title.contains("Asana's token expired"));
    }
}
