//! Private servers, run for real. The tests need the PostgreSQL server programs (`script/setup` installs
//! them) and run as root and as an ordinary user; what only root can set up is skipped for others.

mod accounts;
mod place;
mod program;
mod recovery;
mod sharing;
mod starting;
