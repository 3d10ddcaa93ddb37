//! Registrations of webhooks.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use url::Url;

use crate::error::Result;
use crate::hooks::notes::Note;
use crate::hooks::resource::{Resource, ResourceKind};
use crate::hooks::token::{self, TokenDigest};
use crate::ids::{ConnectionId, WebhookId};
use crate::store;
use crate::store::at;

/// How long a registration may be pending, in seconds: longer than the client waits for Asana's answer. After
/// that whoever began it is gone.
pub const PENDING_SECONDS: f64 = 180.0;

/// Where a registration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Asana was asked, or is about to be.
    Pending,
    /// Deliveries are taken.
    Active,
    /// Asana no longer has it, or it leads elsewhere.
    Lost,
    /// Taken back.
    Removed,
    /// It never became active.
    Failed,
}

impl State {
    /// The name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Active => "active",
            State::Lost => "lost",
            State::Removed => "removed",
            State::Failed => "failed",
        }
    }

    fn parse(text: &str) -> State {
        match text {
            "pending" => State::Pending,
            "active" => State::Active,
            "lost" => State::Lost,
            "removed" => State::Removed,
            _ => State::Failed,
        }
    }
}

/// What the receiver needs to know of a registration.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// Which one.
    pub webhook: WebhookId,
    /// What it watches.
    pub kind: ResourceKind,
    /// Where it stands.
    pub state: State,
}

/// A registration that is pending or active, as the watchdog sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Which one.
    pub webhook: WebhookId,
    /// What it watches.
    pub resource: Resource,
    /// Digest of its token.
    pub digest: TokenDigest,
    /// Its gid in Asana, once active.
    pub asana_gid: Option<String>,
    /// Pending, or active.
    pub active: bool,
    /// Made or activated too recently for a listing that began before to say anything about it.
    pub recent: bool,
}

/// A registration, for people.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Registration {
    /// Which one.
    pub webhook: WebhookId,
    /// What it watches.
    pub resource: Resource,
    /// Where it stands.
    pub state: State,
    /// Its gid in Asana.
    pub asana_gid: Option<String>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When deliveries were first taken.
    pub active_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When the last delivery with a good signature came, to within a few seconds.
    pub last_delivery_at: Option<Timestamp>,
    /// When Asana last had success, as Asana says.
    pub last_success_at: Option<Timestamp>,
    /// When Asana last failed, as Asana says.
    pub last_failure_at: Option<Timestamp>,
    /// Why it failed or was lost, or what Asana got for an answer when it last failed.
    pub last_failure: Option<String>,
    /// Deliveries with a bad signature, or none.
    pub rejected: i64,
    /// The public address that it was made with, without a slash at its end; `None` where that was not kept.
    pub public_url: Option<String>,
    /// Of a failed one: how many registrations of this resource failed so far, this one included.
    pub failures: i32,
}

impl Registration {
    /// Where its deliveries go, without the token, which nobody may read; `None` where the address was not kept.
    #[must_use]
    pub fn target(&self) -> Option<String> {
        Some(format!("{}{}…", self.public_url.as_ref()?, token::PATH))
    }
}

/// What Asana says of its attempts to deliver.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// When one last succeeded.
    pub last_success_at: Option<Timestamp>,
    /// When one last failed.
    pub last_failure_at: Option<Timestamp>,
    /// What it got for an answer then.
    pub last_failure: Option<String>,
}

/// Begins a registration at a public address; false when the resource has one that is pending or active.
pub async fn begin(
    db: &PgPool,
    connection: ConnectionId,
    webhook: WebhookId,
    resource: &Resource,
    digest: &TokenDigest,
    public_url: &Url,
) -> Result<bool> {
    let begun = sqlx::query!(
        "insert into webhooks (connection_id, webhook_id, resource_gid, resource_kind, state, token_digest, public_url)
         values ($1, $2, $3, $4, 'pending', $5, $6)
         on conflict (connection_id, resource_gid) where state in ('pending', 'active') do nothing",
        connection.0,
        webhook.0,
        resource.gid,
        resource.kind.as_str(),
        digest.0.as_slice(),
        public_url.as_str().trim_end_matches('/'),
    )
    .execute(db)
    .await?;
    Ok(begun.rows_affected() == 1)
}

/// Finds the registration that a token belongs to.
pub async fn find(
    db: &mut PgConnection,
    connection: ConnectionId,
    digest: &TokenDigest,
) -> Result<Option<Found>> {
    let row = sqlx::query!(
        "select webhook_id, resource_kind, state from webhooks where connection_id = $1 and token_digest = $2",
        connection.0,
        digest.0.as_slice(),
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        let kind = ResourceKind::parse(&row.resource_kind)?;
        Ok(Found { webhook: WebhookId(row.webhook_id), kind, state: State::parse(&row.state) })
    })
    .transpose()
}

