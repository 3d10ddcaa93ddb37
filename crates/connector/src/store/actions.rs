//! What people did to movements and journals: who, when, what and why.

use jiff::Timestamp;
use sqlx::PgConnection;

use crate::error::Result;
use crate::ids::ConnectionId;

/// What a person can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A movement.
    Movement,
    /// A journal.
    Journal,
}

/// What a person can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The record's body was changed.
    Edited,
    /// It was sent again.
    Replayed,
    /// It was given up.
    Discarded,
    /// A person decided what had happened.
    Resolved,
}

/// An action that is to be stored.
#[derive(Debug, Clone)]
pub struct NewAction<'a> {
    /// What was acted on.
    pub subject_id: uuid::Uuid,
    /// Why, in the person's words.
    pub note: Option<&'a str>,
    /// The text before.
    pub before: Option<&'a str>,
    /// The text after; of a replay, the id of the new movement or the new group.
    pub after: Option<&'a str>,
}

/// An action as it was stored.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ActionRow {
    /// Its id; ids sort by time.
    pub action_id: uuid::Uuid,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What: `edited`, `replayed`, `discarded` or `resolved`.
    pub what: String,
    /// Why, in the person's words.
    pub note: Option<String>,
    /// The text before.
    pub before: Option<String>,
    /// The text after; of a replay, the id of the new movement or the new group.
    pub after: Option<String>,
}

/// Stores what `by` did to each of `actions`, all of one kind.
pub async fn record(
    db: &mut PgConnection,
    connection: ConnectionId,
    (subject, what): (Subject, What),
    by: &str,
    actions: &[NewAction<'_>],
) -> Result<()> {
    let subject = match subject {
        Subject::Movement => "movement",
        Subject::Journal => "journal",
    };
    let what = match what {
        What::Edited => "edited",
        What::Replayed => "replayed",
        What::Discarded => "discarded",
        What::Resolved => "resolved",
    };
    let ids: Vec<uuid::Uuid> = actions.iter().map(|a| a.subject_id).collect();
    let notes: Vec<Option<&str>> = actions.iter().map(|a| a.note).collect();
    let before: Vec<Option<&str>> = actions.iter().map(|a| a.before).collect();
    let after: Vec<Option<&str>> = actions.iter().map(|a| a.after).collect();
    sqlx::query!(
        "insert into actions (connection_id, subject_kind, subject_id, done_by, what, note, before, after)
         select $1, $2, a.id, $3, $4, a.note, a.before, a.after
         from unnest($5::uuid[], $6::text[], $7::text[], $8::text[]) as a(id, note, before, after)",
        connection.0,
        subject,
        by,
        what,
        &ids,
        &notes as _,
        &before as _,
        &after as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What was done to one movement or journal, oldest first, at most `limit`.
pub async fn of(
    db: impl sqlx::PgExecutor<'_>,
    connection: ConnectionId,
    subject_id: uuid::Uuid,
    limit: i64,
) -> Result<Vec<ActionRow>> {
    let rows = sqlx::query!(
        "select action_id, at, done_by, what, note, before, after from actions
         where connection_id = $1 and subject_id = $2 order by action_id limit $3",
        connection.0,
        subject_id,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| ActionRow {
            action_id: r.action_id,
            at: r.at.to_jiff(),
            by: r.done_by,
            what: r.what,
            note: r.note,
            before: r.before,
            after: r.after,
        })
        .collect())
}
