//! What a reconciliation left to a person, in words. Pure.

use super::cause::{Cause, Kind};
use super::tell::{cause, counted};
use crate::code::Code;
use crate::reconcile::fate::Fate;
use crate::reconcile::report::Difference;
use crate::store::reconciliation_runs::{Kept, Run};

/// The cause for a run that left something. Values are not repeated: a message about an alert may go anywhere.
pub(super) fn left(run: &Run, kept: &[Kept]) -> Cause {
    let title = format!(
        "{} between Oracle and Asana left by the reconciliation of {}",
        counted(run.remaining(), "difference"),
        run.finished_at.strftime("%Y-%m-%d %H:%M UTC")
    );
    let code = Code::ReconcileDrift.info().code;
    let mut told = cause(Kind::DriftFound, "reconcile", Some(code), run.remaining(), title);
    let by_kind: Vec<String> = run
        .counts
        .iter()
        .filter(|tally| tally.remaining > 0)
        .map(|tally| format!("{} {}", tally.remaining, tally.kind))
        .collect();
    told.detail = format!("{}; drift = {}\n{}", by_kind.join(", "), run.drift, told.detail);
    for kept in kept.iter().filter(|kept| kept.fate == Fate::Remaining.as_str()) {
        if let Ok(difference) = serde_json::from_str(&kept.difference) {
            told.detail.push_str("\n- ");
            told.detail.push_str(&example(&difference));
        }
    }
    told
}

fn example(difference: &Difference) -> String {
    let mut parts = vec![difference.kind.as_str().to_owned()];
    match (difference.feed.as_str(), difference.order_number.as_str()) {
        ("", "") => {}
        ("", number) => parts.push(format!("order {number}")),
        (feed, "") => parts.push(format!("{feed} {}", difference.source_id)),
        (feed, number) => parts.push(format!("{feed} {} ({number})", difference.source_id)),
    }
    parts.extend(difference.tasks.iter().map(|task| format!("task {task}")));
    let fields: Vec<&str> = difference.values.iter().map(|value| value.field.as_str()).collect();
    if !fields.is_empty() {
        parts.push(fields.join(" and "));
    }
    parts.extend(difference.code.clone());
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::report::{self, Value};
    use crate::store::reconciliation_runs::Tally;

    #[test]
    fn the_cause_counts_by_kind_and_names_examples_without_values() {
        let at = "2026-11-27T12:00:00Z".parse().unwrap();
        let tally = |kind: &str, repaired, remaining| Tally {
            kind: kind.to_owned(),
            found: repaired + remaining,
            repaired,
            remaining,
            ..Tally::default()
        };
        let run = Run {
            run_id: uuid::Uuid::nil(),
            node_id: uuid::Uuid::nil(),
            asked_by: "schedule".to_owned(),
            drift: "report".to_owned(),
            started_at: at,
            finished_at: at,
            records: 9,
            tasks: 9,
            journals: 0,
            counts: vec![tally("document_old", 5, 0), tally("value_differs", 0, 2)],
        };
        let value = |n: &str| Value {
            field: "supplier".to_owned(),
            expected: Some(format!("Secret Supplier {n}")),
            shown: Some("typed".to_owned()),
        };
        let difference = Difference {
            feed: "purchase_orders".to_owned(),
            source_id: "7".to_owned(),
            order_number: "US-1".to_owned(),
            tasks: vec!["12".to_owned()],
            values: vec![value("a")],
            ..Difference::of(report::Kind::ValueDiffers)
        };
        let text = serde_json::to_string(&difference).unwrap();
        let kept = |fate: &str| Kept { fate: fate.to_owned(), difference: text.clone() };
        let told = left(&run, &[kept("remaining"), kept("repaired")]);
        assert_eq!((told.kind, told.count), (Kind::DriftFound, 2));
        assert_eq!(
            told.title,
            "2 differences between Oracle and Asana left by the reconciliation of 2026-11-27 12:00 UTC"
        );
        assert!(told.detail.starts_with("2 value_differs; drift = report\n"), "{}", told.detail);
        assert!(told.detail.contains(Code::ReconcileDrift.info().remedy));
        let line = "\n- value_differs, purchase_orders 7 (US-1), task 12, supplier";
        assert_eq!(told.detail.matches(line).count(), 1, "{}", told.detail);
        assert!(!told.detail.contains("Secret") && !told.detail.contains("typed"), "{}", told.detail);
    }
}
