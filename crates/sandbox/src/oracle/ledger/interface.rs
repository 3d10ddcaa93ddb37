//! `GlInterface.csv`: reads the file as the interface loader does, and holds its rows until an import takes them.
//!
//! No header, 149 columns by position, dates `YYYY/MM/DD`. A file with one unreadable row is not loaded at all.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::money::Sides;
use super::seed::LEDGERS;

/// Columns of the template.
const COLUMNS: usize = 149;
/// Most rows of one file, to keep memory in bounds.
const MAX_ROWS: usize = 200_000;
/// Longest reference, in letters.
const MAX_REFERENCE: usize = 240;
/// Most digits of a group id.
const MAX_GROUP_DIGITS: usize = 18;

/// Where each column stands, from 0.
mod column {
    pub(super) const STATUS: usize = 0;
    pub(super) const LEDGER_ID: usize = 1;
    pub(super) const ACCOUNTING_DATE: usize = 2;
    pub(super) const SOURCE: usize = 3;
    pub(super) const CATEGORY: usize = 4;
    pub(super) const CURRENCY: usize = 5;
    pub(super) const DATE_CREATED: usize = 6;
    pub(super) const ACTUAL_FLAG: usize = 7;
    pub(super) const SEGMENT1: usize = 8;
    pub(super) const SEGMENTS: usize = 30;
    pub(super) const ENTERED_DR: usize = 38;
    pub(super) const ENTERED_CR: usize = 39;
    pub(super) const ACCOUNTED_DR: usize = 40;
    pub(super) const ACCOUNTED_CR: usize = 41;
    pub(super) const REFERENCE1: usize = 42;
    pub(super) const REFERENCE2: usize = 43;
    pub(super) const REFERENCE4: usize = 45;
    pub(super) const REFERENCE5: usize = 46;
    pub(super) const REFERENCE6: usize = 47;
    pub(super) const REFERENCE10: usize = 51;
    pub(super) const REFERENCE21: usize = 52;
    pub(super) const REFERENCE30: usize = 61;
    pub(super) const CONVERSION_TYPE: usize = 63;
    pub(super) const CONVERSION_DATE: usize = 64;
    pub(super) const CONVERSION_RATE: usize = 65;
    pub(super) const GROUP_ID: usize = 66;
    pub(super) const LEDGER_NAME: usize = 91;
}

/// One row of GL_INTERFACE.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Order of arrival in the table; 0 before it is there.
    pub number: u64,
    /// Id of the job that loaded it.
    pub load_request: i64,
    /// `NEW`, `P`, or the codes of its rejection.
    pub status: String,
    pub ledger: i64,
    pub date: Date,
    pub source: String,
    pub category: String,
    pub currency: String,
    /// `A` for actual, `E` for encumbrance.
    pub actual_flag: char,
    /// Without the empty ones at the end.
    pub segments: Vec<String>,
    pub entered: Sides,
    pub accounted: Sides,
    /// An amount has more digits than fit.
    pub too_large: bool,
    pub batch_name: Option<String>,
    pub batch_description: Option<String>,
    pub journal_name: Option<String>,
    pub journal_description: Option<String>,
    pub journal_reference: Option<String>,
    pub line_description: Option<String>,
    /// REFERENCE21 to 30.
    pub references: Vec<Option<String>>,
    pub conversion_type: Option<String>,
    pub conversion_date: Option<Date>,
    pub conversion_rate: Option<Decimal>,
    pub group: Option<i64>,
}

/// Reads the file.
///
/// # Errors
/// The row's number and what is wrong with it.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Row>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the file is not UTF-8".to_owned())?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for (at, record) in reader.records().enumerate() {
        if at >= MAX_ROWS {
            return Err(format!("more than {MAX_ROWS} rows"));
        }
        let record = record.map_err(|error| format!("Record {}: {error}", at + 1))?;
        rows.push(row(&record).map_err(|reason| format!("Record {}: {reason}", at + 1))?);
    }
    if rows.is_empty() {
        return Err("the file has no rows".to_owned());
    }
    Ok(rows)
}

