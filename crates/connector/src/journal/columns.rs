//! The columns of `GlInterface.csv`: 149, without a header, by position.
//!
//! As in the release 25C template `JournalImportTemplate.xlsm`; the order was not seen to differ elsewhere.

/// How many columns there are.
pub const COUNT: usize = 149;

/// `NEW`.
pub const STATUS: usize = 0;
/// The ledger's id.
pub const LEDGER_ID: usize = 1;
/// The accounting date, `YYYY/MM/DD`.
pub const ACCOUNTING_DATE: usize = 2;
/// The source's name.
pub const USER_JE_SOURCE_NAME: usize = 3;
/// The category's name.
pub const USER_JE_CATEGORY_NAME: usize = 4;
/// The currency's code.
pub const CURRENCY_CODE: usize = 5;
/// The day the journal was planned, `YYYY/MM/DD`.
pub const DATE_CREATED: usize = 6;
/// `A`, actual.
pub const ACTUAL_FLAG: usize = 7;
/// The first of thirty segments.
pub const SEGMENT1: usize = 8;
/// The debit.
pub const ENTERED_DR: usize = 38;
/// The credit.
pub const ENTERED_CR: usize = 39;
/// The batch name; Oracle appends to it.
pub const REFERENCE1: usize = 42;
/// The journal's name.
pub const REFERENCE4: usize = 45;
/// The journal's description.
pub const REFERENCE5: usize = 46;
/// The journal's reference.
pub const REFERENCE6: usize = 47;
/// The line's description.
pub const REFERENCE10: usize = 51;
/// The first of ten line references.
pub const REFERENCE21: usize = 52;
/// The conversion rate type's name.
pub const USER_CURRENCY_CONVERSION_TYPE: usize = 63;
/// The conversion date, `YYYY/MM/DD`.
pub const CURRENCY_CONVERSION_DATE: usize = 64;
/// The group id.
pub const GROUP_ID: usize = 66;

/// The columns' names, in their order.
#[must_use]
pub fn names() -> Vec<String> {
    let numbered = |stem: &str, numbers: std::ops::RangeInclusive<usize>| {
        numbers.map(|number| format!("{stem}{number}")).collect::<Vec<_>>()
    };
    let plain = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    [
        plain(&["STATUS", "LEDGER_ID", "ACCOUNTING_DATE", "USER_JE_SOURCE_NAME", "USER_JE_CATEGORY_NAME"]),
        plain(&["CURRENCY_CODE", "DATE_CREATED", "ACTUAL_FLAG"]),
        numbered("SEGMENT", 1..=30),
        plain(&["ENTERED_DR", "ENTERED_CR", "ACCOUNTED_DR", "ACCOUNTED_CR"]),
        numbered("REFERENCE", 1..=10),
        numbered("REFERENCE", 21..=30),
        plain(&["STAT_AMOUNT", "USER_CURRENCY_CONVERSION_TYPE", "CURRENCY_CONVERSION_DATE"]),
        plain(&["CURRENCY_CONVERSION_RATE", "GROUP_ID", "ATTRIBUTE_CATEGORY"]),
        numbered("ATTRIBUTE", 1..=20),
        plain(&["ATTRIBUTE_CATEGORY3", "AVERAGE_JOURNAL_FLAG", "ORIGINATING_BAL_SEG_VALUE", "LEDGER_NAME"]),
        plain(&["ENCUMBRANCE_TYPE_ID", "JGZZ_RECON_REF", "PERIOD_NAME"]),
        numbered("REFERENCE", 18..=20),
        numbered("ATTRIBUTE_DATE", 1..=10),
        numbered("ATTRIBUTE_NUMBER", 1..=10),
        plain(&["GLOBAL_ATTRIBUTE_CATEGORY"]),
        numbered("GLOBAL_ATTRIBUTE", 1..=20),
        numbered("GLOBAL_ATTRIBUTE_DATE", 1..=5),
        numbered("GLOBAL_ATTRIBUTE_NUMBER", 1..=5),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_stands_at_its_documented_place() {
        let names = names();
        assert_eq!(names.len(), COUNT);
        for (name, at) in [
            ("STATUS", STATUS),
            ("LEDGER_ID", LEDGER_ID),
            ("ACCOUNTING_DATE", ACCOUNTING_DATE),
            ("USER_JE_SOURCE_NAME", USER_JE_SOURCE_NAME),
            ("USER_JE_CATEGORY_NAME", USER_JE_CATEGORY_NAME),
            ("CURRENCY_CODE", CURRENCY_CODE),
            ("DATE_CREATED", DATE_CREATED),
            ("ACTUAL_FLAG", ACTUAL_FLAG),
            ("SEGMENT1", SEGMENT1),
            ("SEGMENT30", 37),
            ("ENTERED_DR", ENTERED_DR),
            ("ENTERED_CR", ENTERED_CR),
            ("ACCOUNTED_CR", 41),
            ("REFERENCE1", REFERENCE1),
            ("REFERENCE4", REFERENCE4),
            ("REFERENCE5", REFERENCE5),
            ("REFERENCE6", REFERENCE6),
            ("REFERENCE10", REFERENCE10),
            ("REFERENCE21", REFERENCE21),
            ("REFERENCE30", 61),
            ("STAT_AMOUNT", 62),
            ("USER_CURRENCY_CONVERSION_TYPE", USER_CURRENCY_CONVERSION_TYPE),
            ("CURRENCY_CONVERSION_DATE", CURRENCY_CONVERSION_DATE),
            ("CURRENCY_CONVERSION_RATE", 65),
            ("GROUP_ID", GROUP_ID),
            ("ATTRIBUTE_CATEGORY", 67),
            ("ATTRIBUTE20", 87),
            ("ATTRIBUTE_CATEGORY3", 88),
            ("LEDGER_NAME", 91),
            ("PERIOD_NAME", 94),
            ("REFERENCE20", 97),
            ("ATTRIBUTE_DATE10", 107),
            ("ATTRIBUTE_NUMBER10", 117),
            ("GLOBAL_ATTRIBUTE_CATEGORY", 118),
            ("GLOBAL_ATTRIBUTE20", 138),
            ("GLOBAL_ATTRIBUTE_DATE5", 143),
            ("GLOBAL_ATTRIBUTE_NUMBER5", 148),
        ] {
            assert_eq!(names.get(at).map(String::as_str), Some(name), "column {at}");
        }
    }
}
