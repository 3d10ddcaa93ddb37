//! What the last run found, as it was kept.

use sqlx::PgPool;

use crate::code::Code;
use crate::error::{Error, Result};
use crate::reconcile::report::Difference;
use crate::store::connections::Connection;
use crate::store::reconciliation_runs::{self, Run};

/// A difference that was kept, and what became of it: `repaired`, `under_way`, `told` or `remaining`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Told {
    /// What became of it.
    pub fate: String,
    /// The difference.
    #[serde(flatten)]
    pub difference: Difference,
}

/// The last run of a connection, with at most so many of its differences: those that are left first.
///
/// # Errors
/// [`Code::ReconcileNever`] when none has ended.
pub async fn last(db: &PgPool, connection: &Connection, limit: i64) -> Result<(Run, Vec<Told>)> {
    let newest = reconciliation_runs::newest(db, connection.id, 1).await?;
    let Some(run) = newest.into_iter().next() else {
        let message = format!("no reconciliation of `{}` has ended yet", connection.name);
        return Err(Error::new(Code::ReconcileNever, message));
    };
    let kept = reconciliation_runs::differences(db, connection.id, run.run_id, limit).await?;
    let told = kept
        .into_iter()
        .map(|kept| {
            let difference = serde_json::from_str(&kept.difference).map_err(|e| {
                Error::new(Code::Migration, "the database holds a difference that this version cannot read")
                    .because(e)
            })?;
            Ok(Told { fate: kept.fate, difference })
        })
        .collect::<Result<_>>()?;
    Ok((run, told))
}
