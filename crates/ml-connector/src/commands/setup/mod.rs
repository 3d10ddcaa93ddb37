//! Setting a connection up: fields in Asana, the connection's file, the dry run, the first activation.

pub mod activate;
pub mod apply;
pub mod dry_run;
pub mod follow;
pub mod guide;
pub mod history;
pub mod mapping;
pub mod provision;
mod report_page;
