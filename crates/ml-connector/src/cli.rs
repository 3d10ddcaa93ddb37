//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue};
use clap::{Args, CommandFactory, Parser, Subcommand};

/// Keeps Oracle Fusion Cloud ERP and Asana in agreement: purchase orders and invoices onto Asana tasks, completed
/// tasks into journals.
#[derive(Debug, Parser)]
#[command(name = "ml-connector", version, arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads the command line; what is wrong with it is said, and ends the program.
    pub fn read() -> Cli {
        Cli::try_parse().unwrap_or_else(|error| with_plain_usage(error, std::env::args_os()).exit())
    }
}

/// The error with the command's own usage line. The library's names every option that has a value, even from the
/// environment, as if it were required: `connection ping --data-dir <DIR> <NAME>`.
fn with_plain_usage(mut error: clap::Error, args: impl IntoIterator<Item = OsString>) -> clap::Error {
    if error.get(ContextKind::Usage).is_some()
        && let Some(usage) = usage(args)
    {
        error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
    }
    error
}

/// The usage line of the command that was meant.
fn usage(args: impl IntoIterator<Item = OsString>) -> Option<StyledStr> {
    let matches = Cli::command().ignore_errors(true).try_get_matches_from(args).ok()?;
    let mut whole = Cli::command();
    whole.build();
    let (mut command, mut matches) = (&mut whole, &matches);
    while let Some((name, below)) = matches.subcommand() {
        command = command.find_subcommand_mut(name)?;
        matches = below;
    }
    Some(command.render_usage())
}

/// What holds for every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Print JSON on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// What to log on standard error: error, warn, info, debug, trace, or a filter such as connector=debug
    #[arg(long, global = true, env = "ML_CONNECTOR_LOG", default_value = "warn", value_name = "FILTER")]
    pub log: String,
    /// Log as JSON lines
    #[arg(long, global = true)]
    pub log_json: bool,
    /// PostgreSQL to use; without it a private server runs in the data directory
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<secrecy::SecretString>,
    /// Where the private server keeps its files; the demo keeps its own in `demo` below it
    #[arg(long, global = true, env = "ML_CONNECTOR_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// File with the key-encryption key (32 bytes in base64); else ML_CONNECTOR_KEY
    #[arg(long, global = true, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show it working: both stand-ins, real HTTP, a private PostgreSQL, one synchronisation
    Demo(crate::commands::demo::DemoArgs),
    /// Run the connector: poll and push on schedule, take Asana's events, and send journals
    Serve(crate::commands::serve::ServeArgs),
    /// Run the stand-ins for Oracle Fusion and Asana
    Sandbox(crate::commands::sandbox::SandboxArgs),
    /// Bring the database's schema up to date
    Migrate,
    /// Add, show, change and test connections
    #[command(subcommand)]
    Connection(crate::commands::connection::ConnectionCommand),
    /// Read from Oracle and write to Asana now
    Poll(crate::commands::poll::PollArgs),
    /// Compare Oracle and Asana completely, and put right what differs
    Reconcile(crate::commands::reconcile::ReconcileArgs),
    /// Look at the record log
    #[command(subcommand)]
    Movements(crate::commands::movements::MovementsCommand),
    /// Look at completed tasks and their journals, or at what one would bring
    #[command(subcommand)]
    Journals(crate::commands::journals::JournalsCommand),
    /// Look at Asana's webhooks, and register, compare or take them back now
    #[command(subcommand)]
    Webhooks(crate::commands::webhooks::WebhooksCommand),
    /// Look at what a person must know, and take note of it
    #[command(subcommand)]
    Alerts(crate::commands::alerts::AlertsCommand),
    /// Read suppliers and accounts from Oracle, look at them, and check tasks against them
    #[command(subcommand)]
    Reference(crate::commands::reference::ReferenceCommand),
    /// Tell everything that happened about one order or one task, in both directions
    Trace(crate::commands::trace::TraceArgs),
    /// Find movements and journals by an order, task, supplier, invoice, batch or words
    Search(crate::commands::search::SearchArgs),
    /// Write the record log to a file, as JSON Lines or CSV
    Export(crate::commands::export::ExportArgs),
    /// Erase what names a supplier or a person from the log, on request
    Erase(crate::commands::erase::EraseArgs),
    /// Check this machine, the database and the key
    Doctor,
    /// Say what an error code means
    Explain {
        /// The code, such as MLC-1201; without one all are listed
        code: Option<String>,
    },
    /// Print a script for your shell's completion
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(args: &[&str]) -> String {
        let args = || ["ml-connector"].iter().chain(args).map(OsString::from);
        let error = Cli::try_parse_from(args()).unwrap_err();
        with_plain_usage(error, args()).to_string()
    }

    #[test]
    fn a_usage_line_names_only_what_the_command_needs() {
        for (args, usage) in [
            (
                &["--data-dir", "x", "connection", "ping"][..],
                "ml-connector connection ping [OPTIONS] <NAME>\n",
            ),
            (
                &["connection", "--database-url", "x", "rollback", "acme", "--json"],
                "ml-connector connection rollback [OPTIONS] <NAME> <VERSION>\n",
            ),
            (
                &["--key-file", "x", "poll", "acme", "--nonsense"],
                "ml-connector poll [OPTIONS] <CONNECTION>\n",
            ),
            (&["connection", "add", "acme"], "ml-connector connection add [OPTIONS] --file <FILE> <NAME>\n"),
        ] {
            let shown = refused(args);
            assert!(shown.contains(&format!("Usage: {usage}")), "{shown}");
        }
        // what is not given is still said
        assert!(refused(&["--data-dir", "x", "connection", "ping"]).contains("<NAME>\n\n"));
    }
}
