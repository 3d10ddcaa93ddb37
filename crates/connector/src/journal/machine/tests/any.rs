//! Whatever is seen in whatever state.

use super::*;

fn any_observation() -> impl Strategy<Value = Observation> {
    let trust = prop_oneof![Just(Trust::Proved), Just(Trust::PatternUnproved), Just(Trust::NothingVisible)];
    let tree = prop_oneof![
        Just(JobTree::Running),
        Just(JobTree::LoadFailed),
        Just(JobTree::ImportRunning),
        Just(JobTree::ImportSucceeded),
        Just(JobTree::ImportWarning),
        Just(JobTree::ImportFailed),
        Just(JobTree::NoImportJob),
        Just(JobTree::NotVisible),
    ];
    prop_oneof![
        4 => Just(Observation::Claimed),
        1 => Just(Observation::TaskReopened),
        1 => Just(accepted("1")),
        1 => Just(Observation::NotScheduled),
        1 => Just(unreachable()),
        1 => Just(refused(Refusal::Maintenance)),
        1 => Just(lost()),
        1 => (0u32..3, 0u32..2).prop_map(|(generation, more)| Observation::BatchFound(Batch { more, ..batch(generation) })),
        3 => trust.prop_map(Observation::NoBatch),
        1 => Just(not_enterable()),
        3 => tree.prop_map(Observation::Job),
        1 => Just(codes(&["EP01"])),
        1 => Just(codes(&[])),
        1 => Just(Observation::Log(Log::Unreadable)),
        1 => Just(Observation::ReadFailed(ReadFailure::Maintenance)),
        1 => Just(Observation::Hint { request_id: "1".to_owned() }),
        1 => Just(Observation::Person(Decision::SendAnew)),
        1 => Just(Observation::Person(Decision::GiveUp)),
    ]
}

proptest! {
    #[test]
    fn every_state_takes_every_observation_and_asks_for_something(
        observations in proptest::collection::vec((0i64..2_000, any_observation()), 1..60)
    ) {
        let mut journal = Journal::default();
        for (minutes, observation) in observations {
            let before = journal.clone();
            let step = step(journal, &observation, &context(minutes));
            prop_assert!(!step.words.is_empty());
            prop_assert_eq!(step.action == Action::Done, step.journal.state.is_final());
            let begun = step.journal.state == State::Submitting && before.state != State::Submitting;
            prop_assert_eq!(step.action == Action::Submit, begun);
            let sendable = [State::Ready, State::InDoubt { request_id: None }].contains(&before.state);
            prop_assert!(sendable || !begun);
            if let Action::Wait(wait) = step.action {
                prop_assert!(wait <= Duration::from_hours(1), "{:?}", wait);
            }
            let waits = matches!(observation, Observation::NotEnterable { .. });
            prop_assert!(!begun || !waits, "sent into a closed period");
            let dated_anew = step.journal.is_unsent() && !before.is_unsent();
            let decided = observation == Observation::Person(Decision::SendAnew);
            prop_assert!(!dated_anew || decided, "what was sent once is sent as it was: {before:?}");
            prop_assert!(!dated_anew || step.journal.progress.generation > before.progress.generation);
            prop_assert!(step.journal.progress.generation >= before.progress.generation);
            let text = serde_json::to_string(&step.journal).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Journal>(&text).unwrap(), &step.journal);
            journal = step.journal;
        }
    }
}
