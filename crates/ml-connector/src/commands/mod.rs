//! One file per command.

pub mod alerts;
mod chosen;
pub mod connection;
pub mod demo;
pub mod doctor;
pub mod erase;
pub mod explain;
pub mod export;
pub mod journals;
pub mod migrate;
pub mod movements;
pub mod poll;
mod proposed;
pub mod reconcile;
pub mod reference;
pub mod sandbox;
pub mod search;
pub mod serve;
pub mod setup;
pub mod trace;
pub mod webhooks;

use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::{Cli, Command, Global};

/// Runs a command.
pub async fn run(command: Command, global: &Global) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(args) => demo::run(args, global).await,
        Command::Serve(args) => serve::run(args, global).await,
        Command::Sandbox(args) => sandbox::run(args, global).await,
        Command::Migrate => migrate::run(global).await,
        Command::Connection(command) => connection::run(command, global).await,
        Command::Poll(args) => poll::run(args, global).await,
        Command::Reconcile(args) => reconcile::run(args, global).await,
        Command::Movements(command) => movements::run(command, global).await,
        Command::Journals(command) => journals::run(command, global).await,
        Command::Alerts(command) => alerts::run(command, global).await,
        Command::Webhooks(command) => webhooks::run(command, global).await,
        Command::Reference(command) => reference::run(command, global).await,
        Command::Trace(args) => trace::run(args, global).await,
        Command::Search(args) => search::run(args, global).await,
        Command::Export(args) => export::run(args, global).await,
        Command::Erase(args) => erase::run(args, global).await,
        Command::Doctor => doctor::run(global).await,
        Command::Explain { code } => explain::run(code.as_deref(), global),
        Command::Completions { shell } => {
            // into memory first: the generator panics when its writer fails, as a closed pipe does
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "ml-connector", &mut script);
            crate::output::data(String::from_utf8_lossy(&script).trim_end());
            Ok(ExitCode::SUCCESS)
        }
    }
}
