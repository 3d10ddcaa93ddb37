//! Adding and changing connections.

use jiff::Timestamp;
use oracle_fusion::Expand;
use secrecy::SecretString;

use crate::code::Code;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::feed::Feed;
use crate::feed::poll::BEFORE_ALL;
use crate::hooks::event::Event;
use crate::ids::ConnectionId;
use crate::mapping::surroundings;
use crate::reference::Kind;
use crate::settings::Settings;
use crate::sharing;
use crate::store::connections::{self, Connection, State};
use crate::store::jobs::{self, Job};
use crate::store::settings_versions::Change;
use crate::store::{
    self, breakers, completions, documents, dry_runs, feeds, inbox, journals, settings_versions, setup, tasks,
};
use crate::vault::{self, CredentialName};

/// Longest name of a connection, in characters.
const NAME_CHARACTERS: usize = 60;

/// The secrets of a connection, as they come from outside.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    /// The OAuth client secret for Oracle.
    pub oracle_client_secret: Option<SecretString>,
    /// Asana's access token.
    pub asana_token: Option<SecretString>,
}

/// Refuses a name that a command line or an address could not carry.
///
/// # Errors
/// [`Code::SettingsInvalid`].
pub fn check_name(name: &str) -> Result<()> {
    let fits = !name.is_empty()
        && name.chars().count() <= NAME_CHARACTERS
        && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    if !fits {
        let message =
            format!("a connection's name is 1 to {NAME_CHARACTERS} letters, digits, `-`, `_` or `.`");
        return Err(Error::new(Code::SettingsInvalid, message));
    }
    Ok(())
}

/// Adds a connection as a draft, with its secrets encrypted, in one transaction.
pub async fn add(
    engine: &Engine,
    name: &str,
    settings: &Settings,
    secrets: &Secrets,
) -> Result<ConnectionId> {
    check_name(name)?;
    settings.check()?;
    let id = ConnectionId::new();
    let mut tx = store::begin(&engine.db).await?;
    connections::add(&mut tx, id, name, settings).await?;
    let change = Change { by: engine.person.as_deref(), rollback_to: None };
    settings_versions::keep(&mut tx, id, change).await?;
    jobs::create(&mut tx, id).await?;
    feeds::create(&mut tx, id).await?;
    if settings.journal.is_some() {
        connections::begin_journals(&mut tx, id).await?;
    }
    put_secrets(engine, &mut tx, id, secrets).await?;
    tx.commit().await?;
    Ok(id)
}

async fn put_secrets(
    engine: &Engine,
    db: &mut sqlx::PgConnection,
    id: ConnectionId,
    secrets: &Secrets,
) -> Result<()> {
    let given = [
        (CredentialName::OracleClientSecret, &secrets.oracle_client_secret),
        (CredentialName::AsanaToken, &secrets.asana_token),
    ];
    for (name, secret) in given {
        if let Some(secret) = secret {
            vault::put(db, &engine.master, id, name, secret).await?;
        }
    }
    Ok(())
}

/// Changes settings and secrets. What is shown in Asana is computed anew for every document, and the
/// mapped projects are listed anew. Another pod is refused once something of the old one is stored.
pub async fn edit(
    engine: &Engine,
    connection: &Connection,
    settings: &Settings,
    secrets: &Secrets,
) -> Result<u64> {
    let change = Change { by: engine.person.as_deref(), rollback_to: None };
    replace(engine, connection, settings, secrets, change).await
}

/// Goes back to an earlier version of the settings, as a new version; secrets stay. Returns how many records are compared
/// anew.
pub async fn roll_back(engine: &Engine, connection: &Connection, version: i32) -> Result<u64> {
    let settings = settings_versions::settings(&engine.db, connection.id, version).await?;
    let change = Change { by: engine.person.as_deref(), rollback_to: Some(version) };
    replace(engine, connection, &settings, &Secrets::default(), change).await
}

