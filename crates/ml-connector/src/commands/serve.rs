//! `serve`: the connector, until it is told to stop.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use connector::node;
use tokio::sync::watch;

use crate::cli::Global;
use crate::database::Database;
use crate::{output, secret};

/// How to serve.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where health and status are served
    #[arg(long, env = "ML_CONNECTOR_LISTEN", default_value = "127.0.0.1:8400", value_name = "ADDRESS")]
    listen: SocketAddr,
}

/// Serves until Ctrl-C or SIGTERM; jobs under way get a few seconds to finish.
pub async fn run(args: ServeArgs, global: &Global) -> anyhow::Result<ExitCode> {
    // before anything is started: without the key nothing could be read
    let master = secret::master_key(global.key_file.as_ref())?;
    let database = Database::ready(global).await?;
    let engine = Arc::new(connector::Engine::new(database.pool.clone(), master));
    let listener = tokio::net::TcpListener::bind(args.listen).await?;
    let address = listener.local_addr()?;
    output::say(&format!("ml-connector serves; status at http://{address}/"));
    let stop = watch::Sender::new(false);
    let node = tokio::spawn(node::run(engine.clone(), stop.subscribe()));
    let web = tokio::spawn(console::serve(listener, engine, stop.subscribe()));
    stop_signal().await?;
    output::say("stopping; work under way gets a few seconds to finish");
    stop.send_replace(true);
    node.await?;
    web.await??;
    database.close().await?;
    Ok(ExitCode::SUCCESS)
}

/// Waits for Ctrl-C or SIGTERM.
pub async fn stop_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
