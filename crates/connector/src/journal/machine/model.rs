//! The machine against a simulated Oracle: whatever the order of answers, time-outs and crashes, there are
//! never two batches for one journal, and it comes to an end.

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;

/// What an accepted submission came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Queued,
    Importing,
    /// It left a batch, which is visible from then on.
    Batch {
        visible: Timestamp,
    },
    /// It left nothing but lines in the interface.
    Nothing,
}

#[derive(Debug, Clone)]
struct Submission {
    generation: u32,
    /// From when its time counts: jobs stand still while Oracle is in maintenance.
    counts: Timestamp,
    stage: Stage,
    /// What the tree shows once it has ended.
    shows: JobTree,
    codes: Vec<String>,
    /// Whether the machine stored that it was accepted.
    known: bool,
}

/// Where the run goes at each fork: 0 is always the way on which all goes well.
#[derive(Debug, Default)]
struct Forks {
    picks: Vec<usize>,
    taken: Vec<usize>,
}

impl Forks {
    fn pick(&mut self, of: usize) -> usize {
        let at = self.taken.len();
        self.taken.push(of);
        self.picks.get(at).map_or(0, |pick| pick % of)
    }

    fn happens(&mut self) -> bool {
        self.pick(2) == 1
    }
}

/// Which answers of a look-up can be trusted; the others show nothing, whatever there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    Clear,
    /// Each may be one or the other.
    Changing,
    Never(Trust),
}

struct World {
    forks: Forks,
    sight: Sight,
    /// Whether Oracle may put lines to suspense.
    suspense: bool,
    now: Timestamp,
    sent: Vec<Submission>,
    /// How often it was sent, refused or not.
    tries: u32,
    /// The last look-up that showed nothing, if no time has passed since.
    nothing_seen: Option<Trust>,
    anew: u32,
}

const LIMITS: Limits = Limits {
    settle: Duration::from_hours(12),
    first: Duration::from_secs(20),
    // longer than usual, so that a run has few steps and its forks lie where things happen
    longest: Duration::from_hours(1),
    read_back: Duration::from_hours(2),
    overdue: Duration::from_hours(8),
};
/// Every accepted job ends before this: what the time of settling relies on.
const SLOWEST: Duration = Duration::from_hours(11);
/// No run takes longer.
const MAX_STEPS: usize = 2_000;

fn total() -> Decimal {
    Decimal::new(10_000, 2)
}

impl World {
    fn new(picks: Vec<usize>, sight: Sight) -> World {
        let forks = Forks { picks, taken: Vec::new() };
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        World { forks, sight, suspense: false, now, sent: Vec::new(), tries: 0, nothing_seen: None, anew: 0 }
    }

    fn batches(&self) -> Vec<&Submission> {
        self.sent.iter().filter(|s| matches!(s.stage, Stage::Batch { .. })).collect()
    }

    /// Time passes, and jobs go on.
    fn pass(&mut self, time: Duration) {
        self.now = after(self.now, time);
        self.nothing_seen = None;
        for at in 0..self.sent.len() {
            let submission = &self.sent[at];
            if !matches!(submission.stage, Stage::Queued | Stage::Importing) {
                continue;
            }
            let late = since(submission.counts, self.now) >= SLOWEST;
            let fork = self.forks.pick(9);
            let (stage, shows, codes) = self.ends(if late && fork < 3 { 0 } else { fork });
            let submission = &mut self.sent[at];
            (submission.stage, submission.shows) = (stage, shows);
            submission.codes = codes.iter().map(|code| (*code).to_owned()).collect();
        }
        assert!(self.batches().len() <= 1, "two batches of one journal: {:?}", self.sent);
    }

