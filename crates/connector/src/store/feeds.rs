//! How far each feed has read.

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

use crate::error::Result;
use crate::feed::Feed;
use crate::ids::ConnectionId;
use crate::store::at;

/// How a feed is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By `LastUpdateDate`, from the watermark.
    ByLastUpdate,
    /// All rows by id, since the pod cannot filter by `LastUpdateDate`.
    FullScan,
}

impl Mode {
    /// The name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::ByLastUpdate => "by_last_update",
            Mode::FullScan => "full_scan",
        }
    }
}

/// A feed's state.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FeedState {
    /// Which feed.
    pub feed: String,
    /// How it is read; `None` until the pod was asked.
    pub mode: Option<Mode>,
    /// The highest `LastUpdateDate` that is safely stored.
    pub watermark: Option<Timestamp>,
    /// The last id stored at that instant: together the last pair seen.
    pub watermark_id: Option<String>,
    /// Whether the last poll ended before the end; the next goes on at the watermark itself.
    pub unfinished: bool,
    /// The last id of a full scan that is under way.
    pub scan_after: Option<String>,
    /// When the full scan that is under way began.
    pub scan_started_at: Option<Timestamp>,
    /// When the last full scan was complete.
    pub scanned_at: Option<Timestamp>,
}

/// Creates the feed rows of a new connection.
pub async fn create(db: &mut PgConnection, connection: ConnectionId) -> Result<()> {
    let names: Vec<String> = Feed::ALL.iter().map(|feed| feed.as_str().to_owned()).collect();
    sqlx::query!(
        "insert into feeds (connection_id, feed) select $1, name from unnest($2::text[]) as name
         on conflict do nothing",
        connection.0,
        &names
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Loads a feed's state.
pub async fn load(db: &PgPool, connection: ConnectionId, feed: Feed) -> Result<FeedState> {
    let row = sqlx::query!(
        "select feed, mode, watermark, watermark_id, unfinished, scan_after, scan_started_at, scanned_at
         from feeds where connection_id = $1 and feed = $2",
        connection.0,
        feed.as_str(),
    )
    .fetch_one(db)
    .await?;
    Ok(FeedState {
        feed: row.feed,
        mode: match row.mode.as_deref() {
            Some("by_last_update") => Some(Mode::ByLastUpdate),
            Some("full_scan") => Some(Mode::FullScan),
            _ => None,
        },
        watermark: row.watermark.map(jiff_sqlx::Timestamp::to_jiff),
        watermark_id: row.watermark_id,
        unfinished: row.unfinished,
        scan_after: row.scan_after,
        scan_started_at: row.scan_started_at.map(jiff_sqlx::Timestamp::to_jiff),
        scanned_at: row.scanned_at.map(jiff_sqlx::Timestamp::to_jiff),
    })
}

/// Remembers how the pod's feed is to be read; `None`: the pod is asked again.
pub async fn set_mode(
    db: &mut PgConnection,
    connection: ConnectionId,
    feed: Feed,
    mode: Option<Mode>,
) -> Result<()> {
    sqlx::query!(
        "update feeds set mode = $3 where connection_id = $1 and feed = $2",
        connection.0,
        feed.as_str(),
        mode.map(Mode::as_str),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets how the connection's feeds are read and how far, since they belong to another pod now.
pub async fn begin_anew(db: &mut PgConnection, connection: ConnectionId) -> Result<()> {
    sqlx::query!(
        "update feeds set mode = null, watermark = null, watermark_id = null, unfinished = false,
                scan_after = null, scan_started_at = null, scanned_at = null, moved_at = null, empty_since = null
         where connection_id = $1",
        connection.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Moves the watermark to the last pair stored, within the transaction that stored the rows. It never
/// goes back: a poll starts an overlap before the watermark and re-reads what is older.
pub async fn advance_watermark(
    db: &mut PgConnection,
    connection: ConnectionId,
    feed: Feed,
    last: (Timestamp, &str),
) -> Result<()> {
    sqlx::query!(
        "update feeds set watermark = $3, watermark_id = $4,
                moved_at = case when (watermark, watermark_id) is distinct from ($3, $4) then now() else moved_at end
         where connection_id = $1 and feed = $2 and (watermark is null or watermark <= $3)",
        connection.0,
        feed.as_str(),
        at(last.0) as jiff_sqlx::Timestamp,
        last.1,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes whether a poll has read to the end.
pub async fn set_unfinished(
    db: &mut PgConnection,
    connection: ConnectionId,
    feed: Feed,
    unfinished: bool,
) -> Result<()> {
    sqlx::query!(
        "update feeds set unfinished = $3 where connection_id = $1 and feed = $2 and unfinished <> $3",
        connection.0,
        feed.as_str(),
        unfinished,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes whether a reading of the whole feed found rows.
pub async fn note_whole_reading(
    db: &mut PgConnection,
    connection: ConnectionId,
    feed: Feed,
    found: bool,
) -> Result<()> {
    sqlx::query!(
        "update feeds set empty_since = case when $3 then null else coalesce(empty_since, now()) end
         where connection_id = $1 and feed = $2",
        connection.0,
        feed.as_str(),
        found,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes how far a full scan has come, within the transaction that stored the rows.
pub async fn advance_scan(
    db: &mut PgConnection,
    connection: ConnectionId,
    feed: Feed,
    after: Option<&str>,
) -> Result<()> {
    sqlx::query!(
        "update feeds set scan_after = coalesce($3, scan_after), scan_started_at = coalesce(scan_started_at, now())
         where connection_id = $1 and feed = $2",
        connection.0,
        feed.as_str(),
        after,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that a full scan is complete.
pub async fn finish_scan(db: &mut PgConnection, connection: ConnectionId, feed: Feed) -> Result<()> {
    sqlx::query!(
        "update feeds set scan_after = null, scanned_at = now(), scan_started_at = null
         where connection_id = $1 and feed = $2",
        connection.0,
        feed.as_str(),
    )
    .execute(db)
    .await?;
    Ok(())
}
