use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::journal::machine::{Batch, Journal, Limits, Log, Outcome, ReadFailure, Rejection, Verdict};
use crate::journal::settings::tests::settings;
use crate::posting::replay::tests::candidate;
use crate::store::journals::Bearer;

const SENT: Timestamp = Timestamp::UNIX_EPOCH;
const CHOICES: [Choice; 2] = [Choice::SendAnew, Choice::GiveUp];
const FAILED: Observation = Observation::ReadFailed(ReadFailure::Other { retry_after: None });

/// So many minutes after the time of settling.
fn context(minutes: i64) -> Context {
    let limits = Limits::of(&settings());
    let settle = i64::try_from(limits.settle.as_secs()).unwrap();
    let now = Timestamp::from_second(settle + minutes * 60).unwrap();
    Context { now, random: 0, limits, expected: None, suspense: false }
}

fn doubtful(request: Option<&str>) -> Candidate {
    let mut doubtful = candidate(State::InDoubt { request_id: request.map(str::to_owned) });
    doubtful.machine.progress.submitted_at = Some(SENT);
    doubtful
}

fn found(id: &str, generation: u32) -> Found {
    let batch = Batch { id: id.to_owned(), generation, debits: None, credits: None, more: 0 };
    Found { name: Some(format!("of {generation}")), batch }
}

fn exchange(seen: Observation) -> Exchange {
    Exchange::of(seen, "GET".to_owned(), "words".to_owned())
}

fn evidence(seen: Observation, job: Option<Observation>) -> Evidence {
    let looked = LookedUp { exchange: exchange(seen), found: Vec::new() };
    Evidence { looked, job: job.map(exchange), log: None }
}

fn with_batches(found: Vec<Found>) -> Evidence {
    let seen = Observation::BatchFound(found[0].batch.clone());
    Evidence { looked: LookedUp { exchange: exchange(seen), found }, job: None, log: None }
}

fn posted(batch: &str) -> Choice {
    Choice::Posted { batch: batch.to_owned() }
}

fn code(result: Result<machine::Step>) -> Option<Code> {
    result.err().map(|error| error.code)
}

#[test]
fn only_a_journal_in_doubt_is_decided() {
    let imported = State::Imported { batch_id: "55".to_owned(), remarks: Vec::new() };
    let mut reading = doubtful(Some("7"));
    reading.machine.progress.found =
        Some(machine::Found { batch_id: "55".to_owned(), remarks: Vec::new(), warned: true });
    let others = [
        (candidate(State::Ready), Code::JournalNotInDoubt, "goes on by itself"),
        (candidate(State::Submitting), Code::JournalNotInDoubt, "goes on by itself"),
        (candidate(State::Submitted { request_id: "7".to_owned() }), Code::JournalNotInDoubt, "by itself"),
        (candidate(imported), Code::JournalNotInDoubt, "as batch 55"),
        (candidate(State::Withdrawn), Code::JournalNotInDoubt, "withdrawn"),
        (candidate(State::Rejected { why: Rejection::LoadFailed }), Code::JournalResolveRejected, "rejected"),
        (reading, Code::JournalNotInDoubt, "log is being read"),
    ];
    for (other, wanted, words) in others {
        for choice in [Choice::SendAnew, Choice::GiveUp, posted("55")] {
            let refused = allowed(&other, &choice).unwrap_err();
            assert_eq!(refused.code, wanted, "{:?}", other.machine.state);
            assert!(refused.message.contains(words), "{}", refused.message);
        }
    }
    for choice in [Choice::SendAnew, Choice::GiveUp, posted("55")] {
        allowed(&doubtful(None), &choice).unwrap();
    }
}

