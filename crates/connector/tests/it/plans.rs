//! How PostgreSQL reads a long log for time lines, look-ups and searches: the plans as they were agreed. A statement that is
//! new here, or reads a whole table, fails.

use std::fmt::Write as _;

use connector::ids::{ConnectionId, MovementId, ProjectGid, TaskGid};
use connector::search::{self, Wanted, Words};
use connector::store::movements::{self, Filter};
use connector::store::{choices, connections, journals};
use connector::trace;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool, Row};

use crate::fixture::World;

/// Records; each has a movement in each of the last four months.
const FILL: [&str; 13] = [
    "select make_month(t.of_table, t.id_column, (date_trunc('month', now() at time zone 'UTC') - n * interval '1 month')::date)
     from partitioned_tables() t cross join generate_series(0, 3) n",
    "create temporary table filled as
     select connection_id as c, n, m, date_trunc('month', now() at time zone 'UTC') at time zone 'UTC' - m * interval '1 month'
            + n * interval '1 ms' as moment, (m * 10000 + n) as place
     from connections, generate_series(1, 4000) n, generate_series(0, 3) m",
    "insert into documents (connection_id, feed, source_id, order_number, fingerprint, digest, body, supplier)
     select c, 'purchase_orders', n::text, 'US' || n, '', '', '{}', 'Acme ' || n % 100 from filled where m = 0",
    "insert into named_orders select c, 'US' || n, 'purchase_orders', n::text from filled where m = 0",
    "insert into searched select c, 'purchase_orders', n::text, moment,
            (format('''%s%s'':3C', right(c::text, 6), 'us' || n) || format(' ''%sacme'':1A', right(c::text, 6)))::tsvector
     from filled where m = 0",
    "insert into movements (connection_id, movement_id, feed, source_id, destination_id, state, reason, created_at)
     select c, (left(first_id(moment)::text, 14) || '7000-8000-' || lpad(to_hex(place), 12, '0'))::uuid, 'purchase_orders',
            n::text, 't' || n, case when n % 50 = 0 then 'failed' else 'delivered' end,
            case when n % 50 = 0 then 'amount ' || n end, moment from filled",
    "insert into attempts (connection_id, attempt_id, subject_kind, subject_id, at, what, outcome, elapsed_ms, node_id)
     select connection_id, movement_id, 'movement', movement_id, created_at, 'task update', 'answered', 1, movement_id
     from movements",
    "with linked as (
         insert into links (connection_id, order_id, task_gid, origin)
         select c, n::text, 't' || n, 'created' from filled where m = 0)
     insert into tasks (connection_id, task_gid, project_gids, order_number, field_values)
     select c, 't' || n, '{1}', 'US' || n, '{}' from filled where m = 0",
    "with completed as (
         insert into completions (connection_id, task_gid, ordinal, completed_at, task_name, order_number, order_id, state,
                                  found_by)
         select c, 't' || n, 1, moment, 'task', 'US' || n, n::text, 'journal', 'sweep' from filled where m = 0)
     insert into journals (connection_id, journal_id, kind, task_gid, ordinal, subject, counts, group_id, plan,
                           accounting_date, currency, amount, state, machine, request_id, batch_id, reason, created_at)
     select c, (left(first_id(moment)::text, 14) || '7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'posting', 't' || n, 1,
            n::text, true, n, '', '2026-01-01', 'USD', '1', 'imported', '', n::text, n::text,
            case when n % 50 = 0 then 'closed' end, moment from filled where m = 0",
    "insert into invalid_choices (connection_id, task_gid, kind, place, value, validity)
     select c, 't' || n, 'suppliers', 0, 'Nobody ' || n, 'unknown' from filled where m = 0 and n % 40 = 0",
    "insert into journal_steps (connection_id, journal_id, step_id, node_id, state, what)
     select c, j.journal_id, (left(first_id(moment)::text, 14) || '7000-8000-' || lpad(to_hex(place), 12, '0'))::uuid,
            j.journal_id, 'imported', 'read'
     from filled f join journals j on j.connection_id = c and j.group_id = n",
    "insert into actions (connection_id, action_id, subject_kind, subject_id, done_by, what)
     select connection_id, movement_id, 'movement', movement_id, 'anna', 'replayed' from movements",
    "with delivered as (
         insert into deliveries (connection_id, delivery_id, webhook_id, events, body)
         select c, md5(place::text)::uuid, c, 1, '{}' from filled)
     insert into events (connection_id, event_key, delivery_id, resource_type, resource_gid, action, state)
     select c, (lpad(to_hex(extract(epoch from moment)::bigint + n * 60), 8, '0') || lpad(to_hex(place), 24, '0'))::uuid,
            md5(place::text)::uuid, 'task', 't' || n, 'changed', 'done' from filled",
];

/// What each statement is known by, and what it is asked with; `$c` stands for the connection, `$m` for a movement.
/// The first that fits counts.
const ASKED: [(&str, &str, &str); 32] = [
    ("records of an order or a task", "with orders as (", "$c, 'US1234', 500"),
    ("tasks of records", "select task_gid as \"gid!\" from links", "$c, '{1234}', 'US1234', 500"),
    ("documents of records", "select feed, source_id, stored_at", "$c, '{1234}', 2000"),
    (
        "movements of records",
        "select movement_id, feed, source_id, destination_id, state, outcome, code, reason, request",
        "$c, '{1234}', 2000",
    ),
    ("exchanges", "select subject_kind, subject_id, at, what, status", "$c, array[$m], 2000"),
    ("completions of tasks", "select task_gid, ordinal, completed_at", "$c, '{t1234}', 2000"),
    ("events of completions", "select distinct e.event_key", "$c, '{t1234}', array[$m], array[$m], 2000"),
    ("journals of tasks", "select j.journal_id, j.kind", "$c, '{t1234}', 2000"),
    ("alerts of journals", "select alert_id", "$c, '{a}', 2000"),
    ("what people did", "select subject_kind, subject_id, at, done_by", "$c, array[$m], 2000"),
    (
        "one movement",
        "select m.movement_id, m.feed, m.source_id, d.order_number as \"order_number?\", m.destination_id, m.state,\n                m.outcome",
        "$c, $m",
    ),
    ("one movement's exchanges", "select at, what, status", "$c, $m, 200"),
    ("one movement's actions", "select action_id", "$c, $m, 200"),
    (
        "movements of an order",
        "filtered_movements",
        "$c, null, null, null, null, null, 'US1234', null, 50, false",
    ),
    ("what settles those that failed", "cross join lateral settled_by", "$c, array[$m]"),
    (
        "what stands",
        "select (select count(*) from movements where connection_id = $1 and state = 'pending')",
        "$c",
    ),
    ("tasks written since a change", "filter (where m.outcome = 'created')", "$c, first_id(now()), 1"),
    ("what is wrong", "select m.state, m.code, count(*)", "$c"),
    (
        "movements of a task",
        "filtered_movements",
        "$c, null, null, null, null, null, null, 't1234', 50, false",
    ),
    (
        "words among the newest records",
        "order by changed_at desc limit $3) newest",
        "$c, '''$wus123'':*', 10000",
    ),
    ("how common words are", "tablesample system", "$c, array['''$wus1234'':*', '''$wacme'':*'], 32, 2000"),
    ("records by words", "offset 0) by_index", "$c, '''$wus1234'':*', '''$wus1234'':* & ''$wacme'':*', 2001"),
    (
        "records by words among known ones",
        "source_id = any($3)\n           and words",
        "$c, '''$wus1234'':*', '{1234}'",
    ),
    ("whether the log is long", "offset $2", "$c, 10000"),
    (
        "movements of found records",
        "select movement_id from movements\n         where connection_id = $1 and source_id",
        "$c, '{1234,1235}', null, 51",
    ),
    (
        "movements by reason",
        "and ($5::text[] is null or source_id = any($5))",
        "$c, 'amount 50', null, 2000, null",
    ),
    (
        "movements by reason among the newest",
        "order by movement_id desc limit $3) newest",
        "$c, 'amount', 1000, 51",
    ),
    (
        "journals",
        "from completions k join journals o",
        "$c, '{1234}', '{1234}', '{t1234}', '{1234}', 'closed', null, 51",
    ),
    ("costs that other connections posted", "c.asana_url, c.oracle_url,\n", "$m, 't1234', '1234'"),
    ("choices by words", "from invalid_choices c", "$c, 'nobody 40', null, null, null, 51"),
    ("what is shown", "coalesce(d.invoice_number", "$c, array[$m]"),
    ("tasks page by page", "select task_gid, project_gids, field_values", "$c, '{1}', 't1', 1000"),
];

/// Tables that grow with the log.
const BIG: [&str; 11] = [
    "documents",
    "named_orders",
    "searched",
    "movements",
    "attempts",
    "journals",
    "journal_steps",
    "completions",
    "tasks",
    "links",
    "events",
];

#[tokio::test]
async fn a_long_log_is_read_by_its_indexes() {
    let world = World::new().await;
    let options = world.engine.db.connect_options().as_ref().clone();
    // one session, so that it has prepared all statements
    let db = PgPoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    for statement in FILL {
        sqlx::query(statement).execute(&db).await.unwrap();
    }
    sqlx::query("analyze").execute(&db).await.unwrap();
    let connection = connections::load(&db, world.connection).await.unwrap();
    let id: uuid::Uuid =
        sqlx::query_scalar("select max(movement_id::text)::uuid from movements where source_id = '1234'")
            .fetch_one(&world.engine.db)
            .await
            .unwrap();
    ask_everything(&db, &connection, id).await;

    let months: Vec<String> = sqlx::query_scalar(
        "select to_char(date_trunc('month', now() at time zone 'UTC') - n * interval '1 month', '\"_y\"YYYY\"m\"MM')
         from generate_series(0, 3) n",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    let prepared = sqlx::query(
        "select name, statement from pg_prepared_statements
         where statement !~ '^(insert|select make_month|analyze|create|with (linked|completed|delivered))'",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    let mut unknown: Vec<String> = Vec::new();
    let mut all = String::new();
    let word = world.connection.to_string();
    for (name, part, asked) in ASKED {
        let Some(statement) = prepared.iter().find(|row| row.get::<&str, _>("statement").contains(part))
        else {
            unknown.push(format!("nothing was asked with {part}"));
            continue;
        };
        let asked = asked
            .replace("$c", &format!("'{}'", world.connection))
            .replace("$m", &format!("'{id}'::uuid"))
            .replace("$w", &word[word.len() - 6..]);
        let explain = format!("explain (costs off) execute {}({asked})", statement.get::<&str, _>("name"));
        let plan = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&db).await.unwrap();
        let lines: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        writeln!(all, "== {name}\n{}", shown(&lines, &months)).unwrap();
    }
    for row in &prepared {
        let statement: &str = row.get("statement");
        if !statement.contains("pg_prepared")
            && !ASKED.iter().any(|(_, part, _)| statement.contains(part))
            && is_of_the_log(statement)
        {
            unknown.push(statement.to_owned());
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
    // the last one reads a bounded number of rows, in whatever order
    let by_index = all.split("== ").filter(|plan| !plan.starts_with("whether the log is long"));
    for line in by_index.flat_map(str::lines) {
        let scanned = line.split_once("Seq Scan on ").map(|(_, table)| table.split(' ').next().unwrap());
        assert!(
            scanned.is_none_or(|table| !BIG.contains(&table.trim_end_matches("_month"))),
            "{line}\n{all}"
        );
    }
    insta::assert_snapshot!(all);
    db.close().await;
    world.end().await;
}

/// Everything that reads the log, so that its statements are prepared.
async fn ask_everything(db: &PgPool, connection: &connections::Connection, movement: uuid::Uuid) {
    for what in ["US1234", "t1234"] {
        trace::of(db, connection, what).await.unwrap();
    }
    assert!(movements::show(db, connection.id, MovementId(movement)).await.unwrap().is_some());
    let by_task = Filter { task: Some("t1234".into()), ..Filter::default() };
    assert_eq!(movements::list(db, connection.id, &by_task, 50).await.unwrap().len(), 4);
    // one that failed, and those of the later months stand in its place
    let failed = "select movement_id from movements where state = 'failed' order by movement_id limit 1";
    let failed: uuid::Uuid = sqlx::raw_sql(failed).fetch_one(db).await.unwrap().get(0);
    assert_eq!(movements::settled(db, connection.id, &[failed]).await.unwrap().len(), 1);
    let mut conn = db.acquire().await.unwrap();
    let nobody = ConnectionId(movement);
    let posted = journals::elsewhere(&mut conn, nobody, &TaskGid("t1234".into()), "1234").await.unwrap();
    assert_eq!(posted.len(), 1);
    drop(conn);
    let standing = movements::standing(db, connection.id).await.unwrap();
    let written = movements::written_since(db, connection.id, movement, 1).await.unwrap();
    assert_eq!((written.made, written.changed), (0, 0));
    let causes = connector::store::causes::movements(db, connection.id).await.unwrap();
    assert_eq!((standing.failed, causes.iter().map(|group| group.count).sum::<i64>()), (80, 80));
    let words = |supplier: Option<&str>, text: Option<&str>| Wanted {
        words: Words { supplier: supplier.map(Into::into), text: text.map(Into::into), invoice: None },
        ..Wanted::default()
    };
    let of_order = Wanted { order_number: Some("US1234".into()), ..words(None, Some("us1234")) };
    let both = words(Some("acme"), Some("us1234"));
    for wanted in [words(Some("acme"), None), words(None, Some("us1234")), both, of_order] {
        assert!(!search::find(db, connection.id, &wanted, 50).await.unwrap().found.is_empty(), "{wanted:?}");
    }
    // these are asked only of a longer log
    let store = connector::store::search::are_more_than(db, connection.id, 10_000);
    assert!(!store.await.unwrap());
    let project = ProjectGid("1".to_owned());
    let tasks = choices::page(db, connection.id, &[project], "t1", 1_000).await.unwrap();
    assert_eq!(tasks.len(), 1_000);
    let newest = connector::store::search::by_reason_among_newest(db, connection.id, "amount", 1_000, 51);
    assert_eq!(newest.await.unwrap().len(), 51);
}

fn is_of_the_log(statement: &str) -> bool {
    BIG.iter().any(|table| statement.contains(&format!(" {table}")))
}

/// A plan without what differs from run to run: literals, months, and children of an Append that are alike. Months without
/// rows are left out.
fn shown(lines: &[String], months: &[String]) -> String {
    let lines: Vec<(usize, String)> = lines
        .iter()
        .map(|line| {
            let depth = line.len() - line.trim_start_matches([' ', '-', '>']).len();
            (depth, plain(&line[depth..], months))
        })
        .collect();
    let mut out = String::new();
    render(&lines, 0, &mut out);
    out
}

fn render(lines: &[(usize, String)], level: usize, out: &mut String) {
    let mut blocks: Vec<String> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let (depth, text) = &lines[at];
        let below = lines[at + 1..].iter().take_while(|(deeper, _)| deeper > depth).count();
        let mut block = format!("{}{text}\n", "  ".repeat(level));
        render(&lines[at + 1..=at + below], level + 1, &mut block);
        if !block.contains("_empty") && !blocks.contains(&block) {
            blocks.push(block);
        }
        at += below + 1;
    }
    out.extend(blocks);
}

fn plain(line: &str, months: &[String]) -> String {
    let mut line = line.split('\'').step_by(2).collect::<Vec<_>>().join("…");
    for month in months {
        line = line.replace(month.as_str(), "_month");
    }
    // a month without rows, or the rest
    let names = ["movements", "attempts", "journal_steps", "actions"];
    for name in names {
        line = line.replace(&format!("{name}_default"), "_empty").replace(&format!("{name}_y2"), "_empty");
    }
    let words: Vec<&str> = line.split(' ').map(|word| numbered(word, &names)).collect();
    words.join(" ")
}

/// The alias of a partition without its number.
fn numbered<'w>(word: &'w str, names: &[&str]) -> &'w str {
    match word.rsplit_once('_') {
        Some((name, number))
            if number.bytes().all(|b| b.is_ascii_digit()) && (names.contains(&name) || name.len() == 1) =>
        {
            name
        }
        _ => word,
    }
}
