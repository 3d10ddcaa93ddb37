//! Finding movements and journals by what people know of them: an order, a task, a supplier, an invoice, a batch, or
//! words of any of these and of the reasons.
//!
//! Words are found from their beginning, in any order, whatever their case. They stand in a table beside the documents,
//! which is filled from the log when somebody searches, so that reading from Oracle does not wait for it.

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::PgPool;
use uuid::Uuid;

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ids::ConnectionId;
use crate::store::search::{self as stored, Journals};
use crate::store::trace;

/// Records that are followed to their movements and journals.
const FOLLOWED: i64 = 2_000;

/// What is looked for: everything that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// An order's number: its movements, those of the invoices that name it, and its journals.
    pub order_number: Option<String>,
    /// A task's gid.
    pub task: Option<String>,
    /// A journal's batch, group or request in Oracle.
    pub batch: Option<String>,
    /// Words.
    pub words: Words,
    /// Only what was opened at this time or later.
    pub since: Option<Timestamp>,
}

/// Words that are looked for.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// Of a supplier's name.
    pub supplier: Option<String>,
    /// Of an invoice's own number.
    pub invoice: Option<String>,
    /// Of anything: numbers, suppliers, reasons; or a task or a batch as a whole.
    pub text: Option<String>,
}

impl Words {
    fn given(&self) -> impl Iterator<Item = &str> {
        [&self.supplier, &self.invoice, &self.text].into_iter().flatten().map(String::as_str)
    }

    /// All of them in one text.
    pub(crate) fn all(&self) -> String {
        self.given().collect::<Vec<_>>().join(" ")
    }

    /// # Errors
    /// [`Code::SearchEmpty`] when something that was given has no letter and no digit.
    fn check(&self) -> Result<()> {
        match self.given().find(|text| !text.chars().any(char::is_alphanumeric)) {
            Some(text) => Err(Error::new(Code::SearchEmpty, format!("`{text}` has no letter and no digit"))),
            None => Ok(()),
        }
    }
}

/// Something that fits.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Found {
    /// `order`, `invoice` or `journal`.
    pub what: String,
    /// The movement's or journal's id.
    pub id: Uuid,
    /// When it was opened.
    pub at: Timestamp,
    /// The order's number; of an invoice its own.
    pub number: Option<String>,
    /// The record's supplier.
    pub supplier: Option<String>,
    /// The task.
    pub task: Option<String>,
    /// The journal's batch in Oracle, or else its group.
    pub journal: Option<String>,
    /// Where it stands.
    pub state: String,
    /// Why, as a stable code.
    pub code: Option<String>,
    /// Why, in words.
    pub reason: Option<String>,
}

/// What fits, newest first.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Answer {
    /// At most as many as were asked for.
    pub found: Vec<Found>,
    /// Whether there is more.
    pub more: bool,
    /// Whether the words fit so many records that journals were looked for by their own keys and reasons only.
    pub broad: bool,
}

/// Makes findable what was opened since the last search. `told` hears how many movements were gone through.
pub async fn catch_up(db: &PgPool, connection: ConnectionId, mut told: impl FnMut(u64)) -> Result<()> {
    let (mut after, mut all) = (stored::reach(db, connection).await?, 0);
    while let Some((last, count)) = stored::catch_up(db, connection, after).await? {
        after = last;
        all += count;
        told(all);
    }
    Ok(())
}

/// Looks for what fits, at most `limit`.
///
/// # Errors
/// [`Code::SearchEmpty`] for words without letters and digits.
pub async fn find(db: &PgPool, connection: ConnectionId, wanted: &Wanted, limit: usize) -> Result<Answer> {
    wanted.words.check()?;
    let most = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let mut search = Search { db, connection, wanted, most, broad: false };
    let mut found = Vec::new();
    if wanted.batch.is_none() {
        let ids = search.movements().await?;
        found = stored::shown(db, connection, &ids).await?;
        found.retain(|f| wanted.task.is_none() || f.task.is_none() || f.task == wanted.task);
    }
    if wanted.words.invoice.is_none() {
        found.extend(search.journals().await?);
    }
    found.sort_by_key(|one| std::cmp::Reverse((one.at, one.id)));
    let more = found.len() > limit;
    found.truncate(limit);
    Ok(Answer { found, more, broad: search.broad })
}

struct Search<'a> {
    db: &'a PgPool,
    connection: ConnectionId,
    wanted: &'a Wanted,
    most: i64,
    broad: bool,
}

