//! The rules, one by one.

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::super::settings::tests::settings;
use super::*;

mod any;
mod decided;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
}

fn context(minutes: i64) -> Context {
    let limits = Limits::of(&settings());
    let expected = Some(Decimal::new(10_000, 2));
    Context { now: at(minutes), random: 7, limits, expected, suspense: false }
}

/// What follows from observations, each some minutes after the start.
fn seen(journal: Journal, observations: &[(i64, Observation)]) -> Step {
    let mut last = Step::new(journal, Action::Done, "start");
    for (minutes, observation) in observations {
        last = step(last.journal, observation, &context(*minutes));
    }
    last
}

fn submitting() -> Journal {
    seen(Journal::default(), &[(0, Observation::Claimed)]).journal
}

fn submitted() -> Journal {
    seen(submitting(), &[(0, accepted("603547"))]).journal
}

fn in_doubt() -> Journal {
    seen(submitting(), &[(0, lost())]).journal
}

fn accepted(request: &str) -> Observation {
    Observation::Accepted { request_id: request.to_owned() }
}

fn lost() -> Observation {
    Observation::MayHaveHappened { words: "timed out".to_owned() }
}

fn refused(refusal: Refusal) -> Observation {
    Observation::Refused(refusal)
}

fn unreachable() -> Observation {
    refused(Refusal::Unreachable { words: "no route".to_owned() })
}

fn batch(generation: u32) -> Batch {
    let total = Some(Decimal::new(10_000, 2));
    Batch { id: "55".to_owned(), generation, debits: total, credits: total, more: 0 }
}

fn codes(codes: &[&str]) -> Observation {
    Observation::Log(Log::Codes(codes.iter().map(|code| (*code).to_owned()).collect()))
}

const PROVED: Observation = Observation::NoBatch(Trust::Proved);
const UNPROVED: Observation = Observation::NoBatch(Trust::PatternUnproved);
const FOLLOWED: &str = "603547";
const SETTLED: i64 = 12 * 60;

fn imported(step: &Step) -> &[Remark] {
    match &step.journal.state {
        State::Imported { remarks, .. } => remarks,
        other => panic!("{other:?}"),
    }
}