fn row(record: &csv::StringRecord) -> Result<Row, String> {
    if record.len() > COLUMNS + 1 {
        return Err(format!("{} columns in place of {COLUMNS}", record.len()));
    }
    if !matches!(record.get(COLUMNS), None | Some("" | "END")) {
        return Err(format!("column {} is neither END nor blank", COLUMNS + 1));
    }
    let cells = Cells(record);
    if cells.required(column::STATUS, "STATUS")? != "NEW" {
        return Err("STATUS is not NEW".to_owned());
    }
    cells.date(column::DATE_CREATED, "DATE_CREATED")?.ok_or("DATE_CREATED is missing")?;
    let mut too_large = false;
    let mut amount = |at, name: &str| cells.amount(at, name, &mut too_large);
    let entered = Sides {
        debit: amount(column::ENTERED_DR, "ENTERED_DR")?,
        credit: amount(column::ENTERED_CR, "ENTERED_CR")?,
    };
    let accounted = Sides {
        debit: amount(column::ACCOUNTED_DR, "ACCOUNTED_DR")?,
        credit: amount(column::ACCOUNTED_CR, "ACCOUNTED_CR")?,
    };
    let conversion_rate = amount(column::CONVERSION_RATE, "CURRENCY_CONVERSION_RATE")?;
    let reference = |at| cells.reference(at);
    Ok(Row {
        number: 0,
        load_request: 0,
        status: "NEW".to_owned(),
        ledger: cells.ledger()?,
        date: cells.date(column::ACCOUNTING_DATE, "ACCOUNTING_DATE")?.ok_or("ACCOUNTING_DATE is missing")?,
        source: cells.required(column::SOURCE, "USER_JE_SOURCE_NAME")?.to_owned(),
        category: cells.required(column::CATEGORY, "USER_JE_CATEGORY_NAME")?.to_owned(),
        currency: cells.required(column::CURRENCY, "CURRENCY_CODE")?.to_owned(),
        actual_flag: cells.actual_flag()?,
        segments: cells.segments(),
        entered,
        accounted,
        too_large,
        batch_name: reference(column::REFERENCE1)?,
        batch_description: reference(column::REFERENCE2)?,
        journal_name: reference(column::REFERENCE4)?,
        journal_description: reference(column::REFERENCE5)?,
        journal_reference: reference(column::REFERENCE6)?,
        line_description: reference(column::REFERENCE10)?,
        references: (column::REFERENCE21..=column::REFERENCE30).map(reference).collect::<Result<_, _>>()?,
        conversion_type: cells.get(column::CONVERSION_TYPE).map(str::to_owned),
        conversion_date: cells.date(column::CONVERSION_DATE, "CURRENCY_CONVERSION_DATE")?,
        conversion_rate,
        group: cells.group()?,
    })
}

struct Cells<'a>(&'a csv::StringRecord);

