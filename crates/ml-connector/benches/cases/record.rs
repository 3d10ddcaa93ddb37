//! `record`: what recording costs a push that nothing else holds up.
//!
//! "Not recording" is the same program on the same database, whose tables are made to forget: a rule drops each inserted
//! exchange, and a trigger empties the movement's record, request and answer before they are written. The movement itself
//! stays, since it is the queue too. The product has no such switch.

use std::path::Path;

use serde_json::json;
use sqlx::PgConnection;

use crate::database::Postgres;
use crate::engine::{Engine, NAME};
use crate::report::{Measured, Target, progress};
use crate::stand_in::StandIn;

/// Far above what can be reached.
const UNBOUNDED: u32 = 6_000_000;
/// Pushes of each kind in one run, in turn.
const TURNS: usize = 3;

const FORGET: &str = "
    create rule forgotten as on insert to attempts do instead nothing;
    create function forget() returns trigger language plpgsql as $$
    begin
        new.body := null;
        new.response := null;
        new.request := case when new.request is not null then '' end;
        return new;
    end $$;
    create trigger forgotten before insert or update on movements for each row execute function forget()";
const REMEMBER: &str = "
    drop trigger forgotten on movements;
    drop function forget();
    drop rule forgotten on attempts";

/// Measures pushes of changes to tasks whose links are known, with the log and without it in turn.
pub async fn measure(tasks: usize, runs: u32, dir: &Path) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    let mut postgres = Postgres::start(dir).await?;
    for run in 1..=runs {
        progress(&format!("run {run} of {runs}: making {tasks} tasks"));
        let stand_in =
            StandIn::start(&["--orders", &tasks.to_string(), "--lines", "1", "--asana-rate", "0"])?;
        let url = postgres.fresh("recorded").await?;
        let engine = Engine::connect(url, &stand_in, postgres.directory(), UNBOUNDED).await?;
        engine.run(&["poll", NAME, "--feed", "purchase_orders"]).await?;
        let mut db = engine.open().await?;
        // one push that does not count
        push(&mut postgres, &engine, &stand_in, &mut db, tasks, 0).await?;
        for turn in 1..=TURNS {
            progress(&format!("run {run} of {runs}: turn {turn} of {TURNS}"));
            let recorded = push(&mut postgres, &engine, &stand_in, &mut db, tasks, 2 * turn - 1).await?;
            sqlx::raw_sql(FORGET).execute(&mut db).await?;
            let forgotten = push(&mut postgres, &engine, &stand_in, &mut db, tasks, 2 * turn).await;
            sqlx::raw_sql(REMEMBER).execute(&mut db).await?;
            let forgotten = forgotten?;
            measured.add("cost_ratio", Target::AtMost(1.15), recorded / forgotten);
            measured.add("per_second", Target::None, tasks as f64 / recorded);
            measured.add("forgetting_per_second", Target::None, tasks as f64 / forgotten);
        }
        stand_in.end().await?;
    }
    measured.note(format!(
        "{tasks} changed tasks a push, answers of the stand-in at once, no limit of requests; without: exchanges, bodies, \
         requests and answers are thrown away by a rule and a trigger of the benchmark's"
    ));
    measured.note(format!("PostgreSQL {}", postgres.version().await?));
    postgres.stop().await?;
    Ok(measured)
}

/// Changes every order, and returns the seconds of the push that follows.
async fn push(
    postgres: &mut Postgres,
    engine: &Engine,
    stand_in: &StandIn,
    db: &mut PgConnection,
    tasks: usize,
    round: usize,
) -> anyhow::Result<f64> {
    let orders: Vec<String> =
        sqlx::query_scalar("select source_id from documents").fetch_all(&mut *db).await?;
    let mut edits = Vec::with_capacity(orders.len());
    for (at, order) in orders.iter().enumerate() {
        let amount = format!("{}.25", 1_000_000 * (round + 1) + at);
        edits.push(
            json!({ "edit": "line_amount", "order": order.parse::<i64>()?, "line": 1, "amount": amount }),
        );
    }
    stand_in.send(reqwest::Method::POST, "/oracle/edits", &edits.into()).await?;
    engine.run(&["poll", NAME, "--feed", "purchase_orders", "--no-push"]).await?;
    // ends in a checkpoint, which then does not fall into the push
    postgres.fresh("written").await?;
    let ended = engine.run(&["poll", NAME, "--feed", "purchase_orders", "--json"]).await?;
    let report: serde_json::Value = serde_json::from_str(&ended.stdout)?;
    let updated = report["push"]["updated"].as_u64();
    anyhow::ensure!(
        updated == Some(tasks as u64),
        "of {tasks} tasks {updated:?} were updated\n{}",
        ended.stdout
    );
    let seconds = "select extract(epoch from finished_at - started_at)::float8 from jobs where job = 'push'";
    Ok(sqlx::query_scalar(seconds).fetch_one(db).await?)
}
