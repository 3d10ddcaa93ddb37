//! From a completed task to a general ledger journal: pure decisions.
//!
//! What a completion costs ([`cost`]), on which accounts it falls ([`split`], [`account`]), in which
//! period ([`date`]), under which number ([`group`]), as which file ([`plan`], [`document`]); and what is
//! done next while it is on its way ([`machine`]). Nothing here calls Oracle, Asana or the database, and
//! nothing reads a clock: instants come in as values.

pub mod account;
pub mod archive;
pub mod columns;
pub mod cost;
pub mod csv;
pub mod currency;
pub mod date;
pub mod document;
mod exact;
pub mod group;
pub mod import_code;
pub mod lines;
pub mod machine;
pub mod plan;
pub mod reason;
pub mod settings;
pub mod split;
pub mod text;

pub use account::{Account, CodeCombination};
pub use cost::{Cost, CostBasis};
pub use currency::Currency;
pub use date::{AccountingDate, Period, PeriodStatus};
pub use document::JournalDocument;
pub use group::GroupId;
pub use plan::JournalPlan;
pub use reason::{NoJournal, WaitsFor};
pub use settings::JournalSettings;

use serde::{Deserialize, Serialize};

/// What a journal is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It charges a completion's cost.
    Posting,
    /// It takes back the posting of a task that was opened again.
    Reversal,
}

impl Kind {
    /// The stable word, used in the database and in the group id.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Posting => "posting",
            Kind::Reversal => "reversal",
        }
    }
}
