//! Reading a connection's file, and writing one. Pure.
//!
//! The file holds what a settings file holds, and besides the connection's `name` and, in `[secrets]`, where each
//! secret is found: `{ env = "VARIABLE" }` or `{ file = "PATH" }`. A secret itself is refused.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};

use crate::alerts::settings::AlertSettings;
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::JournalSettings;
use crate::manage;
use crate::mapping::document::MappingSettings;
use crate::reference::ReferenceSettings;
use crate::retention::LogSettings;
use crate::routing::Routing;
use crate::settings::{
    AsanaSettings, Lenient, OracleSettings, ReconcileSettings, Schedule, Settings, TaskSettings,
    WebhookSettings, problem,
};

/// What a file says.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// The connection's name.
    pub name: String,
    /// Where the secrets are found.
    pub secrets: SecretSources,
    /// The settings.
    pub settings: Settings,
    /// Whether there is a `[fields]` section.
    pub fields_are_given: bool,
}

/// Where the secrets are found; one that is not named stays as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretSources {
    /// Oracle's client secret.
    pub oracle_client_secret: Option<Source>,
    /// Asana's token.
    pub asana_token: Option<Source>,
}

/// Where one secret is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In this environment variable.
    Env(String),
    /// In this file; a relative path counts from the connection's file.
    File(PathBuf),
}

/// By hand: a derived one would repeat a secret that somebody wrote there.
impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Source, D::Error> {
        let wrong = || D::Error::custom("a table with either `env` or `file`, never the secret itself");
        let toml::Value::Table(table) = toml::Value::deserialize(deserializer)? else { return Err(wrong()) };
        let mut entries = table.into_iter();
        match (entries.next(), entries.next()) {
            (Some((key, toml::Value::String(name))), None) if key == "env" => Ok(Source::Env(name)),
            (Some((key, toml::Value::String(path))), None) if key == "file" => Ok(Source::File(path.into())),
            _ => Err(wrong()),
        }
    }
}

/// The whole file. Each section of the settings stands here once more, so that a mistake is told with its line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    name: String,
    #[serde(default)]
    secrets: SecretSources,
    oracle: OracleSettings,
    asana: AsanaSettings,
    fields: Option<BTreeMap<crate::purpose::Purpose, crate::ids::FieldGid>>,
    #[serde(default)]
    mapping: MappingSettings,
    #[serde(default)]
    routing: Routing,
    #[serde(default)]
    tasks: TaskSettings,
    #[serde(default)]
    schedule: Schedule,
    journal: Option<JournalSettings>,
    #[serde(default)]
    webhooks: WebhookSettings,
    #[serde(default)]
    reconcile: ReconcileSettings,
    reference: Option<ReferenceSettings>,
    #[serde(default)]
    alerts: AlertSettings,
    #[serde(default)]
    log: LogSettings,
}

/// Reads a file; all problems of it are named at once, and no value is repeated.
pub fn read(text: &str) -> Result<File> {
    let Lenient { mut told, read } = Lenient::<Whole>::of(text);
    let whole = match read {
        Ok(whole) => whole,
        Err((first, table)) => {
            told.extend(unreadable(table, first));
            return Err(Error::of_problems(Code::SettingsInvalid, told));
        }
    };
    let fields_are_given = whole.fields.is_some();
    let settings = Settings {
        oracle: whole.oracle,
        asana: whole.asana,
        fields: whole.fields.unwrap_or_default(),
        mapping: whole.mapping,
        routing: whole.routing,
        tasks: whole.tasks,
        schedule: whole.schedule,
        journal: whole.journal,
        webhooks: whole.webhooks,
        reconcile: whole.reconcile,
        reference: whole.reference,
        alerts: whole.alerts,
        log: whole.log,
    };
    let checks = [manage::check_name(&whole.name), settings.check()];
    told.extend(checks.into_iter().filter_map(std::result::Result::err).flat_map(Error::into_problems));
    if !told.is_empty() {
        return Err(Error::of_problems(Code::SettingsInvalid, told));
    }
    Ok(File { name: whole.name, secrets: whole.secrets, settings, fields_are_given })
}

/// Everything that keeps a file from being read: the first with its line, and the first of every other section.
fn unreadable(table: Option<toml::Table>, first: String) -> Vec<String> {
    let mut problems = vec![first];
    let Some(table) = table else { return problems };
    for (key, value) in &table {
        let told = match key.as_str() {
            "name" => section::<String>(value),
            "secrets" => section::<SecretSources>(value),
            "oracle" => section::<OracleSettings>(value),
            "asana" => section::<AsanaSettings>(value),
            "fields" => section::<BTreeMap<crate::purpose::Purpose, crate::ids::FieldGid>>(value),
            "mapping" => section::<MappingSettings>(value),
            "routing" => section::<Routing>(value),
            "tasks" => section::<TaskSettings>(value),
            "schedule" => section::<Schedule>(value),
            "journal" => section::<JournalSettings>(value),
            "webhooks" => section::<WebhookSettings>(value),
            "reconcile" => section::<ReconcileSettings>(value),
            "reference" => section::<ReferenceSettings>(value),
            "alerts" => section::<AlertSettings>(value),
            "log" => section::<LogSettings>(value),
            _ => Some("there is no such section".to_owned()),
        };
        problems.extend(told.map(|told| format!("`{key}`: {told}")));
    }
    for key in ["name", "oracle", "asana"].iter().filter(|key| !table.contains_key(**key)) {
        problems.push(format!("`{key}` is missing"));
    }
    // the first one stands there twice: with its line, and as that of its section
    let with_line = problems.first().and_then(|first| first.split_once(": ")).map(|(_, why)| why.to_owned());
    if let Some(why) = with_line {
        let again = problems.iter().skip(1).position(|told| {
            told.ends_with(&why) || (why.starts_with("unknown field") && told.ends_with("no such section"))
        });
        again.map(|at| problems.remove(at + 1));
    } else if problems.len() > 1 {
        problems.remove(0);
    }
    problems
}

