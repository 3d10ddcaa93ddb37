//! Imports of made-up rows, checked against what must hold of any import.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::import::{Group, Order};
use super::interface::Row;
use super::money::Sides;
use super::seed::LEDGERS;
use super::settings::LedgerSettings;
use super::{Ledger, codes};

const NOW: i64 = 1_784_116_800_000;

/// One side of a made-up line: which group, journal, company and currency, how much, and what is wrong with it.
#[derive(Clone, Debug)]
struct Draft {
    group: i64,
    journal: u8,
    company: u8,
    foreign: bool,
    debit: bool,
    minor: i64,
    bad_account: bool,
}

fn draft() -> impl Strategy<Value = Draft> {
    (1_i64..4, 0_u8..2, 0_u8..2, any::<bool>(), any::<bool>(), 1_i64..100_000, prop::bool::weighted(0.05))
        .prop_map(|(group, journal, company, foreign, debit, minor, bad_account)| Draft {
            group,
            journal,
            company,
            foreign,
            debit,
            minor,
            bad_account,
        })
}

/// Lines at random, and for some groups the lines that bring each journal and company into balance.
fn drafts() -> impl Strategy<Value = Vec<Draft>> {
    (prop::collection::vec(draft(), 1..25), prop::collection::vec(any::<bool>(), 4)).prop_map(
        |(lines, closes)| {
            let mut all = lines.clone();
            for line in lines.iter().filter(|line| closes[usize::try_from(line.group).unwrap_or(0)]) {
                all.push(Draft { debit: !line.debit, bad_account: false, ..line.clone() });
            }
            all
        },
    )
}

fn row(draft: &Draft) -> Row {
    let amount = Some(Decimal::new(draft.minor, 2));
    let entered = if draft.debit {
        Sides { debit: amount, credit: None }
    } else {
        Sides { debit: None, credit: amount }
    };
    let account = if draft.bad_account { "99999" } else { "21990" };
    let company = if draft.company == 0 { "101" } else { "102" };
    let date = "2026-07-15".parse().unwrap();
    Row {
        number: 0,
        load_request: 0,
        status: "NEW".to_owned(),
        ledger: LEDGERS[0].id,
        date,
        source: "Spreadsheet".to_owned(),
        category: "Adjustment".to_owned(),
        currency: if draft.foreign { "GBP" } else { "USD" }.to_owned(),
        actual_flag: 'A',
        segments: [company, "10", account, "000", "000", "000"].map(str::to_owned).to_vec(),
        entered,
        accounted: Sides::default(),
        too_large: false,
        batch_name: Some("Batch".to_owned()),
        batch_description: None,
        journal_name: Some(format!("Journal {}", draft.journal)),
        journal_description: None,
        journal_reference: None,
        line_description: None,
        references: Vec::new(),
        conversion_type: draft.foreign.then(|| "Corporate".to_owned()),
        conversion_date: draft.foreign.then_some(date),
        conversion_rate: None,
        group: Some(draft.group),
    }
}

fn ledger() -> Ledger {
    let mut ledger = Ledger::new(&LedgerSettings::default(), NOW);
    ledger.learn_accounts(["102.10.21990.000.000.000"]);
    ledger
}

fn order() -> Order {
    Order {
        source: "Spreadsheet".to_owned(),
        ledger: &LEDGERS[0],
        group: Group::All,
        to_suspense: false,
        per_segment: true,
        process: 1,
        now: NOW,
    }
}

/// Whether the group's own amounts balance in each journal, currency and company, and all accounts exist.
fn is_good(drafts: &[Draft], group: i64) -> bool {
    let own: Vec<&Draft> = drafts.iter().filter(|draft| draft.group == group).collect();
    let balances = |like: &Draft| {
        let same = |draft: &&&Draft| {
            draft.journal == like.journal && draft.company == like.company && draft.foreign == like.foreign
        };
        let net = |draft: &&Draft| if draft.debit { draft.minor } else { -draft.minor };
        own.iter().filter(same).map(net).sum::<i64>() == 0
    };
    own.iter().all(|draft| !draft.bad_account && balances(draft))
}

proptest! {
    /// A group is imported whole exactly when all of it is in order; otherwise all of it stays. What was imported
    /// balances in entered and accounted amounts, and no row is lost or doubled.
    #[test]
    fn a_group_is_all_or_nothing_and_what_is_imported_balances(drafts in drafts()) {
        let mut ledger = ledger();
        ledger.load(drafts.iter().map(row).collect(), 1);
        let imported = ledger.import(&order());
        prop_assert_eq!(imported.rows, drafts.len());
        for group in 1..4 {
            let rows = drafts.iter().filter(|draft| draft.group == group).count();
            let left: Vec<&Row> = ledger.interface.iter().filter(|row| row.group == Some(group)).collect();
            let batches: Vec<_> = ledger.batches.values().filter(|batch| batch.group == Some(group)).collect();
            let lines = batches.iter().map(|batch| batch.lines().count()).sum::<usize>();
            if is_good(&drafts, group) {
                prop_assert_eq!((left.len(), lines), (0, rows));
            } else {
                prop_assert_eq!((left.len(), lines), (rows, 0));
                prop_assert!(left.iter().all(|row| row.status == "P" || row.status.split(',').all(codes::rejects)));
                prop_assert!(left.iter().any(|row| row.status != "P"));
            }
            for batch in batches {
                prop_assert_eq!(batch.entered().0, batch.entered().1);
                prop_assert_eq!(batch.accounted().0, batch.accounted().1);
            }
        }
    }

    /// Importing again what was imported before makes as many batches again, with other names.
    #[test]
    fn an_import_knows_nothing_of_the_one_before(drafts in drafts()) {
        let mut ledger = ledger();
        for process in 1..3 {
            ledger.interface.clear();
            ledger.load(drafts.iter().map(row).collect(), process);
            ledger.import(&Order { process, ..order() });
        }
        let of = |process| ledger.batches.values().filter(|batch| batch.process == process).count();
        prop_assert_eq!(of(1), of(2));
        let mut names: Vec<&str> = ledger.batches.values().map(|batch| batch.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        prop_assert_eq!(names.len(), ledger.batches.len());
    }

    /// With suspense only accounts decide; nothing is rejected for its balance.
    #[test]
    fn with_suspense_balance_rejects_nothing(drafts in drafts()) {
        let mut ledger = ledger();
        ledger.suspense.insert(LEDGERS[0].id);
        ledger.load(drafts.iter().map(row).collect(), 1);
        ledger.import(&order());
        prop_assert!(ledger.interface.iter().all(|row| row.status == "P" || row.status == "EF04"));
        let bad = |group| drafts.iter().any(|draft| draft.group == group && draft.bad_account);
        prop_assert!(ledger.interface.iter().all(|row| bad(row.group.unwrap_or_default())));
    }
}