#[test]
fn what_is_not_to_be_posted_any_more_is_not_sent_anew_but_may_be_given_up() {
    let reopened = Candidate { is_reopened: true, ..doubtful(None) };
    let bearer = Bearer { subject: "line 1".to_owned(), task: "9".to_owned(), ordinal: 2, elsewhere: None };
    let borne = Candidate { borne_by: Some(bearer), ..doubtful(None) };
    for (one, wanted) in [(reopened, Code::JournalReplayReopened), (borne, Code::JournalAlreadyPosted)] {
        assert_eq!(allowed(&one, &Choice::SendAnew).unwrap_err().code, wanted);
        allowed(&one, &Choice::GiveUp).unwrap();
        allowed(&one, &posted("55")).unwrap();
        let reversal = Candidate { kind: Kind::Reversal, ..one };
        allowed(&reversal, &Choice::SendAnew).unwrap();
    }
}

#[test]
fn a_batch_counts_only_when_oracle_shows_it_with_one_of_the_groups() {
    let both = || with_batches(vec![found("55", 1), found("56", 0)]);
    for batch in ["55", "56"] {
        let step = decide(&doubtful(None), &posted(batch), &both(), &context(-600)).unwrap();
        let State::Imported { batch_id, .. } = step.journal.state else { panic!("{step:?}") };
        assert_eq!((batch_id.as_str(), step.action), (batch, Action::Done));
    }
    let refused = decide(&doubtful(None), &posted("57"), &both(), &context(1)).unwrap_err();
    assert_eq!(refused.code, Code::JournalBatchNotIts);
    assert!(refused.message.contains("batch 55 \"of 1\", batch 56 \"of 0\""), "{}", refused.message);
    let empty = evidence(Observation::NoBatch(Trust::Proved), None);
    let refused = decide(&doubtful(None), &posted("55"), &empty, &context(1)).unwrap_err();
    assert!(refused.code == Code::JournalBatchNotIts && refused.message.ends_with("no batch"));
    let failed = evidence(FAILED, None);
    assert_eq!(
        code(decide(&doubtful(None), &posted("55"), &failed, &context(1))),
        Some(Code::JournalLookUpFailed)
    );
}

#[test]
fn the_log_of_an_import_that_warned_is_read_before_its_batch_is_taken() {
    let mut warned = doubtful(Some("7"));
    warned.machine.progress.verdict = Some(Verdict { outcome: Outcome::Warned, at: SENT, codes: None });
    let mut evidence = with_batches(vec![found("55", 0)]);
    let step = decide(&warned, &posted("55"), &evidence, &context(1)).unwrap();
    assert_eq!(step.action, Action::ReadLog { request_id: "7".to_owned() });
    evidence.log = Some(exchange(Observation::Log(Log::Codes(vec!["WF02".to_owned()]))));
    let step = decide(&warned, &posted("55"), &evidence, &context(1)).unwrap();
    assert_eq!((step.journal.state.as_str(), step.action), ("imported", Action::Done));
    assert_eq!(step.alert, Some(Code::JournalImportWarned));
    // a log that cannot be read now leaves the batch found, and the journal to the node
    evidence.log = Some(exchange(FAILED));
    let step = decide(&warned, &posted("55"), &evidence, &context(1)).unwrap();
    assert!(matches!(step.action, Action::Wait(_)) && step.journal.progress.found.is_some(), "{step:?}");
}

