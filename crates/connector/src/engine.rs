//! What every part of the engine works with: the database, the key, this node, and the clients of
//! each connection.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use asana::Asana;
use oracle_fusion::Fusion;
use outbound::Pacer;
use secrecy::SecretString;
use sqlx::PgPool;
use tokio::sync::Notify;
use url::Url;

use crate::code::Code;
use crate::error::Result;
use crate::ids::{ConnectionId, NodeId, ProjectGid};
use crate::key::MasterKey;
use crate::limits::{PATIENCE, SharedBudget};
use crate::mapping::Held;
use crate::mapping::document::Target;
use crate::mapping::field::{Field, FieldSet};
use crate::posting::ledger::LedgerMemory;
use crate::store::connections::{self, Connection};
use crate::store::jobs::{self, Holder};
use crate::trouble;
use crate::vault::{self, CredentialName};

/// How long a project's fields are believed before they are read again.
const FIELDS_FRESH: Duration = Duration::from_secs(3600);

/// One node of the engine.
#[derive(Debug)]
pub struct Engine {
    /// The database.
    pub db: PgPool,
    /// The key-encryption key.
    pub master: MasterKey,
    /// This node.
    pub node: NodeId,
    /// How long its leases last unless they are renewed.
    pub lease: Duration,
    /// Where Asana reaches this program; without it no webhook can be registered.
    pub public_url: Option<Url>,
    /// Who gives the commands, for what is kept with its author; nobody in particular for a node.
    pub person: Option<String>,
    news: Notify,
    clients: Mutex<HashMap<ConnectionId, Arc<Clients>>>,
}

/// A connection with its clients, ready to work.
#[derive(Debug)]
pub struct Clients {
    /// The connection as it was when the clients were made.
    pub connection: Connection,
    /// The Oracle side.
    pub fusion: Fusion,
    /// The Asana side.
    pub asana: Asana,
    /// What is remembered of the ledger.
    pub ledger: LedgerMemory,
    /// Journals became due: the job that drives them, if it is under way here, need not end first.
    pub journals_due: Notify,
    fields: Mutex<Option<(Instant, Arc<ProjectFields>)>>,
    sections: Mutex<Option<Arc<Sections>>>,
}

/// The project of each section, by its gid.
pub type Sections = HashMap<String, ProjectGid>;

/// The custom fields of each mapped project, or why they cannot be read: one project that was deleted
/// or hidden must not stop the others.
pub type ProjectFields = HashMap<ProjectGid, std::result::Result<FieldSet, Held>>;

impl Engine {
    /// A node on this database.
    #[must_use]
    pub fn new(db: PgPool, master: MasterKey) -> Engine {
        Engine {
            db,
            master,
            node: NodeId::new(),
            lease: jobs::LEASE,
            public_url: None,
            person: None,
            news: Notify::new(),
            clients: Mutex::default(),
        }
    }

    /// With the address under which Asana reaches this program.
    #[must_use]
    pub fn reached_at(mut self, public_url: Option<Url>) -> Engine {
        self.public_url = public_url;
        self
    }

    /// With leases that last this long.
    #[must_use]
    pub fn with_leases_of(mut self, lease: Duration) -> Engine {
        self.lease = lease;
        self
    }

    /// As the one who claims jobs.
    pub(crate) fn holder(&self) -> Holder {
        Holder { node: self.node, lasts: self.lease }
    }

    /// With the name of whoever gives the commands.
    #[must_use]
    pub fn used_by(mut self, person: Option<String>) -> Engine {
        self.person = person;
        self
    }

    /// Has this node look for due jobs now; others look within a second.
    pub fn wake(&self) {
        self.news.notify_one();
    }

    /// Ends when [`Engine::wake`] was called.
    pub async fn woken(&self) {
        self.news.notified().await;
    }

