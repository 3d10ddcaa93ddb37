//! `movements`: the record log, and sending again what stands in it.

mod edit;
mod filter;
mod list;
mod replay;
mod show;

use std::process::ExitCode;

use clap::Subcommand;
use connector::ids::MovementId;
use connector::{Code, Error};

pub(crate) use self::show::{actions, exchanges};
use crate::cli::Global;
use crate::database::Database;

/// Looking at the record log, and sending again.
#[derive(Debug, Subcommand)]
pub enum MovementsCommand {
    /// List movements, newest first, or count them by state and code
    List(list::ListArgs),
    /// Show one movement with its record, request and answer, and what people did to it
    Show {
        /// The connection's name
        connection: String,
        /// The movement's id
        id: String,
    },
    /// Send movements again from their stored records, without asking Oracle
    Replay(replay::ReplayArgs),
    /// Change the record of a movement before it is sent again; what it carried is kept
    Edit(edit::EditArgs),
    /// Give up movements that are held or failed
    Discard(edit::DiscardArgs),
}

/// Runs the command.
pub async fn run(command: MovementsCommand, global: &Global) -> anyhow::Result<ExitCode> {
    let database = Database::ready(global).await?;
    let result = match command {
        MovementsCommand::List(args) => list::run(&database, args, global).await,
        MovementsCommand::Show { connection, id } => show::run(&database, &connection, &id, global).await,
        MovementsCommand::Replay(args) => replay::run(&database, args, global).await,
        MovementsCommand::Edit(args) => edit::run(&database, args, global).await,
        MovementsCommand::Discard(args) => edit::discard(&database, args, global).await,
    };
    database.close().await?;
    result
}

/// A movement's id as it was typed.
fn id(text: &str) -> Result<MovementId, Error> {
    let unknown = |_| Error::new(Code::MovementUnknown, format!("`{text}` is not a movement's id"));
    text.parse().map_err(unknown)
}
