//! Which settings differ, one by one, as people name them: `schedule.poll_minutes`. Pure.

use std::collections::BTreeMap;

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ids::FieldGid;
use crate::mapping::document::Target;
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

/// Where rules and fields that are taken out have written: what stands there on tasks stays, since nothing says what stood
/// there before. As the settings name them: `due_on`, `tag:12`, `fields.requester`.
#[must_use]
pub fn left_behind(present: &Settings, wanted: &Settings) -> Vec<String> {
    let kept = wanted.mapping.targets();
    let writes = |gid: &FieldGid| {
        wanted.fields.values().any(|other| other == gid) || kept.contains(&Target::Field(gid.clone()))
    };
    let rules = present.mapping.targets().into_iter().filter(|target| match target {
        Target::Field(gid) => !writes(gid),
        other => !kept.contains(other),
    });
    let fields = present.fields.iter().filter(|(_, gid)| !writes(gid));
    let fields = fields.map(|(purpose, _)| format!("fields.{}", purpose.as_str()));
    rules.map(|target| target.to_string()).chain(fields).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::mistakes::BASE;

    #[test]
    fn what_no_rule_and_no_field_writes_any_more_is_left_behind() {
        let with = |more: &str| Settings::from_toml(&format!("{BASE}\n{more}")).unwrap();
        let rule = |to: &str| format!("[[mapping.rules]]\nto = \"{to}\"\nset = \"5\"\n");
        let tag = "[[mapping.rules]]\nto = \"tag:8\"\nwhen = \"order.status == 'OPEN'\"\n";
        let full = with(&[&rule("name"), &rule("201"), &rule("202"), tag].concat());
        assert_eq!(left_behind(&full, &full), Vec::<String>::new());
        let mut less = with(&rule("202"));
        let field = less.fields.remove(&crate::purpose::Purpose::Supplier).unwrap();
        less.fields.insert(crate::purpose::Purpose::Requester, "201".into());
        let mut left = left_behind(&full, &less);
        left.sort();
        assert_eq!(left, ["fields.supplier", "name", "tag:8"]);
        less.fields.insert(crate::purpose::Purpose::Currency, field);
        assert!(!left_behind(&full, &less).iter().any(|one| one == "fields.supplier"));
    }
}
