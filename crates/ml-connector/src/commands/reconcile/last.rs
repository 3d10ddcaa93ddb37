//! `reconcile --last` and `reconcile --runs`: what was found before.

use std::process::ExitCode;

use connector::reconcile::last::{self, Told};
use connector::store::connections::Connection;
use connector::store::reconciliation_runs::{self, Run};
use sqlx::PgPool;

use super::show;
use crate::cli::Global;
use crate::output;

/// Shows the last run.
pub async fn last(
    db: &PgPool,
    connection: &Connection,
    limit: usize,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let (run, differences) = last::last(db, connection, limit).await?;
    if global.json {
        output::json(&serde_json::json!({
            "name": connection.name, "run": run, "found": run.found(), "remaining": run.remaining(),
            "differences": differences }))?;
        return Ok(ExitCode::SUCCESS);
    }
    if !differences.is_empty() {
        output::data(&table(&differences));
    }
    let more = run.found() - i64::try_from(differences.len()).unwrap_or(i64::MAX);
    if more > 0 {
        output::say(&format!("and {more} more; --limit N shows more of those that are kept"));
    }
    output::data(&output::pairs(facts(&run)).to_string());
    output::say(&match (run.found(), run.remaining()) {
        (0, _) => "both systems agreed".to_owned(),
        (_, 0) => "nothing was left to a person".to_owned(),
        (_, left) if run.drift == "report" => {
            format!("{left} left; ml-connector reconcile {} puts right what it can", connection.name)
        }
        (_, left) => format!("{left} left to a person"),
    });
    Ok(ExitCode::SUCCESS)
}

fn table(differences: &[Told]) -> String {
    let mut columns = vec!["became"];
    columns.extend(show::COLUMNS);
    let mut table = output::table(&columns);
    for told in differences {
        let mut fate = told.fate.replace('_', " ");
        for row in show::rows(&told.difference) {
            table.add_row(std::iter::once(std::mem::take(&mut fate)).chain(row));
        }
    }
    table.to_string()
}

fn facts(run: &Run) -> Vec<(String, String)> {
    let told = |words: &str, text: String| (words.to_owned(), text);
    let mut rows = vec![
        told("run", format!("{} by {}, drift = {}", run.run_id, run.asked_by, run.drift)),
        told("node", run.node_id.to_string()),
        told("began", output::when(Some(run.started_at))),
        told("ended", output::when(Some(run.finished_at))),
        told("compared", format!("{} records, {} tasks, {} journals", run.records, run.tasks, run.journals)),
    ];
    for tally in &run.counts {
        let parts = [
            (tally.repaired, "put right"),
            (tally.under_way, "under way"),
            (tally.told, "told by a movement"),
            (tally.remaining, "left"),
        ];
        let parts: Vec<String> =
            parts.iter().filter(|(n, _)| *n > 0).map(|(n, words)| format!("{n} {words}")).collect();
        rows.push((tally.kind.clone(), format!("{}: {}", tally.found, parts.join(", "))));
    }
    rows
}

/// Lists the runs that are kept, newest first.
pub async fn runs(db: &PgPool, connection: &Connection, global: &Global) -> anyhow::Result<ExitCode> {
    let runs = reconciliation_runs::newest(db, connection.id, reconciliation_runs::KEPT).await?;
    if global.json {
        output::json(&runs)?;
        return Ok(ExitCode::SUCCESS);
    }
    if runs.is_empty() {
        output::say("no reconciliation has ended yet");
        return Ok(ExitCode::SUCCESS);
    }
    let mut table =
        output::table(&["ended", "by", "drift", "records", "tasks", "found", "put right", "left"]);
    for run in &runs {
        let repaired: i64 = run.counts.iter().map(|tally| tally.repaired).sum();
        table.add_row([
            output::when(Some(run.finished_at)),
            run.asked_by.clone(),
            run.drift.clone(),
            run.records.to_string(),
            run.tasks.to_string(),
            run.found().to_string(),
            repaired.to_string(),
            run.remaining().to_string(),
        ]);
    }
    output::data(&table.to_string());
    Ok(ExitCode::SUCCESS)
}
