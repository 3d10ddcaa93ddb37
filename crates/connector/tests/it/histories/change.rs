//! What people do in Oracle.

use proptest::prelude::*;

/// When a change is dated.
#[derive(Debug, Clone, Copy)]
pub enum Age {
    /// Weeks ago.
    Old,
    /// The present.
    Now,
    /// This many milliseconds ago: it is committed later than others that have a later date.
    Late(i64),
}

/// A change. Records are picked by any number, which wraps around.
#[derive(Debug, Clone)]
pub enum Change {
    /// Orders of one and the same date.
    Orders { count: usize, age: Age },
    /// Every nth order and invoice gets one and the same date.
    Touch { every: usize, age: Age },
    /// A line's amount; a silent change leaves the order's date alone.
    Amount { pick: usize, cents: i64, silent: bool },
    /// One more line.
    Line { pick: usize, cents: i64 },
    /// Another name for an order's supplier, on all its records.
    Rename { pick: usize, to: u8 },
    /// Another status of an order.
    Status { pick: usize, code: &'static str },
    /// An invoice for an order.
    Invoice { pick: usize, cents: i64, age: Age },
    /// An invoice gets on.
    Pay { pick: usize, validation: &'static str, paid: &'static str },
    /// An invoice's line is matched to another order, or to none any more.
    Match { pick: usize, to: Option<usize> },
    /// An invoice's line is discarded.
    Discard { pick: usize },
    /// Time passes.
    Advance { ms: i64 },
}

/// As late as a commit may come so that the overlap of five minutes, less what passes during a poll, holds it.
const LATEST_MS: i64 = 240_000;
/// At most five changes fall into one poll, so that no more than this times five passes during it.
const LONGEST_ADVANCE_MS: i64 = 12_000;

fn age() -> impl Strategy<Value = Age> {
    // few different dates, so that ties are common
    prop_oneof![
        4 => Just(Age::Now),
        1 => prop_oneof![Just(1), Just(999), Just(1_000), Just(60_000), 0..=LATEST_MS].prop_map(Age::Late),
    ]
}

/// A change that the overlap can stand.
pub fn change() -> impl Strategy<Value = Change> {
    let pick = 0usize..10_000;
    let cents = -999_999i64..99_999_999;
    prop_oneof![
        3 => (1usize..60, age()).prop_map(|(count, age)| Change::Orders { count, age }),
        3 => (1usize..5, age()).prop_map(|(every, age)| Change::Touch { every, age }),
        3 => (pick.clone(), cents.clone(), prop::bool::weighted(0.2))
            .prop_map(|(pick, cents, silent)| Change::Amount { pick, cents, silent }),
        1 => (pick.clone(), cents.clone()).prop_map(|(pick, cents)| Change::Line { pick, cents }),
        1 => (pick.clone(), any::<u8>()).prop_map(|(pick, to)| Change::Rename { pick, to }),
        2 => (pick.clone(), prop_oneof![Just("OPEN"), Just("CLOSED"), Just("CANCELED"), Just("ON_HOLD")])
            .prop_map(|(pick, code)| Change::Status { pick, code }),
        3 => (pick.clone(), 1..cents.end, age())
            .prop_map(|(pick, cents, age)| Change::Invoice { pick, cents, age }),
        1 => (pick.clone(), prop::option::of(pick.clone())).prop_map(|(pick, to)| Change::Match { pick, to }),
        1 => pick.clone().prop_map(|pick| Change::Discard { pick }),
        2 => (pick, prop_oneof![Just("Validated"), Just("Needs revalidation"), Just("Canceled")],
              prop_oneof![Just("Unpaid"), Just("Partially paid"), Just("Paid")])
            .prop_map(|(pick, validation, paid)| Change::Pay { pick, validation, paid }),
        4 => prop_oneof![Just(1), Just(1_000), 1..LONGEST_ADVANCE_MS].prop_map(|ms| Change::Advance { ms }),
    ]
}
