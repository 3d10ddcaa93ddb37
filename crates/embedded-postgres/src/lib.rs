//! Runs a private PostgreSQL server from the programs that the machine already has.
//!
//! A program that was given no database calls [`Server::start`] with a directory of its own and gets a
//! server that listens on a Unix socket in that directory and nowhere else. The server is stopped with the
//! last program that uses it. It is never started as root: a program that runs as root hands it to the directory's owner or
//! to the `postgres` user.
//!
//! One directory has one owner at a time, held by a file lock that ends with its process. A second program
//! that starts on the same directory joins the running server as a client, and may outlive the owner. What a killed program or server
//! leaves behind (a running server, a stale pid file, a half-made database) is put right by the next start.
//!
//! Durability is never traded for speed here: `fsync` and `synchronous_commit` stay on.

mod account;
mod code;
mod database;
mod directory;
mod error;
mod initialise;
mod launch;
mod options;
mod pid_file;
mod process;
mod programs;
mod recovery;
mod server;
mod settings;
mod socket;

pub use code::{CODES, CodeInfo};
pub use error::Error;
pub use server::Server;
pub use settings::{Settings, default_data_dir};
