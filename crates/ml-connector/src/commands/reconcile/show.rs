//! Differences as rows of a table.

use connector::reconcile::report::Difference;

use crate::output::short;

/// What stands in each row.
pub const COLUMNS: [&str; 6] = ["difference", "whose", "field", "expected", "shown", "explained by"];

/// A row for each field that differs, or one with the reason.
pub fn rows(difference: &Difference) -> Vec<[String; 6]> {
    let explained = explained(difference);
    let mut first = [difference.kind.as_str().to_owned(), whose(difference)];
    if difference.values.is_empty() {
        let reason = match (&difference.code, &difference.reason) {
            (Some(code), Some(reason)) => format!("{code}: {reason}"),
            (_, reason) => reason.clone().unwrap_or_default(),
        };
        let [kind, whose] = first;
        return vec![[kind, whose, "-".to_owned(), reason, "-".to_owned(), explained]];
    }
    let mut rows = Vec::with_capacity(difference.values.len());
    for value in &difference.values {
        let text = |value: &Option<String>| value.as_deref().map_or_else(|| "-".to_owned(), short);
        let [kind, whose] = std::mem::take(&mut first);
        let field = value.field.clone();
        rows.push([kind, whose, field, text(&value.expected), text(&value.shown), explained.clone()]);
    }
    rows
}

/// Whose a difference is, in a few words.
fn whose(difference: &Difference) -> String {
    let record = match (difference.feed.as_str(), difference.order_number.as_str()) {
        ("", "") => String::new(),
        ("", number) => number.to_owned(),
        ("invoices", _) => format!("invoice {}", difference.source_id),
        (_, "") => format!("order {}", difference.source_id),
        (_, number) => number.to_owned(),
    };
    let line =
        if difference.line_id.is_empty() { String::new() } else { format!("line {}", difference.line_id) };
    let tasks: Vec<String> = difference.tasks.iter().map(|task| format!("task {task}")).collect();
    [record, line, tasks.join(", ")]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

fn explained(difference: &Difference) -> String {
    match &difference.explained {
        None if difference.under_way => "under way".to_owned(),
        None => "-".to_owned(),
        Some(why) => {
            let code = why.code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
            format!("{}{code}, movement {}", why.state, why.movement)
        }
    }
}
