//! The answers about both sides: which is missing, what each means, and the settings that follow. Pure.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use crate::code::Code;
use crate::error::{Error, Result};
use crate::guide::journal::JournalAnswers;
use crate::guide::routes::RouteAnswers;
use crate::settings::{AsanaSettings, OracleSettings, Settings, TaskPer, problem};

/// Something of Asana's, with its name for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its gid.
    pub gid: String,
    /// Its name.
    pub name: String,
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.gid)
    }
}

/// Everything that was answered, without secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Answers {
    /// Oracle's address.
    pub oracle_url: Option<Url>,
    /// The identity domain's token endpoint.
    pub token_url: Option<Url>,
    /// The confidential application's client id.
    pub client_id: Option<String>,
    /// The scope.
    pub scope: Option<String>,
    /// Asana's API, when it is not the usual one.
    pub asana_url: Option<Url>,
    /// The workspace.
    pub workspace: Option<Named>,
    /// The project that orders go to, unless a rule names another.
    pub project: Option<Named>,
    /// What one task stands for.
    pub per: Option<TaskPer>,
    /// Whether it was answered how charge accounts are cut; how, the settings say.
    pub accounts: bool,
    /// Which orders go to which project, when not all go to one.
    pub routes: RouteAnswers,
    /// Whether completed tasks bring journals.
    pub journals: Option<bool>,
    /// What journals need.
    pub journal: JournalAnswers,
}

/// What is known besides the answers, and kept only as long as the guide runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// The client secret was given.
    pub client_secret: bool,
    /// Oracle was tested with it and the present answers.
    pub oracle_tested: bool,
    /// Asana's token was given, and works.
    pub asana_token: bool,
}

/// What is asked, or tested, before there is a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Oracle's address.
    OracleUrl,
    /// The token endpoint.
    TokenUrl,
    /// The client id.
    ClientId,
    /// The scope.
    Scope,
    /// The client secret.
    ClientSecret,
    /// No question: Oracle is tested.
    OracleTest,
    /// Asana's token.
    AsanaToken,
    /// The workspace.
    Workspace,
    /// The project.
    Project,
    /// What one task stands for.
    Per,
}

impl Question {
    /// What the test of Oracle depends on, in the order in which it is asked.
    pub const OF_ORACLE: [Question; 5] = [
        Question::OracleUrl,
        Question::TokenUrl,
        Question::ClientId,
        Question::Scope,
        Question::ClientSecret,
    ];

    /// What is asked for, in a few words.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Question::OracleUrl => "Oracle's address",
            Question::TokenUrl => "token address",
            Question::ClientId => "client id",
            Question::Scope => "scope",
            Question::ClientSecret => "client secret",
            Question::OracleTest => "Oracle",
            Question::AsanaToken => "Asana's token",
            Question::Workspace => "Asana's workspace",
            Question::Project => "Asana's project",
            Question::Per => "one task stands for",
        }
    }
}

/// The questions of Oracle's side, those first that a failure with this code speaks of.
#[must_use]
pub fn suspects(code: Code) -> Vec<Question> {
    let first: &[Question] = match code {
        Code::OracleClientRefused => &[Question::ClientSecret, Question::ClientId, Question::TokenUrl],
        Code::OracleScopeRefused => &[Question::Scope],
        Code::OracleTokenFailed => &[Question::TokenUrl, Question::Scope],
        Code::OracleUnauthorized => &[Question::ClientId, Question::Scope, Question::TokenUrl],
        _ => &[],
    };
    let rest = Question::OF_ORACLE.into_iter().filter(|question| !first.contains(question));
    first.iter().copied().chain(rest).collect()
}

impl Answers {
    /// What is asked next; `None`: the draft can be made.
    #[must_use]
    pub fn next(&self, held: Held) -> Option<Question> {
        let open = [
            (self.oracle_url.is_none(), Question::OracleUrl),
            (self.token_url.is_none(), Question::TokenUrl),
            (self.client_id.is_none(), Question::ClientId),
            (self.scope.is_none(), Question::Scope),
            (!held.client_secret, Question::ClientSecret),
            (!held.oracle_tested, Question::OracleTest),
            (!held.asana_token, Question::AsanaToken),
            (self.workspace.is_none(), Question::Workspace),
            (self.project.is_none(), Question::Project),
            (self.per.is_none(), Question::Per),
        ];
        open.into_iter().find_map(|(is_open, question)| is_open.then_some(question))
    }

    /// Takes an answer back, and what depends on it. A secret is not here.
    pub fn take_back(&mut self, question: Question) {
        match question {
            Question::OracleUrl => self.oracle_url = None,
            Question::TokenUrl => self.token_url = None,
            Question::ClientId => self.client_id = None,
            Question::Scope => self.scope = None,
            Question::Workspace => (self.workspace, self.project) = (None, None),
            Question::Project => self.project = None,
            Question::Per => self.per = None,
            Question::ClientSecret | Question::OracleTest | Question::AsanaToken => {}
        }
    }

