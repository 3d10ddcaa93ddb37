//! `GlInterface.csv`: one row per line, 149 columns, no header.
//!
//! Rows end with a line feed alone. Working clients were seen with both ends, but the one that sends a
//! carriage return sends a 150th column after it; without that the loader would take the carriage return
//! for the content of the last column, which is a number.

use jiff::civil::Date;

use super::columns as at;
use super::group::GroupId;
use super::lines::{Line, Side};
use super::plan::JournalPlan;
use super::reason::NoJournal;
use super::text::{TEXT_CHARACTERS, field};

/// A date as the loader reads it.
const DATE: &str = "%Y/%m/%d";

/// Writes the file.
pub fn write(plan: &JournalPlan, group: GroupId) -> Result<Vec<u8>, NoJournal> {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .terminator(csv::Terminator::Any(b'\n'))
        .quote_style(csv::QuoteStyle::Necessary)
        .from_writer(Vec::new());
    let failed =
        |problem: String| NoJournal::Defect { what: format!("the file cannot be written: {problem}") };
    for line in &plan.lines {
        writer.write_record(row(plan, line, group)).map_err(|e| failed(e.to_string()))?;
    }
    writer.into_inner().map_err(|e| failed(e.to_string()))
}

fn day(date: Date) -> String {
    date.strftime(DATE).to_string()
}

/// The row of a line: every column that is not named here is blank.
fn row(plan: &JournalPlan, line: &Line, group: GroupId) -> Vec<String> {
    let completion = &plan.completion;
    let source = line.source.as_ref();
    let line_id = source.map(|source| source.line_id.clone()).or_else(|| plan.line_id.clone());
    let mut row = vec![String::new(); at::COUNT];
    let mut set = |column: usize, value: String| {
        if let Some(cell) = row.get_mut(column) {
            *cell = value;
        }
    };
    set(at::STATUS, "NEW".to_owned());
    set(at::LEDGER_ID, plan.ledger_id.clone());
    set(at::ACCOUNTING_DATE, day(plan.accounting.date));
    set(at::USER_JE_SOURCE_NAME, plan.source.clone());
    set(at::USER_JE_CATEGORY_NAME, plan.category.clone());
    set(at::CURRENCY_CODE, plan.currency.code.clone());
    set(at::DATE_CREATED, day(plan.created));
    set(at::ACTUAL_FLAG, "A".to_owned());
    for (number, segment) in line.account.segments().iter().enumerate() {
        set(at::SEGMENT1 + number, segment.clone());
    }
    match line.side {
        Side::Debit => set(at::ENTERED_DR, line.amount.to_string()),
        Side::Credit => set(at::ENTERED_CR, line.amount.to_string()),
    }
    set(at::REFERENCE1, plan.batch_name());
    set(at::REFERENCE4, plan.journal_name());
    set(at::REFERENCE5, plan.journal_description());
    set(at::REFERENCE6, plan.journal_reference());
    set(at::REFERENCE10, plan.line_description(line));
    let keys = [
        completion.task.to_string(),
        plan.order_number.clone(),
        plan.order_id.clone(),
        line_id.unwrap_or_default(),
        completion.completed_at.to_string(),
        completion.completed_by.clone().unwrap_or_default(),
    ];
    for (number, key) in keys.into_iter().enumerate() {
        set(at::REFERENCE21 + number, field(&key, TEXT_CHARACTERS));
    }
    if let Some(conversion) = &plan.conversion {
        set(at::USER_CURRENCY_CONVERSION_TYPE, conversion.rate_type.clone());
        set(at::CURRENCY_CONVERSION_DATE, day(conversion.date));
    }
    set(at::GROUP_ID, group.to_string());
    row
}
