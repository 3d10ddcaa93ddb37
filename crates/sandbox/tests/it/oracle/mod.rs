//! The Oracle side.

mod paging;
mod token;
