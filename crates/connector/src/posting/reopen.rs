//! What becomes of a completion whose task was opened again.

use jiff::Timestamp;

use crate::engine::{Clients, Engine};
use crate::error::Result;
use crate::ids::{JournalId, TaskGid};
use crate::journal::date::{accounting_date, ledger_date};
use crate::journal::machine::{self, Context, Limits, Observation, State};
use crate::journal::plan::Reversed;
use crate::journal::settings::Reopened;
use crate::journal::{GroupId, JournalSettings, Kind, NoJournal};
use crate::posting::build::REOPENED;
use crate::store::completions::{self, Completion, Verdict};
use crate::store::jobs::{self, Job, Lease};
use crate::store::journals::{self, NewJournal, Posting};

/// How long a journal that is on its way is given until its reversal is looked at again, in seconds.
const LOOK_AGAIN_SECONDS: f64 = 30.0;
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
    let mut tx = engine.db.begin().await?;
    jobs::hold(&mut tx, lease).await?;
    let connection = lease.connection;
    let keep = |state: &'static str, reason: String, again_in: Option<f64>| Verdict {
        task: TaskGid(completion.task_gid.clone()),
        ordinal: completion.ordinal,
        state,
        code: if state == "journal" { None } else { Some(REOPENED.info().code) },
        reason: Some(reason),
        order_id: None,
        line_id: None,
        again_in,
    };
    let posting = journals::posting_of(&mut tx, connection, &completion.task_gid, completion.ordinal).await?;
    let verdict = match (posting, settings.reopened) {
        (None, _) if completion.state == "skipped" => {
            // it brings no journal either way; its reason stays
            completions::settle(&mut tx, connection, &completion.task_gid, completion.ordinal).await?;
            tx.commit().await?;
            return Ok(());
        }
        (None, _) => keep("skipped", "the task was opened again before a journal was made".to_owned(), None),
        (Some(_), Reopened::Ignore) => {
            keep("journal", "the task was opened again; by the settings the journal stays".to_owned(), None)
        }
        (Some(posting), Reopened::Reverse) => match &posting.machine.state {
            State::Imported { .. } => {
                match reversal(engine, clients, lease, settings, completion, &posting, &mut tx).await? {
                    Ok(words) => keep("journal", words, None),
                    Err(why) => {
                        keep("journal", format!("it is to be reversed, but {why}"), Some(PERIOD_SECONDS))
                    }
                }
            }
            State::Withdrawn => {
                keep("skipped", "the task was opened again before its journal was sent".to_owned(), None)
            }
            State::Rejected { .. } => {
                keep("journal", "the task was opened again; the journal was rejected before".to_owned(), None)
            }
            _ => {
                let context = Context {
                    now: Timestamp::now(),
                    random: rand::random(),
                    limits: Limits::of(settings),
                    expected: None,
                };
                let step = machine::step(posting.machine.clone(), &Observation::TaskReopened, &context);
                journals::note_reopened(&mut tx, connection, posting.id, &step.journal).await?;
                jobs::ask_for(&mut *tx, connection, &[Job::Journals]).await?;
                let words =
                    "the task was opened again; its journal is withdrawn, or reversed once it is known";
                keep("journal", words.to_owned(), Some(LOOK_AGAIN_SECONDS))
            }
        },
    };
    completions::decide(&mut tx, connection, &verdict).await?;
    tx.commit().await?;
    Ok(())
}

/// Opens the reversal of an imported journal; the reason when the ledger does not let it.
async fn reversal(
    engine: &Engine,
    clients: &Clients,
    lease: &Lease,
    settings: &JournalSettings,
    completion: &Completion,
    posting: &Posting,
    db: &mut sqlx::PgConnection,
) -> Result<std::result::Result<String, NoJournal>> {
    let reopened_at = completion.reopened_at.unwrap_or_else(Timestamp::now);
    let Some(zone) = settings.zone() else {
        let problem = format!("{} is no time zone", settings.time_zone);
        return Ok(Err(NoJournal::SettingsWrong { problem }));
    };
    let periods = clients.ledger.periods(&clients.fusion, settings).await?;
    let dated = accounting_date(ledger_date(reopened_at, &zone), &periods, settings.closed_period);
    let (Ok(group), Some(batch_id)) = (posting.group_id.parse::<GroupId>(), posting.batch_id.clone()) else {
        let what = "an imported journal has no group or no batch".to_owned();
        return Ok(Err(NoJournal::Defect { what }));
    };
    let reverses = Reversed { group, batch_id, reopened_at };
    let today = ledger_date(Timestamp::now(), &zone);
    let plan = match dated.and_then(|accounting| posting.plan.reversal(reverses, accounting, today)) {
        Ok(plan) => plan,
        Err(why) => return Ok(Err(why)),
    };
    let connection = lease.connection;
    let task = TaskGid(completion.task_gid.clone());
    let ordinal = completion.ordinal.unsigned_abs();
    let new = NewJournal {
        id: JournalId::new(),
        task: &task,
        ordinal,
        subject: &posting.subject,
        group: GroupId::derive(connection, &task, ordinal, Kind::Reversal, 0),
        plan: &plan,
    };
    if journals::open(db, connection, &new).await? {
        journals::stop_counting(db, connection, posting.id).await?;
        jobs::ask_for(&mut *db, connection, &[Job::Journals]).await?;
        engine.wake();
    }
    Ok(Ok("the task was opened again; its journal is reversed".to_owned()))
}