    /// The connection's clients; kept until its settings or credentials change.
    pub async fn clients(&self, id: ConnectionId) -> Result<Arc<Clients>> {
        let connection = connections::load(&self.db, id).await?;
        let known = {
            let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
            clients.get(&id).filter(|c| c.connection.settings_version == connection.settings_version).cloned()
        };
        if let Some(known) = known {
            return Ok(known);
        }
        let made = Arc::new(self.connect(connection).await?);
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).insert(id, made.clone());
        Ok(made)
    }

    /// Gives back what was taken ahead of the connection's budgets: for a command, which needs no more.
    pub(crate) async fn rest(&self, id: ConnectionId) {
        let known = self.clients.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        if let Some(clients) = known {
            clients.fusion.rest().await;
            clients.asana.rest().await;
        }
    }

    /// New clients for a connection as it is given, which is not always as it is stored.
    pub(crate) async fn connect(&self, connection: Connection) -> Result<Clients> {
        Ok(Clients {
            fusion: self.fusion(&connection).await?,
            asana: self.asana(&connection).await?,
            connection,
            ledger: LedgerMemory::default(),
            journals_due: Notify::new(),
            fields: Mutex::default(),
            sections: Mutex::default(),
        })
    }

    /// A new client of the connection's Oracle side.
    pub(crate) async fn fusion(&self, connection: &Connection) -> Result<Fusion> {
        let secret = self.secret(connection, CredentialName::OracleClientSecret).await?;
        let oracle = &connection.settings.oracle;
        let pacer = Pacer::new(oracle.requests_per_minute);
        pacer.share(SharedBudget::of_oracle(&self.db, self.node, connection.id, connection.settings_version));
        let mut config = oracle.client(secret)?;
        config.patience = PATIENCE;
        config.pacer = Some(pacer);
        Fusion::new(config).map_err(trouble::oracle)
    }

    /// A new client of the connection's Asana side.
    pub(crate) async fn asana(&self, connection: &Connection) -> Result<Asana> {
        let token = self.secret(connection, CredentialName::AsanaToken).await?;
        let mut config = connection.settings.asana.client(token);
        config.patience = PATIENCE;
        config.shared = Some(SharedBudget::of_asana(&self.db, self.node, &config.base, &config.token));
        Asana::new(config).map_err(trouble::asana)
    }

    async fn secret(&self, connection: &Connection, name: CredentialName) -> Result<SecretString> {
        let mut db = self.db.acquire().await?;
        vault::get(&mut db, &self.master, connection.id, name).await
    }
}

impl Clients {
    /// The fields of every mapped project, read at most once an hour unless [`Clients::forget_fields`].
    pub async fn fields(&self) -> Result<Arc<ProjectFields>> {
        let known = self.fields.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read, fields)) = known
            && read.elapsed() < FIELDS_FRESH
            && fields.values().all(std::result::Result::is_ok)
        {
            return Ok(fields);
        }
        let mut fields = ProjectFields::new();
        for project in self.connection.settings.projects() {
            let set = match self.asana.custom_field_settings(project.as_str()).await.map_err(trouble::asana) {
                Ok(set) => {
                    Ok(set.iter().map(|field| (field.gid.as_str().into(), Field::of(field))).collect())
                }
                Err(error) if matches!(error.code, Code::AsanaNotFound | Code::AsanaForbidden) => {
                    Err(Held::new(error.code, format!("project {project}: {}", error.message)))
                }
                Err(error) => return Err(error),
            };
            fields.insert(project, set);
        }
        let fields = Arc::new(fields);
        *self.fields.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), fields.clone()));
        Ok(fields)
    }

    /// The sections of every mapped project, if a rule of the mapping names sections; read once, until
    /// [`Clients::forget_fields`].
    pub async fn sections(&self) -> Result<Arc<Sections>> {
        let known = self.sections.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known {
            return Ok(known);
        }
        let mut sections = Sections::new();
        if self.connection.settings.mapping.targets().contains(&Target::Section) {
            for project in self.connection.settings.projects() {
                let all = self.sections_of(&project).await?;
                sections.extend(all.into_iter().map(|one| (one.gid, project.clone())));
            }
        }
        let sections = Arc::new(sections);
        *self.sections.lock().unwrap_or_else(PoisonError::into_inner) = Some(sections.clone());
        Ok(sections)
    }

    /// The sections of a project, in their order; none where the integration user may not see it.
    pub(crate) async fn sections_of(&self, project: &ProjectGid) -> Result<Vec<asana::Section>> {
        match self.asana.sections(project.as_str()).await.map_err(trouble::asana) {
            Err(error) if matches!(error.code, Code::AsanaNotFound | Code::AsanaForbidden) => Ok(Vec::new()),
            found => found,
        }
    }

    /// Makes the next look at the fields and sections a fresh one, since Asana refused what they allowed.
    pub fn forget_fields(&self) {
        *self.fields.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.sections.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
