//! `trace` and `search`: how long reading a long log takes.

use std::path::Path;
use std::time::{Duration, Instant};

use connector::ids::MovementId;
use connector::search::{self, Wanted, Words};
use connector::store::movements::{self, Filter};
use connector::trace;

use crate::database::Postgres;
use crate::filled::{self, Filled, Size};
use crate::report::{Measured, Target, progress};

/// Questions of one kind in one run, each about something else.
const QUESTIONS: u64 = 200;
/// The share of answers that must come in time.
const SHARE: f64 = 0.95;
const TARGET: Target = Target::Below(50.0);

/// Measures time lines and look-ups by key.
pub async fn trace(movements: u64, runs: u32, dir: &Path) -> anyhow::Result<Measured> {
    let size = Size { movements, per_record: 5 };
    let mut measured = Measured::default();
    let mut postgres = Postgres::start(dir).await?;
    let log = fill(&mut postgres, size, &mut measured).await?;
    let (db, id) = (&log.engine.db, log.connection.id);
    for run in 1..=runs {
        progress(&format!("run {run} of {runs}"));
        let nth = |question: u64| question + QUESTIONS * u64::from(run);
        let place = |question| size.order(nth(question));
        let by_order = p95(async |question| traced(&log, size, filled::number(place(question))).await);
        let by_task = p95(async |question| traced(&log, size, filled::task(place(question))).await);
        let posted = p95(async |question| traced(&log, size, filled::task(size.posted(nth(question)))).await);
        let by_id = p95(async |question| {
            let movement = size.movement(&log, size.order(nth(question)));
            let found = movements::show(db, id, MovementId(movement)).await?;
            anyhow::ensure!(found.is_some_and(|found| found.body.is_some()), "no movement {movement}");
            Ok(())
        });
        let listed = p95(async |question| {
            let order_number = Some(filled::number(size.order(nth(question))));
            let found = movements::list(db, id, &Filter { order_number, ..Filter::default() }, 50).await?;
            anyhow::ensure!(found.len() as u64 >= size.per_record, "only {} movements", found.len());
            Ok(())
        });
        let all = [
            ("order_p95_ms", by_order.await?),
            ("task_p95_ms", by_task.await?),
            ("posted_task_p95_ms", posted.await?),
            ("movement_p95_ms", by_id.await?),
            ("list_p95_ms", listed.await?),
        ];
        add(&mut measured, &all);
    }
    finish(postgres, log, measured).await
}

async fn traced(log: &Filled, size: Size, what: String) -> anyhow::Result<()> {
    let told = trace::of(&log.engine.db, &log.connection, &what).await?;
    // an entry for each movement at least, and one for the record
    anyhow::ensure!(
        told.entries.len() as u64 > size.per_record,
        "{what} has only {} entries",
        told.entries.len()
    );
    Ok(())
}

/// Measures searches.
pub async fn search(movements: u64, runs: u32, dir: &Path) -> anyhow::Result<Measured> {
    let size = Size { movements, per_record: 1 };
    let mut measured = Measured::default();
    let mut postgres = Postgres::start(dir).await?;
    let log = fill(&mut postgres, size, &mut measured).await?;
    for run in 1..=runs {
        progress(&format!("run {run} of {runs}"));
        let nth = |question: u64| question + QUESTIONS * u64::from(run);
        let text = |text: String| Wanted {
            words: Words { text: Some(text), ..Words::default() },
            ..Wanted::default()
        };
        let supplier = |name: String| Wanted {
            words: Words { supplier: Some(name), ..Words::default() },
            ..Wanted::default()
        };
        let kinds: [(&'static str, &dyn Fn(u64) -> Wanted); 11] = [
            ("order_p95_ms", &|n| Wanted {
                order_number: Some(filled::number(size.order(n))),
                ..Wanted::default()
            }),
            ("task_p95_ms", &|n| Wanted { task: Some(filled::task(size.posted(n))), ..Wanted::default() }),
            ("batch_p95_ms", &|n| Wanted { batch: Some(filled::batch(size.posted(n))), ..Wanted::default() }),
            ("invoice_p95_ms", &|n| {
                let invoice = Some(filled::invoice_number(size.invoice(n)));
                Wanted { words: Words { invoice, ..Words::default() }, ..Wanted::default() }
            }),
            ("supplier_p95_ms", &|n| supplier(filled::supplier(n))),
            ("supplier_word_p95_ms", &|n| {
                supplier(filled::supplier(n).split(' ').next().unwrap_or_default().to_owned())
            }),
            ("supplier_digit_p95_ms", &|n| supplier((n % 50 + 10).to_string())),
            ("number_p95_ms", &|n| text(filled::number(size.order(n)))),
            ("digits_p95_ms", &|n| text(filled::number(size.order(n)).trim_start_matches("US").to_owned())),
            ("words_p95_ms", &|n| text(format!("trading {}", n % 5_000))),
            ("reason_p95_ms", &|_| text("refused amount".to_owned())),
        ];
        let mut all = Vec::new();
        for (name, wanted) in kinds {
            let took = p95(async |question| {
                let wanted = wanted(nth(question));
                let answer = search::find(&log.engine.db, log.connection.id, &wanted, 50).await?;
                anyhow::ensure!(!answer.found.is_empty(), "nothing fits {wanted:?}");
                Ok(())
            });
            all.push((name, took.await?));
        }
        add(&mut measured, &all);
    }
    finish(postgres, log, measured).await
}

async fn fill(postgres: &mut Postgres, size: Size, measured: &mut Measured) -> anyhow::Result<Filled> {
    progress(&format!("filling {} movements of {} records", size.movements, size.records()));
    let url = postgres.fresh("filled").await?;
    let log = Filled::new(&url, postgres.directory(), size).await?;
    let begun = Instant::now();
    search::take_up(&log.engine.db, log.connection.id, |_| ()).await?;
    measured.add("words_seconds", Target::None, begun.elapsed().as_secs_f64());
    sqlx::query("vacuum analyze searched").execute(&log.engine.db).await?;
    // ends in a checkpoint: what is still to be written does not fall into the questions' time
    postgres.fresh("written").await?;
    measured.add("fill_seconds", Target::None, log.seconds);
    Ok(log)
}

/// The slowest kind is what the target is meant for.
fn add(measured: &mut Measured, all: &[(&'static str, f64)]) {
    measured.add("p95_ms", TARGET, all.iter().map(|(_, ms)| *ms).fold(0.0, f64::max));
    for (name, ms) in all {
        measured.add(name, TARGET, *ms);
    }
}

/// The time in milliseconds that 95 of 100 questions are answered within, asked one after the other.
async fn p95(mut ask: impl AsyncFnMut(u64) -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let mut took = Vec::new();
    for question in 0..QUESTIONS {
        let begun = Instant::now();
        ask(question).await?;
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    let place = (SHARE * (took.len() - 1) as f64).ceil() as usize;
    Ok(took.get(place).map_or(f64::NAN, Duration::as_secs_f64) * 1e3)
}

async fn finish(mut postgres: Postgres, log: Filled, mut measured: Measured) -> anyhow::Result<Measured> {
    let bytes: i64 =
        sqlx::query_scalar("select pg_database_size(current_database())").fetch_one(&log.engine.db).await?;
    measured.note(format!("PostgreSQL {}, database {:.1} GB", postgres.version().await?, bytes as f64 / 1e9));
    measured.note(format!(
        "{QUESTIONS} questions of each kind, one after the other; the command's start is not counted"
    ));
    log.engine.db.close().await;
    postgres.stop().await?;
    Ok(measured)
}
