//! Erasing what names a supplier or a person, on request: texts go, the facts of the log stay.
//!
//! Records, requests and answers of the log go as a whole, with a mark in their place that says when; of what the work goes
//! on with (the newest documents, tasks, settled journals) only the names go. Ids, times, amounts, states, codes and groups
//! are never touched, nor is what is under way, nor Oracle or Asana. Stopped half way, it is simply done again.

pub mod needle;
pub mod redact;
pub mod supplier;

use hmac::Mac as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use tokio::sync::watch;

use crate::code::Code;
use crate::engine::Engine;
use crate::erase::needle::Needle;
use crate::erase::supplier::Supplier;
use crate::error::{Error, Result};
use crate::ids::ConnectionId;
use crate::store::connections::Connection;
use crate::store::erase::copies::Records;
use crate::store::erase::{self as rows, Pass, copies, log};

/// What stands in place of an erased name.
pub const MARK: &str = "[erased]";
/// Erasures that are shown.
const SHOWN: i64 = 100;
/// How often names, ids and numbers of a supplier are looked for with what was found of it before.
const ROUNDS: usize = 4;
/// Digits of a digest that stand for a person.
const WHO_DIGITS: usize = 8;

/// Whether a body was erased: there is a mark in its place.
#[must_use]
pub fn is_erased(body: &str) -> bool {
    body.starts_with(r#"{"erased":"#)
}

/// Whose texts are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A supplier, by its name, number or id.
    Supplier(String),
    /// A person, by any of names, e-mail address and gid.
    Person(Vec<String>),
}

/// Who has it erased, and why.
#[derive(Debug, Clone)]
pub struct How {
    /// The person's name.
    pub by: String,
    /// Why, in the person's words.
    pub note: Option<String>,
}

/// What was counted of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The table.
    pub table: String,
    /// Rows of which something is erased.
    pub erased: u64,
    /// Rows that are under way and therefore left alone.
    pub open: u64,
    /// Rows that stay as long as Oracle shows them.
    pub kept: u64,
}

impl Counted {
    pub(crate) fn of(table: &str) -> Counted {
        Counted { table: table.to_owned(), erased: 0, open: 0, kept: 0 }
    }
}

/// An erasure of before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Past {
    /// When.
    pub at: Timestamp,
    /// Who had it erased.
    pub by: String,
    /// Why, in the person's words.
    pub note: Option<String>,
    /// What it told.
    #[serde(flatten)]
    pub told: Told,
}

/// What an erasure leaves: never the names, only digests under this program's key, by which a name can be recognised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// `supplier` or `person`.
    pub kind: String,
    /// One digest for each name.
    pub digests: Vec<String>,
    /// Whether it came to its end; if not, it has to be done again.
    pub finished: bool,
    /// What was erased.
    pub tables: Vec<Counted>,
}

/// What an erasure finds, or did.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What of it is left in the log.
    #[serde(flatten)]
    pub told: Told,
    /// Whether anything was erased; otherwise it was only looked at.
    pub done: bool,
    /// The suppliers that are meant.
    pub suppliers: Vec<Supplier>,
    /// Whether the connection's settings say a name, which only a person changes.
    pub in_settings: bool,
    /// Erasures of the same name before.
    pub before: Vec<Past>,
    /// [`Code::EraseOpen`] when something is left that is under way.
    pub code: Option<&'static str>,
}

impl Report {
    /// Rows of which something is erased.
    #[must_use]
    pub fn erased(&self) -> u64 {
        self.told.tables.iter().map(|one| one.erased).sum()
    }

    /// Rows that were left alone since they are under way.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.told.tables.iter().map(|one| one.open).sum()
    }

    /// Rows that stay as long as Oracle shows them.
    #[must_use]
    pub fn kept(&self) -> u64 {
        self.told.tables.iter().map(|one| one.kept).sum()
    }
}

/// The erasures of a connection, newest first, at most a hundred.
pub async fn past(db: &PgPool, connection: ConnectionId) -> Result<Vec<Past>> {
    let stored = rows::past(db, connection, SHOWN).await?;
    Ok(stored
        .into_iter()
        .map(|one| Past {
            at: one.at,
            by: one.by,
            note: one.note,
            told: one.told.and_then(|told| serde_json::from_str(&told).ok()).unwrap_or_default(),
        })
        .collect())
}

/// How many rows will be looked at, about.
pub async fn rows(db: &PgPool, connection: ConnectionId) -> Result<u64> {
    rows::rows(db, connection).await
}

/// Counts what would be erased. `progress` counts rows looked at.
///
/// # Errors
/// [`Code::EraseTooShort`], [`Code::EraseUnknown`], and those of the database.
pub async fn preview(
    engine: &Engine,
    connection: &Connection,
    wanted: &Wanted,
    progress: &watch::Sender<u64>,
) -> Result<Report> {
    go(engine, connection.id, wanted, None, progress).await
}

/// Erases. The action that tells of it is stored before anything is erased.
///
/// # Errors
/// As [`preview`].
pub async fn erase(
    engine: &Engine,
    connection: &Connection,
    wanted: &Wanted,
    how: &How,
    progress: &watch::Sender<u64>,
) -> Result<Report> {
    go(engine, connection.id, wanted, Some(how), progress).await
}

