//! The whole ledger as JSON, for comparisons: amounts as decimal text, digit for digit.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::Ledger;
use super::interface::Row;
use super::journal::{Batch, Journal, Line};

/// An instant of the virtual clock, with milliseconds.
pub(crate) fn instant(ms: i64) -> Value {
    Timestamp::from_millisecond(ms).map_or(Value::Null, |at| Value::String(format!("{at:.3}")))
}

fn amount(amount: Option<Decimal>) -> Value {
    amount.map_or(Value::Null, |amount| Value::String(amount.to_string()))
}

impl Ledger {
    /// `batches` and `interface`, as [`crate::Oracle::ledger_json`] describes them.
    pub(crate) fn json(&self) -> (Value, Value) {
        (self.batches.values().map(batch).collect(), self.interface.iter().map(row).collect())
    }
}

fn batch(batch: &Batch) -> Value {
    let (entered, accounted) = (batch.entered(), batch.accounted());
    json!({
        "id": batch.id,
        "name": batch.name,
        "description": batch.description,
        "ledger": batch.ledger.id,
        "source": batch.source,
        "group": batch.group,
        "process": batch.process,
        "period": batch.period,
        "status": batch.status.letter(),
        "created": instant(batch.created),
        "posted": batch.posted.map(|day| day.to_string()),
        "warnings": batch.warnings,
        "entered_dr": amount(Some(entered.0)),
        "entered_cr": amount(Some(entered.1)),
        "accounted_dr": amount(Some(accounted.0)),
        "accounted_cr": amount(Some(accounted.1)),
        "journals": batch.journals.iter().map(journal).collect::<Vec<_>>(),
    })
}

fn journal(journal: &Journal) -> Value {
    let conversion = journal.conversion.as_ref();
    json!({
        "id": journal.id,
        "name": journal.name,
        "description": journal.description,
        "reference": journal.reference,
        "category": journal.category,
        "currency": journal.currency,
        "date": journal.date.to_string(),
        "conversion_type": conversion.map(|conversion| conversion.kind.as_str()),
        "conversion_date": conversion.and_then(|conversion| conversion.date).map(|day| day.to_string()),
        "conversion_rate": amount(conversion.and_then(|conversion| conversion.rate)),
        "lines": journal.lines.iter().map(line).collect::<Vec<_>>(),
    })
}

fn line(line: &Line) -> Value {
    json!({
        "number": line.number,
        "account_id": line.account_id,
        "account": line.account,
        "entered_dr": amount(line.entered.debit),
        "entered_cr": amount(line.entered.credit),
        "accounted_dr": amount(line.accounted.debit),
        "accounted_cr": amount(line.accounted.credit),
        "description": line.description,
        "references": line.references,
    })
}

fn row(row: &Row) -> Value {
    json!({
        "row": row.number,
        "load_request": row.load_request,
        "status": row.status,
        "group": row.group,
        "ledger": row.ledger,
        "source": row.source,
        "category": row.category,
        "date": row.date.to_string(),
        "currency": row.currency,
        "segments": row.segments,
        "entered_dr": amount(row.entered.debit),
        "entered_cr": amount(row.entered.credit),
        "batch_name": row.batch_name,
        "line_description": row.line_description,
    })
}
