//! A log filled with COPY, for measuring how it is read: orders and invoices that changed over the months, their
//! movements with bodies, requests, answers and exchanges, tasks, completions and journals.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use connector::Engine;
use connector::key::MasterKey;
use connector::manage::{self, Secrets};
use connector::settings::Settings;
use connector::store::{self, connections};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::database::connect;
use crate::engine::{NAME, key_file};
use crate::ingest::SETTINGS;
use crate::report::progress;

/// Rows of one piece of COPY.
const PIECE: u64 = 2_000;
/// Months over which the log spreads; the last one is this one.
const MONTHS: i32 = 12;
/// One record in so many is an invoice, for the order before it.
const INVOICES: u64 = 5;
/// One order in so many has a journal.
const JOURNALS: u64 = 20;
/// One movement in so many failed.
const FAILED: u64 = 200;
/// Suppliers.
const SUPPLIERS: u64 = 5_000;
const FIRST_ORDER: u64 = 300_000_000_000_000;
const FIRST_TASK: u64 = 1_200_000_000_000_000;
const FIRST_BATCH: u64 = 7_000_000_000;
const FIRST_NUMBER: u64 = 1_000_000;

/// How large the log is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Movements in all.
    pub movements: u64,
    /// Movements of one record.
    pub per_record: u64,
}

impl Size {
    pub fn records(self) -> u64 {
        (self.movements / self.per_record).max(INVOICES)
    }

    /// The place of an order, spread over all of them.
    pub fn order(self, nth: u64) -> u64 {
        let place = nth.wrapping_mul(0x9e37_79b9_7f4a_7c15) % self.records();
        place - u64::from(is_invoice(place))
    }

    /// The place of an invoice.
    pub fn invoice(self, nth: u64) -> u64 {
        (self.order(nth) / INVOICES * INVOICES + INVOICES - 1).min(self.records() / INVOICES * INVOICES - 1)
    }

    /// The place of an order that has a journal.
    pub fn posted(self, nth: u64) -> u64 {
        self.order(nth) / JOURNALS * JOURNALS
    }

    /// The id of a movement of the record at that place.
    pub fn movement(self, log: &Filled, record: u64) -> Uuid {
        log.id(record + self.records() * (self.per_record - 1), self.movements)
    }
}

fn is_invoice(place: u64) -> bool {
    place % INVOICES == INVOICES - 1
}

fn is_posted(place: u64) -> bool {
    place.is_multiple_of(JOURNALS)
}

/// The number of the order at that place, or of the one that the invoice there names.
pub fn number(place: u64) -> String {
    format!("US{}", FIRST_NUMBER + place - u64::from(is_invoice(place)))
}

pub fn invoice_number(place: u64) -> String {
    format!("INV-{}", FIRST_NUMBER + place)
}

pub fn task(place: u64) -> String {
    (FIRST_TASK + place).to_string()
}

pub fn batch(place: u64) -> String {
    (FIRST_BATCH + place).to_string()
}

