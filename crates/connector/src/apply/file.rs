//! Reading a connection's file, and writing one. Pure.
//!
//! The file holds what a settings file holds, and besides the connection's `name` and, in `[secrets]`, where each
//! secret is found: `{ env = "VARIABLE" }` or `{ file = "PATH" }`. A secret itself is refused.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::Error as _;

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
    AsanaSettings, OracleSettings, ReconcileSettings, Schedule, Settings, TaskSettings, WebhookSettings,
    told, unread,
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
    let whole: Whole = toml::from_str(text).map_err(|error| {
        let problems = unread(text, &error, &["name", "oracle", "asana"], &beside);
        Error::several(Code::SettingsInvalid, problems)
    })?;
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
    let problems: Vec<String> = [manage::check_name(&whole.name), settings.check()]
        .into_iter()
        .filter_map(std::result::Result::err)
        .flat_map(Error::reasons)
        .collect();
    if !problems.is_empty() {
        return Err(Error::several(Code::SettingsInvalid, problems));
    }
    Ok(File { name: whole.name, secrets: whole.secrets, settings, fields_are_given })
}

/// What is wrong with what only a connection's file has.
fn beside(key: &str, value: &toml::Value) -> Option<Vec<String>> {
    match key {
        "name" => Some(told::<String>(value).into_iter().collect()),
        "secrets" => Some(told::<SecretSources>(value).into_iter().collect()),
        _ => None,
    }
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
    fn a_file_that_is_no_toml_is_told_once_and_with_its_line() {
        assert!(told(&GOOD.replace("[asana]", "[asana")).starts_with("line 13"));
        assert!(told("").contains("`oracle` is missing"));
        let one = told(&GOOD.replace("workspace =", "work_space ="));
        assert!(one.starts_with("line 14, `work_space`: unknown field") && !one.contains("; "), "{one}");
    }
}
