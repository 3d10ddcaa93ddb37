//! How far each watched project was swept, and the inbox's events that a sweep adds.

use jiff::Timestamp;
use sqlx::PgConnection;

use crate::error::Result;
use crate::ids::{ConnectionId, ProjectGid};
use crate::store::at;

/// How far a project was swept, by Asana's clock.
pub async fn swept_until(
    db: &mut PgConnection,
    connection: ConnectionId,
    project: &ProjectGid,
) -> Result<Option<Timestamp>> {
    let row = sqlx::query_scalar!(
        "select modified_since from sweeps where connection_id = $1 and project_gid = $2",
        connection.0,
        project.as_str(),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.flatten().map(jiff_sqlx::Timestamp::to_jiff))
}

/// Notes how far a project was swept; it never goes back.
pub async fn set_swept(
    db: &mut PgConnection,
    connection: ConnectionId,
    project: &ProjectGid,
    until: Option<Timestamp>,
) -> Result<()> {
    sqlx::query!(
        "insert into sweeps (connection_id, project_gid, modified_since) values ($1, $2, $3)
         on conflict (connection_id, project_gid) do update
         set modified_since = greatest(sweeps.modified_since, excluded.modified_since), swept_at = now()",
        connection.0,
        project.as_str(),
        until.map(at) as Option<jiff_sqlx::Timestamp>,
    )
    .execute(db)
    .await?;
    Ok(())
}