/// Finds the pending registration that a token belongs to, and keeps it pending until the transaction ends.
pub async fn hold_pending(
    db: &mut PgConnection,
    connection: ConnectionId,
    digest: &TokenDigest,
) -> Result<Option<WebhookId>> {
    let webhook = sqlx::query_scalar!(
        "select webhook_id from webhooks
         where connection_id = $1 and token_digest = $2 and state = 'pending' for update",
        connection.0,
        digest.0.as_slice(),
    )
    .fetch_optional(db)
    .await?;
    Ok(webhook.map(WebhookId))
}

/// Makes a pending registration active; false when it is no longer pending.
pub async fn activate(
    db: &mut PgConnection,
    connection: ConnectionId,
    webhook: WebhookId,
    asana_gid: &str,
) -> Result<bool> {
    let active = sqlx::query!(
        "update webhooks set state = 'active', active_at = now(), asana_gid = $3
         where connection_id = $1 and webhook_id = $2 and state = 'pending'",
        connection.0,
        webhook.0,
        asana_gid,
    )
    .execute(db)
    .await?;
    Ok(active.rows_affected() == 1)
}

/// Ends a registration that is pending or active; false when it had ended. Its secret is forgotten. One that
/// fails takes the place of the resource's earlier failed ones and counts them: a resource that Asana refuses at
/// every check leaves one row.
pub async fn end(
    db: &PgPool,
    connection: ConnectionId,
    webhook: WebhookId,
    state: State,
    reason: Option<&str>,
) -> Result<bool> {
    let mut tx = store::begin(db).await?;
    let failures = match state {
        // the older row before the newer, as those who note deliveries take them
        State::Failed => take_failures(&mut tx, connection, webhook).await? + 1,
        _ => 0,
    };
    let ended = sqlx::query!(
        "update webhooks set state = $3, ended_at = now(), last_failure = coalesce($4, last_failure), failures = $5
         where connection_id = $1 and webhook_id = $2 and state in ('pending', 'active')",
        connection.0,
        webhook.0,
        state.as_str(),
        reason,
        failures,
    )
    .execute(&mut *tx)
    .await?;
    if ended.rows_affected() == 0 {
        tx.rollback().await?;
        return Ok(false);
    }
    crate::vault::forget(&mut tx, connection, crate::vault::CredentialName::WebhookSecret(webhook)).await?;
    tx.commit().await?;
    Ok(true)
}

/// Deletes the earlier failed registrations of a registration's resource; their failures, added up. Those from before
/// one that worked are counted no more: what fails now is another trouble.
async fn take_failures(db: &mut PgConnection, connection: ConnectionId, webhook: WebhookId) -> Result<i32> {
    let taken = sqlx::query_scalar!(
        "delete from webhooks earlier using webhooks newer
         where newer.connection_id = $1 and newer.webhook_id = $2
           and earlier.connection_id = $1 and earlier.state = 'failed' and earlier.webhook_id <> $2
           and earlier.resource_gid = newer.resource_gid
         returning case when exists (
                       select from webhooks worked
                       where worked.connection_id = $1 and worked.resource_gid = earlier.resource_gid
                         and worked.active_at >= earlier.ended_at)
                   then 0 else earlier.failures end as \"failures!\"",
        connection.0,
        webhook.0,
    )
    .fetch_all(db)
    .await?;
    Ok(taken.into_iter().fold(0, i32::saturating_add))
}

/// The database's time, against which the age of registrations is judged.
pub async fn now(db: &PgPool) -> Result<Timestamp> {
    let now = sqlx::query_scalar!("select clock_timestamp() as \"now!\"").fetch_one(db).await?;
    Ok(now.to_jiff())
}

/// All that are pending or active. `listed_at` is when a listing of Asana's was begun, which says nothing of
/// what was made after.
pub async fn live(db: &PgPool, connection: ConnectionId, listed_at: Timestamp) -> Result<Vec<Live>> {
    let rows = sqlx::query!(
        "select webhook_id, resource_gid, resource_kind, token_digest, asana_gid, state = 'active' as \"active!\",
                case state when 'active' then active_at >= $2
                     else created_at > now() - make_interval(secs => $3) end as \"recent!\"
         from webhooks where connection_id = $1 and state in ('pending', 'active') order by webhook_id",
        connection.0,
        at(listed_at) as jiff_sqlx::Timestamp,
        PENDING_SECONDS,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let resource = Resource { kind: ResourceKind::parse(&row.resource_kind)?, gid: row.resource_gid };
            Ok(Live {
                webhook: WebhookId(row.webhook_id),
                resource,
                // a digest of another length is nobody's
                digest: TokenDigest(row.token_digest.try_into().unwrap_or_default()),
                asana_gid: row.asana_gid,
                active: row.active,
                recent: row.recent,
            })
        })
        .collect()
}