fn rejection(step: &Step) -> &Rejection {
    match &step.journal.state {
        State::Rejected { why } => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_submission_is_stored_before_it_is_sent() {
    let first = seen(Journal::default(), &[(0, Observation::Claimed)]);
    assert_eq!((first.journal.state.clone(), first.action), (State::Submitting, Action::Submit));
    let accepted = seen(first.journal, &[(0, accepted(FOLLOWED))]);
    assert_eq!(accepted.journal.state.request(), Some(FOLLOWED));
    assert_eq!(accepted.action, Action::Wait(Duration::from_secs(20)));
}

#[test]
fn the_request_id_minus_one_is_a_rejection() {
    let step = seen(submitting(), &[(0, Observation::NotScheduled)]);
    assert_eq!((rejection(&step), step.action.clone()), (&Rejection::NotScheduled, Action::Done));
    assert_eq!(step.alert, Some(Code::JournalNotScheduled));
}

#[test]
fn what_cannot_succeed_is_not_tried_again() {
    let step = seen(submitting(), &[(0, refused(Refusal::Permanent { words: "403".to_owned() }))]);
    assert_eq!(rejection(&step).code(), Code::JournalRefused);
}

#[test]
fn a_certain_refusal_is_tried_again_after_a_look_and_five_times_in_all() {
    let mut step = seen(submitting(), &[(0, unreachable())]);
    for attempt in 1..5 {
        assert_eq!((step.journal.state.clone(), step.journal.progress.attempts), (State::Ready, attempt));
        step = seen(step.journal, &[(10 * i64::from(attempt), Observation::Claimed)]);
        assert_eq!(step.action, Action::LookUp, "sent again without a look");
        // nothing can have arrived, so the look-up need not prove anything
        step = seen(step.journal, &[(10 * i64::from(attempt), UNPROVED)]);
        assert_eq!(step.action, Action::Submit);
        step = seen(step.journal, &[(10 * i64::from(attempt), unreachable())]);
    }
    assert_eq!(rejection(&step).code(), Code::JournalOutOfAttempts);
    assert_eq!(step.journal.progress.generation, 0, "a group of which nothing arrived is kept");
}

#[test]
fn it_is_not_sent_before_the_wait_is_over() {
    let busy = Refusal::Busy { retry_after: Some(Duration::from_mins(5)) };
    let step = seen(submitting(), &[(0, refused(busy))]);
    assert_eq!(step.action, Action::Wait(Duration::from_mins(5)));
    let early = seen(step.journal.clone(), &[(3, Observation::Claimed)]);
    assert_eq!(early.action, Action::Wait(Duration::from_mins(2)));
    let early = seen(step.journal, &[(3, PROVED)]);
    assert_eq!(early.action, Action::Wait(Duration::from_mins(2)));
}

#[test]
fn patience_uses_up_no_attempt_for_as_long_as_oracle_may_ask_for_it() {
    let busy = || refused(Refusal::Busy { retry_after: Some(Duration::from_secs(90)) });
    let attempts = |first: Observation, second: Observation, minutes: i64| {
        let again = [(0, first), (minutes, Observation::Claimed), (minutes, PROVED), (minutes, second)];
        seen(submitting(), &again).journal.progress.attempts
    };
    assert_eq!((attempts(busy(), busy(), 59), attempts(busy(), busy(), 60)), (0, 1));
    let maintenance = || refused(Refusal::Maintenance);
    assert_eq!(attempts(maintenance(), maintenance(), 8 * 60 - 1), 0);
    assert_eq!(attempts(maintenance(), maintenance(), 8 * 60), 1);
    assert_eq!(attempts(busy(), maintenance(), 120), 0, "another cause has its own patience");
    assert_eq!(attempts(busy(), unreachable(), 2), 1);
}

#[test]
fn a_node_that_stopped_while_sending_leaves_a_journal_in_doubt() {
    let step = seen(submitting(), &[(5, Observation::Claimed)]);
    assert_eq!(step.journal.state, State::InDoubt { request_id: None });
    assert_eq!(step.action, Action::LookUp);
}

#[test]
fn nothing_but_its_own_answer_disturbs_a_journal_that_is_being_sent() {
    for observation in [
        Observation::Hint { request_id: FOLLOWED.to_owned() },
        PROVED,
        Observation::Job(JobTree::LoadFailed),
        codes(&["EP01"]),
        Observation::ReadFailed(ReadFailure::Maintenance),
        Observation::TaskReopened,
        Observation::Person(Decision::SendAnew),
    ] {
        let step = seen(submitting(), &[(0, observation.clone())]);
        assert_eq!(step.journal.state, State::Submitting, "{observation:?}");
        assert!(matches!(step.action, Action::Wait(_)), "{observation:?}");
    }
}

#[test]
fn a_journal_in_doubt_is_not_sent_again_before_it_has_settled() {
    let early = seen(in_doubt(), &[(SETTLED - 1, Observation::Claimed), (SETTLED - 1, PROVED)]);
    assert_eq!(early.journal.state, State::InDoubt { request_id: None });
    assert_eq!(early.action, Action::Wait(Duration::from_mins(1)));
    let settled = seen(early.journal, &[(SETTLED, Observation::Claimed), (SETTLED, PROVED)]);
    assert_eq!(settled.action, Action::Submit);
    assert_eq!(settled.journal.progress.generation, 1, "the old group may have lines in the interface");
}

#[test]
fn an_answer_that_proves_nothing_never_sends_a_journal_again() {
    for trust in [Trust::PatternUnproved, Trust::NothingVisible] {
        let step = seen(in_doubt(), &[(100 * SETTLED, Observation::NoBatch(trust))]);
        assert!(matches!(step.action, Action::Wait(_)));
        assert_eq!(step.alert, Some(Code::JournalInDoubt));
    }
}

#[test]
fn maintenance_starts_the_time_of_settling_anew() {
    let maintenance = Observation::ReadFailed(ReadFailure::Maintenance);
    let waited = seen(in_doubt(), &[(400, maintenance), (SETTLED, PROVED)]);
    assert!(matches!(waited.action, Action::Wait(_)));
    let settled = seen(waited.journal, &[(400 + SETTLED, PROVED)]);
    assert_eq!(settled.action, Action::Submit);
    let other = Observation::ReadFailed(ReadFailure::Other { retry_after: None });
    assert_eq!(seen(in_doubt(), &[(400, other), (SETTLED, PROVED)]).action, Action::Submit);
}

#[test]
fn after_a_doubt_a_certain_refusal_does_not_make_it_ready_again() {
    let again = seen(in_doubt(), &[(SETTLED, PROVED), (SETTLED, unreachable())]);
    assert_eq!(again.journal.state, State::InDoubt { request_id: None });
    let unproved = seen(again.journal.clone(), &[(SETTLED + 60, UNPROVED)]);
    assert!(matches!(unproved.action, Action::Wait(_)), "sent again without proof");
    let proved = seen(again.journal, &[(SETTLED + 60, PROVED)]);
    assert_eq!(proved.action, Action::Submit);
    assert_eq!(proved.journal.progress.generation, 1, "nothing of the second sending arrived");
}

#[test]
fn five_submissions_without_an_answer_are_given_up() {
    let mut journal = in_doubt();
    for sent in 1..5 {
        let step = seen(journal, &[(sent * SETTLED, PROVED), (sent * SETTLED, lost())]);
        assert_eq!(step.journal.state, State::InDoubt { request_id: None }, "after {sent}");
        journal = step.journal;
    }
    let step = seen(journal, &[(5 * SETTLED, PROVED)]);
    assert_eq!(rejection(&step).code(), Code::JournalOutOfAttempts);
}

#[test]
fn a_batch_that_is_found_is_adopted_in_every_state() {
    let rejected = seen(submitting(), &[(0, Observation::NotScheduled)]).journal;
    let withdrawn = seen(Journal::default(), &[(0, Observation::TaskReopened)]).journal;
    for journal in [Journal::default(), submitting(), submitted(), in_doubt(), rejected, withdrawn] {
        let step = seen(journal, &[(1, Observation::BatchFound(batch(0)))]);
        assert_eq!((imported(&step).len(), step.action.clone(), step.alert), (0, Action::Done, None));
    }
}

#[test]
fn a_success_is_believed_only_when_the_batch_is_there() {
    let ended = seen(submitted(), &[(1, Observation::Job(JobTree::ImportSucceeded))]);
    assert_eq!(ended.action, Action::ReadBack);
    let log = seen(ended.journal, &[(1, PROVED)]);
    assert_eq!(log.action, Action::ReadLog { request_id: FOLLOWED.to_owned() });
    let looking = seen(log.journal, &[(1, codes(&["WU01"])), (1, PROVED)]);
    assert!(matches!(looking.action, Action::Wait(_)), "a warning rejects nothing");
    let late = seen(looking.journal.clone(), &[(60, PROVED)]);
    assert!(matches!(late.action, Action::Wait(_)) && late.alert.is_none());
    let person = seen(looking.journal, &[(61, PROVED)]);
    assert_eq!(person.journal.state, State::InDoubt { request_id: Some(FOLLOWED.to_owned()) });
    assert_eq!(person.alert, Some(Code::JournalInDoubt));
    let never =
        seen(person.journal.clone(), &[(100 * SETTLED, Observation::Claimed), (100 * SETTLED, PROVED)]);
    assert!(matches!(never.action, Action::Wait(_)), "an accepted request is never sent again by itself");
    let found = seen(person.journal, &[(62, Observation::BatchFound(batch(0)))]);
    assert_eq!(imported(&found), [Remark::Warned { codes: vec!["WU01".to_owned()] }]);
}

#[test]
fn codes_in_the_log_reject_when_there_is_no_batch() {
    for tree in [JobTree::ImportWarning, JobTree::ImportFailed, JobTree::LoadFailed, JobTree::ImportSucceeded]
    {
        let step = seen(
            submitted(),
            &[(1, Observation::Job(tree)), (1, PROVED), (1, codes(&["EF04", "EC03"])), (1, UNPROVED)],
        );
        assert_eq!(rejection(&step).import_codes(), ["EF04", "EC03"], "{tree:?}");
        assert_eq!(step.alert, Some(Code::JournalImportRejected));
    }
}

#[test]
fn a_code_of_which_no_page_tells_rejects_unless_the_job_succeeded() {
    let told = |tree: JobTree| {
        let observations = [(1, Observation::Job(tree)), (1, PROVED), (1, codes(&["EM01"])), (1, PROVED)];
        seen(submitted(), &observations)
    };
    for tree in [JobTree::ImportWarning, JobTree::ImportFailed, JobTree::LoadFailed] {
        let step = told(tree);
        assert_eq!(rejection(&step).import_codes(), ["EM01"], "{tree:?}");
        assert!(step.words.ends_with("EM01"), "{}", step.words);
    }
    assert!(matches!(told(JobTree::ImportSucceeded).action, Action::Wait(_)));
}

#[test]
fn a_failure_is_believed_only_when_no_batch_is_there() {
    for (tree, code) in
        [(JobTree::LoadFailed, Code::JournalLoadFailed), (JobTree::ImportFailed, Code::JournalImportFailed)]
    {
        let failed = seen(submitted(), &[(1, Observation::Job(tree))]);
        assert_eq!(failed.action, Action::ReadLog { request_id: FOLLOWED.to_owned() });
        let looking = seen(failed.journal, &[(1, codes(&[]))]);
        assert_eq!(looking.action, Action::ReadBack);
        assert_eq!(rejection(&seen(looking.journal.clone(), &[(1, PROVED)])).code(), code);
        let found = seen(looking.journal, &[(1, Observation::BatchFound(batch(0)))]);
        assert_eq!(imported(&found), []);
    }
}

/// What follows when each action is answered by `answer`, an hour later at most, and each wait by a claim.
fn answered(journal: Journal, context: &Context, answer: impl Fn(&Action) -> Observation) -> Step {
    let mut last = step(journal, &Observation::Claimed, context);
    for _ in 0..200 {
        let seen = match &last.action {
            Action::Done => return last,
            Action::Wait(_) => Observation::Claimed,
            action => answer(action),
        };
        last = step(last.journal, &seen, context);
    }
    panic!("no end: {last:?}");
}

#[test]
fn a_warning_is_looked_into_and_told() {
    let found = [(1, Observation::Job(JobTree::ImportWarning)), (1, Observation::BatchFound(batch(0)))];
    let reading = seen(submitted(), &found);
    assert_eq!(reading.action, Action::ReadLog { request_id: FOLLOWED.to_owned() });
    let text = serde_json::to_string(&reading.journal).unwrap();
    assert_eq!(serde_json::from_str::<Journal>(&text).unwrap(), reading.journal);
    // whatever else is seen meanwhile, the batch stays found and is never sent again
    for other in [PROVED, Observation::TaskReopened, Observation::Person(Decision::SendAnew)] {
        let step = seen(reading.journal.clone(), &[(2, other)]);
        assert_eq!(step.action, Action::ReadLog { request_id: FOLLOWED.to_owned() });
    }
    let told = seen(reading.journal.clone(), &[(2, codes(&["WF02", "WF99"]))]);
    assert_eq!(imported(&told), [Remark::Warned { codes: vec!["WF02".to_owned(), "WF99".to_owned()] }]);
    assert_eq!((told.alert, told.action.clone()), (Some(Code::JournalImportWarned), Action::Done));
    assert!(told.words.contains("WF02 (the suspense account was used); WF99"), "{}", told.words);
    let none = seen(reading.journal, &[(2, codes(&[]))]);
    assert_eq!(none.alert, Some(Code::JournalImportWarned), "{}", none.words);
}

#[test]
fn with_suspense_a_success_is_looked_into_as_well() {
    let suspense = Context { suspense: true, ..context(1) };
    let told = |log: Observation| {
        answered(submitted(), &suspense, |action| match action {
            Action::Follow { .. } => Observation::Job(JobTree::ImportSucceeded),
            Action::ReadLog { .. } => log.clone(),
            _ => Observation::BatchFound(batch(0)),
        })
    };
    assert_eq!(imported(&told(codes(&["WU01"]))), [Remark::Warned { codes: vec!["WU01".to_owned()] }]);
    assert_eq!(imported(&told(codes(&[]))), []);
    // a batch without a request that could be asked for its log
    let adopted = super::step(in_doubt(), &Observation::BatchFound(batch(0)), &suspense);
    assert_eq!((imported(&adopted), adopted.alert), (&[Remark::LogUnread][..], Some(Code::JournalLogUnread)));
}

#[test]
fn a_log_that_is_never_read_holds_up_no_result() {
    let other = Observation::ReadFailed(ReadFailure::Other { retry_after: None });
    for failing in [Observation::Log(Log::Unreadable), other] {
        let end = |tree: JobTree, look: Observation| {
            answered(submitted(), &context(1), |action| match action {
                Action::Follow { .. } => Observation::Job(tree),
                Action::ReadLog { .. } => failing.clone(),
                _ => look.clone(),
            })
        };
        let warned = end(JobTree::ImportWarning, Observation::BatchFound(batch(0)));
        assert_eq!(imported(&warned), [Remark::LogUnread], "{failing:?}");
        assert_eq!(warned.alert, Some(Code::JournalLogUnread));
        let failed = end(JobTree::ImportFailed, PROVED);
        assert_eq!(rejection(&failed), &Rejection::ImportFailed, "{failing:?}");
    }
}

#[test]
fn what_stands_first_of_several_remarks_is_the_gravest() {
    let several = Batch { more: 1, debits: None, credits: Some(Decimal::ONE), ..batch(0) };
    let found = [(1, Observation::Job(JobTree::ImportWarning)), (1, Observation::BatchFound(several))];
    let step = seen(seen(submitted(), &found).journal, &[(1, codes(&["WU01"]))]);
    assert_eq!((imported(&step).len(), step.alert), (3, Some(Code::JournalSeveralBatches)));
    for words in ["instead of 100.00", "unknown debits", "1 more", "WU01"] {
        assert!(step.words.contains(words), "{}", step.words);
    }
}

#[test]
fn a_log_that_cannot_be_read_is_asked_for_three_times() {
    let unreadable = || Observation::Log(Log::Unreadable);
    let mut step = seen(submitted(), &[(1, Observation::Job(JobTree::ImportFailed))]);
    for minute in 2..4 {
        step = seen(step.journal, &[(minute, unreadable())]);
        assert!(matches!(step.action, Action::Wait(_)));
        step = seen(step.journal, &[(minute, Observation::Claimed)]);
        assert_eq!(step.action, Action::ReadLog { request_id: FOLLOWED.to_owned() });
    }
    step = seen(step.journal, &[(4, unreadable())]);
    assert_eq!(step.action, Action::ReadBack);
}

#[test]
fn a_job_that_runs_is_followed_and_reported_when_it_takes_long() {
    let running = Observation::Job(JobTree::Running);
    let step = seen(submitted(), &[(1, running.clone())]);
    assert_eq!((step.action, step.alert), (Action::Wait(Duration::from_secs(20)), None));
    let late = seen(step.journal, &[(8 * 60, running)]);
    assert_eq!((late.action, late.alert), (Action::Wait(Duration::from_mins(5)), Some(Code::JournalSlow)));
    assert_eq!(late.journal.state.as_str(), "submitted");
}

#[test]
fn a_request_that_is_not_visible_is_looked_for_by_its_batch() {
    let hidden = || Observation::Job(JobTree::NotVisible);
    let step = seen(submitted(), &[(1, hidden())]);
    assert_eq!(step.action, Action::ReadBack);
    let waiting = seen(step.journal, &[(1, PROVED)]);
    assert_eq!(waiting.journal.state.as_str(), "submitted");
    let person = seen(waiting.journal, &[(8 * 60, hidden()), (8 * 60, PROVED)]);
    assert_eq!((person.journal.state.as_str(), person.alert), ("in_doubt", Some(Code::JournalInDoubt)));
    let shown = seen(person.journal, &[(9 * 60, Observation::Job(JobTree::ImportRunning))]);
    assert_eq!(shown.journal.state.as_str(), "submitted");
}

#[test]
fn a_batch_with_other_totals_is_imported_and_flagged() {
    let half = Batch { debits: Some(Decimal::new(20_000, 2)), ..batch(0) };
    let step = seen(submitted(), &[(1, Observation::BatchFound(half.clone()))]);
    assert!(matches!(imported(&step), [Remark::TotalsDiffer { .. }]));
    assert_eq!(step.alert, Some(Code::JournalTotalsDiffer));
    let foreign = Context { expected: None, ..context(1) };
    let step = super::step(submitted(), &Observation::BatchFound(half), &foreign);
    assert_eq!(imported(&step), []);
    let equal = Batch { debits: Some("100".parse().unwrap()), credits: None, ..batch(0) };
    assert_eq!(imported(&seen(submitted(), &[(1, Observation::BatchFound(equal))])), []);
}

#[test]
fn several_batches_are_flagged() {
    let more = seen(submitted(), &[(1, Observation::BatchFound(Batch { more: 1, ..batch(0) }))]);
    assert_eq!(imported(&more), [Remark::SeveralBatches { more: 1 }]);
    let again = seen(in_doubt(), &[(SETTLED, PROVED), (SETTLED, accepted("9"))]);
    let earlier = seen(again.journal, &[(SETTLED + 1, Observation::BatchFound(batch(0)))]);
    assert_eq!(imported(&earlier), [Remark::EarlierSending { generation: 0 }]);
    assert_eq!(earlier.alert, Some(Code::JournalSeveralBatches));
}

#[test]
fn a_callback_only_makes_it_look() {
    let hint = |request: &str| Observation::Hint { request_id: request.to_owned() };
    for request in [FOLLOWED, "999"] {
        let step = seen(submitted(), &[(1, hint(request))]);
        assert_eq!(step.journal, submitted(), "{request}");
        assert_eq!(step.action, Action::Follow { request_id: FOLLOWED.to_owned() });
    }
    assert_eq!(seen(in_doubt(), &[(1, hint("999"))]).action, Action::LookUp);
}

#[test]
fn a_task_opened_again_withdraws_only_what_is_not_in_oracle() {
    let fresh = seen(Journal::default(), &[(0, Observation::TaskReopened)]);
    assert_eq!((fresh.journal.state, fresh.action), (State::Withdrawn, Action::Done));
    let tried = seen(submitting(), &[(0, unreachable()), (5, Observation::TaskReopened)]);
    assert_eq!(tried.action, Action::LookUp);
    assert_eq!(seen(tried.journal, &[(5, PROVED)]).journal.state, State::Withdrawn);
    let doubtful = seen(in_doubt(), &[(5, Observation::TaskReopened)]);
    assert_eq!(doubtful.journal.state.as_str(), "in_doubt");
    assert_eq!(seen(doubtful.journal, &[(SETTLED, PROVED)]).journal.state, State::Withdrawn);
    let sent = seen(submitted(), &[(5, Observation::TaskReopened)]);
    assert_eq!(sent.journal.state.as_str(), "submitted");
}

#[test]
fn reads_that_fail_are_repeated_ever_more_slowly() {
    let failed = || Observation::ReadFailed(ReadFailure::Other { retry_after: None });
    let waits: Vec<u128> = (1..12)
        .map(|times| match seen(submitted(), &vec![(1, failed()); times]).action {
            Action::Wait(wait) => wait.as_millis(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]), "{waits:?}");
    assert!(*waits.last().unwrap() <= 300_000);
    let asked = Observation::ReadFailed(ReadFailure::Other { retry_after: Some(Duration::from_secs(90)) });
    assert_eq!(seen(submitted(), &[(1, asked)]).action, Action::Wait(Duration::from_secs(90)));
}

fn not_enterable() -> Observation {
    Observation::NotEnterable { code: Code::JournalPeriodClosed, words: "Jul-26 is closed".to_owned() }
}

#[test]
fn a_journal_that_was_never_sent_waits_for_its_period_and_any_other_does_not() {
    let mut fresh = Journal::default();
    fresh.progress.look_first = true;
    let waits = seen(fresh, &[(0, Observation::Claimed), (0, not_enterable())]);
    assert_eq!((waits.action, waits.alert), (Action::Wait(PERIOD), Some(Code::JournalPeriodClosed)));
    assert!(waits.journal.is_unsent() && waits.words.contains("Jul-26 is closed"));
    let goes_on =
        [(60, Observation::Claimed), (60, not_enterable()), (120, Observation::Claimed), (120, UNPROVED)];
    let sent = seen(waits.journal.clone(), &goes_on);
    assert_eq!((sent.action, sent.alert), (Action::Submit, None));
    let reopened = seen(waits.journal, &[(1, Observation::TaskReopened), (1, not_enterable())]);
    assert_eq!((reopened.journal.state, reopened.action), (State::Withdrawn, Action::Done));
    let refused = seen(submitting(), &[(0, unreachable()), (60, Observation::Claimed)]).journal;
    for journal in [refused, submitting(), in_doubt(), submitted()] {
        assert!(!journal.is_unsent(), "{journal:?}");
        let step = seen(journal.clone(), &[(60, not_enterable())]);
        assert_eq!((step.journal, step.alert), (journal, None));
    }
}
