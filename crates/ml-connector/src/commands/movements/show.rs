//! `movements show`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use connector::ids::FieldGid;
use connector::purpose::Purpose;
use connector::store::actions::ActionRow;
use connector::store::attempts::Attempt;
use connector::store::connections;
use connector::store::movements::{self, FullMovement};
use connector::{Code, Error};

use crate::cli::Global;
use crate::database::Database;
use crate::output;

/// Runs the command.
pub async fn run(
    database: &Database,
    connection: &str,
    id: &str,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let connection = connections::find(&database.pool, connection).await?;
    let id = super::id(id)?;
    let unknown = || Error::new(Code::MovementUnknown, format!("`{}` has no movement {id}", connection.name));
    let found = movements::show(&database.pool, connection.id, id).await?.ok_or_else(unknown)?;
    let shown = Shown { fields: fields(&found, &connection.settings.fields), found: &found };
    if global.json {
        output::json(&shown)?;
    } else {
        print(&shown);
    }
    Ok(ExitCode::SUCCESS)
}

/// A movement, and what the fields in its request and answer are for.
#[derive(serde::Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    found: &'a FullMovement,
    /// By gid, those that the settings map now.
    fields: BTreeMap<&'a str, Purpose>,
}

fn fields<'a>(found: &FullMovement, mapped: &'a BTreeMap<Purpose, FieldGid>) -> BTreeMap<&'a str, Purpose> {
    let texts = [&found.earlier_requests, &found.request, &found.response];
    let is_named = |gid: &str| texts.iter().filter_map(|text| text.as_deref()).any(|text| text.contains(gid));
    let named = mapped.iter().map(|(purpose, gid)| (gid.as_str(), *purpose));
    named.filter(|(gid, _)| is_named(gid)).collect()
}

/// Every request that was sent, with what came of it; `None` when there was none.
pub(crate) fn exchanges(sent: &[Attempt]) -> Option<output::Table> {
    if sent.is_empty() {
        return None;
    }
    let mut table = output::table(&["sent", "what", "answer", "took", "node", "their id"]);
    for one in sent {
        let answer = match (one.status, one.outcome.as_str()) {
            (Some(status), "answered") => status.to_string(),
            (Some(status), outcome) => format!("{status}, {outcome}"),
            (None, outcome) => outcome.to_owned(),
        };
        let answer = one.code.as_ref().map_or_else(|| answer.clone(), |code| format!("{answer} {code}"));
        table.add_row([
            output::when(Some(one.at)),
            one.what.clone(),
            answer,
            format!("{} ms", one.elapsed_ms),
            one.node_id.to_string(),
            one.request_id.clone().unwrap_or_default(),
        ]);
    }
    Some(table)
}

fn print(shown: &Shown<'_>) {
    let found = shown.found;
    let m = &found.movement;
    let mut rows = vec![
        ("movement", m.movement_id.to_string()),
        ("record", format!("{} {}", m.feed, m.source_id)),
        ("task", m.destination_id.clone().unwrap_or_default()),
        ("state", m.state.clone()),
        ("outcome", m.outcome.clone().unwrap_or_default()),
        ("code", m.code.clone().unwrap_or_default()),
        ("reason", m.reason.clone().unwrap_or_default()),
        ("attempts", m.attempts.to_string()),
        ("opened", output::when(Some(m.created_at))),
        ("sent", output::when(m.sent_at)),
        ("ended", output::when(m.finished_at)),
    ];
    if let Some(of) = m.replay_of {
        let what = if found.deviates { "an edited or older record of" } else { "the record of" };
        rows.push(("replay", format!("sends again {what} movement {of}")));
    }
    if let Some(by) = m.settled_by {
        rows.push(("settled", format!("movement {by} stands for the record now")));
    }
    let numbers = m.number.as_deref().unwrap_or_default().lines().collect::<Vec<_>>().join(", ");
    if !numbers.is_empty() {
        rows.insert(2, ("order number", numbers));
    }
    output::data(&output::pairs(rows).to_string());
    if !found.actions.is_empty() {
        output::data(&actions(&found.actions).to_string());
    }
    if let Some(table) = exchanges(&found.exchanges) {
        output::data(&table.to_string());
    }
    if !shown.fields.is_empty() {
        let mut table = output::table(&["field", "gid"]);
        for (gid, purpose) in &shown.fields {
            table.add_row([purpose.as_str(), *gid]);
        }
        output::data(&table.to_string());
    }
    let texts = [
        ("record", &found.body),
        ("sent before", &found.earlier_requests),
        ("request", &found.request),
        ("answer", &found.response),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            output::data(&format!("\n{name}:\n{text}"));
        }
    }
}

/// What people did, with what an edit changed.
pub(crate) fn actions(done: &[ActionRow]) -> output::Table {
    let mut table = output::table(&["when", "who", "what", "note"]);
    for one in done {
        let what = match (one.what.as_str(), &one.before, &one.after) {
            ("replayed", _, Some(as_what)) => format!("replayed as {as_what}"),
            ("edited", Some(before), Some(after)) => format!("edited: {}", changed(before, after)),
            ("resolved", Some(found), Some(decided)) => format!("resolved: {decided} ({found})"),
            (what, _, _) => what.to_owned(),
        };
        table.add_row([
            output::when(Some(one.at)),
            one.by.clone(),
            what,
            one.note.clone().unwrap_or_default(),
        ]);
    }
    table
}

/// Where two texts differ: the differing middle of each, with a little around it.
pub(crate) fn changed(before: &str, after: &str) -> String {
    const AROUND: usize = 20;
    const LONGEST: usize = 120;
    let (old, new): (Vec<char>, Vec<char>) = (before.chars().collect(), after.chars().collect());
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let room = old.len().min(new.len()) - start;
    let end = old.iter().rev().zip(new.iter().rev()).take(room).take_while(|(a, b)| a == b).count();
    let part = |text: &[char]| {
        let middle = start.saturating_sub(AROUND)..(text.len() - end + AROUND.min(end));
        let shown: String = text.get(middle.clone()).unwrap_or_default().iter().take(LONGEST).collect();
        if middle.len() > LONGEST { format!("{shown}…") } else { shown }
    };
    if before == after { "nothing".to_owned() } else { format!("{}  ->  {}", part(&old), part(&new)) }
}

#[cfg(test)]
mod tests {
    use super::changed;

    #[test]
    fn of_two_texts_the_differing_part_is_shown_with_a_little_around() {
        assert_eq!(changed("same", "same"), "nothing");
        assert_eq!(changed(r#"{"a":1,"b":2}"#, r#"{"a":1,"b":25}"#), r#"{"a":1,"b":2}  ->  {"a":1,"b":25}"#);
        assert_eq!(changed("", "ä"), "  ->  ä");
        let long = format!("{}x{}", "a".repeat(100), "b".repeat(100));
        let told = changed(&long, &long.replace('x', "yy"));
        assert_eq!(told, format!("{0}x{1}  ->  {0}yy{1}", "a".repeat(20), "b".repeat(20)));
        assert!(changed("", &"z".repeat(500)).ends_with('…'));
    }
}
