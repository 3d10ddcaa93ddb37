//! The time line of one order or one task, over both directions: what Oracle said, what was written to Asana, what
//! came back from there, and every step of the journals that followed.

pub(crate) mod sent;

use jiff::Timestamp;
use sqlx::PgPool;

use crate::code::Code;
use crate::error::{Error, Result};
use crate::store::connections::Connection;
use crate::store::trace as rows;
use crate::store::trace::Subjects;

/// On which side something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In Oracle, or asked of it.
    Oracle,
    /// Here.
    Connector,
    /// In Asana, or asked of it.
    Asana,
}

impl Place {
    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Place::Oracle => "Oracle",
            Place::Connector => "connector",
            Place::Asana => "Asana",
        }
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Entry {
    /// When: by the database's clock, but for what Asana or Oracle dates itself and what a node asked.
    pub at: Timestamp,
    /// Where.
    pub place: Place,
    /// What, in words.
    pub what: String,
    /// Its code, if it has one.
    pub code: Option<String>,
    /// The movement, journal, delivery or alert.
    pub id: Option<String>,
    /// The node.
    pub node: Option<uuid::Uuid>,
    /// The full text: a record, a request, an answer.
    pub full: Option<String>,
}

impl Entry {
    /// With nothing but its words.
    #[must_use]
    pub fn new(at: Timestamp, place: Place, what: String) -> Entry {
        Entry { at, place, what, code: None, id: None, node: None, full: None }
    }
}

/// A time line.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Trace {
    /// What it is about.
    #[serde(flatten)]
    pub subjects: Subjects,
    /// Whether there is more of one kind than is told: of so many rows the newest are.
    pub cut: bool,
    /// What happened, oldest first.
    pub entries: Vec<Entry>,
}

/// The time line of an order, by its number, or of a task, by its gid.
///
/// # Errors
/// [`Code::TraceUnknown`] when neither is known, and those of the database.
pub async fn of(db: &PgPool, connection: &Connection, what: &str) -> Result<Trace> {
    let id = connection.id;
    let subjects = rows::subjects(db, id, what).await?;
    if subjects.records.is_empty() && subjects.tasks.is_empty() {
        let message = format!("`{}` knows neither an order nor a task `{what}`", connection.name);
        return Err(Error::new(Code::TraceUnknown, message));
    }
    let full = |count: usize, most: i64| i64::try_from(count).is_ok_and(|count| count >= most);
    let most = rows::MOST_SUBJECTS;
    let mut cut = full(subjects.records.len(), most) || full(subjects.tasks.len(), most);
    let mut entries = rows::documents(db, id, &subjects.records).await?;
    // marks move under their task's gid
    let moving = [subjects.records.as_slice(), &subjects.tasks].concat();
    let (moved, movements) = rows::movements(db, id, &moving, &connection.settings).await?;
    let (completed, moments) = rows::completions(db, id, &subjects.tasks).await?;
    let (posted, journals) = rows::journals(db, id, &subjects.tasks).await?;
    cut |= [movements.len(), moments.len(), posted.len()].iter().any(|count| full(*count, rows::MOST));
    entries.extend(moved);
    entries.extend(completed);
    entries.extend(rows::events(db, id, &moments).await?);
    entries.extend(posted);
    entries.extend(rows::alerts(db, id, &journals).await?);
    let asked: Vec<uuid::Uuid> = movements.into_iter().chain(journals).collect();
    let done = rows::actions(db, id, &asked).await?;
    cut |= full(done.len(), rows::MOST);
    entries.extend(done);
    let asked = rows::attempts(db, id, &asked).await?;
    cut |= full(asked.len(), rows::MOST);
    entries.extend(asked);
    // settings changed for all records: of these, what falls into this one's time
    let times = || entries.iter().map(|entry| entry.at);
    if let (Some(first), Some(last)) = (times().min(), times().max()) {
        let changed = rows::settings(db, id, first, last).await?;
        cut |= full(changed.len(), rows::MOST);
        entries.extend(changed);
    }
    entries.sort_by(|one, other| (one.at, one.place, &one.id).cmp(&(other.at, other.place, &other.id)));
    Ok(Trace { subjects, cut, entries })
}
