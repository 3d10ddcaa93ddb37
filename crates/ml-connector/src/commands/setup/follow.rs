//! What follows a change of settings: all records are compared anew in the background, and `--follow` watches that.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use connector::Engine;
use connector::store::connections::{self, Connection, State};
use connector::store::movements::{self, Standing, Written};
use connector::store::nodes;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

use super::activate::{LOOK_EVERY, LOOKING};
use crate::cli::Global;
use crate::commands::poll::Shown;
use crate::commands::serve::Stop;
use crate::{exit, output};

/// Between two lines where no bar can be shown.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// Between two looks at whether anybody does it at all. Only two in a row count: a `serve` may just be starting.
const CHECK_EVERY: Duration = Duration::from_secs(2);

/// Why watching ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Ended {
    /// Nothing is open any more.
    Settled,
    /// A person stopped watching; the work goes on.
    Stopped,
    /// The connection is not active: nothing happens before it is.
    NotActive,
    /// No `serve` runs.
    NoNode,
}

/// What was seen.
#[derive(Debug, Serialize)]
struct Followed {
    ended: Ended,
    /// Records that came through while it was watched.
    settled: i64,
    #[serde(flatten)]
    standing: Standing,
    /// Tasks that were written since the settings were changed.
    #[serde(flatten)]
    written: Written,
}

/// Tells what was done, as a sentence or as an object, and watches what follows when `stop` is given, which ends the
/// watching and nothing else.
pub(in crate::commands) async fn told(
    engine: &Engine,
    name: &str,
    (message, mut object): (&str, Value),
    stop: Option<Stop>,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    if !global.json {
        output::say(message);
    }
    let mut code = ExitCode::SUCCESS;
    if let Some(stop) = stop {
        let connection = connections::find(&engine.db, name).await?;
        let followed = follow(engine, &connection, stop, global).await?;
        let Standing { held, failed, .. } = followed.standing;
        if followed.ended == Ended::NoNode || (followed.ended == Ended::Settled && held + failed > 0) {
            code = ExitCode::from(exit::FOUND_PROBLEMS);
        }
        if !global.json {
            output::say(&end(&followed, name));
            if followed.ended == Ended::Settled && !connection.settings.mapping.is_empty() {
                output::say(&format!(
                    "ml-connector connection dry-run {name} counts which values and rules of the mapping yield nothing"
                ));
            }
        }
        if let Some(object) = object.as_object_mut() {
            object.insert("followed".to_owned(), serde_json::to_value(followed)?);
        }
    }
    if global.json {
        output::json(&object)?;
    }
    Ok(code)
}

async fn follow(
    engine: &Engine,
    connection: &Connection,
    stop: Stop,
    global: &Global,
) -> anyhow::Result<Followed> {
    let from = movements::frontier(&engine.db, connection.id).await?;
    let first = movements::standing(&engine.db, connection.id).await?;
    let mut seen =
        Followed { ended: Ended::Settled, settled: 0, standing: first, written: Written::default() };
    if connection.state != State::Active {
        seen.ended = Ended::NotActive;
        return Ok(seen);
    }
    if first.open > 0 {
        until_settled(engine, connection, &mut seen, stop, global).await?;
    }
    let version = connection.settings_version;
    seen.written = movements::written_since(&engine.db, connection.id, from, version).await?;
    Ok(seen)
}

/// Watches until nothing is open any more, or nothing will ever happen, or a person stops it.
async fn until_settled(
    engine: &Engine,
    connection: &Connection,
    seen: &mut Followed,
    stop: Stop,
    global: &Global,
) -> anyhow::Result<()> {
    let first = seen.standing;
    let progress = watch::Sender::new(0);
    let shown = Shown::start(&progress, "records settled", u64::try_from(first.open).ok());
    let tells = !global.json && !std::io::stderr().is_terminal();
    let (mut told_at, mut checked_at): (Option<Instant>, Option<Instant>) = (None, None);
    let mut idle_before = None;
    let is_due = |at: Option<Instant>, every| at.is_none_or(|at| at.elapsed() >= every);
    let mut asked_to_stop = std::pin::pin!(stop.asked());
    let mut wait = Duration::ZERO;
    seen.ended = loop {
        tokio::select! {
            () = &mut asked_to_stop => break Ended::Stopped,
            () = tokio::time::sleep(wait) => {}
        }
        let began = Instant::now();
        seen.standing = movements::standing(&engine.db, connection.id).await?;
        // what changes meanwhile is open beside it
        seen.settled = first.open.saturating_sub(seen.standing.open).max(0);
        progress.send_replace(seen.settled.unsigned_abs());
        let Standing { open, held, failed } = seen.standing;
        shown.says(format!("records settled, {held} held, {failed} failed"));
        if open == 0 {
            break Ended::Settled;
        }
        if is_due(checked_at, CHECK_EVERY) {
            checked_at = Some(began);
            let idle = idle(engine, connection).await?;
            if let (Some(why), Some(_)) = (idle, idle_before) {
                break why;
            }
            idle_before = idle;
        }
        if tells && is_due(told_at, TELL_EVERY) {
            told_at = Some(began);
            let (settled, all) = (seen.settled, first.open);
            output::say(&format!("{settled} of {all} records settled, {held} held, {failed} failed"));
        }
        wait = LOOK_EVERY.max(began.elapsed() * LOOKING);
    };
    shown.end();
    Ok(())
}

/// Why nothing would ever happen, if that is so.
async fn idle(engine: &Engine, connection: &Connection) -> Result<Option<Ended>, connector::Error> {
    if connections::load(&engine.db, connection.id).await?.state != State::Active {
        return Ok(Some(Ended::NotActive));
    }
    let lives = nodes::all(&engine.db).await?.iter().any(|node| !node.gone);
    Ok((!lives).then_some(Ended::NoNode))
}

fn end(followed: &Followed, name: &str) -> String {
    let Standing { open, held, failed } = followed.standing;
    let Written { made, changed } = followed.written;
    let made = if made > 0 { format!(", {made} made") } else { String::new() };
    let tasks = format!("{changed} {} changed{made}", if changed == 1 { "task" } else { "tasks" });
    match followed.ended {
        Ended::Settled if held + failed > 0 => format!(
            "all records are settled; {tasks}; {held} held, {failed} failed: ml-connector movements list {name} --unsettled"
        ),
        Ended::Settled => format!("all records are settled; none is held, none failed; {tasks}"),
        Ended::Stopped => format!(
            "{open} records are still open; that goes on by itself, and `ml-connector connection show {name}` counts what is left"
        ),
        Ended::NotActive => format!(
            "`{name}` is not active, so nothing happens before it is ({open} records wait): \
             ml-connector connection activate {name}"
        ),
        Ended::NoNode => format!(
            "no `serve` runs, so {open} records wait for one; ml-connector serve, or once: ml-connector poll {name}"
        ),
    }
}