fn section<T: DeserializeOwned>(value: &toml::Value) -> Option<String> {
    value.clone().try_into::<T>().err().map(|error| problem("", error.message(), None))
}

/// A connection in the form that is read, without its secrets.
pub fn write(name: &str, settings: &Settings) -> Result<String> {
    Ok(format!(
        "name = {}\n\n# Secrets never stand here, only where they are found: {{ env = \"VARIABLE\" }} or \
         {{ file = \"PATH\" }}.\n# What is not named stays as it is stored.\n[secrets]\n\
         # oracle_client_secret = {{ env = \"ML_CONNECTOR_ORACLE_SECRET\" }}\n\
         # asana_token = {{ env = \"ML_CONNECTOR_ASANA_TOKEN\" }}\n\n{}",
        toml::Value::from(name),
        settings.to_toml()?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"name = "acme"

[secrets]
oracle_client_secret = { env = "ORACLE_SECRET" }
asana_token = { file = "asana.token" }

[oracle]
url = "https://acme.fa.us2.oraclecloud.com"
token_url = "https://idcs-1.identity.oraclecloud.com/oauth2/v1/token"
client_id = "client"
scope = "urn:opc:resource:fa"

[asana]
workspace = "1200"

[routing.default]
project = "77"
"#;

    fn told(text: &str) -> String {
        read(text).unwrap_err().message
    }

    #[test]
    fn a_file_that_was_written_is_read_as_the_same_settings() {
        let file = read(GOOD).unwrap();
        assert_eq!(file.secrets.oracle_client_secret, Some(Source::Env("ORACLE_SECRET".into())));
        assert_eq!(file.secrets.asana_token, Some(Source::File("asana.token".into())));
        assert!(!file.fields_are_given);
        let text = write(&file.name, &file.settings).unwrap();
        let again = read(&text).unwrap();
        assert_eq!((&again.name, &again.settings), (&file.name, &file.settings));
        assert_eq!(again.secrets, SecretSources::default());
        assert!(!again.fields_are_given, "there is nothing to keep yet");
        let mut mapped = again.settings;
        mapped.fields.insert(crate::purpose::Purpose::Supplier, "5".into());
        assert!(read(&write("acme", &mapped).unwrap()).unwrap().fields_are_given);
    }

    #[test]
    fn the_example_in_the_documentation_is_a_good_file() {
        let page = include_str!("../../../../docs/onboarding.md");
        let (_, example) = page.split_once("```toml\n").unwrap();
        let file = read(example.split_once("```").unwrap().0).unwrap();
        assert!(file.secrets.oracle_client_secret.is_some() && file.secrets.asana_token.is_some());
        assert!(!file.fields_are_given && file.settings.check_mapped().is_err());
    }

    #[test]
    fn all_problems_are_told_at_once_and_no_value_is_repeated() {
        let broken = GOOD
            .replace("workspace =", "work_space =")
            .replace("{ env = \"ORACLE_SECRET\" }", "\"hidden-secret\"")
            .replace("project =", "projekt =")
            .replace("name = \"acme\"", "name = 7")
            + "[schedules]\npoll_minutes = 5\n";
        let all = told(&broken);
        for words in [
            "line 14, `work_space`: unknown field",
            "`name`: invalid type",
            "`routing`: unknown field",
            "`secrets`: a table with either `env` or `file`",
            "`schedules`: there is no such section",
        ] {
            assert!(all.contains(words), "{words}: {all}");
        }
        assert_eq!(all.matches("; ").count(), 4, "{all}");
        assert!(!all.contains("hidden"), "{all}");
        let checked = told(&GOOD.replace("acme\"\n", "a b\"\n").replace("\"1200\"", "\"x\""));
        assert!(checked.contains("a connection's name") && checked.contains("asana.workspace"), "{checked}");
    }

    #[test]
    fn wrong_words_of_the_mapping_hide_nothing_else() {
        let mapping = "[mapping.values.a]\nread = \"Buyer\"\nas = \"dat\"\n";
        let with_words = read(&(GOOD.to_owned() + mapping)).unwrap_err().into_problems();
        assert_eq!(
            with_words,
            [
                "mapping.values.a: `as` takes \"number\" or \"date\"; did you mean `date`?",
                "mapping.values.a: nothing uses it; name it in a rule, or take it out",
            ]
        );
        let broken = GOOD.replace("workspace =", "work_space =") + mapping;
        let all = read(&broken).unwrap_err().into_problems();
        assert_eq!(all.len(), 2, "{all:?}");
        assert!(all[0].starts_with("mapping.values.a: `as`"), "{all:?}");
        assert!(all[1].contains("`work_space`"), "{all:?}");
    }

    #[test]
    fn a_file_that_is_no_toml_is_told_once_and_with_its_line() {
        assert!(told(&GOOD.replace("[asana]", "[asana")).starts_with("line 13"));
        assert!(told("").contains("`oracle` is missing"));
        let one = told(&GOOD.replace("workspace =", "work_space ="));
        assert!(one.starts_with("line 14, `work_space`: unknown field") && !one.contains("; "), "{one}");
    }
}
