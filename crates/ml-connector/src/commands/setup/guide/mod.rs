//! `connection setup`: a guide in the terminal from nothing to an active connection. It asks for one thing at a time,
//! tests it at once, and can be left and resumed. What is next, and what answers mean, the engine decides
//! (`connector::guide`); every step calls what the plain commands call.

mod accounts;
mod fields;
mod journals;
mod last;
pub mod prompt;
mod routes;
mod sides;
mod words;

use std::process::ExitCode;

use clap::Args;
use connector::guide::answers::{Answers, Question, told_of};
use connector::guide::progress;
use connector::guide::stage::Stage;
use connector::store::connections::{self, Connection, State};
use connector::store::setup;
use connector::{Code, Engine, manage};
use tokio::signal::unix::{SignalKind, signal};
use url::Url;

use self::prompt::Left;
use crate::cli::Global;
use crate::database::Database;
use crate::{exit, output};

/// Which connection.
#[derive(Debug, Args)]
pub struct SetupArgs {
    /// The connection's name; without one it is asked for
    name: Option<String>,
    /// Asana's API when it is not the usual one, such as that of `ml-connector sandbox`
    #[arg(long, value_name = "URL")]
    asana_url: Option<Url>,
}

/// What the steps share.
struct Guide<'a> {
    database: &'a Database,
    engine: Engine,
    global: &'a Global,
    name: String,
    answers: Answers,
}

impl Guide<'_> {
    /// Keeps what was answered so far.
    async fn keep(&self) -> anyhow::Result<()> {
        Ok(setup::keep(&self.engine.db, &self.name, &self.answers).await?)
    }
}

/// Runs the guide.
pub async fn run(database: &Database, args: SetupArgs, global: &Global) -> anyhow::Result<ExitCode> {
    prompt::check_terminal(global)?;
    let engine = database.engine(global)?;
    // Ctrl-C is a key while a question is open, and a signal in between. Other signals end the program as usual: nobody
    // would hear them while a question is open
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut name = None;
    let went = tokio::select! {
        biased;
        went = guided(database, engine, args, global, &mut name) => went,
        _ = interrupt.recv() => Err(Left.into()),
    };
    match went {
        Err(error) if error.is::<Left>() => {
            output::say(&match name {
                Some(name) => format!(
                    "\nLeft. Nothing is lost: `ml-connector connection setup {name}` goes on from here."
                ),
                None => "\nLeft. Nothing was begun.".to_owned(),
            });
            Ok(ExitCode::from(exit::FOUND_PROBLEMS))
        }
        other => other,
    }
}

/// Asks to the end. Tells the name as soon as it is known.
async fn guided(
    database: &Database,
    engine: Engine,
    args: SetupArgs,
    global: &Global,
    known: &mut Option<String>,
) -> anyhow::Result<ExitCode> {
    output::say(words::WELCOME);
    let name = match args.name {
        Some(name) => name,
        None => choose_name(&engine).await?,
    };
    manage::check_name(&name)?;
    *known = Some(name.clone());
    let mut answers = setup::load(&engine.db, &name).await?;
    let present = present(&engine, &name).await?;
    match &present {
        Some(connection) => tell(connection, &answers),
        None => go_through(&engine, &name, &mut answers).await?,
    }
    match (args.asana_url, &present) {
        (Some(_), Some(_)) => output::say("  --asana-url counts only for a new connection"),
        (Some(url), None) => answers.asana_url = Some(url),
        (None, _) => {}
    }
    let mut guide = Guide { database, engine, global, name, answers };
    if present.is_none() {
        sides::ask(&mut guide).await?;
    }
    loop {
        let connection = connections::find(&guide.engine.db, &guide.name).await?;
        match progress::next(&guide.engine, &connection, &guide.answers).await? {
            Stage::Secret(secret) => sides::give_anew(&guide, &connection, &secret).await?,
            Stage::Accounts => accounts::ask(&mut guide, &connection).await?,
            Stage::Routes => routes::ask(&mut guide, &connection).await?,
            Stage::Journals => journals::ask(&mut guide, &connection).await?,
            Stage::Fields => fields::ask(&guide, &connection).await?,
            Stage::DryRun => last::look(&guide, &connection).await?,
            Stage::Activate => return last::activate(&guide, &connection).await,
            Stage::Done => return Ok(last::over(&connection)),
        }
    }
}

async fn present(engine: &Engine, name: &str) -> Result<Option<Connection>, connector::Error> {
    match connections::find(&engine.db, name).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code == Code::ConnectionUnknown => Ok(None),
        Err(error) => Err(error),
    }
}

/// Asks which connection is meant: one that was begun, or a new one.
async fn choose_name(engine: &Engine) -> anyhow::Result<String> {
    let mut begun = setup::begun(&engine.db).await?;
    let all = connections::list(&engine.db).await?;
    begun.extend(all.into_iter().filter(|c| c.state == State::Draft).map(|c| c.name));
    if !begun.is_empty() {
        let options = begun.into_iter().map(|name| (format!("go on with {name}"), Some(name)));
        let chosen = prompt::pick("Which connection?", options.chain([("a new one".to_owned(), None)]))?;
        if let Some(name) = chosen {
            return Ok(name);
        }
    }
    loop {
        let name = prompt::text("A name for the connection:", None)?;
        match manage::check_name(&name) {
            Ok(()) => return Ok(name),
            Err(error) => prompt::refused(&error),
        }
    }
}

/// What a person does about earlier answers.
enum Now {
    GoOn,
    Change(Question),
    Forget,
}

/// Shows what was answered before there is a draft, and lets the person take some of it back, or all.
async fn go_through(engine: &Engine, name: &str, answers: &mut Answers) -> anyhow::Result<()> {
    loop {
        let told = answers.told();
        if told.is_empty() {
            return Ok(());
        }
        output::say("\nAnswered already:");
        told.iter().for_each(|(question, value)| prompt::done(question.what(), value));
        output::say("Secrets are not kept before both sides are known, so they are asked for again.\n");
        let changes =
            told.iter().map(|(question, _)| (format!("change: {}", question.what()), Now::Change(*question)));
        let options = [("go on".to_owned(), Now::GoOn)].into_iter().chain(changes);
        let forget = [("forget all of it, and begin anew".to_owned(), Now::Forget)];
        match prompt::pick("Go on with these?", options.chain(forget))? {
            Now::GoOn => return Ok(()),
            Now::Change(question) => answers.take_back(question),
            Now::Forget => {
                progress::forget_answers(engine, name).await?;
                *answers = Answers::default();
            }
        }
    }
}

/// What is stored of a connection.
fn tell(connection: &Connection, answers: &Answers) {
    output::say(&format!("\n`{}` is there already, as {}:", connection.name, connection.state.as_str()));
    told_of(&connection.settings).iter().for_each(|(what, value)| prompt::done(what, value));
    if connection.settings.journal.is_none() {
        answers.journal.told().iter().for_each(|(question, value)| prompt::done(question.what(), value));
    }
}
