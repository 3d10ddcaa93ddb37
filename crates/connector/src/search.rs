//! Finding movements and journals by what people know of them: an order, a task, a supplier, an invoice, a batch, or
//! words of any of these and of the reasons.
//!
//! Words are found from their beginning, in any order, whatever their case. They stand in a table beside the documents.
//! Reading from Oracle does not wait for it: each stored page is noted, and its words are taken up by `serve` after
//! each poll, or else by the next search.

mod telling;
pub(crate) mod words;

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::PgPool;
use uuid::Uuid;

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ids::ConnectionId;
use crate::reference::check;
use crate::store::choices;
use crate::store::search::{self as stored, Journals};
use crate::store::trace;

/// Records that are followed to their journals, and undelivered movements with a reason that are sorted.
const FOLLOWED: i64 = 2_000;
/// Of the records that changed last so many are looked at first: words that fit very many are found here.
const WINDOW: i64 = 10_000;
/// When more of these fit, and the log is longer, all that fit are not looked for.
const BROAD: usize = 100;
/// Of the words of a long question so many are asked of the index at most.
const ASKED_OF_INDEX: usize = 16;
/// Of undelivered movements so many of the newest are looked at for reasons that very many have.
const UNDELIVERED: i64 = 1_000;

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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// `order`, `invoice`, `mark` (of a task), `journal`, or `choice`: what a person chose on a task and may not be used.
    pub what: String,
    /// The movement's or journal's id; a choice has none.
    pub id: Option<Uuid>,
    /// When it was opened; of a choice when it was found.
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
    /// Whether the words fit so many records that only the newest ones' journals and reasons were looked at.
    pub broad: bool,
}

