//! Sending planned writes, as many at once as Asana allows, and recording what came of them in batches.

use std::sync::Mutex;
use std::sync::PoisonError;

use asana::{Answer, Asana};
use futures_util::{StreamExt, stream};
use outbound::Exchange;
use outbound::exchange::watched;
use tokio::sync::{mpsc, watch};

use crate::code::Code;
use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::push::classify::{Attempt, Effect, Verdict, judge};
use crate::push::cycle::PushReport;
use crate::push::parts::Step;
use crate::push::plan::Write;
use crate::store;
use crate::store::attempts::{self, About, NewAttempt};
use crate::store::creations;
use crate::store::jobs::{self, Lease};
use crate::store::links::{self, NewLink};
use crate::store::outbox::{self, Fate, Next, Outcome};
use crate::store::tasks;

/// Writes in flight at once: Asana's documented limit for one token.
pub const WRITES_AT_ONCE: usize = 15;
/// Results recorded in one transaction at most.
const RECORDED_AT_ONCE: usize = 100;

/// A write that has its answer.
#[derive(Debug)]
pub struct Done {
    write: Write,
    verdict: Verdict,
    exchanges: Vec<Exchange>,
}

/// Sends writes as they come; each answer goes to the recorder.
///
/// After an answer that means that no call can succeed, nothing more is sent: what was stored as being
/// sent is then in doubt, and the next cycle looks it up.
pub async fn send_all(
    clients: &Clients,
    writes: mpsc::Receiver<Write>,
    done: mpsc::Sender<Done>,
    report: &Mutex<PushReport>,
    recorded: &watch::Sender<u64>,
) {
    let writes =
        stream::unfold(writes, |mut writes| async { writes.recv().await.map(|write| (write, writes)) });
    let settings = &clients.connection.settings;
    writes
        .for_each_concurrent(WRITES_AT_ONCE, |write| {
            let done = done.clone();
            async move {
                if report.lock().unwrap_or_else(PoisonError::into_inner).stopped.is_some() {
                    recorded.send_modify(|count| *count += 1);
                    return;
                }
                let (answer, exchanges) = watched(send(&clients.asana, &write)).await;
                let attempts = write.movements.iter().map(|(_, attempts)| *attempts).max().unwrap_or(0);
                let verdict = judge(&write, answer, attempts, settings);
                if verdict.effect == Effect::Stop {
                    // at once, so that only what is under way meets the same answer
                    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
                    let code = verdict.code.unwrap_or(Code::AsanaUnauthorized);
                    report.stopped.get_or_insert((code, verdict.reason.clone().unwrap_or_default()));
                }
                // the recorder ends only when the lease is lost; then nothing may be recorded
                let _ = done.send(Done { write, verdict, exchanges }).await;
            }
        })
        .await;
}

/// Sends a write's requests one by one; the first that fails ends it. After steps the task is read, since their
/// answers do not show it.
async fn send(asana: &Asana, write: &Write) -> std::result::Result<Answer, asana::Error> {
    let Some(task) = &write.task else { return asana.create_task(&write.body).await };
    let mut told = Vec::with_capacity(1 + write.steps.len());
    if !write.body.is_empty() {
        let answer = asana.update_task(task, &write.body).await?;
        if write.steps.is_empty() {
            return Ok(answer);
        }
        told.push(answer.body);
    }
    let mut status = 200;
    for step in &write.steps {
        let (_, body) = step.request(task);
        let done = match step {
            Step::Section(section) => asana.add_to_section(section, &body).await?,
            Step::TagOn(_) => asana.add_tag(task, &body).await?,
            Step::TagOff(_) => asana.remove_tag(task, &body).await?,
        };
        status = done.status;
        told.push(done.body);
    }
    Ok(Answer { task: asana.task(task).await?, status, body: told.join("\n\n") })
}

/// Records results until there are no more; the lease is checked with every transaction.
pub async fn record_all(
    engine: &Engine,
    clients: &Clients,
    lease: &Lease,
    mut done: mpsc::Receiver<Done>,
    report: &Mutex<PushReport>,
    recorded: &watch::Sender<u64>,
) -> Result<()> {
    let mut batch = Vec::with_capacity(RECORDED_AT_ONCE);
    while done.recv_many(&mut batch, RECORDED_AT_ONCE).await > 0 {
        record(engine, clients, lease, &batch).await?;
        let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
        for one in &batch {
            report.count(&one.verdict);
        }
        drop(report);
        recorded.send_modify(|count| *count += batch.len() as u64);
        batch.clear();
    }
    Ok(())
}

async fn record(engine: &Engine, clients: &Clients, lease: &Lease, batch: &[Done]) -> Result<()> {
    let mut fates = Vec::new();
    let (mut known, mut new_links, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    let (mut doubted, mut not_made) = (Vec::new(), Vec::new());
    let mut tried = Vec::new();
    for Done { write, verdict, exchanges } in batch {
        tried.extend(write.movements.iter().flat_map(|(sending, _)| {
            let of = |exchange| NewAttempt { subject: sending.id.0, exchange, code: verdict.code };
            exchanges.iter().map(of)
        }));
        fates.extend(write.movements.iter().map(|(sending, attempts)| Fate {
            id: sending.id,
            next: verdict.next,
            destination: verdict.destination.clone(),
            code: verdict.code,
            reason: verdict.reason.clone(),
            response: verdict.response.clone(),
            attempts: attempts + u32::from(verdict.attempt == Attempt::Counts),
            retry_in: verdict.retry_in,
        }));
        known.extend(verdict.known.clone());
        if verdict.in_doubt {
            doubted.extend(write.creation());
        } else if verdict.known.is_none() {
            not_made.extend(write.creation());
        }
        if let (None, Some(task)) = (&write.task, &verdict.destination)
            && verdict.known.is_some()
        {
            new_links.push(NewLink {
                order_id: write.order_id.clone(),
                line_id: write.line_id.clone(),
                task_gid: task.clone(),
                origin: "created",
            });
        }
        match (verdict.effect, &write.task) {
            (Effect::TaskGone, Some(task)) => gone.push(task.clone()),
            (Effect::FieldsChanged, _) => clients.forget_fields(),
            _ => {}
        }
    }
    let mut tx = store::begin(&engine.db).await?;
    jobs::hold(&mut tx, lease).await?;
    outbox::record_fates(&mut tx, lease.connection, lease.fence, &fates).await?;
    attempts::record(&mut tx, lease.connection, engine.node, About::Movement, &tried).await?;
    tasks::store(&mut tx, lease.connection, &known).await?;
    links::add(&mut tx, lease.connection, &new_links).await?;
    creations::doubt(&mut tx, lease.connection, &doubted).await?;
    creations::end(&mut tx, lease.connection, &not_made).await?;
    if !gone.is_empty() {
        links::mark_gone(&mut tx, lease.connection, &gone).await?;
    }
    tx.commit().await?;
    Ok(())
}

impl PushReport {
    fn count(&mut self, verdict: &Verdict) {
        match verdict.next {
            Next::Delivered(Outcome::Created) => self.created += 1,
            Next::Delivered(_) => self.updated += 1,
            Next::Held => self.held += 1,
            Next::Failed => self.failed += 1,
            Next::Retrying | Next::InDoubt => self.retrying += 1,
        }
    }

    /// The failure that ended the cycle, if one did.
    #[must_use]
    pub fn failure(&self) -> Option<Error> {
        self.stopped.as_ref().map(|(code, reason)| Error::new(*code, reason.clone()))
    }
}
