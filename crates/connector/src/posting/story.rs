//! Everything that is known of a completion: for whoever asks a year later why a journal is there, or why not.

use std::collections::BTreeSet;

use oracle_fusion::{PurchaseOrder, RawValue, is_import_code};

use crate::code::Code;
use crate::error::Result;
use crate::feed::Feed;
use crate::ids::TaskGid;
use crate::journal::{GroupId, JournalPlan, Kind, import_code};
use crate::posting::lines::{self, ShownLine};
use crate::record::OrderFacts;
use crate::store::actions::{self, ActionRow};
use crate::store::attempts::{self, Attempt};
use crate::store::completions::{self, Completion};
use crate::store::connections::Connection;
use crate::store::journals::{self, Journal, LoggedStep};
use crate::store::{completed, documents};

/// Completions that are told at once, newest first.
const MAX_COMPLETIONS: i64 = 20;
/// Requests of one journal that are shown.
const EXCHANGES_SHOWN: i64 = 100;
/// Actions on one journal that are shown.
const ACTIONS_SHOWN: i64 = 100;
/// Journals of one task that are looked through.
const MAX_JOURNALS: i64 = 1000;
/// Shorter texts are not looked for in the exchanges with Oracle: too much would fit.
const SHORTEST_ID: usize = 5;

/// A completion, its order, and its journals in the order in which they were opened.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Story {
    /// The completion.
    pub completion: Completion,
    /// What its code means and what to do, when it has one.
    pub advice: Option<Advice>,
    /// The order as Oracle last showed it, which may be later than the journal.
    pub order: Option<OrderFacts>,
    /// Its journals.
    pub journals: Vec<Told>,
}

/// A journal in full.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Told {
    /// Where it stands.
    pub journal: Journal,
    /// What its code means and what to do, when it has one.
    pub advice: Option<Advice>,
    /// What the import's codes mean that its reason names.
    pub import_codes: Vec<Advice>,
    /// Where the amount comes from.
    pub cost_from: &'static str,
    /// Why it is dated as it is.
    pub dated: String,
    /// Its lines.
    pub lines: Vec<ShownLine>,
    /// What is sent.
    pub plan: JournalPlan,
    /// Group ids of earlier sendings that came to nothing.
    pub earlier_groups: Vec<String>,
    /// Every step, with what was asked of Oracle and what it answered.
    pub steps: Vec<LoggedStep>,
    /// Every request that was sent to Oracle for it, oldest first; of very many the newest.
    pub exchanges: Vec<Attempt>,
    /// What people did to it, oldest first.
    pub actions: Vec<ActionRow>,
}

/// What a code means.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Advice {
    /// The code.
    pub code: String,
    /// What happened.
    pub title: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// Finds every completion that `what` means: a task's gid, an order number, or a journal's id, batch, request or
/// group id, those of earlier sendings included. Newest first.
///
/// # Errors
/// Those of the database, and of stored journals that cannot be read.
pub async fn find(db: &sqlx::PgPool, connection: &Connection, what: &str) -> Result<Vec<Story>> {
    let mut meant = completed::sought(db, connection.id, what, MAX_COMPLETIONS).await?;
    if meant.is_empty() && what.len() >= SHORTEST_ID {
        meant = completed::sought_in_steps(db, connection.id, what).await?;
    }
    let mut stories = Vec::with_capacity(meant.len());
    for (task, ordinal) in meant {
        stories.extend(tell(db, connection, &task, ordinal).await?);
    }
    Ok(stories)
}

