//! One status for a task that has several invoices: the least finished one wins.

use crate::record::InvoiceFacts;

/// The statuses that are shown, least finished first; another one only when Oracle's validation status is unknown.
pub const SHOWN: [&str; 6] =
    ["Not validated", "Needs revalidation", "Validated", "Partially paid", "Paid", "Canceled"];

/// How far an invoice has come, least finished first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Progress {
    Unknown,
    NotValidated,
    NeedsRevalidation,
    Validated,
    PartiallyPaid,
    Paid,
    Canceled,
}

/// The status to show for these invoices, `None` when there is none.
///
/// Oracle has no single status; it is derived from `CanceledFlag`, `PaidStatus` and
/// `ValidationStatus`, compared without case. An unknown validation status is shown as it is and
/// counts as least finished. A canceled invoice counts only when all are.
#[must_use]
pub fn least_finished(invoices: &[&InvoiceFacts]) -> Option<String> {
    invoices.iter().map(|invoice| status(invoice)).min_by_key(|(progress, _)| *progress).map(|(_, text)| text)
}

fn status(invoice: &InvoiceFacts) -> (Progress, String) {
    let is =
        |value: &Option<String>, text: &str| value.as_deref().is_some_and(|v| v.eq_ignore_ascii_case(text));
    if invoice.canceled || is(&invoice.validation, "canceled") {
        return (Progress::Canceled, "Canceled".to_owned());
    }
    if is(&invoice.paid, "paid") {
        return (Progress::Paid, "Paid".to_owned());
    }
    if is(&invoice.paid, "partially paid") {
        return (Progress::PartiallyPaid, "Partially paid".to_owned());
    }
    match invoice.validation.as_deref() {
        Some(v) if v.eq_ignore_ascii_case("validated") => (Progress::Validated, "Validated".to_owned()),
        Some(v) if v.eq_ignore_ascii_case("needs revalidation") => {
            (Progress::NeedsRevalidation, "Needs revalidation".to_owned())
        }
        Some(v) if v.eq_ignore_ascii_case("not validated") || v.eq_ignore_ascii_case("unvalidated") => {
            (Progress::NotValidated, "Not validated".to_owned())
        }
        Some(v) if !v.trim().is_empty() => (Progress::Unknown, v.to_owned()),
        _ => (Progress::NotValidated, "Not validated".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invoice(validation: &str, paid: &str) -> InvoiceFacts {
        InvoiceFacts {
            validation: Some(validation.into()),
            paid: Some(paid.into()),
            ..InvoiceFacts::default()
        }
    }

    fn shown(invoices: &[InvoiceFacts]) -> Option<String> {
        least_finished(&invoices.iter().collect::<Vec<_>>())
    }

    #[test]
    fn the_least_finished_invoice_wins() {
        let paid = invoice("Validated", "Paid");
        let partly = invoice("VALIDATED", "partially paid");
        let open = invoice("Needs Revalidation", "Unpaid");
        assert_eq!(shown(&[paid.clone(), partly.clone()]).as_deref(), Some("Partially paid"));
        assert_eq!(shown(&[paid.clone(), open, partly]).as_deref(), Some("Needs revalidation"));
        assert_eq!(shown(&[paid]).as_deref(), Some("Paid"));
        assert_eq!(shown(&[]), None);
    }

    #[test]
    fn a_canceled_invoice_counts_only_when_all_are() {
        let canceled = InvoiceFacts { canceled: true, ..invoice("Validated", "Unpaid") };
        let paid = invoice("Validated", "Paid");
        assert_eq!(shown(&[canceled.clone(), paid]).as_deref(), Some("Paid"));
        assert_eq!(shown(&[canceled]).as_deref(), Some("Canceled"));
    }

    #[test]
    fn an_unknown_status_is_shown_as_it_is() {
        let odd = invoice("En attente", "Unpaid");
        assert_eq!(shown(&[odd, invoice("Validated", "Paid")]).as_deref(), Some("En attente"));
    }
}
