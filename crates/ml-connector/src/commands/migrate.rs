//! `migrate`: the schema, up to date.

use std::process::ExitCode;

use crate::cli::Global;
use crate::database::Database;
use crate::output;

/// Applies the migrations that are missing.
pub async fn run(global: &Global) -> anyhow::Result<ExitCode> {
    let database = Database::ready(global).await?;
    database.close().await?;
    if global.json {
        output::json(&serde_json::json!({ "migrated": true }))?;
    } else {
        output::say("the database's schema is up to date");
    }
    Ok(ExitCode::SUCCESS)
}
