//! The parameters of Import Journals: seven values with commas between them.
//!
//! A value with a comma in it stands in double quotes, and `#NULL` stands for no value.

/// Parameters that Import Journals takes.
const COUNT: usize = 7;

/// The parameters by their meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImportParameters {
    pub data_access_set: Option<String>,
    pub source: Option<String>,
    pub ledger: Option<String>,
    /// A number, or `ALL`.
    pub group: Option<String>,
    pub to_suspense: bool,
}

/// Splits a parameter list.
///
/// # Errors
/// When a quote does not end.
pub(crate) fn split(list: &str) -> Result<Vec<Option<String>>, String> {
    if list.matches('"').count() % 2 == 1 {
        return Err("a quoted parameter does not end".to_owned());
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(list.as_bytes());
    let mut records = reader.records();
    let record = match records.next() {
        None => return Ok(Vec::new()),
        Some(record) => record.map_err(|error| error.to_string())?,
    };
    if records.next().is_some() {
        return Err("the parameters stand on several lines".to_owned());
    }
    let value = |cell: &str| (!cell.is_empty() && cell != "#NULL").then(|| cell.to_owned());
    Ok(record.iter().map(|cell| value(cell.trim())).collect())
}

/// Reads the parameters of Import Journals.
///
/// # Errors
/// When there are not seven, or the fifth is not a flag.
pub(crate) fn read(list: &str) -> Result<ImportParameters, String> {
    let mut values = split(list)?.into_iter();
    if values.len() != COUNT {
        return Err(format!("{} parameters in place of {COUNT}", values.len()));
    }
    let mut next = || values.next().flatten();
    let (data_access_set, source, ledger, group) = (next(), next(), next(), next());
    let to_suspense = match next().as_deref() {
        None | Some("N") => false,
        Some("Y") => true,
        Some(other) => return Err(format!("{other:?} is no value for posting account errors to suspense")),
    };
    Ok(ImportParameters { data_access_set, source, ledger, group, to_suspense })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_values_with_quotes_and_nulls() {
        let read = read("#NULL,\"Costs, external\",300000046975971,42,N,N,N").unwrap();
        assert_eq!(read.data_access_set, None);
        assert_eq!(read.source.as_deref(), Some("Costs, external"));
        assert_eq!((read.ledger.as_deref(), read.group.as_deref()), (Some("300000046975971"), Some("42")));
        assert!(!read.to_suspense);
    }

    #[test]
    fn another_number_of_values_or_an_open_quote_is_an_error() {
        for list in ["", "1,Costs, external,2,3,N,N,N", "1,2,3,4,N,N", "1,\"2,3,4,N,N,N", "1,2,3,4,X,N,N"] {
            assert!(read(list).is_err(), "{list}");
        }
    }
}
