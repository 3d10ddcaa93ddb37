//! ml-connector: keeps Oracle Fusion Cloud ERP and Asana in agreement.

mod cli;
mod commands;
mod database;
mod exit;
mod output;
mod person;
mod public_url;
mod secret;
mod telemetry;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::read();
    telemetry::start(&cli.global);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::report(&error.into(), &cli.global),
    };
    match runtime.block_on(commands::run(cli.command, &cli.global)) {
        Ok(code) => code,
        Err(error) => exit::report(&error, &cli.global),
    }
}
