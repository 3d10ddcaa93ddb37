//! How many suppliers and accounts are stored.

use sqlx::PgPool;

use crate::error::Result;
use crate::ids::ConnectionId;
use crate::reference::Kind;

/// How many [`find`](crate::store::reference::find) would return without a limit.
pub async fn count(db: &PgPool, connection: ConnectionId, kind: Kind, text: Option<&str>) -> Result<i64> {
    Ok(match kind {
        Kind::Suppliers => {
            sqlx::query_scalar!(
                "select count(*) as \"count!\" from suppliers where connection_id = $1
                   and ($2::text is null or strpos(upper(name), upper($2)) > 0 or number = $2 or supplier_id = $2)",
                connection.0,
                text,
            )
            .fetch_one(db)
            .await?
        }
        Kind::Accounts => {
            sqlx::query_scalar!(
                "select count(*) as \"count!\" from accounts where connection_id = $1
                   and ($2::text is null or strpos(upper(name), upper($2)) > 0 or account_id = $2)",
                connection.0,
                text,
            )
            .fetch_one(db)
            .await?
        }
    })
}
