//! Setting a connection up: fields in Asana, the connection's file, the dry run, the first activation.

pub mod apply;
pub mod provision;
