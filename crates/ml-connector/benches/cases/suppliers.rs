//! `suppliers`: all suppliers read into an empty database, then once more without a change.

use std::path::Path;

use sqlx::Row;

use crate::database::Postgres;
use crate::engine::{Engine, NAME};
use crate::report::{Measured, Target, progress};
use crate::stand_in::StandIn;

/// Suppliers besides the few that orders name.
const SUPPLIERS: i64 = 50_000;

/// Measures both readings with the program's own command.
pub async fn measure(runs: u32, dir: &Path) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    let mut postgres = Postgres::start(dir).await?;
    progress(&format!("making {SUPPLIERS} suppliers"));
    let stand_in = StandIn::start(&["--orders", "0", "--suppliers", &SUPPLIERS.to_string()])?;
    // one reading that does not count: the stand-in renders each row once and then keeps it
    read(&connect(&mut postgres, &stand_in).await?).await?;
    for run in 1..=runs {
        progress(&format!("run {run} of {runs}"));
        let engine = connect(&mut postgres, &stand_in).await?;
        measured.add("first_seconds", Target::AtMost(10.0), read(&engine).await?);
        measured.add("again_seconds", Target::AtMost(2.0), read(&engine).await?);
    }
    measured.note(format!("PostgreSQL {}", postgres.version().await?));
    stand_in.end().await?;
    postgres.stop().await?;
    Ok(measured)
}

async fn connect(postgres: &mut Postgres, stand_in: &StandIn) -> anyhow::Result<Engine> {
    let url = postgres.fresh("engine").await?;
    Engine::connect(url, stand_in, postgres.directory(), 1500).await
}

/// Seconds of one reading, after which all suppliers are there.
async fn read(engine: &Engine) -> anyhow::Result<f64> {
    let ended = engine.run(&["reference", "sync", NAME, "suppliers"]).await?;
    let mut db = engine.open().await?;
    let stored = sqlx::query("select count(*) as stored from suppliers where gone_at is null");
    let stored: i64 = stored.fetch_one(&mut db).await?.get("stored");
    anyhow::ensure!(stored >= SUPPLIERS, "{stored} suppliers are stored:\n{}", ended.stdout);
    Ok(ended.elapsed.as_secs_f64())
}
