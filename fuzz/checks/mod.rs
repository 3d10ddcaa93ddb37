//! What must hold for any bytes: each check takes some and panics when it does not.
//!
//! The fuzz targets call these, and so does the connector's own test over the kept inputs (`corpus/`).

pub mod asana;
pub mod delivery;
pub mod journal;
pub mod oracle;
pub mod query;

/// A check with the name of its target and of its directory in `corpus/`.
pub type Check = (&'static str, fn(&[u8]));

/// All checks.
pub const ALL: [Check; 5] = [
    ("delivery", delivery::check),
    ("oracle", oracle::check),
    ("asana", asana::check),
    ("journal", journal::check),
    ("query", query::check),
];

/// The input's lines as texts; what is not UTF-8 is replaced.
fn texts(input: &[u8]) -> impl Iterator<Item = String> {
    input.split(|byte| *byte == b'\n').map(|line| String::from_utf8_lossy(line).into_owned())
}
