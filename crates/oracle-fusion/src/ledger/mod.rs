//! What a journal needs to know of general ledger, and how it is found again.
//!
//! Every read here can come back empty although the rows exist: a user without access to the data is answered
//! with success and no rows, and so is, on some pods, a filter in a form that the pod does not understand. **An
//! empty result is never a proof that something is absent.** [`Fusion::any_journal_batch`](crate::Fusion::any_journal_batch)
//! and [`Fusion::wildcard_works`](crate::Fusion::wildcard_works) are there to tell whether a search can find
//! anything at all.
//!
//! Nothing here writes: batches are not completed, posted, reversed or deleted.

mod account;
mod batch;
mod calls;
mod list;
mod period;
mod rows;

pub use account::{AccountCombination, Segment};
pub use batch::JournalBatch;
pub use list::{Ledger, ListRow};
pub use period::{Period, PeriodStatus};
