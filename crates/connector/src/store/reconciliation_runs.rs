//! What the newest reconciliations found.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::error::Result;
use crate::ids::{ConnectionId, NodeId};
use crate::store::at;

/// So many of a connection's runs are kept.
pub const KEPT: i64 = 30;

/// A run that has ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Run {
    /// The run: a UUID of version 7.
    pub run_id: Uuid,
    /// The node that made it.
    pub node_id: Uuid,
    /// `schedule` or `person`.
    pub asked_by: String,
    /// `repair` or `report`.
    pub drift: String,
    /// When reading began.
    pub started_at: Timestamp,
    /// When its findings were stored.
    pub finished_at: Timestamp,
    /// Orders and invoices that were read.
    pub records: i64,
    /// Tasks that were listed.
    pub tasks: i64,
    /// Journals whose batch was looked up.
    pub journals: i64,
    /// By kind, what was found; kinds of which nothing was found are not there.
    pub counts: Vec<Tally>,
}

impl Run {
    /// How many differences were found.
    #[must_use]
    pub fn found(&self) -> i64 {
        self.counts.iter().map(|tally| tally.found).sum()
    }

    /// How many are left to a person.
    #[must_use]
    pub fn remaining(&self) -> i64 {
        self.counts.iter().map(|tally| tally.remaining).sum()
    }
}

/// How many differences of a kind there were, and what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// The kind.
    pub kind: String,
    /// All of them: the sum of the others.
    pub found: i64,
    /// Put right.
    pub repaired: i64,
    /// Gone by itself soon: the record had only just changed, or is on its way.
    pub under_way: i64,
    /// The record log says why, and an alert of its own tells.
    pub told: i64,
    /// Left to a person.
    pub remaining: i64,
}

/// A difference as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What became of it: `repaired`, `under_way`, `told` or `remaining`.
    pub fate: String,
    /// The difference, as JSON.
    pub difference: String,
}

/// Keeps a run with some of its differences, and forgets those that are older than the newest [`KEPT`].
pub async fn keep(
    db: &mut PgConnection,
    connection: ConnectionId,
    node: NodeId,
    run: &Run,
    differences: &[Kept],
) -> Result<()> {
    sqlx::query!(
        "insert into reconciliations (connection_id, run_id, node_id, asked_by, drift, started_at, records, tasks, journals)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        connection.0,
        run.run_id,
        node.0,
        run.asked_by,
        run.drift,
        at(run.started_at) as jiff_sqlx::Timestamp,
        run.records,
        run.tasks,
        run.journals,
    )
    .execute(&mut *db)
    .await?;
    keep_counts(&mut *db, connection, run).await?;
    let (places, (fates, texts)): (Vec<i32>, (Vec<&str>, Vec<&str>)) = (0..)
        .zip(differences)
        .map(|(place, kept)| (place, (kept.fate.as_str(), kept.difference.as_str())))
        .unzip();
    sqlx::query!(
        "insert into reconciliation_differences (connection_id, run_id, place, fate, difference)
         select $1, $2, * from unnest($3::int[], $4::text[], $5::text[])",
        connection.0,
        run.run_id,
        &places,
        &fates as _,
        &texts as _,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "delete from reconciliations where connection_id = $1 and run_id not in (
             select run_id from reconciliations where connection_id = $1
             order by finished_at desc, run_id desc limit $2)",
        connection.0,
        KEPT,
    )
    .execute(db)
    .await?;
    Ok(())
}

async fn keep_counts(db: &mut PgConnection, connection: ConnectionId, run: &Run) -> Result<()> {
    let of = |count: fn(&Tally) -> i64| -> Vec<i64> { run.counts.iter().map(count).collect() };
    let kinds: Vec<&str> = run.counts.iter().map(|tally| tally.kind.as_str()).collect();
    sqlx::query!(
        "insert into reconciliation_counts (connection_id, run_id, kind, found, repaired, under_way, told, remaining)
         select $1, $2, * from unnest($3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])",
        connection.0,
        run.run_id,
        &kinds as _,
        &of(|tally| tally.found),
        &of(|tally| tally.repaired),
        &of(|tally| tally.under_way),
        &of(|tally| tally.told),
        &of(|tally| tally.remaining),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The newest runs, newest first.
pub async fn newest(db: &PgPool, connection: ConnectionId, limit: i64) -> Result<Vec<Run>> {
    let rows = sqlx::query!(
        "select run_id, node_id, asked_by, drift, started_at, finished_at, records, tasks, journals
         from reconciliations where connection_id = $1
         order by finished_at desc, run_id desc limit $2",
        connection.0,
        limit,
    )
    .fetch_all(db)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.run_id).collect();
    let mut counts = counts(db, connection, &ids).await?;
    Ok(rows
        .into_iter()
        .map(|row| Run {
            run_id: row.run_id,
            node_id: row.node_id,
            asked_by: row.asked_by,
            drift: row.drift,
            started_at: row.started_at.to_jiff(),
            finished_at: row.finished_at.to_jiff(),
            records: row.records,
            tasks: row.tasks,
            journals: row.journals,
            counts: counts.remove(&row.run_id).unwrap_or_default(),
        })
        .collect())
}

/// What these runs found, by kind.
async fn counts(db: &PgPool, connection: ConnectionId, runs: &[Uuid]) -> Result<HashMap<Uuid, Vec<Tally>>> {
    let rows = sqlx::query!(
        "select run_id, kind, found, repaired, under_way, told, remaining from reconciliation_counts
         where connection_id = $1 and run_id = any($2) order by kind",
        connection.0,
        runs,
    )
    .fetch_all(db)
    .await?;
    let mut counts: HashMap<Uuid, Vec<Tally>> = HashMap::new();
    for r in rows {
        counts.entry(r.run_id).or_default().push(Tally {
            kind: r.kind,
            found: r.found,
            repaired: r.repaired,
            under_way: r.under_way,
            told: r.told,
            remaining: r.remaining,
        });
    }
    Ok(counts)
}

/// The differences of a run that were kept, those that are left first.
pub async fn differences(db: &PgPool, connection: ConnectionId, run: Uuid, limit: i64) -> Result<Vec<Kept>> {
    let rows = sqlx::query_as!(
        Kept,
        "select fate, difference from reconciliation_differences
         where connection_id = $1 and run_id = $2 order by place limit $3",
        connection.0,
        run,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}