    fn ends(&self, fork: usize) -> (Stage, JobTree, &'static [&'static str]) {
        let now = Stage::Batch { visible: self.now };
        let later = Stage::Batch { visible: after(self.now, Duration::from_mins(10)) };
        match fork {
            0 if self.suspense => (now, JobTree::ImportSucceeded, &["WF02"]),
            0 => (now, JobTree::ImportSucceeded, &[]),
            1 => (Stage::Queued, JobTree::Running, &[]),
            2 => (Stage::Importing, JobTree::ImportRunning, &[]),
            3 => (later, JobTree::ImportWarning, &["WU01"]),
            // only an import whose batch is there at once was imagined to end in error
            4 if self.sight == Sight::Clear => (now, JobTree::ImportFailed, &[]),
            4 | 5 => (Stage::Nothing, JobTree::ImportFailed, &[]),
            6 => (Stage::Nothing, JobTree::ImportWarning, &["EF04", "WF01"]),
            7 => (Stage::Nothing, JobTree::LoadFailed, &[]),
            _ => (later, JobTree::NoImportJob, &[]),
        }
    }

    fn read_failed(&mut self) -> Option<Observation> {
        match self.forks.pick(3) {
            0 => None,
            1 => Some(Observation::ReadFailed(ReadFailure::Other { retry_after: None })),
            _ => Some(Observation::ReadFailed(ReadFailure::Maintenance)),
        }
    }

    /// Sends; what is handed back is what the machine sees of it.
    fn submit(&mut self, journal: &Journal) -> Observation {
        self.may_be_sent(journal);
        self.tries += 1;
        let refused = |refusal| Observation::Refused(refusal);
        let words = || "refused".to_owned();
        match self.forks.pick(9) {
            0 => {
                let request_id = self.accept(journal);
                Observation::Accepted { request_id }
            }
            1 => {
                self.accept(journal);
                Observation::MayHaveHappened { words: "timed out".to_owned() }
            }
            2 => Observation::MayHaveHappened { words: "connection reset".to_owned() },
            3 => Observation::NotScheduled,
            4 => refused(Refusal::Busy { retry_after: Some(Duration::from_secs(90)) }),
            5 => refused(Refusal::Maintenance),
            6 => refused(Refusal::Unauthorized { words: words() }),
            7 => refused(Refusal::Unreachable { words: words() }),
            _ => refused(Refusal::Permanent { words: words() }),
        }
    }

    fn accept(&mut self, journal: &Journal) -> String {
        self.sent.push(Submission {
            generation: journal.progress.generation,
            counts: self.now,
            stage: Stage::Queued,
            shows: JobTree::Running,
            codes: Vec::new(),
            known: false,
        });
        self.sent.len().to_string()
    }

    /// The rule of the whole machine.
    fn may_be_sent(&self, journal: &Journal) {
        assert_eq!(journal.state, State::Submitting, "the first byte is sent before it is stored");
        assert!(self.tries == 0 || self.nothing_seen.is_some(), "sent again without a look-up: {journal:?}");
        for earlier in &self.sent {
            assert_ne!(earlier.generation, journal.progress.generation, "a group was sent twice");
            if !earlier.known {
                let proof = self.nothing_seen;
                assert_eq!(proof, Some(Trust::Proved), "sent again on an answer that proves nothing");
                assert!(since(earlier.counts, self.now) >= LIMITS.settle, "sent again before it settled");
            }
        }
        assert!(
            self.sent.iter().filter(|s| s.known).count() <= self.anew as usize,
            "sent again though accepted"
        );
    }

    fn look_up(&mut self, journal: &Journal) -> Observation {
        if let Some(failed) = self.read_failed() {
            return failed;
        }
        let trust = match self.sight {
            Sight::Clear => Trust::Proved,
            Sight::Changing if self.forks.happens() => Trust::PatternUnproved,
            Sight::Changing => Trust::Proved,
            Sight::Never(trust) => trust,
        };
        let visible = |s: &&Submission| {
            matches!(s.stage, Stage::Batch { visible } if visible <= self.now)
                && journal.generations().contains(&s.generation)
        };
        match self.sent.iter().find(visible).filter(|_| trust == Trust::Proved) {
            Some(found) => Observation::BatchFound(Batch {
                id: format!("batch of {}", found.generation),
                generation: found.generation,
                debits: Some(total()),
                credits: Some(total()),
                more: 0,
            }),
            None if journal.is_unsent() && self.forks.happens() => Observation::NotEnterable {
                code: Code::JournalPeriodClosed,
                words: "the period is closed".to_owned(),
            },
            None => {
                self.nothing_seen = Some(trust);
                Observation::NoBatch(trust)
            }
        }
    }

    fn named(&self, request_id: &str) -> &Submission {
        let number: usize = request_id.parse().unwrap();
        &self.sent[number - 1]
    }

    fn follow(&mut self, request_id: &str) -> Observation {
        match self.read_failed() {
            Some(failed) => failed,
            None if self.forks.happens() => Observation::Job(JobTree::NotVisible),
            None => Observation::Job(self.named(request_id).shows),
        }
    }

    fn read_log(&mut self, request_id: &str) -> Observation {
        match self.read_failed() {
            Some(failed) => failed,
            None if self.forks.happens() => Observation::Log(Log::Unreadable),
            None => Observation::Log(Log::Codes(self.named(request_id).codes.clone())),
        }
    }

    /// What comes in while nothing is done.
    fn waited(&mut self, time: Duration) -> Observation {
        self.pass(time);
        match self.forks.pick(4) {
            0 => Observation::Claimed,
            1 => Observation::TaskReopened,
            2 => Observation::Hint { request_id: "1".to_owned() },
            _ => Observation::Hint { request_id: "999".to_owned() },
        }
    }

    /// Runs until nothing more happens by itself, or until only evidence is missing.
    fn run(&mut self) -> Journal {
        let mut stored = Journal::default();
        stored.progress.look_first = true;
        let mut seen = Observation::Claimed;
        for turn in 0..MAX_STEPS {
            let random = (turn as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let expected = Some(total());
            let context =
                Context { now: self.now, random, limits: LIMITS, expected, suspense: self.suspense };
            let step = step(stored.clone(), &seen, &context);
            assert!(!step.words.is_empty(), "a step without words: {step:?}");
            let waits = matches!(seen, Observation::NotEnterable { .. });
            assert!(!waits || step.action != Action::Submit, "sent into a closed period: {step:?}");
            if self.forks.happens() {
                seen = Observation::Claimed;
                continue;
            }
            stored = step.journal;
            if seen == Observation::ReadFailed(ReadFailure::Maintenance) {
                self.sent.iter_mut().for_each(|submission| submission.counts = self.now);
            }
            if let (Observation::Accepted { request_id }, Some(request)) = (&seen, stored.state.request()) {
                assert_eq!(request_id, request);
                let number: usize = request.parse().unwrap();
                self.sent[number - 1].known = true;
            }
            if step.action == Action::Done {
                match self.ended(&stored) {
                    Some(again) => seen = again,
                    None => return stored,
                }
                continue;
            }
            if matches!(self.sight, Sight::Never(_)) && step.alert == Some(Code::JournalInDoubt) {
                if self.anew == 0 && self.forks.happens() {
                    self.anew += 1;
                    seen = Observation::Person(Decision::SendAnew);
                    continue;
                }
                return stored;
            }
            // a node that stops here has stored its decision and not acted on it
            seen = if self.forks.happens() { Observation::Claimed } else { self.act(&stored, &step.action) };
            // and one that stops here has acted and forgets what it saw
            if self.forks.happens() {
                seen = Observation::Claimed;
            }
        }
        panic!("no end after {MAX_STEPS} steps: {stored:?}, {:?}", self.sent);
    }

    fn act(&mut self, journal: &Journal, action: &Action) -> Observation {
        match action {
            Action::Submit => self.submit(journal),
            Action::LookUp | Action::ReadBack => self.look_up(journal),
            Action::Follow { request_id } => self.follow(request_id),
            Action::ReadLog { request_id } => self.read_log(request_id),
            Action::Wait(time) => self.waited(*time),
            Action::Done => Observation::Claimed,
        }
    }

    /// The remarks are those of the batch's own log, and with suspense no warning goes unnoticed.
    fn tells_of_warnings(&self, batch: &Submission, remarks: &[Remark]) {
        match remarks {
            [] if self.suspense => assert_eq!(batch.codes, [""; 0], "a warning was not told"),
            [] => {}
            [Remark::Warned { codes }] => assert_eq!((codes, codes.is_empty()), (&batch.codes, false)),
            [Remark::LogUnread] => {
                assert!(self.suspense || batch.shows == JobTree::ImportWarning, "{batch:?}");
            }
            other => panic!("{other:?}"),
        }
    }

    /// What must hold at the end; a person may send a rejected journal anew, twice.
    fn ended(&mut self, journal: &Journal) -> Option<Observation> {
        match &journal.state {
            State::Imported { batch_id, remarks } => {
                let batches = self.batches();
                assert_eq!(batches.len(), 1, "{journal:?}");
                assert_eq!(*batch_id, format!("batch of {}", batches[0].generation));
                self.tells_of_warnings(batches[0], remarks);
                None
            }
            State::Rejected { .. } => {
                let alive = self.sent.iter().any(|s| s.stage != Stage::Nothing);
                assert!(!alive, "rejected, but it is there: {:?} {journal:?}", self.sent);
                let again = self.anew < 2 && self.forks.happens();
                self.anew += u32::from(again);
                again.then_some(Observation::Person(Decision::SendAnew))
            }
            State::Withdrawn => {
                assert!(self.batches().is_empty(), "withdrawn, but it is there");
                None
            }
            _ => panic!("it is done in a state that is not final: {journal:?}"),
        }
    }
}

