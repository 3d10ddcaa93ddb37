//! Sending movements again, and giving them up: what a person decides, stored in one transaction with who decided it.

use sqlx::PgConnection;

use crate::error::Result;
use crate::ids::{ConnectionId, MovementId};

/// A movement that a person wants to act on, locked, with what decides whether that can be.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The movement.
    pub id: MovementId,
    /// The feed's name.
    pub feed: String,
    /// The record's id in Oracle.
    pub source_id: String,
    /// Where it stands.
    pub state: String,
    /// What delivering did.
    pub outcome: Option<String>,
    /// The record that it carried.
    pub body: Option<String>,
    /// Of its last edit the text from which it was made.
    pub edit_before: Option<String>,
    /// Of its last edit the text that was made of it.
    pub edit_after: Option<String>,
    /// The newest document's fingerprint.
    pub fingerprint: Option<Vec<u8>>,
    /// Whether a newer movement of the record is open, or the document is being stored right now.
    pub is_busy: bool,
}

/// Locks these movements and their documents, so that no newer record can be stored until the transaction ends,
/// and tells what decides about each. An id that is not the connection's is left out.
///
/// A document that is being written now is not waited for: the writer could be waiting for this transaction.
pub async fn lock(
    db: &mut PgConnection,
    connection: ConnectionId,
    ids: &[MovementId],
) -> Result<Vec<Candidate>> {
    let ids: Vec<uuid::Uuid> = ids.iter().map(|id| id.0).collect();
    let free = sqlx::query!(
        "select d.feed, d.source_id, d.fingerprint from documents d
         where d.connection_id = $1 and (d.feed, d.source_id) in (
             select m.feed, m.source_id from movements m where m.connection_id = $1 and m.movement_id = any($2))
         for update skip locked",
        connection.0,
        &ids,
    )
    .fetch_all(&mut *db)
    .await?;
    let mut fingerprints: std::collections::HashMap<(String, String), Vec<u8>> =
        free.into_iter().map(|d| ((d.feed, d.source_id), d.fingerprint)).collect();
    // a statement of its own: it sees what was committed before the documents were locked
    let rows = sqlx::query!(
        "select m.movement_id, m.feed, m.source_id, m.state, m.outcome, m.body,
                e.before as \"before?\", e.after as \"after?\",
                exists (select from movements o
                        where o.connection_id = $1 and o.source_id = m.source_id and o.feed = m.feed
                          and o.movement_id <> m.movement_id
                          and o.state in ('pending', 'sending', 'retrying', 'in_doubt')) as \"is_open!\"
         from movements m
         left join lateral (
             select a.before, a.after from actions a
             where a.connection_id = $1 and a.subject_id = m.movement_id and a.what = 'edited'
             order by a.action_id desc limit 1) e on true
         where m.connection_id = $1 and m.movement_id = any($2)
         order by m.movement_id for update of m",
        connection.0,
        &ids,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| {
            let fingerprint = fingerprints.remove(&(r.feed.clone(), r.source_id.clone()));
            Candidate {
                id: MovementId(r.movement_id),
                is_busy: r.is_open || fingerprint.is_none(),
                feed: r.feed,
                source_id: r.source_id,
                state: r.state,
                outcome: r.outcome,
                body: r.body,
                edit_before: r.before,
                edit_after: r.after,
                fingerprint,
            }
        })
        .collect())
}

/// A replay that is to be opened.
#[derive(Debug, Clone)]
pub struct NewReplay {
    /// Its id.
    pub id: MovementId,
    /// The movement whose record it sends again.
    pub of: MovementId,
    /// The record.
    pub body: String,
    /// Whether that is not what the newest document says.
    pub deviates: bool,
}

/// Opens replays of movements that are [locked](lock), and takes what is held of the same records out of the way:
/// the replay stands in its place. A replay is never `pending`, since a change of its record would go with it then
/// instead of opening a movement of its own. For searches its record has changed.
pub async fn open(
    db: &mut PgConnection,
    connection: ConnectionId,
    replays: &[NewReplay],
    by: &str,
) -> Result<()> {
    let ids: Vec<uuid::Uuid> = replays.iter().map(|r| r.id.0).collect();
    let of: Vec<uuid::Uuid> = replays.iter().map(|r| r.of.0).collect();
    let bodies: Vec<&str> = replays.iter().map(|r| r.body.as_str()).collect();
    let deviates: Vec<bool> = replays.iter().map(|r| r.deviates).collect();
    sqlx::query!(
        "with replays as (
             select r.id, r.body, r.deviates, m.movement_id, m.feed, m.source_id
             from unnest($2::uuid[], $3::uuid[], $4::text[], $5::bool[]) as r(id, of_id, body, deviates)
             join movements m on m.connection_id = $1 and m.movement_id = r.of_id),
         replaced as (
             update movements m set state = 'delivered', outcome = 'superseded', finished_at = now(),
                    reason = 'sent again as ' || r.id || ' by ' || $6 || coalesce('; it was held: ' || m.reason, '')
             from replays r
             where m.connection_id = $1 and m.state = 'held' and m.feed = r.feed and m.source_id = r.source_id),
         newest_again as (
             insert into unsearched (connection_id, page_id, feed, source_ids)
             select $1, new_movement_id(), feed, array_agg(source_id) from replays group by feed)
         insert into movements (connection_id, movement_id, feed, source_id, state, body, replay_of, deviates)
         select $1, r.id, r.feed, r.source_id, 'retrying', r.body, r.movement_id, r.deviates from replays r",
        connection.0,
        &ids,
        &of,
        &bodies as _,
        &deviates,
        by,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Gives up movements that are [locked](lock): failed, and by whom it was decided.
pub async fn discard(
    db: &mut PgConnection,
    connection: ConnectionId,
    ids: &[MovementId],
    by: &str,
) -> Result<()> {
    let ids: Vec<uuid::Uuid> = ids.iter().map(|id| id.0).collect();
    sqlx::query!(
        "update movements set state = 'failed', outcome = 'discarded', finished_at = now(),
                reason = 'discarded by ' || $3 || coalesce('; ' || reason, '')
         where connection_id = $1 and movement_id = any($2) and state in ('held', 'failed')",
        connection.0,
        &ids,
        by,
    )
    .execute(db)
    .await?;
    Ok(())
}
