//! Sentences for people: why there is no journal, what a journal does, where it stands and what Oracle's
//! codes mean.

use super::import_code;
use super::lines::{Line, Side};
use super::machine::{Journal, Rejection, Remark, State};
use super::plan::JournalPlan;
use super::reason::{NoJournal, WaitsFor};

/// Why a completion brought no journal, and what would change it.
#[must_use]
pub fn no_journal(reason: &NoJournal) -> String {
    let then = match reason.waits_for() {
        WaitsFor::Nothing => "Nothing more happens for this completion.",
        WaitsFor::Record => "It is looked at again when the task or the order changes.",
        WaitsFor::Settings => "It is looked at again when the settings change.",
        WaitsFor::Period => "It is looked at again until a period takes entries.",
    };
    format!("No journal: {reason}. {then} ({})", reason.code())
}

/// What an import code means and what to do; says so when the code is not a documented one.
#[must_use]
pub fn import_code(code: &str) -> String {
    match import_code::find(code) {
        Some(known) => format!("{code}: {}. {}", known.meaning, known.remedy),
        None => format!("{code}: not a code that is documented here; the job's log explains it."),
    }
}

/// Why a journal was rejected.
#[must_use]
pub fn rejection(why: &Rejection) -> String {
    let words = match why {
        Rejection::NotScheduled => "Oracle did not schedule the import".to_owned(),
        Rejection::Refused { words } => format!("Oracle refused the upload: {words}"),
        Rejection::OutOfAttempts { words } => format!("the upload was given up: {words}"),
        Rejection::LoadFailed => "Oracle could not load the file".to_owned(),
        Rejection::ImportFailed => "the import job failed".to_owned(),
        Rejection::ImportRejected { codes } => {
            let codes: Vec<String> = codes.iter().map(|code| import_code(code)).collect();
            format!("Oracle rejected the lines. {}", codes.join(" "))
        }
    };
    format!("{} ({})", words.trim_end_matches('.'), why.code())
}

/// Where a journal stands.
#[must_use]
pub fn state(journal: &Journal) -> String {
    match &journal.state {
        State::Ready if journal.progress.attempts == 0 => "The journal is about to be sent.".to_owned(),
        State::Ready => format!("Sending failed {} times and is tried again.", journal.progress.attempts),
        State::Submitting => "The journal is being sent.".to_owned(),
        State::Submitted { request_id } => {
            format!("Oracle accepted the journal as request {request_id}; its import is followed.")
        }
        State::InDoubt { request_id: None } => {
            "Oracle's answer to the upload did not arrive. The journal is looked for, and is sent again only \
             when it is proved that it is not there."
                .to_owned()
        }
        State::InDoubt { request_id: Some(request_id) } => format!(
            "Oracle accepted the journal as request {request_id}, but no batch is seen. It is looked for and \
             never sent again by itself; a person must look."
        ),
        State::Imported { batch_id, remarks } => {
            let remarks: String = remarks.iter().map(|r| format!(" {}", remark(r))).collect();
            format!("The journal exists as batch {batch_id}.{remarks}")
        }
        State::Rejected { why } => format!("The journal was not taken: {}.", rejection(why)),
        State::Withdrawn => "The task was opened again before the journal was sent.".to_owned(),
    }
}

fn remark(remark: &Remark) -> String {
    let total = |total: &Option<String>| total.clone().unwrap_or_else(|| "unknown".to_owned());
    match remark {
        Remark::TotalsDiffer { expected, debits, credits } => format!(
            "Its totals differ: {} debits and {} credits instead of {expected}.",
            total(debits),
            total(credits)
        ),
        Remark::SeveralBatches { more } => format!("{more} more batches carry its group ids."),
        Remark::EarlierSending { generation } => {
            format!("It is that of sending {}, and a later one was accepted as well.", generation + 1)
        }
        Remark::ByHand => "A person said so.".to_owned(),
    }
}

