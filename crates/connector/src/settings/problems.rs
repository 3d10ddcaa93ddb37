//! What is wrong with settings, told to the person who wrote them.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ids::FieldGid;
use crate::journal::JournalSettings;
use crate::purpose::Purpose;
use crate::settings::{OracleSettings, Settings};

/// Where in a settings file something is wrong, and what. Values are not repeated: a secret may have
/// strayed into the file.
pub(crate) fn problem(text: &str, message: &str, span: Option<std::ops::Range<usize>>) -> String {
    let message = message.trim_end();
    let told = match (message.find('"'), message.rfind('"')) {
        (Some(from), Some(to)) if from < to => {
            format!("{}\"…\"{}", &message[..from], &message[to + 1..])
        }
        _ => message.to_owned(),
    };
    let Some(before) = span.and_then(|span| text.get(..span.start)).filter(|_| !text.is_empty()) else {
        return told;
    };
    let line = text.lines().nth(before.matches('\n').count()).unwrap_or_default();
    let number = before.matches('\n').count() + 1;
    match line.split('=').next().map(str::trim).filter(|key| line.contains('=') && !key.is_empty()) {
        Some(key) => format!("line {number}, `{key}`: {told}"),
        None => format!("line {number}: {told}"),
    }
}

impl Settings {
    /// What is wrong with the two sides; of what a client itself refuses, the first. No secret is needed for that.
    fn side_problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let OracleSettings { token_url, client_id, scope, .. } = self.oracle.clone();
        let secret = || SecretString::from("");
        match self.oracle.base() {
            Err(error) => problems.push(error.message),
            Ok(base) => {
                let client = oracle_fusion::Config::new(base, token_url, client_id, secret(), scope);
                problems.extend(client.check().err().map(|error| format!("[oracle]: {error}")));
            }
        }
        if !(4..=9).contains(&self.oracle.framework_version) {
            problems.push("oracle.framework_version must be 4 to 9".to_owned());
        }
        if !(1..=499).contains(&self.oracle.page_size) {
            problems.push("oracle.page_size must be 1 to 499".to_owned());
        }
        if self.oracle.requests_per_minute == 0 {
            problems.push("oracle.requests_per_minute must be at least 1".to_owned());
        }
        if self.asana.requests_per_minute == 0 {
            problems.push("asana.requests_per_minute must be at least 1".to_owned());
        } else if let Err(error) = self.asana.client(secret()).check() {
            problems.push(format!("[asana]: {error}"));
        }
        if self.asana.workspace.is_empty() || !self.asana.workspace.bytes().all(|b| b.is_ascii_digit()) {
            problems.push("asana.workspace must be a gid (digits only)".to_owned());
        }
        problems
    }

    fn journal_problems(&self) -> Vec<String> {
        let mut problems = self.journal.as_ref().map(JournalSettings::problems).unwrap_or_default();
        for (name, minutes) in
            [("check_minutes", self.webhooks.check_minutes), ("sweep_minutes", self.webhooks.sweep_minutes)]
        {
            if !(1..=1440).contains(&minutes) {
                problems.push(format!("webhooks.{name} must be 1 to 1440"));
            }
        }
        for purpose in [Purpose::JournalStatus, Purpose::Cost] {
            if self.fields.contains_key(&purpose) && self.journal.is_none() {
                problems.push(format!("fields.{} needs a [journal] section", purpose.as_str()));
            }
        }
        problems
    }

    /// Refuses what cannot work. All problems are named; of what a client refuses (addresses, client id, scope) the
    /// first of each side.
    pub fn check(&self) -> Result<()> {
        let problems = self.problems();
        if problems.is_empty() { Ok(()) } else { Err(Error::several(Code::SettingsInvalid, problems)) }
    }

    /// Everything that cannot work.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = self.side_problems();
        let link_has_id = self.oracle.order_link.as_deref().is_some_and(|link| link.contains("{id}"));
        if self.fields.contains_key(&Purpose::OracleLink) && !link_has_id {
            problems
                .push("fields.oracle_link needs oracle.order_link, an address with {id} in it".to_owned());
        }
        let mut by_gid: BTreeMap<&FieldGid, Purpose> = BTreeMap::new();
        for (purpose, gid) in &self.fields {
            if gid.0.is_empty() || !gid.0.bytes().all(|b| b.is_ascii_digit()) {
                problems.push(format!("fields.{} must be a gid (digits only)", purpose.as_str()));
            } else if let Some(other) = by_gid.insert(gid, *purpose) {
                let (a, b) = (other.as_str(), purpose.as_str());
                problems.push(format!("fields.{b} names the same field as fields.{a}"));
            }
        }
        if self.schedule.poll_minutes == 0 {
            problems.push("schedule.poll_minutes must be at least 1".to_owned());
        }
        problems.extend(self.journal_problems());
        problems.extend(self.reference.iter().flat_map(|reference| reference.problems(&self.fields)));
        problems.extend(self.alerts.problems());
        problems.extend(self.log.problems());
        problems.extend(self.routing.problems());
        problems.extend(crate::mapping::problems::problems(self));
        match crate::template::Templates::new(&self.tasks) {
            Ok(templates) => problems.extend(templates.unknown()),
            Err(error) => problems.push(error.message),
        }
        problems
    }
}