/// Runs every way that leaves the good one at most `faults` times; answers how many there are.
fn every_way(picks: &[usize], faults: usize, sight: Sight) -> usize {
    every_way_in(picks, faults, &|picks| World::new(picks, sight))
}

fn every_way_in(picks: &[usize], faults: usize, world: &impl Fn(Vec<usize>) -> World) -> usize {
    let new = world;
    let mut world = new(picks.to_vec());
    world.run();
    let mut ways = 1;
    if faults == 0 {
        return ways;
    }
    let taken = world.forks.taken;
    for (at, ways_on) in taken.into_iter().enumerate().skip(picks.len()) {
        for pick in 1..ways_on {
            let mut next = picks.to_vec();
            next.resize(at, 0);
            next.push(pick);
            ways += every_way_in(&next, faults - 1, new);
        }
    }
    ways
}

#[test]
fn every_way_with_three_faults_ends_with_one_batch_or_none() {
    let ways = every_way(&[], 3, Sight::Clear);
    assert!(ways > 1_000, "only {ways} ways were tried");
}

#[test]
fn with_suspense_every_way_with_two_faults_tells_of_every_warning() {
    let ways = every_way_in(&[], 2, &|picks| {
        let world = World::new(picks, Sight::Clear);
        World { suspense: true, ..world }
    });
    assert!(ways > 1_000, "only {ways} ways were tried");
}