/// What a journal does, for the accountant who asks why it exists. `delimiter` stands between segments.
#[must_use]
pub fn plan(plan: &JournalPlan, delimiter: &str) -> String {
    let completion = &plan.completion;
    let (charged, cleared): (Vec<&Line>, Vec<&Line>) =
        plan.lines.iter().partition(|line| line.source.is_some());
    let amount = plan.totals().map(|totals| totals.debits).unwrap_or_default();
    let account = |line: &&Line| {
        let side = match line.side {
            Side::Debit => "debit",
            Side::Credit => "credit",
        };
        format!("{side} {} {}", line.account.text(delimiter), line.amount)
    };
    let list = |lines: &[&Line]| lines.iter().map(account).collect::<Vec<_>>().join(", ");
    let why = match &plan.reverses {
        Some(reversed) => format!(
            "Takes back batch {} (group {}), since the task was opened again at {}",
            reversed.batch_id, reversed.group, reversed.reopened_at
        ),
        None => format!("Charges the cost of purchase order {}", plan.order_number),
    };
    let moved = match plan.accounting.moved_from {
        Some(day) => format!(", moved from {day}, whose period takes no entries"),
        None => String::new(),
    };
    let converted = match &plan.conversion {
        Some(conversion) => {
            format!(" It is converted at the {} rate of {}.", conversion.rate_type, conversion.date)
        }
        None => String::new(),
    };
    format!(
        "{why}: task {} \"{}\", completed on {}. {amount} {} on each side, dated {} ({}{moved}): {}; against \
         {}.{converted}",
        completion.task,
        completion.task_name,
        completion.completed_on,
        plan.currency.code,
        plan.accounting.date,
        plan.accounting.period,
        list(&charged),
        list(&cleared),
    )
}

#[cfg(test)]
mod tests {
    use super::super::machine::Progress;
    use super::*;
    use crate::code::Code;

    #[test]
    fn a_reason_says_what_would_change_it() {
        let waiting = no_journal(&NoJournal::NoRateType { currency: "EUR".into(), ledger: "USD".into() });
        assert!(waiting.starts_with("No journal: the cost is in EUR"), "{waiting}");
        assert!(waiting.ends_with("when the settings change. (MLC-5115)"), "{waiting}");
        let last = no_journal(&NoJournal::NotApproved { status: "rejected".into() });
        assert!(last.contains("Nothing more happens"), "{last}");
    }

    #[test]
    fn a_rejection_explains_each_code() {
        let why = Rejection::ImportRejected { codes: vec!["EF04".into(), "EZ99".into()] };
        let words = rejection(&why);
        assert!(words.contains("EF04: the account is invalid"), "{words}");
        assert!(words.contains("EZ99: not a code"), "{words}");
        assert!(words.ends_with(&format!("({})", Code::JournalImportRejected)), "{words}");
    }

    #[test]
    fn every_state_has_its_sentence() {
        let states = [
            State::Ready,
            State::Submitting,
            State::Submitted { request_id: "603547".into() },
            State::InDoubt { request_id: None },
            State::InDoubt { request_id: Some("603547".into()) },
            State::Imported {
                batch_id: "55".into(),
                remarks: vec![
                    Remark::TotalsDiffer { expected: 5.into(), debits: Some("10".into()), credits: None },
                    Remark::SeveralBatches { more: 1 },
                    Remark::EarlierSending { generation: 0 },
                    Remark::ByHand,
                ],
            },
            State::Rejected { why: Rejection::NotScheduled },
            State::Withdrawn,
        ];
        let mut seen = std::collections::BTreeSet::new();
        for state in states {
            let words = super::state(&Journal { state, progress: Progress::default() });
            assert!(words.ends_with('.') && !words.contains(".."), "{words}");
            assert!(seen.insert(words.clone()), "{words} stands twice");
        }
        assert!(seen.iter().any(|words| words.contains("10 debits and unknown credits instead of 5")));
    }
}
