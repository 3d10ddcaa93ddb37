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
    /// `suppliers`, of which no children are read
    /// (<https://docs.oracle.com/en/cloud/saas/procurement/25c/fapra/api-suppliers.html>).
    Suppliers,
}

impl Resource {
    /// The last segment of the collection's path.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PurchaseOrders => "purchaseOrders",
            Self::Invoices => "invoices",
            Self::Suppliers => "suppliers",
        }
    }

    /// The attribute that identifies a row for ever. Only of a supplier is it the key in
    /// the item's path too; of the others that is a hash.
    #[must_use]
    pub fn id_attribute(self) -> Attr {
        Attr::known(match self {
            Self::PurchaseOrders => "POHeaderId",
            Self::Invoices => "InvoiceId",
            Self::Suppliers => "SupplierId",
        })
    }

    /// The children that [`PurchaseOrder`](crate::PurchaseOrder) and [`Invoice`](crate::Invoice) read;
    /// [`Supplier`](crate::Supplier) reads none.
    #[must_use]
    pub fn default_expand(self) -> Option<Expand> {
        match self {
            Self::PurchaseOrders => Some(Expand::known("lines.schedules.distributions")),
            Self::Invoices => Some(Expand::known("invoiceLines")),
            Self::Suppliers => None,
        }
    }

    /// [`Resource::default_expand`] and after it further children.
    #[must_use]
    pub fn expand_with(self, further: Option<&Expand>) -> Option<Expand> {
        match (self.default_expand(), further) {
            (Some(usual), Some(further)) => Some(usual.and(further)),
            (usual, further) => usual.or_else(|| further.cloned()),
        }
    }
}

/// A unique attribute of a child, to order its rows by while they are read in pages. Of other children none is
/// known.
pub(crate) fn child_order(child: &str) -> Option<Attr> {
    let name = match child {
        "lines" => "POLineId",
        "schedules" => "LineLocationId",
        "distributions" => "DistributionNumber",
        "invoiceLines" => "LineNumber",
        "invoiceInstallments" => "InstallmentNumber",
        _ => return None,
    };
    Some(Attr::known(name))
}
