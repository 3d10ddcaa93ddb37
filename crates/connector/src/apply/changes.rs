//! Which settings differ, one by one, as people name them: `schedule.poll_minutes`. Pure.

use std::collections::BTreeMap;

use crate::code::Code;
use crate::error::{Error, Result};
use crate::settings::Settings;

/// One setting that changes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// Its path in the file.
    pub setting: String,
    /// Its present value in TOML; `None`: it is not set.
    pub old: Option<String>,
    /// Its new value in TOML; `None`: it is taken away.
    pub new: Option<String>,
}

/// Everything that differs, by path. Without present settings everything is new.
pub fn between(present: Option<&Settings>, wanted: &Settings) -> Result<Vec<Change>> {
    let old = present.map_or_else(|| Ok(BTreeMap::new()), flat)?;
    let new = flat(wanted)?;
    let mut paths: Vec<&String> = old.keys().chain(new.keys()).collect();
    paths.sort();
    paths.dedup();
    Ok(paths
        .into_iter()
        .filter(|path| old.get(*path) != new.get(*path))
        .map(|path| Change {
            setting: path.clone(),
            old: old.get(path).cloned(),
            new: new.get(path).cloned(),
        })
        .collect())
}

fn flat(settings: &Settings) -> Result<BTreeMap<String, String>> {
    let unwritable = |e| Error::new(Code::SettingsInvalid, "the settings cannot be written").because(e);
    let mut all = BTreeMap::new();
    add(&mut all, String::new(), &toml::Value::try_from(settings).map_err(unwritable)?);
    Ok(all)
}

fn add(all: &mut BTreeMap<String, String>, path: String, value: &toml::Value) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                add(all, below(key), value);
            }
        }
        // rules are told by their place, since their order decides
        toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
            for (n, item) in items.iter().enumerate() {
                add(all, format!("{path}[{}]", n + 1), item);
            }
        }
        other => {
            all.insert(path, other.to_string());
        }
    }
}
