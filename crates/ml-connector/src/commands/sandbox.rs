//! `sandbox`: the stand-ins on their own, for trying things out against them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use sandbox::oracle::LedgerFacts;
use sandbox::{AsanaConfig, Board, GenerateOptions, Sandbox, SandboxConfig};

use crate::cli::Global;
use crate::commands::serve::Stop;
use crate::output;

mod newcomer;

/// What the stand-ins begin with.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Where the Oracle side listens
    #[arg(long, default_value = "127.0.0.1:8401", value_name = "ADDRESS")]
    oracle: SocketAddr,
    /// Where the Asana side listens
    #[arg(long, default_value = "127.0.0.1:8402", value_name = "ADDRESS")]
    asana: SocketAddr,
    /// Where clock, faults and edits are controlled
    #[arg(long, default_value = "127.0.0.1:8403", value_name = "ADDRESS")]
    control: SocketAddr,
    /// Load published orders and invoices (JSON Lines) from this directory instead of making some up
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How many orders to make up, and as many invoices
    #[arg(long, default_value_t = 300, value_name = "N")]
    orders: usize,
    /// How many suppliers to make up besides those that orders name
    #[arg(long, default_value_t = 0, value_name = "N")]
    suppliers: usize,
    /// How many accounts to make up besides those that orders name
    #[arg(long, default_value_t = 0, value_name = "N")]
    accounts: usize,
    /// Orders without lines, and no invoices
    #[arg(long)]
    headers_only: bool,
    /// Lines of every order
    #[arg(long, value_name = "N")]
    lines: Option<usize>,
    /// Equal seeds make equal data
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Requests a minute that the Asana side allows; 0: no limit
    #[arg(long, default_value_t = 1500, value_name = "N")]
    asana_rate: u32,
    /// Milliseconds that every answer of the Asana side takes at least
    #[arg(long, default_value_t = 0, value_name = "MS")]
    asana_latency: u64,
    /// A project without custom fields, as a newcomer finds it; and write into this directory what `connection apply`
    /// takes: connection.toml, with both secrets in files beside it; what to do with them is printed
    #[arg(long, value_name = "DIR")]
    newcomer: Option<PathBuf>,
}

