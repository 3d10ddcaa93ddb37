//! Feeds: the kinds of Oracle record that are polled for a connection.

pub mod poll;
pub mod prepare;

use oracle_fusion::Resource;

/// One kind of Oracle record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Feed {
    /// `purchaseOrders`.
    PurchaseOrders,
    /// `invoices`.
    Invoices,
}

impl Feed {
    /// Every feed.
    pub const ALL: [Feed; 2] = [Feed::PurchaseOrders, Feed::Invoices];

    /// The name used in tables and settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Feed::PurchaseOrders => "purchase_orders",
            Feed::Invoices => "invoices",
        }
    }

    /// The feed of a name in a table.
    #[must_use]
    pub fn named(name: &str) -> Option<Feed> {
        Feed::ALL.into_iter().find(|feed| feed.as_str() == name)
    }

    /// Oracle's resource.
    #[must_use]
    pub fn resource(self) -> Resource {
        match self {
            Feed::PurchaseOrders => Resource::PurchaseOrders,
            Feed::Invoices => Resource::Invoices,
        }
    }
}
