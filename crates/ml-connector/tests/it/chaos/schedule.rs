//! What happens in which round. Pure: one seed, one schedule; fewer rounds are a beginning of more.

/// Each kind of fault, by the name that the report prints.
pub const KINDS: [&str; 22] = [
    "429",
    "500",
    "503",
    "silence before",
    "silence after",
    "dropped before",
    "dropped after",
    "truncated",
    "HTML",
    "malformed JSON",
    "empty 200",
    "ReqstId -1",
    "token revoked",
    "webhook deleted",
    "deliveries lost",
    "deliveries doubled",
    "deliveries reordered",
    "door closed",
    "kill -9",
    "database cut asking",
    "database cut answering",
    "PostgreSQL stopped",
];

/// A request that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trip {
    /// Of [`KINDS`], one of the first twelve.
    pub kind: &'static str,
    /// Asana's side, or Oracle's.
    pub in_asana: bool,
    /// How many requests of that side pass first.
    pub skip: u64,
}

/// One round. Numbers choose among what there is, modulo its count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    pub new_orders: usize,
    /// Orders whose first line gets another amount, with the amount in hundredths.
    pub amounts: Vec<(usize, u64)>,
    pub closed: Option<usize>,
    /// How many tasks are ticked off.
    pub completed: usize,
    pub trips: Vec<Trip>,
    /// Of [`KINDS`], what happens to tokens, webhooks and deliveries.
    pub around: Option<&'static str>,
    /// The request of this round after which a node is killed, counted from 1.
    pub kill_after: Option<u64>,
    /// Which of the nodes.
    pub victim: usize,
    /// Whether a connection to the database is cut in its answer, or in what is asked, and after how many pieces.
    pub cut: Option<(bool, u64)>,
    /// Whether PostgreSQL is stopped at once and started again.
    pub is_felled: bool,
    /// Whether the leases of the node that is killed or stopped run out by themselves.
    pub is_patient: bool,
}

/// SplitMix64: enough for a schedule, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn index(&mut self) -> usize {
        self.below(1 << 20) as usize
    }
}

/// The schedule of a seed. Kinds take turns from a place that the seed chooses, so that each has its rounds.
pub fn schedule(seed: u64, rounds: usize) -> Vec<Round> {
    let mut dice = Dice(seed);
    let (first_trip, first_around) = (dice.index(), dice.index());
    let (trips, around) = (&KINDS[..12], &KINDS[12..18]);
    let mut next_trip = first_trip;
    let mut round = |n: usize| Round {
        new_orders: 1 + dice.below(3) as usize,
        amounts: (0..dice.below(3)).map(|_| (dice.index(), 1 + dice.below(1_000_000))).collect(),
        closed: (dice.below(5) == 0).then(|| dice.index()),
        completed: dice.below(3) as usize,
        trips: (0..1 + dice.below(2))
            .map(|_| {
                next_trip += 1;
                let kind = trips[next_trip % trips.len()];
                Trip { kind, in_asana: dice.below(2) == 0, skip: dice.below(6) }
            })
            .collect(),
        around: (n.is_multiple_of(2)).then(|| around[(first_around + n / 2) % around.len()]),
        kill_after: (dice.below(3) > 0 || n % 64 == 33).then(|| 1 + dice.below(20)),
        victim: dice.index(),
        cut: n.is_multiple_of(3).then(|| (n.is_multiple_of(2), dice.below(40))),
        is_felled: n % 16 == 10,
        is_patient: n % 64 == 33,
    };
    (0..rounds).map(&mut round).collect()
}

#[test]
fn one_seed_is_one_schedule_and_each_kind_has_its_rounds() {
    let long = schedule(7, 40);
    assert_eq!(long[..12], schedule(7, 12)[..]);
    assert_ne!(long, schedule(8, 40));
    for seed in 0..50 {
        let rounds = schedule(seed, 12);
        for kind in &KINDS[..12] {
            let chosen = rounds.iter().flat_map(|round| &round.trips).any(|trip| trip.kind == *kind);
            assert!(chosen, "{kind} of {seed}");
        }
        for kind in &KINDS[12..18] {
            assert!(rounds.iter().any(|round| round.around == Some(kind)), "{kind} of {seed}");
        }
        assert!(rounds.iter().any(|round| round.kill_after.is_some()), "{seed}");
    }
}
