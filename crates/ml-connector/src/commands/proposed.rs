//! Settings as somebody proposes them: those of a file, else those that are stored, with single changes.

use std::path::Path;

use connector::apply;
use connector::apply::changes::left_behind;
use connector::apply::file::{self, File, SecretSources};
use connector::mapping::hints::hints;
use connector::mapping::words;
use connector::settings::{Draft, Settings};
use connector::store::connections::Connection;
use connector::{Code, Engine, Error};

/// Reads a file that holds settings, alone or as a connection's whole file.
fn read(path: &Path) -> Result<File, Error> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        Error::new(Code::InputUnreadable, format!("{} cannot be read", path.display())).because(e)
    })?;
    Ok(file::read_either(&text))
}

/// The settings of a file for a connection that is added as `name`.
pub(super) fn of_new(name: &str, path: &Path) -> Result<Settings, Error> {
    of_another(name, read(path)?).draft.accepted()
}

/// What somebody proposes for a connection.
pub(super) struct Proposed {
    /// The settings.
    pub settings: Settings,
    /// Whether the file refers to secrets: these are stored by `connection apply` alone.
    pub has_secrets: bool,
}

/// The settings of a file, else those that are stored, with these changes; refused with everything that is wrong.
/// What provisioning has written stays where the file does not name it.
pub(super) async fn proposed(
    engine: &Engine,
    connection: &Connection,
    path: Option<&Path>,
    set: &[String],
) -> Result<Proposed, Error> {
    let (draft, has_secrets) = match path {
        Some(path) => {
            let mut file = of_another(&connection.name, read(path)?);
            file.keep_provisioned(&connection.settings);
            let has_secrets = file.secrets != SecretSources::default();
            (file.draft, has_secrets)
        }
        None => (Draft { settings: Some(connection.settings.clone()), unread: Vec::new() }, false),
    };
    let settings = apply::checked(engine, Some(connection), with_changes(draft, set)?).await?;
    Ok(Proposed { settings, has_secrets })
}

/// What is worth a second look in settings that are taken: what of them may be meant otherwise, and what stays on tasks of
/// those that were there before.
pub(super) fn second_looks(before: &Settings, after: &Settings) -> Vec<String> {
    let mut looks = Vec::new();
    if before.journal.is_some() && after.journal.is_none() {
        looks.push("[journal] is taken out: from now on a completed task is posted nowhere".to_owned());
    }
    if before.reference.is_some() && after.reference.is_none() {
        looks
            .push("[reference] is taken out: suppliers and accounts are no longer read or judged".to_owned());
    }
    if before.mapping != after.mapping {
        looks.extend(hints(after));
    }
    let left = left_behind(before, after);
    if !left.is_empty() {
        let left = left.join(", ");
        looks.push(format!("what {left} wrote stays on the tasks: nothing says what stood there before"));
    }
    looks
}

/// A file that is of another connection is not taken for this one.
fn of_another(name: &str, mut file: File) -> File {
    if let Some(of) = file.name.as_deref().filter(|of| *of != name) {
        file.draft.unread.push(format!(
            "`name`: the file is of `{of}`, not of `{name}`; name the right file, or correct the name in it"
        ));
    }
    file
}

/// Sets values, named by their paths in the TOML form.
fn with_changes(draft: Draft, changes: &[String]) -> Result<Draft, Error> {
    let Some(settings) = draft.settings.as_ref().filter(|_| !changes.is_empty()) else { return Ok(draft) };
    let unreadable = |_| Error::new(Code::SettingsInvalid, "the present settings cannot be read".to_owned());
    let present: toml::Value = toml::from_str(&settings.to_toml()?).map_err(unreadable)?;
    // what looks like a number may be a gid
    let [typed, as_texts] = [false, true].map(|as_texts| {
        let mut whole = present.clone();
        changes.iter().try_for_each(|change| set_one(&mut whole, change, as_texts)).map(|()| whole)
    });
    let read = |mut whole: toml::Value| {
        let told = whole.as_table_mut().map(words::take_out).unwrap_or_default();
        if !told.is_empty() {
            return Err(Error::several(Code::SettingsInvalid, told));
        }
        whole.try_into::<Settings>().map_err(|error| {
            let words = format!("--set {}: {}", changes.join(" --set "), error.message().trim_end());
            Error::new(Code::SettingsInvalid, words)
        })
    };
    let settings = match (typed.and_then(read), as_texts.and_then(read)) {
        (Ok(settings), _) | (Err(_), Ok(settings)) => settings,
        (Err(error), Err(_)) => return Err(error),
    };
    Ok(Draft { settings: Some(settings), ..draft })
}

fn set_one(whole: &mut toml::Value, change: &str, as_text: bool) -> Result<(), Error> {
    let wrong = |why: &str| Error::new(Code::SettingsInvalid, format!("--set {change}: {why}"));
    let (path, value) = change.split_once('=').ok_or_else(|| wrong("it must be KEY=VALUE"))?;
    let text = || toml::Value::String(value.to_owned());
    let value = toml::from_str::<toml::Table>(&format!("value = {value}"))
        .ok()
        .and_then(|mut table| table.remove("value"))
        .filter(|value| !(as_text && value.is_integer()))
        .unwrap_or_else(text);
    let steps = steps(path);
    let (last, parents) = steps.split_last().ok_or_else(|| wrong("it must be KEY=VALUE"))?;
    let mut place = whole;
    for step in parents {
        let table = place.as_table_mut().ok_or_else(|| wrong("there is no such setting"))?;
        // a section that is not there yet; whether there can be one is judged with the whole
        place = table.entry(step).or_insert_with(|| toml::Value::Table(toml::Table::new()));
    }
    let table = place.as_table_mut().ok_or_else(|| wrong("there is no such setting"))?;
    table.insert(last.clone(), value);
    Ok(())
}

/// The keys of a path, each of which may be quoted as in TOML; what TOML cannot read is split at its points.
fn steps(path: &str) -> Vec<String> {
    let Ok(mut table) = toml::from_str::<toml::Table>(&format!("{path} = 0")) else {
        return path.split('.').filter(|step| !step.is_empty()).map(str::to_owned).collect();
    };
    let mut steps = Vec::new();
    while let Some((key, value)) = std::mem::take(&mut table).into_iter().next() {
        steps.push(key);
        if let toml::Value::Table(inner) = value {
            table = inner;
        }
    }
    steps
}

#[cfg(test)]
#[test]
fn a_path_is_taken_apart_as_toml_does_or_at_its_points() {
    assert_eq!(steps("schedule.poll_minutes"), ["schedule", "poll_minutes"]);
    assert_eq!(steps("a.lookup.\"Gee, May\""), ["a", "lookup", "Gee, May"]);
    assert_eq!(steps("a.lookup.\"1.5\""), ["a", "lookup", "1.5"]);
    assert_eq!(steps("a.lookup.Gee, May"), ["a", "lookup", "Gee, May"]);
    assert_eq!(steps(""), Vec::<String>::new());
}