    /// Takes the workspace back, with its project, when the token does not see it (any more).
    pub fn keep_to(&mut self, workspaces: &[Named]) {
        let seen = |own: &Named| workspaces.iter().any(|found| found.gid == own.gid);
        if self.workspace.as_ref().is_some_and(|own| !seen(own)) {
            self.take_back(Question::Workspace);
        }
    }

    /// What was answered, with its value, in the order of the questions.
    #[must_use]
    pub fn told(&self) -> Vec<(Question, String)> {
        let text = |value: &Option<String>| value.clone();
        let all = [
            (Question::OracleUrl, self.oracle_url.as_ref().map(Url::to_string)),
            (Question::TokenUrl, self.token_url.as_ref().map(Url::to_string)),
            (Question::ClientId, text(&self.client_id)),
            (Question::Scope, text(&self.scope)),
            (Question::Workspace, self.workspace.as_ref().map(Named::to_string)),
            (Question::Project, self.project.as_ref().map(Named::to_string)),
            (Question::Per, self.per.map(|per| per_words(per).to_owned())),
        ];
        all.into_iter().filter_map(|(question, value)| Some((question, value?))).collect()
    }

    /// The Oracle side.
    ///
    /// # Errors
    /// [`Code::SettingsInvalid`] when an answer about it is missing.
    pub fn oracle(&self) -> Result<OracleSettings> {
        let (Some(url), Some(token_url), Some(client_id), Some(scope)) =
            (&self.oracle_url, &self.token_url, &self.client_id, &self.scope)
        else {
            return Err(missing("Oracle's side"));
        };
        with_defaults(json!({ "url": url, "token_url": token_url, "client_id": client_id, "scope": scope }))
    }

    /// The Asana side with this workspace.
    ///
    /// # Errors
    /// None that could be met: there is nothing to miss.
    pub fn asana(&self, workspace: &str) -> Result<AsanaSettings> {
        let mut asana = json!({ "workspace": workspace });
        if let Some(url) = &self.asana_url {
            asana["url"] = json!(url);
        }
        with_defaults(asana)
    }

    /// The settings of the draft.
    ///
    /// # Errors
    /// [`Code::SettingsInvalid`] when an answer is missing, or what cannot work.
    pub fn settings(&self) -> Result<Settings> {
        let (Some(workspace), Some(project), Some(per)) = (&self.workspace, &self.project, self.per) else {
            return Err(missing("Asana's side"));
        };
        let settings: Settings = with_defaults(json!({
            "oracle": self.oracle()?,
            "asana": self.asana(&workspace.gid)?,
            "routing": { "default": { "project": project.gid } },
            "tasks": { "per": per },
        }))?;
        settings.check()?;
        Ok(settings)
    }
}

/// Settings of which only these are given; the others are as in a file that does not name them.
pub(super) fn with_defaults<T: DeserializeOwned>(given: Value) -> Result<T> {
    serde_json::from_value(given).map_err(|error| {
        Error::new(
            Code::SettingsInvalid,
            format!("the answers make no settings: {}", problem("", &error.to_string(), None)),
        )
    })
}

fn missing(what: &str) -> Error {
    Error::new(Code::SettingsInvalid, format!("{what} is not answered whole"))
}

/// What a connection's settings answer, in the order of the questions.
#[must_use]
pub fn told_of(settings: &Settings) -> Vec<(&'static str, String)> {
    let oracle = &settings.oracle;
    let projects: Vec<String> = settings.projects().iter().map(ToString::to_string).collect();
    let mut told = vec![
        (Question::OracleUrl.what(), oracle.base().map(|url| url.to_string()).unwrap_or_default()),
        (Question::TokenUrl.what(), oracle.token_url.to_string()),
        (Question::ClientId.what(), oracle.client_id.clone()),
        (Question::Scope.what(), oracle.scope.clone()),
        (Question::Workspace.what(), settings.asana.workspace.clone()),
        (Question::Project.what(), projects.join(", ")),
        (Question::Per.what(), per_words(settings.tasks.per).to_owned()),
    ];
    if let Some(journal) = &settings.journal {
        told.push(("ledger", journal.ledger.clone().unwrap_or_else(|| journal.ledger_id.clone())));
        told.push(("journal source", journal.source.clone()));
        told.push(("journal category", journal.category.clone()));
    }
    if !settings.fields.is_empty() {
        told.push(("mapped fields", settings.fields.len().to_string()));
    }
    told
}

/// What one task stands for, in words.
#[must_use]
pub fn per_words(per: TaskPer) -> &'static str {
    match per {
        TaskPer::Order => "a purchase order",
        TaskPer::Line => "a line of a purchase order",
    }
}

#[cfg(test)]
mod tests;
