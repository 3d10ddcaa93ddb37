//! Reading suppliers or accounts whole: each page is one transaction that writes what differs. Only when the reading
//! came to its end is what it did not show marked as gone.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::civil::Date;
use oracle_fusion::keyset::Keyset;
use oracle_fusion::{AccountCombination, Digits, Limit, RawValue, Resource, Supplier};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::code::Code;
use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::reference::{Invalid, Kind, ReferenceSettings, charts, field};
use crate::store::jobs::{self, Lease};
use crate::store::reference::{self, Row};
use crate::{store, trouble};

/// Rows of one reading, about 100 bytes each in memory.
const MAX_ROWS: usize = 1_000_000;
/// From so many known rows on, a reading that shows less than half of them is not believed.
const MANY: usize = 20;

/// What a reading did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct ReferenceReport {
    /// Rows that Oracle showed.
    pub rows: u64,
    /// Rows written because they are new or differ.
    pub written: u64,
    /// Rows that Oracle no longer shows.
    pub gone: u64,
    /// Options made.
    pub created: u64,
    /// Options renamed.
    pub renamed: u64,
    /// Options switched on or off.
    pub switched: u64,
}

/// Reads one kind whole, then brings the options of its field in step.
///
/// # Errors
/// [`Code::OracleNoRows`] when Oracle shows none, [`Code::ReferenceShrunk`] when it shows far fewer than before:
/// nothing is marked as gone then. The failures of [`field::keep_options`].
pub async fn run(
    engine: &Engine,
    clients: &Clients,
    lease: &Lease,
    kind: Kind,
    progress: &watch::Sender<u64>,
) -> Result<ReferenceReport> {
    let mut reading = Reading {
        engine,
        lease,
        kind,
        known: reference::digests(&engine.db, lease.connection, kind).await?,
        seen: HashSet::new(),
        report: ReferenceReport::default(),
        progress,
    };
    match kind {
        Kind::Suppliers => reading.suppliers(clients).await?,
        Kind::Accounts => reading.accounts(clients).await?,
    }
    reading.finish().await?;
    let mut report = reading.report;
    if report.written + report.gone > 0 {
        look_again(engine, clients, lease).await?;
    }
    field::keep_options(engine, clients, lease, kind, &mut report).await?;
    Ok(report)
}

/// What may be used is another now: the push looks at what people chose, and plans again what was held.
async fn look_again(engine: &Engine, clients: &Clients, lease: &Lease) -> Result<()> {
    let Some(reference) = &clients.connection.settings.reference else { return Ok(()) };
    if reference.invalid == Invalid::Hold {
        let mut db = engine.db.acquire().await?;
        store::outbox::look_again_at_held(&mut db, lease.connection, Duration::ZERO).await?;
    }
    jobs::ask_for(&engine.db, lease.connection, &[jobs::Job::Push]).await
}

struct Reading<'a> {
    engine: &'a Engine,
    lease: &'a Lease,
    kind: Kind,
    /// Digest by id; none of a row that is marked as gone.
    known: HashMap<String, Option<Vec<u8>>>,
    seen: HashSet<String>,
    report: ReferenceReport,
    progress: &'a watch::Sender<u64>,
}

impl Reading<'_> {
    /// By id, which no change meanwhile can shift. While a page is stored, the next is fetched.
    async fn suppliers(&mut self, clients: &Clients) -> Result<()> {
        let limit = Limit::clamped(clients.connection.settings.oracle.page_size.into());
        let mut keyset = Keyset::by_id(None);
        let mut rows = Vec::new();
        loop {
            let query = keyset.query(Resource::Suppliers, limit);
            let fetch = async { clients.fusion.page(&query).await.map_err(trouble::oracle) };
            let (page, ()) = tokio::try_join!(fetch, self.store(rows))?;
            let keys = page.keys(Resource::Suppliers).map_err(trouble::record)?;
            let step = keyset.accept(&keys, page.has_more).map_err(|error| {
                Error::new(Code::OracleMalformed, format!("suppliers: {error}")).because(error)
            })?;
            let fresh = step.fresh.into_iter().filter_map(|at| page.items.get(at));
            rows = fresh.map(|raw| supplier(raw)).collect::<Result<_>>()?;
            if step.done {
                return self.store(rows).await;
            }
        }
    }

    /// In the server's own order; a row that comes twice says that another was missed.
    async fn accounts(&mut self, clients: &Clients) -> Result<()> {
        let settings = &clients.connection.settings;
        let limit = Limit::clamped(settings.oracle.page_size.into());
        let chart = chart(clients).await?;
        let names: Vec<&str> =
            settings.journal.iter().flat_map(|journal| &journal.segment_names).map(String::as_str).collect();
        let (mut rows, mut offset) = (Vec::new(), 0);
        loop {
            let fetch = async {
                clients.fusion.account_page(&chart, &names, offset, limit).await.map_err(trouble::oracle)
            };
            let ((page, more), ()) = tokio::try_join!(fetch, self.store(rows))?;
            offset += page.len() as u64;
            rows = page.into_iter().map(account).collect();
            if !more {
                return self.store(rows).await;
            }
        }
    }

    /// Writes the rows of a page that are new or differ.
    async fn store(&mut self, rows: Vec<Row>) -> Result<()> {
        self.report.rows += rows.len() as u64;
        for row in &rows {
            if !self.seen.insert(row.id.clone()) {
                let words = format!("{} moved while they were read", self.kind.as_str());
                return Err(Error::new(Code::ReferenceMoved, words));
            }
        }
        if self.seen.len() > MAX_ROWS {
            let words = format!("Oracle shows more than {MAX_ROWS} {}", self.kind.as_str());
            return Err(Error::new(Code::ReferenceMoved, words));
        }
        self.progress.send_replace(self.report.rows);
        let same =
            |row: &Row| self.known.get(&row.id).is_some_and(|known| known.as_ref() == Some(&row.digest));
        let changed: Vec<Row> = rows.into_iter().filter(|row| !same(row)).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let mut tx = store::begin(&self.engine.db).await?;
        jobs::hold(&mut tx, self.lease).await?;
        reference::write_page(&mut tx, self.lease.connection, self.kind, &changed).await?;
        tx.commit().await?;
        self.report.written += changed.len() as u64;
        Ok(())
    }

    /// Marks what was not shown as gone, unless that is not to be believed.
    async fn finish(&mut self) -> Result<()> {
        let there: Vec<&String> =
            self.known.iter().filter(|(_, digest)| digest.is_some()).map(|(id, _)| id).collect();
        let gone: Vec<String> =
            there.iter().filter(|id| !self.seen.contains(**id)).map(|id| (*id).clone()).collect();
        if self.seen.is_empty() {
            // no rows can mean no access: nothing is concluded from it
            let words = format!("Oracle shows no {}", self.kind.singular());
            return Err(Error::new(Code::OracleNoRows, words));
        }
        if there.len() >= MANY && gone.len() * 2 > there.len() {
            let words = format!(
                "Oracle shows {} {} and leaves out {} of the {} known ones",
                self.seen.len(),
                self.kind.as_str(),
                gone.len(),
                there.len()
            );
            return Err(Error::new(Code::ReferenceShrunk, words));
        }
        let mut tx = store::begin(&self.engine.db).await?;
        jobs::hold(&mut tx, self.lease).await?;
        let connection = self.lease.connection;
        if !gone.is_empty() {
            reference::mark_gone(&mut tx, connection, self.kind, &gone).await?;
        }
        reference::finish_reading(&mut tx, connection, self.kind, self.seen.len()).await?;
        tx.commit().await?;
        self.report.gone = gone.len() as u64;
        Ok(())
    }
}

