//! Children that follow from the record above them: flexfields and instalments.
//!
//! They are computed whenever somebody looks at them and take no memory; only one that an edit changed is stored.
//! Of records that were loaded or created nothing is made up: what they do not tell is null.

use jiff::Span;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::record::{Record, scramble};
use super::schema::{
    Distribution, INVOICE_DFF, INVOICE_INSTALLMENTS, Installment, Inv, PROJECT_DFF, Resource,
};
use super::value::Value;

/// The rows of a child that follow from its parent; none for a child whose rows are stored.
pub(super) fn rows(parent: &Record, child: &Resource) -> Vec<Record> {
    if child.name == PROJECT_DFF.name {
        vec![project(parent)]
    } else if child.name == INVOICE_DFF.name {
        vec![invoice_flexfield(parent)]
    } else if child.name == INVOICE_INSTALLMENTS.name {
        instalments(parent)
    } else {
        Vec::new()
    }
}

/// A number that looks random, for records that were made up.
fn chance(record: &Record, made_up: impl Into<u8>) -> Option<u64> {
    record.get(made_up).map(|_| scramble(record.id().cast_unsigned()))
}

/// An id among so many, of 15 digits.
fn id(base: i64, chance: u64, among: u64) -> Value {
    Value::Id(base + 7 * i64::try_from(chance % among).unwrap_or(0))
}

/// Two in three made-up distributions belong to one of forty projects with six tasks each.
fn project(distribution: &Record) -> Record {
    let chance = chance(distribution, Distribution::MadeUp).filter(|chance| !chance.is_multiple_of(3));
    let mut record = Record::new(&PROJECT_DFF, 6);
    record.set(0, Value::Id(distribution.id()));
    let Some(chance) = chance else {
        for at in 1..6 {
            record.set(at, Value::Null);
        }
        return record;
    };
    let (project, task) = (chance / 3 % 40, chance / 120 % 6);
    let day = distribution.get(Distribution::BudgetDate).cloned().unwrap_or(Value::Null);
    record
        .set(1, id(300_000_150_000_000, project, 40))
        .set(2, id(300_000_160_000_000, project * 6 + task, 240))
        .set(3, id(300_000_170_000_000, chance >> 16, 12))
        .set(4, id(300_000_180_000_000, chance >> 24, 9))
        .set(5, day);
    record
}

/// Three in four made-up invoices wait in one of three queues.
fn invoice_flexfield(invoice: &Record) -> Record {
    let section = chance(invoice, Inv::MadeUp).map_or(0, |chance| chance % 4);
    let (queue, context) = match section {
        0 => (Value::Null, Value::Null),
        _ => (Value::text(&format!("Section {section}")), Value::text("Processing")),
    };
    let mut record = Record::new(&INVOICE_DFF, 3);
    record.set(0, Value::Id(invoice.id())).set(1, queue).set(2, context);
    record
}

/// One instalment over the whole amount, due by the terms of payment; one in eight made-up invoices has two.
fn instalments(invoice: &Record) -> Vec<Record> {
    let chance = chance(invoice, Inv::MadeUp);
    let decimal = |field: Inv| invoice.number(field).and_then(|text| text.parse::<Decimal>().ok());
    let (amount, paid) = (decimal(Inv::InvoiceAmount), decimal(Inv::AmountPaid));
    if let (Some(amount), Some(paid), Some(true)) = (amount, paid, chance.map(|c| c.is_multiple_of(8)))
        && (Decimal::ZERO..=amount).contains(&paid)
        && !amount.is_zero()
    {
        let first = (amount / Decimal::TWO).round_dp(amount.scale());
        let paid_first = paid.min(first);
        let number = |value: Decimal| Value::number(&value.to_string());
        return vec![
            instalment(invoice, 1, number(first), number(first - paid_first)),
            instalment(invoice, 2, number(amount - first), number(amount - first - (paid - paid_first))),
        ];
    }
    let whole = invoice.get(Inv::InvoiceAmount).cloned().unwrap_or(Value::Null);
    let unpaid = amount.zip(paid).and_then(|(amount, paid)| amount.checked_sub(paid));
    let unpaid = unpaid.map_or(Value::Null, |unpaid| Value::number(&unpaid.to_string()));
    let mut only = instalment(invoice, 1, whole, unpaid);
    if chance.is_some_and(|chance| chance % 16 == 1) {
        only.set(Installment::HoldFlag, Value::Flag(true))
            .set(Installment::HoldReason, Value::text("Waiting for a credit memo"));
    }
    vec![only]
}