/// Takes up the words of stored pages until there is none left. `told` hears how many records were gone through.
pub async fn take_up(db: &PgPool, connection: ConnectionId, mut told: impl FnMut(u64)) -> Result<()> {
    let mut all = 0;
    while let Some(records) = stored::take_up(db, connection).await? {
        all += records as u64;
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
    let mut search = Search { db, connection, wanted, most, broad: false, known: Vec::new() };
    let mut found = Vec::new();
    if wanted.batch.is_none() {
        let ids = search.movements().await?;
        found = stored::shown(db, connection, &ids).await?;
        found.retain(|f| wanted.task.is_none() || f.task.is_none() || f.task == wanted.task);
    }
    if wanted.words.invoice.is_none() {
        found.extend(search.journals().await?);
    }
    found.extend(search.choices().await?);
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
    /// What was found for which words: they are asked for more than once.
    known: Vec<(Words, Fit)>,
}

/// Records that words fit, newest first.
#[derive(Debug, Clone)]
enum Fit {
    /// All of them.
    All(Vec<String>),
    /// They are very many: the newest.
    Newest(Vec<String>),
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
            (Some(keys), Some(_)) => {
                let asked = words::asked(connection, words);
                let fit = stored::among(db, connection, &asked, keys).await?;
                stored::of_records(db, connection, &fit, since, self.most).await?
            }
            (None, Some(_)) => {
                let (Fit::All(mut fit) | Fit::Newest(mut fit)) = self.fit(words).await?;
                // the newest movements of all are among those of so many records that changed last
                fit.truncate(usize::try_from(self.most).unwrap_or(usize::MAX));
                stored::of_records(db, connection, &fit, since, self.most).await?
            }
        };
        let Some(text) = &words.text else { return Ok(ids) };
        let mut within = keys;
        let others = Words { text: None, ..words.clone() };
        if others.given().next().is_some() {
            let fit = match &within {
                Some(keys) => {
                    let asked = words::asked(connection, &others);
                    Fit::All(stored::among(db, connection, &asked, keys).await?)
                }
                None => self.fit(&others).await?,
            };
            let Fit::All(fit) = fit else {
                self.broad = true;
                return Ok(ids);
            };
            within = Some(fit);
        }
        ids.extend(self.by_reason(text, within.as_deref()).await?);
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

    /// What people chose on tasks and may not be used there, where that is asked for.
    async fn choices(&self) -> Result<Vec<Found>> {
        let Wanted { order_number, task, batch, words, since } = self.wanted;
        let is_of_others = batch.is_some() || words.supplier.is_some() || words.invoice.is_some();
        if is_of_others {
            return Ok(Vec::new());
        }
        let asked = choices::Asked {
            text: words.text.as_deref(),
            task: task.as_deref(),
            order_number: order_number.as_deref(),
            since: *since,
        };
        let known = choices::find(self.db, self.connection, asked, self.most).await?;
        let found = known.into_iter().map(|choices::Known { choice, found_at, order_number }| Found {
            what: "choice".to_owned(),
            id: None,
            at: found_at,
            number: order_number,
            supplier: None,
            reason: Some(check::words(choice.kind, &choice.value, choice.validity)),
            task: Some(choice.task),
            journal: None,
            state: "not usable".to_owned(),
            code: Some(Code::ChoiceInvalid.to_string()),
        });
        Ok(found.collect())
    }

    /// The newest movements that are not delivered, whose reasons have these words.
    async fn by_reason(&self, text: &str, among: Option<&[String]>) -> Result<Vec<Uuid>> {
        let (db, connection, since) = (self.db, self.connection, self.wanted.since);
        let enough = |found: &[Uuid], many: i64| i64::try_from(found.len()).is_ok_and(|found| found >= many);
        let mut found = stored::by_reason(db, connection, text, among, since, FOLLOWED).await?;
        if enough(&found, FOLLOWED) && among.is_none() && since.is_none() {
            let newest = stored::by_reason_among_newest(db, connection, text, UNDELIVERED, self.most).await?;
            if enough(&newest, self.most) {
                return Ok(newest);
            }
        }
        if enough(&found, FOLLOWED) {
            found = stored::by_reason(db, connection, text, among, since, i64::MAX).await?;
        }
        found.sort_unstable_by(|one, other| other.cmp(one));
        found.truncate(usize::try_from(self.most).unwrap_or(usize::MAX));
        Ok(found)
    }

    /// The records that these words fit; of very many the newest.
    async fn few(&mut self, words: &Words) -> Result<Vec<String>> {
        let fit = match self.fit(words).await? {
            Fit::All(fit) => fit,
            Fit::Newest(mut fit) => {
                self.broad = true;
                fit.truncate(usize::try_from(FOLLOWED).unwrap_or(usize::MAX));
                fit
            }
        };
        Ok(fit)
    }

    /// The records that these words fit. What fits very many is found among the newest, and what fits few by the index
    /// over words: neither sorts what could be the whole log.
    async fn fit(&mut self, words: &Words) -> Result<Fit> {
        if let Some((_, fit)) = self.known.iter().find(|(known, _)| known == words) {
            return Ok(fit.clone());
        }
        let (db, connection) = (self.db, self.connection);
        let each = words::each(connection, words);
        let asked = words::all_of(&each);
        let newest = stored::among_newest(db, connection, &asked, WINDOW).await?;
        let most = usize::try_from(self.most).unwrap_or(usize::MAX);
        let fit = if newest.len() > BROAD
            && newest.len() >= most
            && stored::are_more_than(db, connection, WINDOW).await?
        {
            Fit::Newest(newest)
        } else {
            let by_index = self.telling(each).await?;
            let followed = usize::try_from(FOLLOWED).unwrap_or(usize::MAX);
            let many = self.most.max(FOLLOWED);
            let mut fit = stored::records(db, connection, &by_index, &asked, many.saturating_add(1)).await?;
            if fit.len() <= followed {
                Fit::All(fit)
            } else {
                fit.truncate(followed.max(most));
                Fit::Newest(fit)
            }
        };
        self.known.push((words.clone(), fit.clone()));
        Ok(fit)
    }

    /// Of words that all must fit, those that the index is asked for.
    async fn telling(&self, mut each: Vec<String>) -> Result<String> {
        // what is cut off here is looked for in the records themselves
        each.truncate(ASKED_OF_INDEX);
        if each.len() < 2 {
            return Ok(words::all_of(&each));
        }
        let sample = stored::sample(self.db, self.connection, &each).await?;
        let chosen: Vec<String> =
            telling::chosen(&sample, each.len()).into_iter().filter_map(|at| each.get(at).cloned()).collect();
        Ok(words::all_of(&chosen))
    }
}