/// Runs the stand-ins until Ctrl-C.
pub async fn run(args: SandboxArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let asana = AsanaConfig {
        requests_per_minute: Some(args.asana_rate),
        latency_ms: args.asana_latency,
        ..AsanaConfig::default()
    };
    let sandbox = Sandbox::start(SandboxConfig {
        oracle_address: args.oracle,
        asana_address: args.asana,
        control_address: args.control,
        asana,
        fault_seed: args.seed,
        ..SandboxConfig::default()
    })
    .await?;
    match &args.data {
        Some(directory) => {
            sandbox.oracle().load(directory)?;
        }
        None => {
            let made = GenerateOptions {
                seed: args.seed,
                orders: args.orders,
                invoices: if args.headers_only { 0 } else { args.orders },
                headers_only: args.headers_only,
                lines_per_order: args.lines,
                ..GenerateOptions::default()
            };
            sandbox.oracle().generate(&made).map_err(anyhow::Error::msg)?;
        }
    }
    sandbox.oracle().generate_reference(args.suppliers, args.accounts).map_err(anyhow::Error::msg)?;
    let refused = || anyhow::anyhow!("the Asana stand-in refused the board");
    let stop = Stop::listen()?;
    if let Some(directory) = &args.newcomer {
        let board = Board::bare(sandbox.asana(), "Purchasing").ok_or_else(refused)?;
        let written = newcomer::write(directory, &sandbox, &board)?;
        match global.json {
            true => show_facts(&sandbox, &board, &board, &written.files()),
            false => written.show(&sandbox),
        }
    } else {
        let board = Board::seed(sandbox.asana(), "Purchasing").ok_or_else(refused)?;
        let whole = board.clone().with_journal_fields(sandbox.asana()).ok_or_else(refused)?;
        match global.json {
            true => show_facts(&sandbox, &board, &whole, &[]),
            false => show(&sandbox, &whole),
        }
    }
    stop.asked().await;
    sandbox.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

/// Prints everything that a connection needs as JSON, and which files were written. The fields of journals stand apart,
/// since they need the journal settings.
fn show_facts(sandbox: &Sandbox, board: &Board, whole: &Board, files: &[PathBuf]) {
    let oracle = sandbox.oracle().config();
    let object = |fields: &[(&str, String)]| -> serde_json::Map<String, serde_json::Value> {
        fields.iter().map(|(key, gid)| ((*key).to_owned(), gid.clone().into())).collect()
    };
    let (fields, of_journals) = whole.fields.split_at(board.fields.len().min(whole.fields.len()));
    let facts = serde_json::json!({
        "oracle_url": sandbox.oracle_url(), "token_url": sandbox.token_url(),
        "client_id": oracle.client_id, "client_secret": oracle.client_secret, "scope": oracle.scope,
        "asana_url": sandbox.asana_url(), "asana_token": asana_token(sandbox), "control_url": sandbox.control_url(),
        "workspace": board.workspace, "project": board.project,
        "fields": object(fields), "journal_fields": object(of_journals),
        "ledger": sandbox.oracle().ledger_facts(), "second_ledger": sandbox.oracle().second_ledger_facts(),
        "files": files,
    });
    output::data(&facts.to_string());
}

/// Prints everything that a connection needs, for a person.
fn show(sandbox: &Sandbox, whole: &Board) {
    output::data(&output::pairs(addresses(sandbox)).to_string());
    let secrets = [
        ("Oracle's client secret", sandbox.oracle().config().client_secret.clone()),
        ("Asana's token", asana_token(sandbox)),
    ];
    output::data("made up, for files of their own:");
    output::data(&output::pairs(secrets).to_string());
    output::data("settings, for a file that `connection add` takes:\n");
    output::data(&settings(sandbox, whole));
    output::say("Ctrl-C ends it");
}

/// Where a person looks at the stand-ins, and changes them.
fn addresses(sandbox: &Sandbox) -> [(&'static str, String); 3] {
    [
        ("purchase orders in a browser", format!("{}/", sandbox.oracle_url())),
        ("tasks in a browser", format!("{}/", sandbox.asana_url().trim_end_matches("/api/1.0"))),
        ("control of clock, faults and edits", sandbox.control_url()),
    ]
}

fn asana_token(sandbox: &Sandbox) -> String {
    sandbox.asana().config().tokens.first().map(|t| t.token.clone()).unwrap_or_default()
}

/// The settings of a connection with these stand-ins, whole.
fn settings(sandbox: &Sandbox, board: &Board) -> String {
    let ledger = sandbox.oracle().ledger_facts();
    let (first, accounts) = (settings_without_journals(sandbox, board), account_settings(&ledger));
    format!("{first}{}{accounts}", journal_settings(&ledger))
}

fn settings_without_journals(sandbox: &Sandbox, board: &Board) -> String {
    let oracle = sandbox.oracle().config();
    let fields: String = board.fields.iter().map(|(key, gid)| format!("{key} = \"{gid}\"\n")).collect();
    let fields = if fields.is_empty() { fields } else { format!("[fields]\n{fields}\n") };
    format!(
        "[oracle]\nurl = \"{}\"\ntoken_url = \"{}\"\nclient_id = \"{}\"\nscope = \"{}\"\n\n\
         [asana]\nurl = \"{}\"\nworkspace = \"{}\"\n\n\
         {fields}[routing.default]\nproject = \"{}\"\n",
        sandbox.oracle_url(),
        sandbox.token_url(),
        oracle.client_id,
        oracle.scope,
        sandbox.asana_url(),
        board.workspace,
        board.project,
    )
}

/// The settings that fit the primary ledger. Settings count segments from 1.
fn journal_settings(ledger: &LedgerFacts) -> String {
    format!(
        "\n[journal]\nledger_id = \"{}\"\nledger = \"{}\"\nledger_currency = \"{}\"\nsource = \"{}\"\n\
         category = \"{}\"\ndata_access_set = \"{}\"\nclearing_account_id = \"{}\"   # {}\n\
         balancing_segment = {}\ntime_zone = \"UTC\"\nrate_type = \"{}\"\n",
        ledger.ledger_id,
        ledger.ledger_name,
        ledger.currency,
        ledger.source,
        ledger.category,
        ledger.data_access_set_id,
        ledger.clearing_account_id,
        ledger.clearing_account,
        ledger.balancing_segment + 1,
        ledger.conversion_type,
    )
}

/// How the ledger's accounts are cut.
fn account_settings(ledger: &LedgerFacts) -> String {
    format!(
        "\n[routing.account]\ndelimiter = \"{}\"\ncost_center_segment = {}\naccount_segment = {}\n",
        ledger.delimiter,
        ledger.cost_center_segment + 1,
        ledger.account_segment + 1,
    )
}
