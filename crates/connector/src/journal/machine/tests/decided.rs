//! What a person decides.

use super::*;

#[test]
fn a_rejected_journal_is_sent_anew_only_by_a_person_and_under_a_new_group() {
    let rejected = seen(submitting(), &[(0, Observation::NotScheduled)]).journal;
    assert_eq!(seen(rejected.clone(), &[(1, Observation::Claimed)]).action, Action::Done);
    let anew = seen(rejected.clone(), &[(1, Observation::Person(Decision::SendAnew))]);
    assert_eq!((anew.journal.state.clone(), anew.action), (State::Ready, Action::LookUp));
    assert_eq!(anew.journal.generations(), 0..=1);
    let waits = seen(anew.journal.clone(), &[(1, not_enterable())]);
    assert_eq!((waits.action, waits.alert), (Action::Wait(PERIOD), Some(Code::JournalPeriodClosed)));
    assert_eq!(seen(anew.journal, &[(1, UNPROVED)]).action, Action::Submit);
    let given_up = seen(rejected.clone(), &[(1, Observation::Person(Decision::GiveUp))]);
    assert_eq!(given_up.journal, rejected, "it bears no cost as it is");
}

/// Accepted, and nothing came of it.
fn accepted_in_vain() -> Journal {
    let state = State::InDoubt { request_id: Some(FOLLOWED.to_owned()) };
    Journal { state, ..submitted() }
}

#[test]
fn a_person_s_word_alone_never_sends_a_journal_in_doubt_again() {
    for doubtful in [in_doubt(), accepted_in_vain()] {
        let anew = seen(doubtful, &[(SETTLED, Observation::Person(Decision::SendAnew))]);
        assert_eq!((anew.journal.state.clone(), anew.action), (State::Ready, Action::LookUp));
        assert!(anew.journal.needs_proof() && anew.journal.is_unsent());
        for trust in [Trust::PatternUnproved, Trust::NothingVisible] {
            let unproved = seen(anew.journal.clone(), &[(SETTLED, Observation::NoBatch(trust))]);
            assert_eq!(unproved.journal.state, State::InDoubt { request_id: None });
            assert_eq!(unproved.alert, Some(Code::JournalInDoubt));
        }
        let failed = Observation::ReadFailed(ReadFailure::Other { retry_after: None });
        assert_eq!(seen(anew.journal.clone(), &[(SETTLED, failed)]).journal.state, State::Ready);
        let found = seen(anew.journal.clone(), &[(SETTLED, Observation::BatchFound(batch(0)))]);
        assert_eq!(imported(&found), []);
        let sent = seen(anew.journal, &[(SETTLED, PROVED)]);
        assert_eq!((sent.action, sent.journal.progress.generation), (Action::Submit, 1));
        let refused = seen(sent.journal, &[(SETTLED, unreachable())]);
        assert_eq!(refused.journal.state, State::InDoubt { request_id: None });
    }
}

#[test]
fn a_closed_period_does_not_withdraw_what_may_have_arrived_although_the_task_was_opened_again() {
    let steps = [
        (SETTLED, Observation::TaskReopened),
        (SETTLED, Observation::Person(Decision::SendAnew)),
        (SETTLED, not_enterable()),
    ];
    let waits = seen(in_doubt(), &steps);
    assert_eq!((waits.journal.state.clone(), waits.action), (State::Ready, Action::Wait(PERIOD)));
    assert_eq!(waits.alert, Some(Code::JournalPeriodClosed));
    let found = seen(waits.journal.clone(), &[(SETTLED, Observation::BatchFound(batch(0)))]);
    assert_eq!(imported(&found), []);
    assert_eq!(
        seen(waits.journal, &[(SETTLED, PROVED)]).journal.state,
        State::Withdrawn,
        "there is no batch"
    );
}

#[test]
fn what_is_sent_anew_out_of_a_doubt_before_it_has_settled_waits() {
    let early = seen(in_doubt(), &[(1, Observation::Person(Decision::SendAnew)), (1, PROVED)]);
    assert!(matches!(early.action, Action::Wait(_)), "{early:?}");
    let settled = seen(early.journal, &[(SETTLED, PROVED)]);
    assert_eq!((settled.action, settled.journal.progress.generation), (Action::Submit, 1));
}

#[test]
fn only_a_journal_in_doubt_is_given_up() {
    let give_up = Observation::Person(Decision::GiveUp);
    for doubtful in [in_doubt(), accepted_in_vain()] {
        let given_up = seen(doubtful, &[(SETTLED, give_up.clone())]);
        assert_eq!((given_up.journal.state, given_up.action), (State::Withdrawn, Action::Done));
    }
    for other in [Journal::default(), submitting(), submitted()] {
        let step = seen(other.clone(), &[(SETTLED, give_up.clone())]);
        assert_ne!(step.journal.state, State::Withdrawn, "{other:?}");
    }
}
