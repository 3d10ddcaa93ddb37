//! Completions against journals, and journals against Oracle's batches.

use std::collections::HashSet;

use crate::code::Code;
use crate::engine::{Clients, Engine};
use crate::error::Result;
use crate::reconcile::report::{Difference, Kind, Report};
use crate::store::reconciliations::{self, BareCompletion, ImportedJournal};
use crate::trouble;

/// Batches looked up with one request.
const BATCHES_AT_ONCE: i64 = 100;
/// Completions without a reason that are told; there is never one unless something is broken.
const MAX_BARE: i64 = 1_000;

/// Finds completions without a journal or a reason, and journals whose batch is not in Oracle.
pub(super) async fn compare(engine: &Engine, clients: &Clients, report: &mut Report) -> Result<()> {
    let connection = clients.connection.id;
    for bare in reconciliations::bare_completions(&engine.db, connection, MAX_BARE).await? {
        report.add(&without_reason(bare))?;
    }
    let mut after = uuid::Uuid::nil();
    loop {
        let journals =
            reconciliations::imported_journals(&engine.db, connection, after, BATCHES_AT_ONCE).await?;
        let Some(last) = journals.last() else { return Ok(()) };
        after = last.journal_id;
        let ids: Vec<&str> = journals.iter().filter_map(|journal| journal.batch_id.as_deref()).collect();
        let batches = clients.fusion.journal_batches(&ids).await.map_err(trouble::oracle)?;
        let there: HashSet<&str> = batches.iter().map(|batch| batch.id.as_str()).collect();
        report.journals += journals.len() as u64;
        for journal in &journals {
            if !journal.batch_id.as_deref().is_some_and(|id| there.contains(id)) {
                report.add(&missing(journal))?;
            }
        }
    }
}

fn without_reason(bare: BareCompletion) -> Difference {
    let reason = format!("completion {} of task {}", bare.ordinal, bare.task_gid);
    let difference = Difference {
        order_number: bare.order_number.unwrap_or_default(),
        tasks: vec![bare.task_gid],
        ..Difference::of(Kind::CompletionBare)
    };
    difference.because(Code::ReconcileCompletion, reason)
}

fn missing(journal: &ImportedJournal) -> Difference {
    let batch = journal.batch_id.as_deref().unwrap_or("without an id");
    let reason = format!(
        "journal {}: batch {batch} of group {} is not shown by Oracle",
        journal.journal_id, journal.group_id
    );
    let difference =
        Difference { tasks: vec![journal.task_gid.clone()], ..Difference::of(Kind::BatchMissing) };
    difference.because(Code::ReconcileBatch, reason)
}