/// The newest registrations of each resource, `of_each` at most, and `limit` at most in all; the newest first.
pub async fn list(
    db: &PgPool,
    connection: ConnectionId,
    of_each: i64,
    limit: i64,
) -> Result<Vec<Registration>> {
    let rows = sqlx::query!(
        "select webhook_id, resource_gid, resource_kind, state, asana_gid, created_at, active_at, ended_at,
                last_delivery_at, last_success_at, last_failure_at, last_failure, rejected, public_url, failures
         from (select *, row_number() over (partition by resource_kind, resource_gid order by webhook_id desc) as nth
               from webhooks where connection_id = $1) as numbered
         where nth <= $2 order by webhook_id desc limit $3",
        connection.0,
        of_each,
        limit,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let resource = Resource { kind: ResourceKind::parse(&row.resource_kind)?, gid: row.resource_gid };
            Ok(Registration {
                webhook: WebhookId(row.webhook_id),
                resource,
                state: State::parse(&row.state),
                asana_gid: row.asana_gid,
                created_at: row.created_at.to_jiff(),
                active_at: row.active_at.map(jiff_sqlx::Timestamp::to_jiff),
                ended_at: row.ended_at.map(jiff_sqlx::Timestamp::to_jiff),
                last_delivery_at: row.last_delivery_at.map(jiff_sqlx::Timestamp::to_jiff),
                last_success_at: row.last_success_at.map(jiff_sqlx::Timestamp::to_jiff),
                last_failure_at: row.last_failure_at.map(jiff_sqlx::Timestamp::to_jiff),
                last_failure: row.last_failure,
                rejected: row.rejected,
                public_url: row.public_url,
                failures: row.failures,
            })
        })
        .collect()
}

/// How many registrations stand in each state.
pub async fn count(db: &PgPool, connection: ConnectionId) -> Result<BTreeMap<String, i64>> {
    let rows = sqlx::query!(
        "select state, count(*) as \"count!\" from webhooks where connection_id = $1 group by state",
        connection.0,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.state, row.count)).collect())
}

/// Stores what Asana says of its attempts.
pub async fn set_health(
    db: &PgPool,
    connection: ConnectionId,
    webhook: WebhookId,
    health: &Health,
) -> Result<()> {
    sqlx::query!(
        "update webhooks set last_success_at = $3, last_failure_at = $4, last_failure = $5
         where connection_id = $1 and webhook_id = $2 and state = 'active'
           and (last_success_at, last_failure_at, last_failure) is distinct from ($3, $4, $5)",
        connection.0,
        webhook.0,
        health.last_success_at.map(at) as Option<jiff_sqlx::Timestamp>,
        health.last_failure_at.map(at) as Option<jiff_sqlx::Timestamp>,
        health.last_failure,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Adds what was noted of deliveries. One statement for each connection, since none reads or changes rows of
/// two.
pub async fn add_notes(db: &PgPool, notes: &HashMap<(ConnectionId, WebhookId), Note>) -> Result<()> {
    let mut by_connection: HashMap<ConnectionId, Vec<(WebhookId, Note)>> = HashMap::new();
    for ((connection, webhook), note) in notes {
        by_connection.entry(*connection).or_default().push((*webhook, *note));
    }
    let mut tx = store::begin(db).await?;
    for (connection, mut notes) in by_connection {
        // nodes that write at once take the rows in one order
        notes.sort_by_key(|(webhook, _)| *webhook);
        let webhooks: Vec<_> = notes.iter().map(|(webhook, _)| webhook.0).collect();
        let delivered: Vec<_> = notes.iter().map(|(_, note)| note.delivered).collect();
        let rejected: Vec<_> = notes.iter().map(|(_, note)| i64::from(note.rejected)).collect();
        sqlx::query!(
            "update webhooks w
             set last_delivery_at = case when noted.delivered then now() else w.last_delivery_at end,
                 rejected = w.rejected + noted.rejected
             from unnest($2::uuid[], $3::boolean[], $4::bigint[]) as noted (webhook_id, delivered, rejected)
             where w.connection_id = $1 and w.webhook_id = noted.webhook_id",
            connection.0,
            &webhooks,
            &delivered,
            &rejected,
        )
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await?;
    Ok(())
}