impl Search<'_> {
    /// The movements of records that fit, and of those whose reasons do.
    async fn movements(&mut self) -> Result<Vec<Uuid>> {
        let (db, connection, words) = (self.db, self.connection, &self.wanted.words);
        let since = self.wanted.since;
        let keys = self.keys().await?;
        let mut ids = match (&keys, words.given().next()) {
            (None, None) => Vec::new(),
            (Some(keys), None) => stored::of_records(db, connection, keys, since, self.most).await?,
            (_, Some(_)) => {
                let fit = stored::records(db, connection, words, keys.as_deref(), FOLLOWED + 1).await?;
                if is_many(&fit) {
                    stored::of_many(db, connection, words, since, self.most).await?
                } else {
                    stored::of_records(db, connection, &fit, since, self.most).await?
                }
            }
        };
        let Some(text) = &words.text else { return Ok(ids) };
        let mut within = keys;
        let others = Words { text: None, ..words.clone() };
        if others.given().next().is_some() {
            let fit = stored::records(db, connection, &others, within.as_deref(), FOLLOWED + 1).await?;
            if is_many(&fit) {
                self.broad = true;
                return Ok(ids);
            }
            within = Some(fit);
        }
        ids.extend(stored::by_reason(db, connection, text, within.as_deref(), since, self.most).await?);
        if within.is_none() {
            let known = trace::subjects(db, connection, text).await?;
            ids.extend(stored::of_records(db, connection, &known.records, since, self.most).await?);
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// The records of the order and of the task that are looked for.
    async fn keys(&self) -> Result<Option<Vec<String>>> {
        let mut keys: Option<HashSet<String>> = None;
        for key in [&self.wanted.order_number, &self.wanted.task].into_iter().flatten() {
            let records: HashSet<String> =
                trace::subjects(self.db, self.connection, key).await?.records.into_iter().collect();
            keys = Some(match keys {
                Some(before) => before.intersection(&records).cloned().collect(),
                None => records,
            });
        }
        Ok(keys.map(|keys| keys.into_iter().collect()))
    }

    /// The journals that fit everything that was given.
    async fn journals(&mut self) -> Result<Vec<Found>> {
        let wanted = self.wanted;
        let mut all = Vec::new();
        if let Some(batch) = &wanted.batch {
            all.push(Journals { known_as: vec![batch.clone()], ..Journals::default() });
        }
        if let Some(number) = &wanted.order_number {
            let tasks = trace::subjects(self.db, self.connection, number).await?.tasks;
            all.push(Journals { tasks, ..Journals::default() });
        }
        if let Some(task) = &wanted.task {
            all.push(Journals { tasks: vec![task.clone()], ..Journals::default() });
        }
        if let Some(supplier) = &wanted.words.supplier {
            let words = Words { supplier: Some(supplier.clone()), ..Words::default() };
            all.push(Journals { orders: self.few(&words).await?, ..Journals::default() });
        }
        if let Some(text) = &wanted.words.text {
            let words = Words { text: Some(text.clone()), ..Words::default() };
            let mut tasks = trace::subjects(self.db, self.connection, text).await?.tasks;
            tasks.push(text.clone());
            all.push(Journals {
                known_as: vec![text.clone()],
                tasks,
                orders: self.few(&words).await?,
                reason: Some(text.clone()),
            });
        }
        // of more than one, all that are meant by each are compared
        let most = if all.len() == 1 { self.most } else { FOLLOWED };
        let mut fit: Option<Vec<Found>> = None;
        for any_of in all {
            let found = stored::journals(self.db, self.connection, &any_of, wanted.since, most).await?;
            fit = Some(match fit {
                Some(before) => found.into_iter().filter(|f| before.iter().any(|b| b.id == f.id)).collect(),
                None => found,
            });
        }
        Ok(fit.unwrap_or_default())
    }

    /// The records that these words fit, unless they are very many.
    async fn few(&mut self, words: &Words) -> Result<Vec<String>> {
        let fit = stored::records(self.db, self.connection, words, None, FOLLOWED + 1).await?;
        if is_many(&fit) {
            self.broad = true;
            return Ok(Vec::new());
        }
        Ok(fit)
    }
}

fn is_many(records: &[String]) -> bool {
    i64::try_from(records.len()).unwrap_or(i64::MAX) > FOLLOWED
}
