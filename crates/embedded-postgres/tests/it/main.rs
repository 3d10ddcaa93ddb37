//! Private servers, run for real. The tests need the PostgreSQL server programs (`script/setup` installs
//! them) and run as root and as an ordinary user; what only root can set up is skipped for others.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod accounts;
mod place;
mod program;
mod recovery;
mod sharing;
mod starting;
