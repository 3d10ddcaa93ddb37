//! Both sides, up to the draft; and a secret that is given anew.

use connector::guide::address::{oracle_url, token_url};
use connector::guide::answers::{Held, Named, Question, per_words, suspects};
use connector::guide::offers::{self, Guest};
use connector::guide::reach::reach;
use connector::manage::{self, Secrets};
use connector::ping::{Check, Verdict};
use connector::settings::TaskPer;
use connector::sharing;
use connector::store::connections::{self, Connection};
use connector::vault::CredentialName;
use connector::{Code, Error};
use secrecy::SecretString;
use url::Url;

use super::{Guide, prompt, words};
use crate::output;

/// What is known only as long as the guide runs.
#[derive(Default)]
struct Sides {
    secrets: Secrets,
    oracle_tested: bool,
    asana: Option<(Guest, Vec<Named>)>,
}

/// Asks for both sides, and stores the draft.
pub async fn ask(guide: &mut Guide<'_>) -> anyhow::Result<()> {
    let mut sides = Sides::default();
    while let Some(question) = guide.answers.next(sides.held()) {
        if !words::about(question).is_empty() {
            prompt::explain(question.what(), words::about(question));
        }
        sides.ask(guide, question).await?;
        guide.keep().await?;
    }
    manage::add(&guide.engine, &guide.name, &guide.answers.settings()?, &sides.secrets).await?;
    output::say(&format!("\n`{}` is stored as a draft, its secrets encrypted.", guide.name));
    Ok(())
}

impl Sides {
    fn held(&self) -> Held {
        Held {
            client_secret: self.secrets.oracle_client_secret.is_some(),
            oracle_tested: self.oracle_tested,
            asana_token: self.asana.is_some(),
        }
    }

    async fn ask(&mut self, guide: &mut Guide<'_>, question: Question) -> anyhow::Result<()> {
        let asks = words::asks(question);
        match question {
            Question::OracleUrl => {
                guide.answers.oracle_url = Some(address(asks, oracle_url).await?);
            }
            Question::TokenUrl => guide.answers.token_url = Some(address(asks, token_url).await?),
            Question::ClientId => guide.answers.client_id = Some(prompt::text(asks, None)?),
            Question::Scope => guide.answers.scope = Some(prompt::text(asks, None)?),
            Question::ClientSecret => self.secrets.oracle_client_secret = Some(prompt::secret(asks)?),
            Question::OracleTest => self.test_oracle(guide).await?,
            Question::AsanaToken => self.sign_in(guide).await?,
            Question::Workspace => guide.answers.workspace = Some(self.workspace()?),
            Question::Project => guide.answers.project = Some(self.project(guide).await?),
            Question::Per => {
                let options = [TaskPer::Order, TaskPer::Line].map(|per| (per_words(per), per));
                guide.answers.per = Some(prompt::pick(asks, options)?);
            }
        }
        Ok(())
    }

    /// Tests Oracle with what was answered; on a refusal the person says which answer is another.
    async fn test_oracle(&mut self, guide: &mut Guide<'_>) -> anyhow::Result<()> {
        let Some(secret) = self.secrets.oracle_client_secret.clone() else { return Ok(()) };
        let checks = tested(&guide.answers.oracle()?, secret).await;
        match what_now(&checks, &suspects_of(&checks))? {
            Now::GoOn => self.oracle_tested = true,
            Now::Again => {}
            Now::Change(Question::ClientSecret) => self.secrets.oracle_client_secret = None,
            Now::Change(question) => guide.answers.take_back(question),
        }
        Ok(())
    }

    async fn sign_in(&mut self, guide: &mut Guide<'_>) -> anyhow::Result<()> {
        let settings = guide.answers.asana("")?;
        loop {
            let token = prompt::secret(words::asks(Question::AsanaToken))?;
            let signed_in = async {
                let (guest, user) = Guest::sign_in(&settings, token.clone()).await?;
                let workspaces = guest.workspaces().await?;
                Ok::<_, Error>((guest, user, workspaces))
            };
            match signed_in.await {
                Ok((guest, user, workspaces)) => {
                    prompt::done("signed in to Asana as", &user);
                    guide.answers.keep_to(&workspaces);
                    self.secrets.asana_token = Some(token);
                    self.asana = Some((guest, workspaces));
                    return Ok(());
                }
                Err(error) => prompt::refused(&error),
            }
        }
    }

    fn workspace(&self) -> anyhow::Result<Named> {
        let all = self.asana.iter().flat_map(|(_, workspaces)| workspaces.iter().cloned());
        let mut all: Vec<Named> = all.collect();
        if let ([_], Some(only)) = (&all[..], all.first().cloned()) {
            prompt::done("the only one that the token sees", &only.to_string());
            return Ok(only);
        }
        all.sort_by_cached_key(|workspace| workspace.name.to_lowercase());
        prompt::pick(words::asks(Question::Workspace), all.into_iter().map(|w| (w.to_string(), w)))
    }

    /// Chooses the project of all orders, or of those without a rule.
    async fn project(&self, guide: &Guide<'_>) -> anyhow::Result<Named> {
        let (Some((guest, _)), Some(workspace)) = (&self.asana, &guide.answers.workspace) else {
            return Err(Error::plain(Code::AsanaWorkspace).into());
        };
        let listed = projects(guest, &workspace.gid).await;
        loop {
            let project =
                choose_project(guest, &workspace.gid, &listed, words::asks(Question::Project)).await?;
            let used = used_by(guide, &project).await?;
            if used.is_empty() {
                return Ok(project);
            }
            let asks = format!(
                "{} maps this project already, and both would write its tasks. Take it all the same?",
                used.join(", ")
            );
            if prompt::confirm(&asks, false)? {
                return Ok(project);
            }
        }
    }
}