#[test]
fn without_proof_every_way_with_two_faults_never_sends_twice() {
    let ways = every_way(&[], 2, Sight::Never(Trust::PatternUnproved))
        + every_way(&[], 1, Sight::Never(Trust::NothingVisible));
    assert!(ways > 1_000, "only {ways} ways were tried");
}

fn any_picks() -> impl Strategy<Value = Vec<usize>> {
    let mostly_well = prop_oneof![3 => Just(0usize), 2 => 1usize..9];
    proptest::collection::vec(mostly_well, 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_goes_wrong_there_are_never_two_batches(picks in any_picks()) {
        let journal = World::new(picks, Sight::Clear).run();
        prop_assert!(journal.state.is_final());
    }

    #[test]
    fn with_suspense_there_are_never_two_batches_and_no_warning_is_lost(picks in any_picks()) {
        let journal = World { suspense: true, ..World::new(picks, Sight::Clear) }.run();
        prop_assert!(journal.state.is_final());
    }

    #[test]
    fn when_only_some_answers_prove_anything_there_are_never_two_batches(picks in any_picks()) {
        let journal = World::new(picks, Sight::Changing).run();
        prop_assert!(journal.state.is_final());
    }

    #[test]
    fn while_evidence_is_withheld_it_stays_in_doubt_and_is_never_sent_twice(picks in any_picks()) {
        let mut world = World::new(picks, Sight::Never(Trust::PatternUnproved));
        let journal = world.run();
        let in_doubt = matches!(journal.state, State::InDoubt { .. });
        prop_assert!(in_doubt || journal.state.is_final());
        prop_assert!(world.batches().len() <= 1);
    }
}