/// The chart of accounts: as set, else that of the ledger for journals.
async fn chart(clients: &Clients) -> Result<Digits> {
    let settings = &clients.connection.settings;
    let set = settings
        .reference
        .as_ref()
        .and_then(|reference: &ReferenceSettings| reference.chart_of_accounts.clone());
    let chart = match (set, &settings.journal) {
        (Some(chart), _) => Some(chart),
        (None, Some(journal)) => {
            let id = digits(&journal.ledger_id)?;
            clients
                .fusion
                .ledger(&id)
                .await
                .map_err(trouble::oracle)?
                .and_then(|ledger| ledger.chart_of_accounts_id)
        }
        (None, None) => None,
    };
    match chart {
        Some(chart) => digits(&chart),
        None => Err(no_chart(clients).await),
    }
}

/// Says that no chart is known, and which ones Oracle's ledgers have.
async fn no_chart(clients: &Clients) -> Error {
    let code = Code::ReferenceNoChart;
    let title = code.info().title;
    match clients.fusion.ledgers().await {
        Ok(ledgers) => Error::new(code, format!("{title}: {}", charts::words(&ledgers))),
        Err(error) => {
            let error = trouble::oracle(error);
            let words = format!("{title}, and Oracle's ledgers cannot be listed: {}", error.message);
            Error::new(code, words).because(error)
        }
    }
}

fn digits(text: &str) -> Result<Digits> {
    Digits::new(text).map_err(|error| Error::plain(Code::ReferenceNoChart).because(error))
}

fn supplier(raw: &RawValue) -> Result<Row> {
    let supplier = Supplier::parse(raw).map_err(trouble::record)?;
    // the status counts for itself; the date is judged on the day that it is asked about
    let disabled = !Supplier { inactive_date: None, ..supplier.clone() }.is_active(Date::MAX);
    Ok(Row {
        name: supplier.name.unwrap_or_else(|| supplier.id.clone()),
        number: supplier.number,
        disabled,
        posting: true,
        from: None,
        until: supplier.inactive_date,
        id: supplier.id,
        digest: Vec::new(),
    }
    .digested())
}

fn account(account: AccountCombination) -> Row {
    let segments: Vec<&str> = account.segments.iter().map(|segment| segment.value.as_str()).collect();
    let name = account.concatenated.clone().unwrap_or_else(|| segments.join("."));
    Row {
        name: if name.is_empty() { account.id.clone() } else { name },
        number: account.account_type,
        disabled: account.enabled == Some(false),
        posting: account.detail_posting != Some(false),
        from: account.start,
        // a row tells the last day; what is kept is the first day after it
        until: account.end.and_then(|last| last.tomorrow().ok()),
        id: account.id,
        digest: Vec::new(),
    }
    .digested()
}

impl Row {
    /// With the digest over all that is stored.
    fn digested(mut self) -> Row {
        let mut hash = Sha256::new();
        let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
        let number = self.number.as_deref().unwrap_or("\u{1}");
        let flags = format!("{}{}", self.disabled, self.posting);
        for part in [&self.id, &self.name, number, &flags, &day(self.from), &day(self.until)] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        self.digest = hash.finalize().to_vec();
        self
    }
}