async fn tell(db: &sqlx::PgPool, connection: &Connection, task: &str, ordinal: i32) -> Result<Option<Story>> {
    let mut held = db.acquire().await?;
    let known = completions::of_tasks(&mut held, connection.id, &[task.to_owned()]).await?;
    let Some(completion) = known.into_iter().find(|completion| completion.ordinal == ordinal) else {
        return Ok(None);
    };
    let ids: Vec<String> = completion.order_id.iter().cloned().collect();
    let stored = documents::by_ids(&mut held, connection.id, Feed::PurchaseOrders, &ids).await?;
    drop(held);
    let layout = &connection.settings.routing.account;
    let order = stored.first().and_then(|stored| {
        let raw = serde_json::from_str::<&RawValue>(&stored.body).ok()?;
        Some(OrderFacts::of(PurchaseOrder::parse(raw).ok()?, layout))
    });
    let mut journals = journals::list(db, connection.id, None, Some(task), MAX_JOURNALS).await?;
    journals.retain(|journal| journal.task_gid == task && journal.ordinal == ordinal);
    let mut told = Vec::with_capacity(journals.len());
    for journal in journals.into_iter().rev() {
        let steps = journals::steps(db, connection.id, journal.journal_id).await?;
        let id = journal.journal_id;
        let told_of = tell_journal(connection, journal, steps)?;
        let exchanges = attempts::of(db, connection.id, id, EXCHANGES_SHOWN).await?;
        let actions = actions::of(db, connection.id, id, ACTIONS_SHOWN).await?;
        told.push(Told { exchanges, actions, ..told_of });
    }
    Ok(Some(Story { advice: advice(completion.code.as_deref()), completion, order, journals: told }))
}

fn tell_journal(connection: &Connection, journal: Journal, steps: Vec<LoggedStep>) -> Result<Told> {
    let plan = journals::plan(&journal.plan)?;
    let import_codes = import_codes(journal.reason.as_deref().unwrap_or_default());
    Ok(Told {
        advice: advice(journal.code.as_deref()),
        import_codes,
        cost_from: cost_from(&journal.subject),
        dated: lines::dated(&plan),
        lines: lines::shown(&plan, &connection.settings.routing.account.delimiter),
        earlier_groups: earlier_groups(connection, &journal, plan.kind()),
        plan,
        journal,
        steps,
        exchanges: Vec::new(),
        actions: Vec::new(),
    })
}

/// Where a journal's amount comes from, told by what bears the cost.
fn cost_from(subject: &str) -> &'static str {
    match subject.split_once(' ') {
        Some(("order", _)) => "the sum of the order's lines",
        Some(("line", _)) => "the order line",
        _ => "the task's own cost field",
    }
}

/// The group ids before the one that stands; there are never more of them than sendings.
fn earlier_groups(connection: &Connection, journal: &Journal, kind: Kind) -> Vec<String> {
    let task = TaskGid(journal.task_gid.clone());
    (0..journal.submissions.unsigned_abs())
        .map(|generation| {
            GroupId::derive(connection.id, &task, journal.ordinal.unsigned_abs(), kind, generation)
                .to_string()
        })
        .take_while(|group| *group != journal.group_id)
        .collect()
}

fn advice(code: Option<&str>) -> Option<Advice> {
    let info = Code::find(code?)?.info();
    Some(Advice { code: info.code.to_owned(), title: info.title, remedy: info.remedy })
}

/// The import's codes that words name, each once.
fn import_codes(words: &str) -> Vec<Advice> {
    let named: BTreeSet<&str> = words.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let codes = named.into_iter().filter(|word| is_import_code(word));
    codes
        .map(|code| {
            let known = import_code::find(code).unwrap_or(&import_code::UNKNOWN);
            Advice { code: code.to_owned(), title: known.meaning, remedy: known.remedy }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_that_a_reason_names_are_explained_once() {
        let told = import_codes("rejected with EF04, EM01, EC03 and EF04; see ZZ99");
        assert_eq!(
            told.iter().map(|advice| advice.code.as_str()).collect::<Vec<_>>(),
            ["EC03", "EF04", "EM01"]
        );
        assert!(told.iter().all(|advice| !advice.title.is_empty() && !advice.remedy.is_empty()));
        assert_eq!(import_codes("imported as batch 4711"), []);
    }

    #[test]
    fn what_bears_the_cost_says_where_the_amount_comes_from() {
        assert_eq!(cost_from("order 300000"), "the sum of the order's lines");
        assert_eq!(cost_from("line 7"), "the order line");
        assert_eq!(cost_from("task 1200"), "the task's own cost field");
    }
}
