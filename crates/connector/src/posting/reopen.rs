//! What becomes of a completion whose task was opened again.

use jiff::Timestamp;
use sqlx::PgConnection;

use crate::code::Code;
use crate::engine::{Clients, Engine};
use crate::error::Result;
use crate::ids::{ConnectionId, JournalId, TaskGid};
use crate::journal::date::{accounting_date, ledger_date};
use crate::journal::machine::{self, Context, Limits, Observation, State};
use crate::journal::plan::Reversed;
use crate::journal::settings::{Reopened, Suspense};
use crate::journal::{GroupId, JournalSettings, Kind, NoJournal, Period};
use crate::posting::build::REOPENED;
use crate::store;
use crate::store::completions::{self, Completion, Verdict};
use crate::store::jobs::{self, Lease};
use crate::store::journals::{self, NewJournal, Posting};

/// How long a journal that is on its way is given until its reversal is looked at again, in seconds. Its end
/// makes that due at once.
const LOOK_AGAIN_SECONDS: f64 = 300.0;
/// How long a reversal waits for a period, in seconds.
const PERIOD_SECONDS: f64 = 3600.0;

/// Decides by the settings and by where the journal stands.
pub async fn decide(
    engine: &Engine,
    clients: &Clients,
    lease: &Lease,
    settings: &JournalSettings,
    completion: &Completion,
) -> Result<()> {
    let (connection, task) = (lease.connection, completion.task_gid.as_str());
    let periods = periods(engine, clients, connection, settings, completion).await?;
    let mut tx = store::begin(&engine.db).await?;
    jobs::hold(&mut tx, lease).await?;
    let posting = journals::posting_of(&mut tx, connection, task, completion.ordinal).await?;
    let verdict = match posting {
        None if completion.state == "skipped" => {
            // it brings no journal either way; its reason stays
            completions::settle(&mut tx, connection, task, completion.ordinal).await?;
            tx.commit().await?;
            return Ok(());
        }
        None => without_journal(completion, "the task was opened again before a journal was made"),
        Some(_) if settings.reopened == Reopened::Ignore => {
            let words = "the task was opened again; by the settings the journal stays";
            let code = Some(Code::JournalKept.info().code);
            Verdict { code, ..kept(completion, words, None) }
        }
        Some(posting) => match (&posting.machine.state, &periods) {
            (State::Imported { .. }, Some(periods)) => {
                let now = Timestamp::now();
                match reversal(connection, settings, completion, &posting, periods, now, &mut tx).await? {
                    Ok(()) => {
                        kept(completion, "the task was opened again; its journal is to be reversed", None)
                    }
                    Err(why) => {
                        clients.ledger.forget_periods();
                        let words = format!("it is to be reversed, but {why}");
                        let code = Some(why.code().info().code);
                        Verdict { code, ..kept(completion, &words, Some(PERIOD_SECONDS)) }
                    }
                }
            }
            // it was imported this very moment
            (State::Imported { .. }, None) => kept(completion, "the task was opened again", Some(0.0)),
            (State::Withdrawn, _) => {
                without_journal(completion, "the task was opened again before its journal was sent")
            }
            (State::Rejected { .. }, _) => {
                kept(completion, "the task was opened again; the journal was rejected before", None)
            }
            _ => {
                note(&mut tx, connection, settings, &posting).await?;
                let words =
                    "the task was opened again; its journal is withdrawn, or reversed once it is known";
                kept(completion, words, Some(LOOK_AGAIN_SECONDS))
            }
        },
    };
    completions::decide(&mut tx, connection, &verdict).await?;
    tx.commit().await?;
    Ok(())
}