fn instalment(invoice: &Record, number: i64, gross: Value, unpaid: Value) -> Record {
    let mut record = Record::new(&INVOICE_INSTALLMENTS, 6);
    record
        .set(Installment::InstallmentNumber, Value::Integer(number))
        .set(Installment::DueDate, due(invoice, number).map_or(Value::Null, Value::Date))
        .set(Installment::GrossAmount, gross)
        .set(Installment::UnpaidAmount, unpaid)
        .set(Installment::HoldFlag, Value::Flag(false))
        .set(Installment::HoldReason, Value::Null);
    record
}

/// As many days after the invoice as terms such as `Net 30` say, for each instalment once more.
fn due(invoice: &Record, number: i64) -> Option<Date> {
    let days: u16 = invoice.text(Inv::PaymentTerms)?.strip_prefix("Net ")?.parse().ok()?;
    match invoice.get(Inv::InvoiceDate) {
        Some(Value::Date(date)) => {
            date.checked_add(Span::new().try_days(i64::from(days) * number).ok()?).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::{DISTRIBUTIONS, INVOICES, LINES};
    use super::*;

    fn invoice(id: i64, amount: &str, paid: &str, made_up: Option<Value>) -> Record {
        let mut record = Record::new(&INVOICES, 6);
        record
            .set(Inv::InvoiceId, Value::Id(id))
            .set(Inv::InvoiceAmount, Value::number(amount))
            .set(Inv::InvoiceDate, Value::Date(jiff::civil::date(2026, 1, 31)))
            .set(Inv::PaymentTerms, Value::text("Net 30"))
            .set(Inv::AmountPaid, Value::number(paid));
        if let Some(flag) = made_up {
            record.set(Inv::MadeUp, flag);
        }
        record
    }

    fn sum(rows: &[Record], field: Installment) -> Decimal {
        rows.iter().map(|row| row.number(field).unwrap().parse::<Decimal>().unwrap()).sum()
    }

    #[test]
    fn an_instalment_keeps_the_amounts_digits_and_is_due_by_the_terms() {
        let rows = instalments(&invoice(1, "-0.10", "0", None));
        let day = Some(&Value::Date(jiff::civil::date(2026, 3, 2)));
        assert_eq!((rows.len(), rows[0].get(Installment::DueDate)), (1, day));
        assert_eq!(rows[0].number(Installment::GrossAmount), Some("-0.10"));
        assert_eq!(rows[0].number(Installment::UnpaidAmount), Some("-0.10"));
        let mut odd = invoice(1, "7", "0", None);
        odd.set(Inv::PaymentTerms, Value::text("On receipt")).set(Inv::AmountPaid, Value::Raw("[]".into()));
        let rows = instalments(&odd);
        assert_eq!(rows[0].get(Installment::DueDate), Some(&Value::Null));
        assert_eq!(rows[0].get(Installment::UnpaidAmount), Some(&Value::Null));
    }

    #[test]
    fn nothing_is_made_up_for_records_that_are_not() {
        for number in 1..50 {
            let mut distribution = Record::new(&DISTRIBUTIONS, 1);
            distribution.set(Distribution::PODistributionId, Value::Id(number));
            let project = &rows(&distribution, &PROJECT_DFF)[0];
            assert!((1_u8..6).all(|at| project.get(at) == Some(&Value::Null)));
            let loaded = invoice(number, "8", "0", None);
            let flexfield = &rows(&loaded, &INVOICE_DFF)[0];
            assert!((1_u8..3).all(|at| flexfield.get(at) == Some(&Value::Null)));
            assert_eq!(rows(&loaded, &INVOICE_INSTALLMENTS).len(), 1);
            assert!(rows(&distribution, &LINES).is_empty());
        }
    }

    proptest::proptest! {
        #[test]
        fn instalments_add_up(id in 1_i64..2_000, cents in -99_999_i64..99_999_999, scale in 0_u32..3, paid in 0_i64..2) {
            let amount = Decimal::new(cents, scale);
            let paid = amount * Decimal::from(paid);
            let rows = instalments(&invoice(id, &amount.to_string(), &paid.to_string(), Some(Value::Flag(true))));
            proptest::prop_assert_eq!(sum(&rows, Installment::GrossAmount), amount);
            proptest::prop_assert_eq!(sum(&rows, Installment::UnpaidAmount), amount - paid);
            for row in &rows {
                let unpaid: Decimal = row.number(Installment::UnpaidAmount).unwrap().parse().unwrap();
                proptest::prop_assert!(unpaid.is_zero() || unpaid.is_sign_negative() == amount.is_sign_negative());
            }
        }
    }
}
