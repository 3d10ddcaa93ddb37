//! What the demo did, in numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use connector::store::journals;
use connector::store::movements::{self, Filter};
use sandbox::Side;

use super::scene::Scene;
use super::{books, check};
use crate::output;

/// The numbers; `--json` prints exactly this.
#[derive(Debug, serde::Serialize)]
pub struct Summary {
    /// Orders in Oracle.
    pub orders: usize,
    /// Invoices in Oracle.
    pub invoices: usize,
    /// Tasks made.
    pub tasks_created: i64,
    /// Tasks that were changed after they were made, each counted once.
    pub tasks_updated: i64,
    /// Movements delivered.
    pub movements_delivered: i64,
    /// Movements given up.
    pub movements_failed: i64,
    /// Movements that a person must look at.
    pub movements_held: i64,
    /// Tasks seen to be completed.
    pub completions: i64,
    /// Completions that brought no journal, for a reason that is told.
    pub completions_without_journal: i64,
    /// Journal batches in Oracle's general ledger.
    pub journals: u64,
    /// Their lines.
    pub journal_lines: u64,
    /// Their debits by currency.
    pub debits: BTreeMap<String, String>,
    /// Their credits by currency.
    pub credits: BTreeMap<String, String>,
    /// What was charged: debits less credits on all accounts but the clearing account, by currency.
    pub charged: BTreeMap<String, String>,
    /// What the completed tasks' orders cost by Oracle's own records, by currency.
    pub cost: BTreeMap<String, String>,
    /// Batches beyond one for a completion.
    pub duplicate_journals: u64,
    /// Requests that Asana received.
    pub asana_requests: u64,
    /// Requests that Oracle received, for tokens too.
    pub oracle_requests: u64,
    /// Seconds from the start of the program.
    pub seconds: f64,
    /// Values that were compared.
    pub values_compared: u64,
    /// Whether Asana shows what Oracle says, value by value, and the general ledger has what was completed.
    pub consistent: bool,
    /// The first differences, if any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<String>,
}

impl Summary {
    /// Counts and compares.
    pub async fn of(scene: &Scene, completed: &[String], elapsed: Duration) -> anyhow::Result<Summary> {
        let db = &scene.engine.db;
        let counts = movements::count(db, scene.connection).await?;
        let held = Filter { state: Some("held".into()), ..Filter::default() };
        let held = movements::list(db, scene.connection, &held, i64::MAX).await?;
        let mut verdict = check::compare(scene, &held)?;
        let books = books::check(scene, completed)?;
        let journals = journals::count(db, scene.connection).await?;
        let balanced = books.debits == books.credits && books.duplicates == 0;
        verdict.differences.extend(books.differences);
        if counts.open > 0 {
            verdict.differences.push(format!("{} movements are still open", counts.open));
        }
        let text = |totals: BTreeMap<String, rust_decimal::Decimal>| {
            totals.into_iter().map(|(currency, total)| (currency, total.to_string())).collect()
        };
        let (orders, invoices) = scene.sandbox.oracle().counts();
        let calls = scene.sandbox.calls();
        Ok(Summary {
            orders,
            invoices,
            tasks_created: counts.created,
            tasks_updated: counts.updated,
            movements_delivered: counts.delivered,
            movements_failed: counts.failed,
            movements_held: counts.held,
            completions: journals.completions,
            completions_without_journal: journals.without_journal,
            journals: books.journals,
            journal_lines: books.lines,
            debits: text(books.debits),
            credits: text(books.credits),
            charged: text(books.charged),
            cost: text(books.cost),
            duplicate_journals: books.duplicates,
            asana_requests: calls.total_of(Side::Asana),
            oracle_requests: calls.total_of(Side::Oracle) + calls.total_of(Side::Token),
            seconds: Duration::from_millis(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
                .as_secs_f64(),
            values_compared: verdict.compared,
            consistent: verdict.differences.is_empty() && balanced,
            differences: verdict.differences,
        })
    }

    /// The numbers as a table.
    pub fn table(&self) -> String {
        let mut table = output::pairs([
            ("orders in Oracle", self.orders.to_string()),
            ("invoices in Oracle", self.invoices.to_string()),
            ("tasks made in Asana", self.tasks_created.to_string()),
            ("tasks changed later", self.tasks_updated.to_string()),
            ("movements delivered", self.movements_delivered.to_string()),
            ("movements held, failed", format!("{}, {}", self.movements_held, self.movements_failed)),
            (
                "tasks completed, without journal",
                format!("{}, {}", self.completions, self.completions_without_journal),
            ),
            ("journals in Oracle, lines", format!("{}, {}", self.journals, self.journal_lines)),
            ("debits", amounts(&self.debits)),
            ("credits", amounts(&self.credits)),
            ("cost of the completed orders", amounts(&self.cost)),
            ("duplicate journals", self.duplicate_journals.to_string()),
            ("requests to Oracle, Asana", format!("{}, {}", self.oracle_requests, self.asana_requests)),
            ("seconds", format!("{:.1}", self.seconds)),
            ("values compared", self.values_compared.to_string()),
            ("Asana shows what Oracle says", if self.consistent { "yes" } else { "NO" }.to_owned()),
        ]);
        table.align_right(&[1]);
        table.to_string()
    }
}

/// Amounts by currency, one to a line.
fn amounts(by_currency: &BTreeMap<String, String>) -> String {
    by_currency.iter().map(|(currency, amount)| format!("{amount} {currency}")).collect::<Vec<_>>().join("\n")
}