/// The ledger's periods, when a reversal needs them: nothing is asked of Oracle while rows are locked, and a journal
/// that is still on its way is withdrawn without Oracle.
async fn periods(
    engine: &Engine,
    clients: &Clients,
    connection: ConnectionId,
    settings: &JournalSettings,
    completion: &Completion,
) -> Result<Option<Vec<Period>>> {
    if settings.reopened == Reopened::Ignore {
        return Ok(None);
    }
    let mut db = engine.db.acquire().await?;
    let posting = journals::posting_of(&mut db, connection, &completion.task_gid, completion.ordinal).await?;
    drop(db);
    if posting.is_some_and(|posting| matches!(posting.machine.state, State::Imported { .. })) {
        return clients.ledger.periods(&clients.fusion, settings).await.map(Some);
    }
    Ok(None)
}

/// The journal stays; what is told of it so far stays too.
fn kept(completion: &Completion, words: &str, again_in: Option<f64>) -> Verdict {
    let reason = match completion.reason.as_deref() {
        Some(reason) if reason.contains(words) => reason.to_owned(),
        Some(reason) => format!("{reason}; {words}"),
        None => words.to_owned(),
    };
    verdict(completion, "journal", reason, again_in)
}

fn without_journal(completion: &Completion, words: &str) -> Verdict {
    let skipped = verdict(completion, "skipped", words.to_owned(), None);
    Verdict { code: Some(REOPENED.info().code), ..skipped }
}

fn verdict(completion: &Completion, state: &'static str, reason: String, again_in: Option<f64>) -> Verdict {
    Verdict {
        task: TaskGid(completion.task_gid.clone()),
        ordinal: completion.ordinal,
        state,
        code: None,
        reason: Some(reason),
        order_id: None,
        line_id: None,
        again_in,
    }
}

/// Tells the machine of a journal on its way. One that knows already, or that a node works on right now, stays as
/// it is: its end is told.
async fn note(
    db: &mut PgConnection,
    connection: ConnectionId,
    settings: &JournalSettings,
    posting: &Posting,
) -> Result<()> {
    if posting.machine.progress.reopened {
        return Ok(());
    }
    let context = Context {
        now: Timestamp::now(),
        random: rand::random(),
        limits: Limits::of(settings),
        expected: None,
        suspense: settings.suspense == Suspense::On,
    };
    let step = machine::step(posting.machine.clone(), &Observation::TaskReopened, &context);
    journals::note_reopened(db, connection, posting.id, &step.journal).await
}

/// Opens the reversal of an imported journal; the reason when the ledger does not let it. The posting bears its
/// cost until the reversal is imported.
async fn reversal(
    connection: ConnectionId,
    settings: &JournalSettings,
    completion: &Completion,
    posting: &Posting,
    periods: &[Period],
    now: Timestamp,
    db: &mut PgConnection,
) -> Result<std::result::Result<(), NoJournal>> {
    let reopened_at = completion.reopened_at.unwrap_or(now);
    let Some(zone) = settings.zone() else {
        let problem = format!("{} is no time zone", settings.time_zone);
        return Ok(Err(NoJournal::SettingsWrong { problem }));
    };
    let dated = accounting_date(ledger_date(reopened_at, &zone), periods, settings.closed_period);
    let (Ok(group), Some(batch_id)) = (posting.group_id.parse::<GroupId>(), posting.batch_id.clone()) else {
        let what = "an imported journal has no group or no batch".to_owned();
        return Ok(Err(NoJournal::Defect { what }));
    };
    let reverses = Reversed { group, batch_id, reopened_at };
    let today = ledger_date(now, &zone);
    let plan = match dated.and_then(|accounting| posting.plan.reversal(reverses, accounting, today)) {
        Ok(plan) => plan,
        Err(why) => return Ok(Err(why)),
    };
    let task = TaskGid(completion.task_gid.clone());
    let ordinal = completion.ordinal.unsigned_abs();
    let new = NewJournal {
        id: JournalId::new(),
        task: &task,
        ordinal,
        subject: &posting.subject,
        overlaps: &[],
        group: GroupId::derive(connection, &task, ordinal, Kind::Reversal, 0),
        plan: &plan,
    };
    journals::open(db, connection, &new).await?;
    Ok(Ok(()))
}