async fn go(
    engine: &Engine,
    connection: ConnectionId,
    wanted: &Wanted,
    how: Option<&How>,
    progress: &watch::Sender<u64>,
) -> Result<Report> {
    let db = &engine.db;
    let (kind, meant) = match wanted {
        Wanted::Supplier(text) => ("supplier", supplier(db, connection, text.trim()).await?),
        Wanted::Person(names) => ("person", Meant { needle: Needle::names(names)?, ..Meant::default() }),
    };
    let digests = digests(engine, connection, &meant.needle);
    let mut before = past(db, connection).await?;
    before.retain(|past| past.told.digests.iter().any(|digest| digests.contains(digest)));
    let told = Told { kind: kind.to_owned(), digests, finished: false, tables: Vec::new() };
    let mut report = Report {
        done: how.is_some(),
        suppliers: meant.suppliers,
        in_settings: rows::settings_say(db, connection, &meant.needle).await?,
        before,
        told,
        code: None,
    };
    let action = match how {
        Some(how) => {
            let who = (how.by.as_str(), how.note.as_deref());
            Some(rows::begin(db, connection, who, &json(&report.told)?).await?)
        }
        None => None,
    };
    let body = format!(r#"{{"erased":"{}"}}"#, Timestamp::now().strftime("%Y-%m-%d"));
    let pass = Pass {
        db,
        connection,
        needle: &meant.needle,
        records: &meant.records.all,
        orders: &meant.records.orders,
        really: how.is_some(),
        body: &body,
        who: &pseudonym(&report.told.digests),
        progress,
    };
    report.told.tables = everywhere(&pass).await?;
    report.code = (report.open() > 0).then_some(Code::EraseOpen.info().code);
    if let Some(action) = action {
        report.told.finished = true;
        rows::finish(db, connection, action, &json(&report.told)?).await?;
    }
    Ok(report)
}

/// Documents come last: by them the names of a supplier are found, should it have to be done again.
async fn everywhere(pass: &Pass<'_>) -> Result<Vec<Counted>> {
    Ok(vec![
        log::movements(pass).await?,
        log::attempts(pass).await?,
        log::actions(pass).await?,
        log::journal_steps(pass).await?,
        log::deliveries(pass).await?,
        log::alerts(pass).await?,
        log::notifications(pass).await?,
        log::last_failures(pass).await?,
        log::settings_versions(pass).await?,
        copies::completions(pass).await?,
        copies::journals(pass).await?,
        copies::differences(pass).await?,
        copies::tasks(pass).await?,
        copies::choices(pass).await?,
        copies::suppliers(pass).await?,
        copies::documents(pass).await?,
    ])
}

/// What is meant, and what belongs to it.
#[derive(Debug, Default)]
struct Meant {
    needle: Needle,
    suppliers: Vec<Supplier>,
    records: Records,
}

/// A supplier with all names, ids and numbers that the stored list and the documents know of it.
async fn supplier(db: &PgPool, connection: ConnectionId, text: &str) -> Result<Meant> {
    let is_number = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let given = |name: Option<&str>, id: Option<&str>, number: Option<&str>| Supplier {
        name: name.map(str::to_owned),
        id: id.map(str::to_owned),
        number: number.map(str::to_owned),
    };
    let listed = rows::listed(db, connection, text).await?;
    let mut known = listed.clone();
    if known.is_empty() || !is_number {
        known.push(given((!is_number).then_some(text), None, None));
    }
    if is_number {
        known.push(given(None, Some(text), None));
        known.push(given(None, None, Some(text)));
    }
    let mut meant = Meant::default();
    for _ in 0..ROUNDS {
        let names: Vec<String> = known.iter().filter_map(|one| one.name.clone()).collect();
        meant.needle = Needle::supplier(&names, known.clone())?;
        meant.records = copies::records_of(db, connection, &meant.needle).await?;
        let found = &meant.records.suppliers;
        let new: Vec<Supplier> = found.iter().filter(|one| !known.contains(one)).cloned().collect();
        meant.suppliers = listed.iter().filter(|one| !found.contains(one)).chain(found).cloned().collect();
        if new.is_empty() {
            break;
        }
        known.extend(new);
    }
    if is_number && meant.suppliers.is_empty() {
        let words = format!("no supplier of the number or id {text} is stored");
        return Err(Error::new(Code::EraseUnknown, words));
    }
    Ok(meant)
}

/// For each name a digest under a key that only this program has.
fn digests(engine: &Engine, connection: ConnectionId, needle: &Needle) -> Vec<String> {
    let digest = |name: &String| {
        let mut mac = engine.master.mac("ml-connector: erased names");
        mac.update(connection.0.as_bytes());
        mac.update(name.as_bytes());
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    };
    needle.whole().iter().map(digest).collect()
}

/// What stands for a person who did something: who it was cannot be read, but that it was the same one can.
fn pseudonym(digests: &[String]) -> String {
    let digits = digests.first().and_then(|digest| digest.get(..WHO_DIGITS)).unwrap_or_default();
    format!("[erased {digits}]")
}

fn json(told: &Told) -> Result<String> {
    serde_json::to_string(told)
        .map_err(|e| Error::new(Code::Database, "the action cannot be stored").because(e))
}
