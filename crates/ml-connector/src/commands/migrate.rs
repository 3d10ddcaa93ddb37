//! `migrate`: the schema, up to date.

use std::process::ExitCode;

use crate::cli::Global;
use crate::database::Database;
use crate::output;

/// Applies the migrations that are missing.
pub async fn run(global: &Global) -> anyhow::Result<ExitCode> {
    let database = Database::ready(global).await?;
    let place = database.place();
    database.close().await?;
    if global.json {
        output::json(&serde_json::json!({ "migrated": true, "database": place }))?;
    } else {
        output::say(&format!("the schema is up to date: {place}"));
    }
    Ok(ExitCode::SUCCESS)
}
