//! The stand-ins over HTTP, as a client meets them.

mod oracle;
mod pod;