pub fn supplier(place: u64) -> String {
    let names = ["Acme", "Globex", "Initech", "Umbrella", "Stark", "Wayne", "Hooli", "Vehement"];
    let forms = ["GmbH", "Inc", "Ltd", "LLC"];
    let which = place % SUPPLIERS;
    let pick = |all: &[&'static str]| all.get(usize::try_from(which).unwrap_or(0) % all.len()).copied();
    format!("{} Trading {which} {}", pick(&names).unwrap_or_default(), pick(&forms).unwrap_or_default())
}

/// A filled log.
pub struct Filled {
    /// The engine on it.
    pub engine: Engine,
    /// Its connection.
    pub connection: connections::Connection,
    /// Seconds of filling, and of taking up words per million records.
    pub seconds: f64,
    first_ms: u64,
    span_ms: u64,
}

impl Filled {
    /// The id of the `n`th of `all` movements: they are evenly spread over the months.
    fn id(&self, n: u64, all: u64) -> Uuid {
        id(self.at(n, all), 0x7, n)
    }

    fn at(&self, n: u64, all: u64) -> u64 {
        let part = u128::from(self.span_ms) * u128::from(n) / u128::from(all.max(1));
        self.first_ms + u64::try_from(part).unwrap_or(0)
    }

    /// Makes the schema and a connection, and fills its log.
    pub async fn new(url: &str, directory: &Path, size: Size) -> anyhow::Result<Filled> {
        let begun = Instant::now();
        let engine = Engine::new(store::open(url).await?, MasterKey::from_file(&key_file(directory)?)?);
        store::migrate(&engine.db).await?;
        manage::add(&engine, NAME, &Settings::from_toml(SETTINGS)?, &Secrets::default()).await?;
        let connection = connections::find(&engine.db, NAME).await?;
        let mut db = connect(url).await?;
        let now: i64 = sqlx::query_scalar("select (extract(epoch from now()) * 1000)::bigint")
            .fetch_one(&mut db)
            .await?;
        let first: i64 = sqlx::query_scalar(
            "select (extract(epoch from date_trunc('month', now()) - make_interval(months => $1)) * 1000)::bigint",
        )
        .bind(MONTHS - 1)
        .fetch_one(&mut db)
        .await?;
        let first_ms = u64::try_from(first)?;
        let mut log =
            Filled { engine, connection, seconds: 0.0, first_ms, span_ms: u64::try_from(now - first)? };
        sqlx::query(
            "select make_month(t.of_table, t.id_column, (date_trunc('month', now()) - n * interval '1 month')::date)
             from partitioned_tables() t cross join generate_series(1, $1) n",
        )
        .bind(MONTHS)
        .execute(&mut db)
        .await?;
        log.records(&mut db, size).await?;
        log.movements(&mut db, size).await?;
        log.journals(&mut db, size).await?;
        progress("filled; vacuuming");
        sqlx::query("vacuum analyze").execute(&mut db).await?;
        log.seconds = begun.elapsed().as_secs_f64();
        Ok(log)
    }

    async fn records(&self, db: &mut PgConnection, size: Size) -> anyhow::Result<()> {
        let (all, c) = (size.records(), self.connection.id.0);
        let feed = |n| if is_invoice(n) { "invoices" } else { "purchase_orders" };
        copy(
            db,
            "documents (connection_id, feed, source_id, order_number, fingerprint, digest, body, supplier,
                  invoice_number, stored_at)",
            all,
            |out, n| {
                let at = moment(self.at(n + all * (size.per_record - 1), size.movements));
                let invoice = if is_invoice(n) { invoice_number(n) } else { "\\N".to_owned() };
                let zeros = "00".repeat(16);
                writeln!(
                    out,
                    "{c}\t{}\t{}\t{}\t\\\\x{zeros}\t\\\\x{zeros}\t{}\t{}\t{invoice}\t{at}",
                    feed(n),
                    FIRST_ORDER + n,
                    number(n),
                    body(n),
                    supplier(n)
                )
            },
        )
        .await?;
        copy(db, "named_orders (connection_id, order_number, feed, source_id)", all, |out, n| {
            writeln!(out, "{c}\t{}\t{}\t{}", number(n), feed(n), FIRST_ORDER + n)
        })
        .await?;
        let orders_only = |out: &mut String, n: u64, line: String| {
            if is_invoice(n) { Ok(()) } else { writeln!(out, "{line}") }
        };
        copy(db, "links (connection_id, order_id, task_gid, origin)", all, |out, n| {
            orders_only(out, n, format!("{c}\t{}\t{}\tcreated", FIRST_ORDER + n, task(n)))
        })
        .await?;
        copy(
            db,
            "tasks (connection_id, task_gid, project_gids, order_number, field_values)",
            all,
            |out, n| orders_only(out, n, format!("{c}\t{}\t{{77}}\t{}\t{{}}", task(n), number(n))),
        )
        .await?;
        let ids = "unsearched (connection_id, page_id, feed, source_ids)";
        copy(db, ids, all.div_ceil(PAGE), |out, page| {
            for feed_is_invoices in [false, true] {
                let of =
                    (page * PAGE..all.min((page + 1) * PAGE)).filter(|n| is_invoice(*n) == feed_is_invoices);
                let list: Vec<String> = of.map(|n| (FIRST_ORDER + n).to_string()).collect();
                let feed = if feed_is_invoices { "invoices" } else { "purchase_orders" };
                writeln!(out, "{c}\t{}\t{feed}\t{{{}}}", Uuid::now_v7(), list.join(","))?;
            }
            Ok(())
        })
        .await
    }

    async fn movements(&self, db: &mut PgConnection, size: Size) -> anyhow::Result<()> {
        let (records, c) = (size.records(), self.connection.id.0);
        copy(db, "movements (connection_id, movement_id, feed, source_id, destination_id, state, outcome, code, reason,
                  body, request, response, attempts, created_at, sent_at, finished_at)", size.movements, |out, n| {
            let record = n % records;
            let at = moment(self.at(n, size.movements));
            let feed = if is_invoice(record) { "invoices" } else { "purchase_orders" };
            let task = task(record - u64::from(is_invoice(record)));
            let came = match n % FAILED {
                0 => format!("failed\t\\N\tMLC-3006\tAsana refused the amount of task {task}"),
                _ => "delivered\tupdated\t\\N\t\\N".to_owned(),
            };
            writeln!(
                out,
                "{c}\t{}\t{feed}\t{}\t{task}\t{came}\t{}\tPUT /tasks/{task} {{\"data\":{{\"custom_fields\":{{\"104\":{n}.25,\
                 \"103\":\"Approved\"}}}}}}\t{{\"data\":{{\"gid\":\"{task}\",\"modified_at\":\"{at}\"}}}}\t1\t{at}\t{at}\t{at}",
                self.id(n, size.movements),
                FIRST_ORDER + record,
                body(record),
            )
        })
        .await?;
        copy(db, "attempts (connection_id, attempt_id, subject_kind, subject_id, at, what, status, outcome, elapsed_ms,
                  node_id, request_id)", size.movements, |out, n| {
            let at = self.at(n, size.movements);
            writeln!(
                out,
                "{c}\t{}\tmovement\t{}\t{}\ttask update\t200\tanswered\t120\t{c}\t{n:032x}",
                id(at, 0x7, n),
                self.id(n, size.movements),
                moment(at),
            )
        })
        .await
    }

    async fn journals(&self, db: &mut PgConnection, size: Size) -> anyhow::Result<()> {
        let (all, c) = (size.records(), self.connection.id.0);
        copy(db, "completions (connection_id, task_gid, ordinal, completed_at, task_name, order_number, order_id, state,
                  found_by, found_at)", all, |out, n| {
            if !is_posted(n) {
                return Ok(());
            }
            let at = moment(self.at(n, all));
            writeln!(out, "{c}\t{}\t1\t{at}\tOrder\t{}\t{}\tjournal\twebhook\t{at}", task(n), number(n), FIRST_ORDER + n)
        })
        .await?;
        copy(db, "journals (connection_id, journal_id, kind, task_gid, ordinal, subject, counts, group_id, plan,
                  accounting_date, currency, amount, state, machine, request_id, batch_id, reason, created_at)", all, |out, n| {
            if !is_posted(n) {
                return Ok(());
            }
            let at = self.at(n, all);
            let why = if n % (JOURNALS * 50) == 0 { "the period was closed" } else { "\\N" };
            writeln!(
                out,
                "{c}\t{}\tposting\t{}\t1\torder {}\ttrue\t{}\t{{}}\t2026-01-31\tUSD\t100.25\timported\t{{}}\t{}\t{}\t{why}\t{}",
                id(at, 0x7, n), task(n), FIRST_ORDER + n, 1 + n, 5_000_000 + n, batch(n), moment(at),
            )
        })
        .await?;
        copy(
            db,
            "journal_steps (connection_id, journal_id, step_id, at, node_id, state, what, request, response)",
            all,
            |out, n| {
                if !is_posted(n) {
                    return Ok(());
                }
                let at = self.at(n, all);
                for (step, state) in [(0, "ready"), (1, "submitting"), (2, "submitted"), (3, "imported")] {
                    writeln!(
                        out,
                        "{c}\t{}\t{}\t{}\t{c}\t{state}\ta step\t{}\t{{\"ReqstId\":\"{n}\"}}",
                        id(at, 0x7, n),
                        id(at + step, 0x7, n),
                        moment(at + step),
                        body(n),
                    )?;
                }
                Ok(())
            },
        )
        .await
    }
}