async fn replace(
    engine: &Engine,
    connection: &Connection,
    settings: &Settings,
    secrets: &Secrets,
    change: Change<'_>,
) -> Result<u64> {
    settings.check()?;
    if connection.state != State::Draft {
        settings.check_mapped()?;
        check_mapping(engine, connection, settings).await?;
    }
    let mut tx = store::begin(&engine.db).await?;
    if connection.state == State::Active {
        sharing::refuse_twice(&mut tx, connection.id, settings).await?;
    }
    if settings.oracle.which()? != connection.settings.oracle.which()? {
        begin_at_another_pod(&mut tx, connection).await?;
    }
    put_secrets(engine, &mut tx, connection.id, secrets).await?;
    // also when only a secret changed: every node then makes its clients anew
    connections::set_settings(&mut tx, connection.id, settings).await?;
    settings_versions::keep(&mut tx, connection.id, change).await?;
    breakers::close_all(&mut tx, connection.id).await?;
    // what failed may be mended now, and waits for its next turn
    jobs::ask_for(&mut *tx, connection.id, &Feed::ALL.map(Job::Poll)).await?;
    read_whole_again(&mut tx, connection, settings).await?;
    let mut opened = 0;
    if *settings != connection.settings {
        opened = documents::open_all(&mut tx, connection.id).await?;
        tasks::forget_listings(&mut tx, connection.id).await?;
        jobs::ask_for(&mut *tx, connection.id, &[Job::Push]).await?;
        jobs::ask_for(&mut *tx, connection.id, &readings(&connection.settings, settings)).await?;
        if settings.journal.is_some() {
            connections::begin_journals(&mut tx, connection.id).await?;
            completions::look_again(&mut tx, connection.id).await?;
            journals::look_again(&mut tx, connection.id).await?;
            if settings.fields != connection.settings.fields {
                // the number may stand in the field that is mapped now: the tasks are read anew
                let now = Timestamp::now();
                let tasks = completions::tasks_waited_for(&mut tx, connection.id).await?;
                let reads: Vec<Event> = tasks.iter().map(|task| Event::swept(task, now)).collect();
                inbox::add_found(&mut tx, connection.id, &reads).await?;
            }
            jobs::ask_for(&mut *tx, connection.id, &Job::WAY_BACK).await?;
        }
        if settings.reconcile != connection.settings.reconcile && connection.state == State::Active {
            plan_comparison(&mut tx, connection.id, settings).await?;
        }
    }
    tx.commit().await?;
    Ok(opened)
}

/// The readings of suppliers and accounts that a change asks for.
fn readings(before: &Settings, after: &Settings) -> Vec<Job> {
    if after.reference.is_some() && after.reference != before.reference {
        // what was not read for want of a setting can be now
        return Job::REFERENCE.to_vec();
    }
    // another field has no options yet
    let is_elsewhere = |kind: Kind| after.fields.get(&kind.purpose()) != before.fields.get(&kind.purpose());
    let kinds = Kind::ALL.into_iter().filter(|kind| is_elsewhere(*kind) && kind.is_wanted(after));
    kinds.map(Job::Reference).collect()
}

/// Has a feed read whole when the mapping now reads children that did not come along before: what is stored lacks them.
async fn read_whole_again(
    db: &mut sqlx::PgConnection,
    connection: &Connection,
    settings: &Settings,
) -> Result<()> {
    for feed in Feed::ALL {
        let (before, after) = (connection.settings.further_children(feed), settings.further_children(feed));
        let is_new = |after: &Expand| {
            before.as_ref().is_none_or(|before| after.paths().any(|path| !before.paths().any(|b| b == path)))
        };
        if !after.as_ref().is_some_and(is_new) {
            continue;
        }
        if jobs::any_running(db, connection.id, &[Job::Poll(feed)]).await? {
            let (name, feed) = (&connection.name, feed.as_str());
            let message = format!("{feed} of `{name}` are being read now; try again in a moment");
            return Err(Error::new(Code::LeaseBusy, message));
        }
        feeds::advance_scan(db, connection.id, feed, Some(BEFORE_ALL)).await?;
    }
    Ok(())
}

/// Refuses a mapping document, or options, that do not fit Oracle's records or Asana's fields as they are now. What was
/// accepted and has not changed is not asked about again; a draft is asked about when it is looked at or activated.
async fn check_mapping(engine: &Engine, connection: &Connection, settings: &Settings) -> Result<()> {
    let before = &connection.settings;
    let is_kept = |purpose| surroundings::options(before).contains(purpose);
    let is_same = settings.mapping == before.mapping
        && settings.fields == before.fields
        && settings.projects() == before.projects()
        && surroundings::options(settings).iter().all(is_kept)
        && surroundings::texts(settings).eq(surroundings::texts(before));
    if is_same || !surroundings::is_needed(settings) {
        return Ok(());
    }
    let changed = Connection { settings: settings.clone(), ..connection.clone() };
    surroundings::check(&engine.connect(changed).await?).await
}