#[test]
fn what_is_there_or_may_come_is_neither_sent_anew_nor_given_up() {
    let proved = || Observation::NoBatch(Trust::Proved);
    let running = |tree| evidence(proved(), Some(Observation::Job(tree)));
    let at_once = evidence(proved(), None);
    let cases = [
        (None, evidence(FAILED, None), 1, Code::JournalLookUpFailed),
        (None, with_batches(vec![found("55", 0)]), 1, Code::JournalBatchExists),
        (None, at_once, -1, Code::JournalNotSettled),
        (None, evidence(Observation::NoBatch(Trust::PatternUnproved), None), 1, Code::JournalLookUpUnproved),
        (None, evidence(Observation::NoBatch(Trust::NothingVisible), None), 1, Code::JournalLookUpUnproved),
        (Some("7"), evidence(proved(), None), 1, Code::JournalLookUpFailed),
        (Some("7"), evidence(proved(), Some(FAILED)), 1, Code::JournalLookUpFailed),
        (Some("7"), running(JobTree::Running), 1, Code::JournalStillRuns),
        (Some("7"), running(JobTree::ImportRunning), 1, Code::JournalStillRuns),
        (Some("7"), running(JobTree::ImportWarning), -1, Code::JournalNotSettled),
    ];
    for (request, evidence, minutes, wanted) in cases {
        for choice in CHOICES {
            let refused = decide(&doubtful(request), &choice, &evidence, &context(minutes)).unwrap_err();
            assert_eq!(refused.code, wanted, "{choice:?} {request:?} {evidence:?}");
        }
    }
    let unknown = candidate(State::InDoubt { request_id: None });
    let unknown = Candidate {
        machine: Journal { state: unknown.machine.state.clone(), ..Journal::default() },
        ..unknown
    };
    let proved = evidence(proved(), None);
    assert_eq!(code(decide(&unknown, &Choice::GiveUp, &proved, &context(1))), Some(Code::JournalNotSettled));
}

#[test]
fn a_refusal_says_until_when_it_may_still_come() {
    let proved = evidence(Observation::NoBatch(Trust::Proved), None);
    let refused = decide(&doubtful(None), &Choice::GiveUp, &proved, &context(-1)).unwrap_err();
    let at = context(0).now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    assert!(refused.message.contains(&at), "{}", refused.message);
    // maintenance, in which no job ran, counts as well
    let mut later = doubtful(None);
    later.machine.progress.quiet_since = Some(SENT + jiff::SignedDuration::from_hours(5));
    assert_eq!(code(decide(&later, &Choice::GiveUp, &proved, &context(299))), Some(Code::JournalNotSettled));
    decide(&later, &Choice::GiveUp, &proved, &context(300)).unwrap();
}

fn any_seen() -> impl Strategy<Value = Observation> {
    let trust = prop_oneof![Just(Trust::Proved), Just(Trust::PatternUnproved), Just(Trust::NothingVisible)];
    prop_oneof![
        3 => trust.prop_map(Observation::NoBatch),
        1 => Just(FAILED),
        1 => Just(Observation::ReadFailed(ReadFailure::Maintenance)),
        1 => Just(Observation::BatchFound(found("55", 0).batch)),
    ]
}

fn any_job() -> impl Strategy<Value = Option<Observation>> {
    let trees = [
        JobTree::Running,
        JobTree::ImportRunning,
        JobTree::LoadFailed,
        JobTree::ImportSucceeded,
        JobTree::NoImportJob,
        JobTree::NotVisible,
    ];
    let tree = proptest::sample::select(trees.to_vec()).prop_map(Observation::Job);
    proptest::option::of(prop_oneof![4 => tree, 1 => Just(FAILED)])
}

proptest! {
    #[test]
    fn nothing_is_sent_anew_or_given_up_unless_it_is_proved_not_to_be_there(
        seen in any_seen(), job in any_job(), accepted: bool, minutes in -3i64..3, at in 0usize..2
    ) {
        let doubtful = doubtful(accepted.then_some("7"));
        let mut evidence = evidence(seen.clone(), job.clone());
        if let Observation::BatchFound(batch) = &seen {
            evidence.looked.found.push(found(&batch.id, batch.generation));
        }
        let is_over = matches!(
            job,
            Some(Observation::Job(tree)) if !matches!(tree, JobTree::Running | JobTree::ImportRunning)
        );
        let is_proved = seen == Observation::NoBatch(Trust::Proved) && minutes >= 0 && (!accepted || is_over);
        match decide(&doubtful, &CHOICES[at], &evidence, &context(minutes)) {
            Err(_) => prop_assert!(!is_proved),
            Ok(step) => {
                prop_assert!(is_proved);
                let journal = step.journal;
                match CHOICES[at] {
                    Choice::GiveUp => prop_assert_eq!(journal.state, State::Withdrawn),
                    _ => prop_assert!(journal.needs_proof() && journal.progress.generation == 1),
                }
            }
        }
    }
}