/// Records whose words are noted in one row, as of a page.
const PAGE: u64 = 500;

/// A UUID of version 7 of a moment.
fn id(at_ms: u64, version: u128, n: u64) -> Uuid {
    Uuid::from_u128(u128::from(at_ms) << 80 | version << 76 | 0x8_u128 << 60 | u128::from(n))
}

fn moment(at_ms: u64) -> String {
    jiff::Timestamp::from_millisecond(i64::try_from(at_ms).unwrap_or(0)).unwrap_or_default().to_string()
}

/// A record's text, as long as an order's header.
fn body(n: u64) -> String {
    format!(
        "{{\"POHeaderId\":{},\"OrderNumber\":\"{}\",\"Supplier\":\"{}\",\"SupplierId\":{},\"StatusCode\":\"OPEN\",\
         \"Status\":\"Open\",\"CurrencyCode\":\"USD\",\"Total\":{n}.25,\"Ordered\":{n}.25,\"ProcurementBU\":\"US1 Business Unit\",\
         \"RequisitioningBU\":\"US1 Business Unit\",\"BillToBU\":\"US1 Business Unit\",\"SoldToLegalEntity\":\"US1 Legal Entity\",\
         \"Buyer\":\"Roth, Calvin\",\"Description\":\"Order {n:016x} for the project\",\"PaymentTerms\":\"Net 30\",\
         \"CreationDate\":\"2026-01-02T03:04:05.006+00:00\",\"LastUpdateDate\":\"2026-01-02T03:04:05.006+00:00\"}}",
        FIRST_ORDER + n,
        number(n),
        supplier(n),
        n % SUPPLIERS,
    )
}

/// Pipes the lines of 0 to `all` into a table, in one COPY.
async fn copy(
    db: &mut PgConnection,
    into: &str,
    all: u64,
    line: impl Fn(&mut String, u64) -> std::fmt::Result,
) -> anyhow::Result<()> {
    let table = into.split(' ').next().unwrap_or_default();
    let mut stream = db.copy_in_raw(&format!("copy {into} from stdin")).await?;
    let mut text = String::new();
    for n in 0..all {
        line(&mut text, n)?;
        if n % PIECE == PIECE - 1 {
            stream.send(std::mem::take(&mut text).into_bytes()).await?;
        }
        if n % 1_000_000 == 999_999 {
            progress(&format!("{table}: {} of {all}", n + 1));
        }
    }
    stream.send(text.into_bytes()).await?;
    stream.finish().await?;
    Ok(())
}