impl<'a> Cells<'a> {
    /// Nothing for blank cells and for those past the end of the record.
    fn get(&self, at: usize) -> Option<&'a str> {
        self.0.get(at).filter(|cell| !cell.is_empty())
    }

    fn required(&self, at: usize, name: &str) -> Result<&'a str, String> {
        self.get(at).ok_or_else(|| format!("{name} is missing"))
    }

    fn date(&self, at: usize, name: &str) -> Result<Option<Date>, String> {
        let Some(text) = self.get(at) else { return Ok(None) };
        let shape = text.len() == 10 && text.as_bytes()[4] == b'/' && text.as_bytes()[7] == b'/';
        let parsed = shape.then(|| text.replace('/', "-").parse().ok()).flatten();
        parsed.map(Some).ok_or_else(|| format!("{name} is not a date of the form YYYY/MM/DD"))
    }

    /// Plain decimals only. One with more digits than fit is remembered, for the import to reject.
    fn amount(&self, at: usize, name: &str, too_large: &mut bool) -> Result<Option<Decimal>, String> {
        let Some(text) = self.get(at) else { return Ok(None) };
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || (whole.is_empty() && decimals.is_empty()) {
            return Err(format!("{name} is not a number"));
        }
        let parsed = Decimal::from_str_exact(text).ok();
        *too_large |= parsed.is_none();
        Ok(parsed)
    }

    fn reference(&self, at: usize) -> Result<Option<String>, String> {
        match self.get(at) {
            Some(text) if text.chars().count() > MAX_REFERENCE => {
                Err(format!("a reference has more than {MAX_REFERENCE} letters"))
            }
            text => Ok(text.map(str::to_owned)),
        }
    }

    fn ledger(&self) -> Result<i64, String> {
        if let Some(text) = self.get(column::LEDGER_ID) {
            return text.parse().map_err(|_| "LEDGER_ID is not a number".to_owned());
        }
        let name = self.required(column::LEDGER_NAME, "LEDGER_ID")?;
        let found = LEDGERS.iter().find(|ledger| ledger.name == name);
        found.map(|ledger| ledger.id).ok_or_else(|| "LEDGER_NAME names no ledger".to_owned())
    }

    fn actual_flag(&self) -> Result<char, String> {
        match self.required(column::ACTUAL_FLAG, "ACTUAL_FLAG")? {
            "A" => Ok('A'),
            "E" => Ok('E'),
            _ => Err("ACTUAL_FLAG is neither A nor E".to_owned()),
        }
    }

    fn segments(&self) -> Vec<String> {
        let range = column::SEGMENT1..column::SEGMENT1 + column::SEGMENTS;
        let mut segments: Vec<String> = range.map(|at| self.get(at).unwrap_or_default().to_owned()).collect();
        while segments.last().is_some_and(String::is_empty) {
            segments.pop();
        }
        segments
    }

    fn group(&self) -> Result<Option<i64>, String> {
        let Some(text) = self.get(column::GROUP_ID) else { return Ok(None) };
        let plain = text.len() <= MAX_GROUP_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = plain.then(|| text.parse().ok()).flatten();
        parsed.map(Some).ok_or_else(|| "GROUP_ID is not a number of at most 18 digits".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(changes: &[(usize, &str)], columns: usize) -> String {
        let mut cells = vec![String::new(); columns];
        for (at, text) in [
            (0, "NEW"),
            (1, "300000046975971"),
            (2, "2026/07/31"),
            (3, "Project Costs"),
            (4, "Project Costs"),
            (5, "USD"),
            (6, "2026/07/31"),
            (7, "A"),
            (38, "10.50"),
            (66, "7"),
        ]
        .iter()
        .chain(changes)
        {
            cells[*at] = (*text).to_owned();
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&cells).unwrap();
        String::from_utf8(writer.into_inner().unwrap()).unwrap()
    }

    #[test]
    fn a_row_is_read_by_position_with_quotes_and_line_ends_in_it() {
        let text = line(&[(8, "101"), (11, "Salud, \"y\"\nBienestar"), (51, "Line"), (52, "ref 21")], 149);
        let rows = read(text.as_bytes()).unwrap();
        assert_eq!(rows[0].segments, ["101", "", "", "Salud, \"y\"\nBienestar"]);
        assert_eq!((rows[0].group, rows[0].entered.debit), (Some(7), "10.50".parse().ok()));
        assert_eq!(rows[0].references[0].as_deref(), Some("ref 21"));
    }

    #[test]
    fn trailing_blanks_may_be_left_out_and_an_end_may_stand_after_the_last_column() {
        assert!(read(line(&[], 67).as_bytes()).is_ok());
        assert!(read(line(&[(149, "END")], 150).as_bytes()).is_ok());
        assert!(read(line(&[(149, "X")], 150).as_bytes()).unwrap_err().contains("END"));
        assert!(read(line(&[], 151).as_bytes()).is_err());
        assert!(read(b"").is_err());
    }

    #[test]
    fn one_unreadable_cell_refuses_the_file_and_names_the_record() {
        let wrong: [(usize, &str); 11] = [
            (0, "STATUS"),
            (0, ""),
            (1, "US Primary Ledger"),
            (2, "31-07-2026"),
            (2, "2026-07-31"),
            (2, "2026/02/30"),
            (6, ""),
            (7, "B"),
            (38, "1,50"),
            (38, "1e3"),
            (66, "1234567890123456789"),
        ];
        for (at, text) in wrong {
            let file = line(&[], 149) + &line(&[(at, text)], 149);
            let reason = read(file.as_bytes()).unwrap_err();
            assert!(reason.starts_with("Record 2: "), "{at} {text:?}: {reason}");
        }
    }

    #[test]
    fn an_amount_that_does_not_fit_is_left_to_the_import() {
        let digits = "9".repeat(40);
        let rows = read(line(&[(38, &digits)], 149).as_bytes()).unwrap();
        assert!(rows[0].too_large && rows[0].entered.debit.is_none());
    }
}
