//! Which movements are meant.

use clap::Args;
use connector::code::{Class, Code};
use connector::feed::Feed;
use connector::store::movements::Filter;
use jiff::Timestamp;

use crate::commands::chosen;

/// Which movements are meant; without any of these all are.
#[derive(Debug, Args)]
#[group(id = "filter", multiple = true)]
pub struct FilterArgs {
    /// Only this state
    #[arg(long, value_parser = ["pending", "sending", "delivered", "retrying", "failed", "held", "in_doubt"])]
    state: Option<String>,
    /// Only orders, or only invoices
    #[arg(long, value_parser = ["order", "invoice"])]
    kind: Option<String>,
    /// Only those whose code is of this class, such as value; `explain` shows the classes
    #[arg(long, value_name = "CLASS", value_parser = chosen::class)]
    class: Option<Class>,
    /// Only those with this code, such as MLC-4001
    #[arg(long, value_name = "CODE", value_parser = chosen::code)]
    code: Option<Code>,
    /// Only those opened at this moment or later, such as 2026-11-01T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = crate::commands::chosen::moment)]
    since: Option<Timestamp>,
    /// Only those opened before this moment
    #[arg(long, value_name = "TIME", value_parser = crate::commands::chosen::moment)]
    until: Option<Timestamp>,
    /// Only this purchase order's number
    #[arg(long, value_name = "NUMBER")]
    po: Option<String>,
    /// Only this task's gid
    #[arg(long, value_name = "GID")]
    task: Option<String>,
    /// Only what still needs somebody: held, or failed and no newer movement of the record has ended since
    #[arg(long)]
    unsettled: bool,
}

impl FilterArgs {
    /// The filter as the store takes it.
    pub fn filter(self) -> Filter {
        let feed = self.kind.map(|kind| match kind.as_str() {
            "invoice" => Feed::Invoices,
            _ => Feed::PurchaseOrders,
        });
        Filter {
            state: self.state,
            feed: feed.map(|feed| feed.as_str().to_owned()),
            codes: chosen::codes(self.class, self.code),
            since: self.since,
            until: self.until,
            order_number: self.po,
            task: self.task,
            unsettled: self.unsettled,
        }
    }
}
