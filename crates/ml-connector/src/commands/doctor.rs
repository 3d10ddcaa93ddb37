//! `doctor`: whether this machine, the database and the key are fit.

use std::process::ExitCode;

use connector::ping::{Check, Verdict};
use connector::store::{self, breakers, connections};
use connector::{Code, Error, vault};

use crate::cli::Global;
use crate::database::Database;
use crate::{exit, output, secret};

/// Checks one thing after the other and says what to do.
pub async fn run(global: &Global) -> anyhow::Result<ExitCode> {
    let mut checks = Vec::new();
    let key = secret::master_key(global.key_file.as_ref());
    checks.push(match &key {
        Ok(key) => good("key", format!("fingerprint {}", key.id())),
        Err(error) => bad("key", error),
    });
    match Database::open(global).await {
        Ok(database) => {
            checks.extend(database_checks(&database, key.ok().as_ref()).await?);
            database.close().await?;
        }
        Err(error) => checks.push(match error.downcast_ref::<Error>() {
            Some(known) => bad("database", known),
            None => Check { verdict: Verdict::Failed, ..good("database", format!("{error:#}")) },
        }),
    }
    show(&checks, global)
}

async fn database_checks(
    database: &Database,
    key: Option<&connector::key::MasterKey>,
) -> anyhow::Result<Vec<Check>> {
    let version: String = sqlx::query_scalar("show server_version").fetch_one(&database.pool).await?;
    let mut checks = vec![good("database", format!("PostgreSQL {version}"))];
    if !store::is_migrated(&database.pool).await? {
        let detail = "the schema is not up to date; run `ml-connector migrate`".to_owned();
        checks.push(Check { verdict: Verdict::Failed, ..good("schema", detail) });
        return Ok(checks);
    }
    checks.push(good("schema", "up to date".to_owned()));
    for connection in connections::list(&database.pool).await? {
        for side in breakers::failing(&database.pool, connection.id).await? {
            let (code, detail) = super::connection::failing_side(&side);
            let check = good(&format!("answers to {}", connection.name), detail);
            checks.push(match code.map(Code::info) {
                Some(info) => Check {
                    verdict: Verdict::Failed,
                    code: Some(info.code),
                    remedy: Some(info.remedy),
                    ..check
                },
                None => Check { verdict: Verdict::Note, ..check },
            });
        }
        let name = format!("credentials of {}", connection.name);
        let Some(key) = key else {
            checks.push(Check { verdict: Verdict::Skipped, ..good(&name, "no key".to_owned()) });
            continue;
        };
        let mut db = database.pool.acquire().await?;
        for credential in [vault::CredentialName::OracleClientSecret, vault::CredentialName::AsanaToken] {
            checks.push(match vault::get(&mut db, key, connection.id, credential.clone()).await {
                Ok(_) => good(&name, format!("{} decrypts", credential.name())),
                Err(error) => bad(&name, &error),
            });
        }
    }
    Ok(checks)
}

fn good(name: &str, detail: String) -> Check {
    Check { side: "local", name: name.to_owned(), verdict: Verdict::Ok, detail, code: None, remedy: None }
}

fn bad(name: &str, error: &Error) -> Check {
    Check {
        verdict: Verdict::Failed,
        code: Some(error.code.info().code),
        remedy: Some(error.code.info().remedy),
        ..good(name, with_causes(error))
    }
}

fn with_causes(error: &Error) -> String {
    let mut text = error.message.clone();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(&format!(": {next}"));
        cause = next.source();
    }
    text
}

/// Prints checks; the exit code says whether one failed.
pub fn show(checks: &[Check], global: &Global) -> anyhow::Result<ExitCode> {
    let failed = checks.iter().filter(|c| c.verdict == Verdict::Failed).count();
    if global.json {
        output::json(&serde_json::json!({ "ok": failed == 0, "checks": checks }))?;
    } else {
        let mut table = output::table(&["", "side", "checked", "found"]);
        for check in checks {
            let mark = match check.verdict {
                Verdict::Ok => "ok",
                Verdict::Note => "note",
                Verdict::Failed => "FAILED",
                Verdict::Skipped => "skipped",
            };
            let found =
                check.code.map_or_else(|| check.detail.clone(), |code| format!("{code}: {}", check.detail));
            table.add_row([mark, check.side, &check.name, &found]);
        }
        output::data(&table.to_string());
        for check in checks {
            if let (Some(code), Some(remedy)) = (check.code, check.remedy) {
                output::data(&format!("{code}, {}: {remedy}", check.name));
            }
        }
        if failed > 0 {
            output::say(&format!("{failed} of {} checks failed", checks.len()));
        }
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(exit::FOUND_PROBLEMS) })
}
