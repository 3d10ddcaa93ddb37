//! Reading a connection's file, and writing one. Pure.
//!
//! The file holds what a settings file holds, and besides the connection's `name` and, in `[secrets]`, where each
//! secret is found: `{ env = "VARIABLE" }` or `{ file = "PATH" }`. A secret itself is refused.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::Error as _;

use crate::alerts::settings::AlertSettings;
use crate::error::{Error, Result};
use crate::journal::JournalSettings;
use crate::manage;
use crate::mapping::document::MappingSettings;
use crate::reference::ReferenceSettings;
use crate::retention::LogSettings;
use crate::routing::Routing;
use crate::settings::{
    AsanaSettings, Draft, OracleSettings, ReconcileSettings, Schedule, Settings, TaskSettings,
    WebhookSettings, told, unread,
};

/// What a file says.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// The connection's name; a file of settings alone has none.
    pub name: Option<String>,
    /// Where the secrets are found.
    pub secrets: SecretSources,
    /// The settings, and what could not be read.
    pub draft: Draft,
    /// Whether there is a `[fields]` section.
    fields_are_given: bool,
}

impl File {
    /// Keeps what provisioning may have written: a file without a `[fields]` section leaves the mapped fields as they
    /// are, and a `[reference]` section that names no field for marks the one that is stored.
    pub fn keep_provisioned(&mut self, present: &Settings) {
        let Some(settings) = &mut self.draft.settings else { return };
        if !self.fields_are_given {
            settings.fields.clone_from(&present.fields);
        }
        if let (Some(reference), Some(stored)) = (&mut settings.reference, &present.reference)
            && reference.mark.is_none()
        {
            reference.mark.clone_from(&stored.mark);
        }
    }
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

/// Reads a connection's file, which has its name.
#[must_use]
pub fn read(text: &str) -> File {
    let whole: Whole = match toml::from_str(text) {
        Ok(whole) => whole,
        Err(error) => {
            let draft = unread(text, &error, &["name", "oracle", "asana"], &beside);
            let table: toml::Table = text.parse().unwrap_or_default();
            let name = table.get("name").and_then(toml::Value::as_str).map(str::to_owned);
            let fields_are_given = table.contains_key("fields");
            return File { name, secrets: SecretSources::default(), draft, fields_are_given };
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
    let unread = manage::check_name(&whole.name).err().map(Error::reasons).unwrap_or_default();
    let draft = Draft { settings: Some(settings), unread };
    File { name: Some(whole.name), secrets: whole.secrets, draft, fields_are_given }
}

/// Reads a file of either form: a connection's, or one of settings alone.
#[must_use]
pub fn read_either(text: &str) -> File {
    let table: toml::Table = text.parse().unwrap_or_default();
    // `[secrets]` stands only beside a name, which is missing then
    if table.contains_key("name") || table.contains_key("secrets") {
        return read(text);
    }
    let (draft, fields_are_given) = (Settings::draft(text), table.contains_key("fields"));
    File { name: None, secrets: SecretSources::default(), draft, fields_are_given }
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

    fn good(text: &str) -> (File, Settings) {
        let file = read(text);
        let settings = file.draft.clone().accepted().unwrap();
        (file, settings)
    }

    fn told(text: &str) -> String {
        read(text).draft.accepted().unwrap_err().message
    }

    #[test]
    fn a_file_that_was_written_is_read_as_the_same_settings() {
        let (file, settings) = good(GOOD);
        assert_eq!(file.secrets.oracle_client_secret, Some(Source::Env("ORACLE_SECRET".into())));
        assert_eq!(file.secrets.asana_token, Some(Source::File("asana.token".into())));
        let text = write("acme", &settings).unwrap();
        let (file, again) = good(&text);
        assert_eq!((file.name.as_deref(), &again), (Some("acme"), &settings));
        assert_eq!(file.secrets, SecretSources::default());
    }

    #[test]
    fn a_file_of_either_form_without_fields_keeps_those_that_are_stored() {
        let (_, settings) = good(GOOD);
        let mut mapped = settings.clone();
        mapped.fields.insert(crate::purpose::Purpose::Supplier, "5".into());
        for text in [GOOD.to_owned(), settings.to_toml().unwrap()] {
            for (more, kept) in
                [("", 1), ("[fields]\n", 0), ("[fields]\nrequester = \"6\"\nsupplier = \"7\"\n", 2)]
            {
                let mut file = read_either(&format!("{text}\n{more}"));
                file.keep_provisioned(&mapped);
                assert_eq!(file.name.is_some(), text == GOOD);
                assert_eq!(file.draft.accepted().unwrap().fields.len(), kept, "{more}");
            }
        }
    }

    #[test]
    fn a_section_without_a_field_for_marks_keeps_the_one_that_is_stored() {
        let with = |more: &str| good(&format!("{GOOD}{more}")).1;
        let stored = with("[reference]\nmark = \"9\"\n");
        let none = with("");
        for (more, before, kept) in [
            ("[reference]\nhours = 5\n", &stored, Some("9")),
            ("[reference]\nmark = \"8\"\n", &stored, Some("8")),
            ("[reference]\nhours = 5\n", &none, None),
            ("", &stored, None),
        ] {
            let mut file = read(&format!("{GOOD}{more}"));
            file.keep_provisioned(before);
            let mark = file.draft.accepted().unwrap().reference.and_then(|reference| reference.mark);
            assert_eq!(mark.as_ref().map(|gid| gid.0.as_str()), kept, "{more}");
        }
    }

    #[test]
    fn the_example_in_the_documentation_is_a_good_file() {
        let page = include_str!("../../../../docs/onboarding.md");
        let (_, example) = page.split_once("```toml\n").unwrap();
        let (file, settings) = good(example.split_once("```").unwrap().0);
        assert!(file.secrets.oracle_client_secret.is_some() && file.secrets.asana_token.is_some());
        assert!(!file.fields_are_given && settings.check_mapped().is_err());
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
