//! The resources that feeds read, and what each of them calls its parts.

use crate::query::{Attr, Expand};

/// A top-level collection of the pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// `purchaseOrders`
    /// (<https://docs.oracle.com/en/cloud/saas/procurement/25c/fapra/api-purchase-orders.html>).
    PurchaseOrders,
    /// `invoices`, the payables invoices
    /// (<https://docs.oracle.com/en/cloud/saas/financials/24c/farfa/op-invoices-invoicesuniqid-get.html>).
    Invoices,
}

impl Resource {
    /// The last segment of the collection's path.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PurchaseOrders => "purchaseOrders",
            Self::Invoices => "invoices",
        }
    }

    /// The attribute that identifies a row for ever. It is not the key in the item's path, which is a hash.
    #[must_use]
    pub fn id_attribute(self) -> Attr {
        Attr::known(match self {
            Self::PurchaseOrders => "POHeaderId",
            Self::Invoices => "InvoiceId",
        })
    }

    /// The children that [`PurchaseOrder`](crate::PurchaseOrder) and [`Invoice`](crate::Invoice) read.
    #[must_use]
    pub fn default_expand(self) -> Expand {
        Expand::known(match self {
            Self::PurchaseOrders => "lines.schedules.distributions",
            Self::Invoices => "invoiceLines",
        })
    }
}

/// A unique attribute of a child, to order its rows by while they are read in pages.
pub(crate) fn child_order(child: &str) -> Option<Attr> {
    let name = match child {
        "lines" => "POLineId",
        "schedules" => "LineLocationId",
        "distributions" => "DistributionNumber",
        "invoiceLines" => "LineNumber",
        _ => return None,
    };
    Some(Attr::known(name))
}
