//! Erasing what names a supplier or a person: the statements of [`erase`](crate::erase), page by page.
//!
//! Every statement looks and, when it is really done, erases what it found; a second time it finds nothing. What is not at
//! its end is counted and left alone.

pub mod copies;
pub mod log;

use jiff::Timestamp;
use sqlx::PgPool;
use tokio::sync::watch;
use uuid::Uuid;

use crate::erase::Counted;
use crate::erase::needle::Needle;
use crate::erase::supplier::Supplier;
use crate::error::Result;
use crate::ids::ConnectionId;

/// Rows looked at by one statement.
const PAGE: i64 = 1_000;

/// What is looked for, whether it is erased, and what comes in its place.
#[derive(Debug)]
pub struct Pass<'a> {
    /// The database.
    pub db: &'a PgPool,
    /// The connection.
    pub connection: ConnectionId,
    /// What is looked for.
    pub needle: &'a Needle,
    /// The supplier's records, each as feed and id with a space between: their movements go, whatever they say.
    pub records: &'a [String],
    /// The supplier's orders: what is told of their completions goes, whatever it says.
    pub orders: &'a [String],
    /// Whether what is found is erased; otherwise it is only counted.
    pub really: bool,
    /// In place of a body: JSON that says when it was erased.
    pub body: &'a str,
    /// In place of the name of somebody who did something: the same for the same person.
    pub who: &'a str,
    /// Counts rows looked at.
    pub progress: &'a watch::Sender<u64>,
}

impl Pass<'_> {
    /// Adds what a page told, and says whether there may be another.
    fn add(&self, counted: &mut Counted, looked: i64, erased: i64, open: i64) -> bool {
        self.progress.send_modify(|rows| *rows += looked.unsigned_abs());
        counted.erased += erased.unsigned_abs();
        counted.open += open.unsigned_abs();
        looked == PAGE
    }
}

/// How many rows are looked at, about: what the tables with many rows have.
pub async fn rows(db: &PgPool, connection: ConnectionId) -> Result<u64> {
    let rows = sqlx::query_scalar!(
        "select (select count(*) from movements where connection_id = $1)
              + (select count(*) from attempts where connection_id = $1)
              + (select count(*) from journal_steps where connection_id = $1)
              + (select count(*) from deliveries where connection_id = $1)
              + (select count(*) from completions where connection_id = $1)
              + (select count(*) from journals where connection_id = $1)
              + (select count(*) from tasks where connection_id = $1)
              + (select count(*) from actions where connection_id = $1)
              + (select count(*) from documents where connection_id = $1) as \"rows!\"",
        connection.0
    )
    .fetch_one(db)
    .await?;
    Ok(rows.unsigned_abs())
}

/// The suppliers of the stored list that have this id, number or name.
pub async fn listed(db: &PgPool, connection: ConnectionId, text: &str) -> Result<Vec<Supplier>> {
    let rows = sqlx::query!(
        "select supplier_id, name, number from suppliers
         where connection_id = $1 and (supplier_id = $2 or number = $2 or upper(name) = upper($2))",
        connection.0,
        text,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Supplier { id: Some(r.supplier_id), name: Some(r.name), number: r.number })
        .collect())
}

/// The action that tells of an erasure. It is there before anything is erased.
pub async fn begin(
    db: &PgPool,
    connection: ConnectionId,
    (by, note): (&str, Option<&str>),
    told: &str,
) -> Result<Uuid> {
    let id = sqlx::query_scalar!(
        "insert into actions (connection_id, subject_kind, subject_id, done_by, what, note, after)
         values ($1, 'connection', $1, $2, 'erased', $3, $4) returning action_id",
        connection.0,
        by,
        note,
        told,
    )
    .fetch_one(db)
    .await?;
    Ok(id)
}

/// What came of it.
pub async fn finish(db: &PgPool, connection: ConnectionId, action: Uuid, told: &str) -> Result<()> {
    sqlx::query!(
        "update actions set after = $3 where connection_id = $1 and action_id = $2 and what = 'erased'",
        connection.0,
        action,
        told,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// An erasure as it was stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The action's id.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Why, in the person's words.
    pub note: Option<String>,
    /// What, as JSON.
    pub told: Option<String>,
}

/// The newest erasures, newest first.
pub async fn past(db: &PgPool, connection: ConnectionId, limit: i64) -> Result<Vec<Stored>> {
    let rows = sqlx::query!(
        "select action_id, at, done_by, note, after from actions
         where connection_id = $1 and subject_id = $1 and what = 'erased' order by action_id desc limit $2",
        connection.0,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Stored { id: r.action_id, at: r.at.to_jiff(), by: r.done_by, note: r.note, told: r.after })
        .collect())
}

/// Whether the connection's settings say a name, or earlier ones: a person changes them, nobody else.
pub async fn settings_say(db: &PgPool, connection: ConnectionId, needle: &Needle) -> Result<bool> {
    let say = sqlx::query_scalar!(
        "select exists (select from connections where connection_id = $1 and says(settings, $2, $3))
             or exists (select from settings_versions where connection_id = $1 and says(settings, $2, $3)) as \"say!\"",
        connection.0,
        &needle.plain,
        needle.pattern,
    )
    .fetch_one(db)
    .await?;
    Ok(say)
}