/// Other connections that map a project.
async fn used_by(guide: &Guide<'_>, project: &Named) -> anyhow::Result<Vec<String>> {
    let asana = guide.answers.asana("")?;
    let all = connections::list(&guide.engine.db).await?;
    let project = [project.gid.as_str().into()];
    let mapping =
        sharing::mapping(asana.which(), &project, &all).filter(|(other, _)| other.name != guide.name);
    Ok(mapping.map(|(other, _)| format!("`{}`", other.name)).collect())
}

/// The projects of the workspace; none when Asana refuses, which is shown.
pub async fn projects(guest: &Guest, workspace: &str) -> Vec<Named> {
    guest.projects(workspace).await.unwrap_or_else(|error| {
        prompt::refused(&error);
        Vec::new()
    })
}

/// Chooses a project, from the list or by its gid, and tests that its fields can be read.
pub async fn choose_project(
    guest: &Guest,
    workspace: &str,
    listed: &[Named],
    asks: &str,
) -> anyhow::Result<Named> {
    loop {
        let by_gid = [("another one, by its gid".to_owned(), None)];
        let all = listed.iter().map(|project| (project.to_string(), Some(project.gid.clone())));
        let gid = match prompt::pick(asks, all.chain(by_gid))? {
            Some(gid) => gid,
            None => prompt::text("Its gid, the long number in the project's address:", None)?,
        };
        match guest.project(workspace, &gid).await {
            Ok(project) => {
                prompt::done("the token sees the project and its fields", &project.to_string());
                return Ok(project);
            }
            Err(error) => prompt::refused(&error),
        }
    }
}

/// An address where something answers, or that a person wants all the same.
async fn address(asks: &str, read: fn(&str) -> Result<Url, Error>) -> anyhow::Result<Url> {
    loop {
        let url = match read(&prompt::text(asks, None)?) {
            Ok(url) => url,
            Err(error) => {
                prompt::refused(&error);
                continue;
            }
        };
        match reach(&url).await {
            Ok(()) => {
                prompt::done("something answers at", url.as_str());
                return Ok(url);
            }
            Err(error) => prompt::refused(&error),
        }
        if prompt::confirm("Use it all the same?", false)? {
            return Ok(url);
        }
    }
}

async fn tested(oracle: &connector::settings::OracleSettings, secret: SecretString) -> Vec<Check> {
    output::say("testing Oracle ...");
    let checks = offers::test_oracle(oracle, secret).await;
    prompt::checks(&checks);
    checks
}

/// What a person does about failed tests.
enum Now {
    GoOn,
    Again,
    Change(Question),
}

fn first_failed(checks: &[Check]) -> Option<&Check> {
    checks.iter().find(|check| check.verdict == Verdict::Failed)
}

fn suspects_of(checks: &[Check]) -> Vec<Question> {
    let code = first_failed(checks).and_then(|check| Code::find(check.code?));
    code.map(suspects).unwrap_or_default()
}

/// Goes on when nothing failed, else asks. Rights that are missing are mended in Oracle, so the test can be repeated, or
/// passed by; without a token nothing else would work.
fn what_now(checks: &[Check], suspects: &[Question]) -> anyhow::Result<Now> {
    let Some(failed) = first_failed(checks) else { return Ok(Now::GoOn) };
    let changes =
        suspects.iter().map(|question| (format!("change: {}", question.what()), Now::Change(*question)));
    let again = ("test again".to_owned(), Now::Again);
    let all: Vec<(String, Now)> = match failed.name == "token" {
        true => changes.chain([again]).collect(),
        false => {
            [again].into_iter().chain(changes).chain([("go on all the same".to_owned(), Now::GoOn)]).collect()
        }
    };
    prompt::pick("What now?", all)
}

/// Asks for a secret of a connection that is stored, tests it and stores it.
pub async fn give_anew(
    guide: &Guide<'_>,
    connection: &Connection,
    name: &CredentialName,
) -> anyhow::Result<()> {
    let settings = &connection.settings;
    let secrets = if *name == CredentialName::AsanaToken {
        prompt::explain(Question::AsanaToken.what(), words::about(Question::AsanaToken));
        loop {
            let token = prompt::secret(words::asks(Question::AsanaToken))?;
            match Guest::sign_in(&settings.asana, token.clone()).await {
                Ok((_, user)) => {
                    prompt::done("signed in to Asana as", &user);
                    break Secrets { asana_token: Some(token), ..Secrets::default() };
                }
                Err(error) => prompt::refused(&error),
            }
        }
    } else {
        prompt::explain(Question::ClientSecret.what(), words::about(Question::ClientSecret));
        let secret = client_secret(settings).await?;
        Secrets { oracle_client_secret: Some(secret), ..Secrets::default() }
    };
    manage::edit(&guide.engine, connection, settings, &secrets).await?;
    Ok(())
}

/// Asks for the client secret until it works, or the person wants it all the same.
async fn client_secret(settings: &connector::settings::Settings) -> anyhow::Result<SecretString> {
    let mut given = prompt::secret(words::asks(Question::ClientSecret))?;
    loop {
        let checks = tested(&settings.oracle, given.clone()).await;
        match what_now(&checks, &[Question::ClientSecret])? {
            Now::GoOn => return Ok(given),
            Now::Again => {}
            Now::Change(_) => given = prompt::secret(words::asks(Question::ClientSecret))?,
        }
    }
}