/// Lets the feeds begin anew, unless something was stored: an id of one pod names another record in another,
/// so documents, links and journals of both must not meet.
async fn begin_at_another_pod(db: &mut sqlx::PgConnection, connection: &Connection) -> Result<()> {
    let polls = Feed::ALL.map(Job::Poll);
    if jobs::any_running(db, connection.id, &polls).await? {
        let message = format!("`{}` is being read now; its pod cannot be changed meanwhile", connection.name);
        return Err(Error::new(Code::LeaseBusy, message));
    }
    if documents::any(db, connection.id).await? {
        let message =
            format!("`{}` holds records of its present pod, so it stays with that pod", connection.name);
        return Err(Error::new(Code::PodChanged, message));
    }
    feeds::begin_anew(db, connection.id).await
}

/// Whether somebody must have seen what a first synchronisation would write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstLook {
    /// The first activation needs a dry run of everything with the present settings.
    Required,
    /// A person said that it is not needed.
    Waived,
}

/// Starts polling; the first poll is due at once.
pub async fn activate(engine: &Engine, connection: &Connection, look: FirstLook) -> Result<()> {
    if connection.state == State::Active {
        return Err(Error::new(Code::ConnectionState, format!("`{}` is active already", connection.name)));
    }
    connection.settings.check_mapped()?;
    if connection.state == State::Draft && look == FirstLook::Required {
        let made = dry_runs::last(&engine.db, connection.id).await?;
        let why = match made {
            None => "no dry run was made yet",
            Some(made) if !made.whole => "the last dry run looked only at a part",
            Some(made) if made.settings_version != connection.settings_version => {
                "the settings or secrets were changed since the last dry run"
            }
            Some(_) => "",
        };
        if !why.is_empty() {
            return Err(Error::new(Code::DryRunMissing, format!("`{}`: {why}", connection.name)));
        }
    }
    if surroundings::is_needed(&connection.settings) {
        surroundings::check(&*engine.clients(connection.id).await?).await?;
    }
    let mut tx = store::begin(&engine.db).await?;
    sharing::refuse_twice(&mut tx, connection.id, &connection.settings).await?;
    connections::set_state(&mut tx, connection.id, State::Active).await?;
    let scheduled = connection.settings.reference.as_ref().is_some_and(|reference| reference.hours > 0);
    let is_due = |job: &Job| match job {
        Job::Reference(_) => scheduled,
        // there is nothing to compare before the first synchronisation
        Job::Reconcile => false,
        _ => true,
    };
    let due: Vec<Job> = Job::ALL.into_iter().filter(is_due).collect();
    jobs::ask_for(&mut *tx, connection.id, &due).await?;
    plan_comparison(&mut tx, connection.id, &connection.settings).await?;
    tx.commit().await?;
    Ok(())
}

/// Has both systems compared after the time that the settings name, unless that is due sooner.
async fn plan_comparison(
    db: &mut sqlx::PgConnection,
    connection: ConnectionId,
    settings: &Settings,
) -> Result<()> {
    match settings.reconcile.every.duration() {
        Some(every) => jobs::plan(db, connection, Job::Reconcile, every).await,
        None => Ok(()),
    }
}

/// Stops polling and pushing; what is under way ends with its lease. Returns how many journals have no end yet: they
/// wait until the connection is active again.
pub async fn pause(engine: &Engine, connection: &Connection) -> Result<i64> {
    if connection.state != State::Active {
        return Err(Error::new(Code::ConnectionState, format!("`{}` is not active", connection.name)));
    }
    let mut tx = store::begin(&engine.db).await?;
    connections::set_state(&mut tx, connection.id, State::Paused).await?;
    let waiting = journals::without_end(&mut tx, connection.id).await?;
    tx.commit().await?;
    Ok(waiting)
}

/// Removes a connection. Its record log stays, and where it posted journals; its secrets, documents and links go.
pub async fn remove(engine: &Engine, connection: &Connection) -> Result<()> {
    if connection.state == State::Active {
        let message = format!("`{}` is active; pause it first", connection.name);
        return Err(Error::new(Code::ConnectionState, message));
    }
    let mut tx = store::begin(&engine.db).await?;
    let undecided = journals::withdraw_unsent(&mut tx, connection.id).await?;
    if undecided > 0 {
        let (journals, them) = if undecided == 1 { ("journal", "it") } else { ("journals", "them") };
        let message = format!(
            "`{}` has {undecided} {journals} sent whose end is not known, and nobody could settle {them} any more: \
             `journals list` names {them}, `connection activate` lets {them} go on, `journals resolve` decides one in doubt",
            connection.name
        );
        return Err(Error::new(Code::ConnectionState, message));
    }
    connections::remember(&mut tx, connection).await?;
    connections::remove(&mut tx, connection.id).await?;
    setup::forget(&mut tx, &connection.name).await?;
    tx.commit().await?;
    Ok(())
}
