//! Erasing on request: the name is nowhere in the database afterwards, and every fact is what it was.

use std::collections::BTreeMap;

use connector::erase::{self, Counted, How, MARK, Report, Wanted, is_erased};
use connector::ids::MovementId;
use connector::replay::{self, edit};
use connector::search::{self, Words};
use connector::store::connections::{self, Connection};
use connector::store::jobs::Job;
use connector::store::{export, movements};
use connector::{Code, trace};
use jiff::Timestamp;
use sandbox::oracle::{Edit, NewInvoice, NewOrder};
use sandbox::{Fault, FaultRule, Side};
use tokio::sync::watch;

use crate::fixture::{World, invoice_line, lines};

/// With all that is written otherwise in JSON, XML and upper case.
const NAME: &str = "Zyxobär & \"Söhne\" Co/KG <EU>";
/// What of it is looked for in the end.
const WORD: &str = "zyxob";
const OTHER: &str = "OTHER LTD";

/// What may change of a table; everything else must not.
const TEXTS: &[(&str, &[&str])] = &[
    ("movements", &["body", "request", "earlier_requests", "response", "reason"]),
    ("attempts", &["what", "outcome"]),
    ("journal_steps", &["request", "response", "what"]),
    ("deliveries", &["body"]),
    ("events", &[]),
    ("alerts", &["title", "detail", "note", "acked_by", "subject"]),
    ("notifications", &["body", "reason"]),
    ("completions", &["task_name", "completed_by", "reason"]),
    ("journals", &["plan", "machine", "reason"]),
    ("tasks", &["field_values"]),
    ("invalid_choices", &["value"]),
    ("reconciliation_differences", &["difference"]),
    ("documents", &["body", "supplier", "invoice_number"]),
    ("links", &[]),
    ("named_orders", &[]),
    ("jobs", &["reason"]),
    ("feeds", &[]),
    ("settings_versions", &["done_by"]),
];

impl World {
    async fn whole(&self) -> Connection {
        connections::load(&self.engine.db, self.connection).await.unwrap()
    }

    async fn erases(&self, wanted: &Wanted) -> Report {
        let how = How { by: "Ada".to_owned(), note: Some("as asked on paper".to_owned()) };
        let progress = watch::Sender::new(0);
        erase::erase(&self.engine, &self.whole().await, wanted, &how, &progress).await.unwrap()
    }

    async fn would_erase(&self, wanted: &Wanted) -> connector::Result<Report> {
        let progress = watch::Sender::new(0);
        erase::preview(&self.engine, &self.whole().await, wanted, &progress).await
    }

    async fn text(&self, sql: String) -> String {
        sqlx::query_scalar::<_, Option<String>>(sqlx::AssertSqlSafe(sql))
            .fetch_one(&self.engine.db)
            .await
            .unwrap()
            .unwrap_or_default()
    }

    /// Every table and column of any kind of text that says a word, whatever tables there are.
    async fn places_with(&self, word: &str) -> Vec<String> {
        let columns: Vec<(String, String, String)> = sqlx::query_as(
            "select c.table_name::text, c.column_name::text, c.data_type::text from information_schema.columns c
             join information_schema.tables t using (table_schema, table_name)
             where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
               and c.data_type in ('text', 'character varying', 'character', 'json', 'jsonb', 'ARRAY', 'tsvector',
                                   'bytea', 'xml', 'USER-DEFINED', 'name')
               and c.table_name <> '_sqlx_migrations'
               and not (select relispartition from pg_class where oid = c.table_name::regclass) order by 1, 2",
        )
        .fetch_all(&self.engine.db)
        .await
        .unwrap();
        assert!(columns.len() > 80, "{columns:?}");
        let mut found = Vec::new();
        for (table, column, kind) in columns {
            // as the bytes stand there, but for letters beyond ASCII, which the word has not
            let text = if kind == "bytea" {
                format!("encode({column}, 'escape')")
            } else {
                format!("{column}::text")
            };
            let rows = self
                .text(format!(
                    "select count(*)::text from \"{table}\" where strpos(lower({text}), lower('{word}')) > 0"
                ))
                .await;
            if rows != "0" {
                found.push(format!("{table}.{column}: {rows}"));
            }
        }
        found
    }

    /// All that must not change, by table.
    async fn facts(&self) -> BTreeMap<&'static str, String> {
        let mut facts = BTreeMap::new();
        for (table, texts) in TEXTS {
            let texts = texts.iter().map(|text| format!("'{text}'")).collect::<Vec<_>>().join(",");
            let rows = self
                .text(format!(
                    "select string_agg(r, E'\\n' order by r) from (
                         select (to_jsonb(t) - array[{texts}]::text[])::text as r from {table} t) s"
                ))
                .await;
            facts.insert(*table, rows);
        }
        let lines =
            "select string_agg(journal_id || (plan::jsonb -> 'lines')::text || (plan::jsonb ->> 'order_id'),
                                       ' ' order by journal_id) from journals";
        facts.insert("lines of journals", self.text(lines.to_owned()).await);
        facts
    }

    /// Puts a name wherever no test of this size brings it by itself, each time into something that is over.
    async fn plant(&self, name: &str) {
        for sql in [
            "insert into alerts (connection_id, alert_id, kind, subject, count, title, detail, closed_at, acked_by, note)
             values ($1, gen_random_uuid(), 'held', 'x', 1, 'about ' || $2, $2 || ': what is known', now(), $2, $2)",
            "insert into notifications (connection_id, notification_id, channel, state, body, reason)
             values ($1, gen_random_uuid(), 'ops', 'sent',
                     convert_to('{\"text\":' || to_json('by ' || $2)::text || '}', 'UTF8'), $2)",
            "insert into notifications (connection_id, notification_id, channel, state, body)
             values ($1, gen_random_uuid(), 'mail', 'given_up', convert_to('Subject: x ' || $2, 'UTF8'))",
            "insert into deliveries (connection_id, delivery_id, webhook_id, events, body)
             values ($1, new_movement_id(), gen_random_uuid(), 0, '{\"user\":' || to_json($2)::text || '}')",
            "insert into invalid_choices (connection_id, task_gid, kind, place, value, validity)
             values ($1, '1', 'suppliers', 0, $2, 'unknown')",
            "insert into actions (connection_id, subject_kind, subject_id, done_by, what, note, before, after)
             select $1, 'movement', movement_id, $2, 'edited', 'for ' || $2, body, body from movements
             where connection_id = $1 and state = 'delivered' limit 1",
            "insert into suppliers (connection_id, supplier_id, name, digest, gone_at) values ($1, '4711', $2, '', now())",
            "insert into breakers (connection_id, provider, reason) values ($1, 'oracle', 'no ' || $2)
             on conflict (connection_id, provider) do update set reason = excluded.reason",
            "insert into reference_fields (connection_id, field_gid, purpose, kept, needed, reason)
             values ($1, '1', 'supplier', 'none', 0, 'no room for ' || $2)",
            "insert into webhooks (connection_id, webhook_id, resource_gid, resource_kind, state, token_digest, last_failure)
             values ($1, gen_random_uuid(), '1', 'project', 'failed', '', 'refused by ' || $2)",
            "update jobs set reason = 'failed for ' || $2 where connection_id = $1",
            "with run as (
                 insert into reconciliations (connection_id, run_id, node_id, asked_by, drift, started_at, records, tasks,
                                              journals)
                 values ($1, gen_random_uuid(), gen_random_uuid(), 'person', 'report', now(), 1, 1, 1) returning run_id)
             insert into reconciliation_differences (connection_id, run_id, place, fate, difference)
             select $1, run_id, 0, 'remaining', '{\"expected\":' || to_json($2)::text || '}' from run",
            "update settings_versions set done_by = $2 where connection_id = $1",
            "update movements set earlier_requests = 'PUT ' || $2
             where connection_id = $1 and state = 'delivered' and source_id in (
                 select source_id from documents where connection_id = $1 and order_number = 'US-1')",
            "update attempts set what = 'look for ' || $2 where connection_id = $1",
            "update movements set reason = 'was: ' || $2 where connection_id = $1 and state = 'delivered'",
            "update completions set reason = $2 || ' is known', completed_by = $2 where connection_id = $1",
            "update journals set reason = 'paid to ' || $2 where connection_id = $1",
            "update journal_steps set what = what || ' of ' || $2, response = upper($2) where connection_id = $1",
        ] {
            let done = sqlx::query(sql).bind(self.connection.0).bind(name).execute(&self.engine.db).await.unwrap();
            assert!(done.rows_affected() > 0, "{sql}");
        }
    }

    fn order_by(&self, number: &str, supplier: &str, amounts: &[&str]) -> i64 {
        let (number, supplier) = (Some(number.to_owned()), Some(supplier.to_owned()));
        self.new_order(NewOrder { number, supplier, lines: lines(amounts), ..NewOrder::default() })
    }

    async fn body_of(&self, id: i64) -> String {
        self.text(format!("select body from documents where source_id = '{id}'")).await
    }
}

fn supplier(text: &str) -> Wanted {
    Wanted::Supplier(text.to_owned())
}

fn of<'a>(report: &'a Report, table: &str) -> &'a Counted {
    report.told.tables.iter().find(|one| one.table == table).unwrap()
}

/// A world in which a supplier's order was moved, changed, invoiced, completed and posted, beside another's.
async fn posted() -> (World, i64, String) {
    let world = World::with_journals().await;
    let order = world.order_by("US-1", NAME, &["10.10", "20.25"]);
    world.order_by("US-2", OTHER, &["7"]);
    world.sync().await;
    let task = world.task("US-1").gid;
    world.set_amount(order, 1, "12.50");
    world.new_invoice(NewInvoice {
        number: Some("INV-1".into()),
        supplier: Some(NAME.into()),
        lines: vec![invoice_line("US-1", "5")],
        ..NewInvoice::default()
    });
    world.sync().await;
    world.complete(&task);
    world.way_back().await;
    assert_eq!(world.journal().await.state, "imported");
    search::take_up(&world.engine.db, world.connection, |_| {}).await.unwrap();
    (world, order, task)
}

#[tokio::test]
async fn a_supplier_is_nowhere_afterwards_and_every_fact_is_what_it_was() {
    let (world, _, _) = posted().await;
    world.plant(NAME).await;
    let (said, facts) = (world.places_with(WORD).await, world.facts().await);
    assert!(said.len() > 25, "{said:#?}");
    let others = "select string_agg(m.body || m.request || m.response, ' ') from movements m
                  join documents d using (connection_id, feed, source_id) where d.order_number = 'US-2'";
    let others_before = world.text(others.to_owned()).await;

    let foretold = world.would_erase(&supplier(NAME)).await.unwrap();
    assert_eq!(
        (world.places_with(WORD).await, world.facts().await),
        (said, facts.clone()),
        "a preview only looks"
    );
    let report = world.erases(&supplier(NAME)).await;
    assert_eq!(report.told.tables, foretold.told.tables);
    assert_eq!((report.open(), report.kept(), report.in_settings), (0, 0, false));
    for counted in &report.told.tables {
        assert!(counted.erased > 0, "{counted:?}");
    }

    assert_eq!(world.places_with(WORD).await, Vec::<String>::new());
    assert_eq!(world.facts().await, facts);
    assert_eq!(world.text(others.to_owned()).await, others_before, "another supplier's records stay");

    let past = erase::past(&world.engine.db, world.connection).await.unwrap();
    assert_eq!((past.len(), past[0].by.as_str()), (1, "Ada"));
    assert_eq!(past[0].note.as_deref(), Some("as asked on paper"));
    assert!(past[0].told.finished && past[0].told.tables == report.told.tables);
    let again = world.erases(&supplier(NAME)).await;
    assert_eq!((again.erased(), again.open()), (0, 0), "{again:#?}");
    assert_eq!(again.before, past, "known by the digest of its name");
    world.end().await;
}

#[tokio::test]
async fn what_was_erased_cannot_be_sent_again_and_whoever_reads_it_goes_on() {
    let (world, order, task) = posted().await;
    world.erases(&supplier(NAME)).await;
    let connection = world.whole().await;
    let db = &world.engine.db;
    let movement = MovementId(world.movement_of(order).await.movement_id);
    let shown = movements::show(db, world.connection, movement).await.unwrap().unwrap();
    assert!(is_erased(shown.body.as_deref().unwrap()), "{:?}", shown.body);
    let how = replay::How { by: "Ada".into(), note: None, older: true };
    let refused =
        replay::replay(db, &connection, &[movement], &how, &watch::Sender::new(0)).await.unwrap().refused;
    assert_eq!((refused.len(), refused[0].code), (1, "MLC-6602"));
    assert_eq!(edit::text(db, &connection, movement).await.unwrap_err().code, Code::MovementErased);
    let foretold = replay::preview::preview(&world.engine, &connection, &[movement], true).await.unwrap();
    assert_eq!(foretold[0].code, Some("MLC-6602"));

    assert!(trace::of(db, &connection, "US-1").await.unwrap().entries.len() > 10);
    assert!(trace::of(db, &connection, &task).await.unwrap().entries.len() > 10);
    let page = export::page(db, world.connection, None, None, None, 100).await.unwrap();
    assert_eq!(page.len(), world.movements().await.len());
    let mut wanted = search::Wanted { order_number: Some("US-1".into()), ..search::Wanted::default() };
    assert!(!search::find(db, world.connection, &wanted, 50).await.unwrap().found.is_empty());
    let text = Some("Zyxobär".to_owned());
    wanted = search::Wanted { words: Words { text, ..Words::default() }, ..search::Wanted::default() };
    assert!(search::find(db, world.connection, &wanted, 50).await.unwrap().found.is_empty());
    world.end().await;
}

#[tokio::test]
async fn nothing_is_written_for_it_and_a_record_that_changes_comes_again() {
    let (world, order, _) = posted().await;
    let other_task = world.order_by("US-3", NAME, &["99.90"]);
    world.sync().await;
    world.settle().await;
    let writes = world.asana_writes();
    world.erases(&supplier(NAME)).await;
    assert!(world.body_of(order).await.contains(&format!("\"Supplier\":\"{MARK}\"")));
    // everything is planned anew, and read in full
    world.sql("update feeds set mode = 'full_scan'").await;
    world.edit(|settings| settings.tasks.name = "{{ order.number }}".into()).await.unwrap();
    world.sync().await;
    world.settle().await;
    assert_eq!(
        world.asana_writes(),
        writes,
        "neither an erased name is written, nor one that is not known any more"
    );
    let said = world.places_with(WORD).await;
    assert_eq!(
        said,
        ["tasks.field_values: 2"],
        "Asana shows it, and was listed anew; a record that is as it was stays"
    );
    assert_eq!(world.task("US-1").shows("supplier"), Some(NAME));

    world.set_amount(order, 1, "13.00");
    world.sync().await;
    world.settle().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("33.25"));
    assert!(world.body_of(order).await.contains("Zyxob"), "it is read as Oracle shows it");
    assert!(!world.body_of(other_task).await.contains("Zyxob"));
    world.end().await;
}

#[tokio::test]
async fn completions_and_reversals_after_it_are_posted_to_the_last_cent() {
    let (world, _, task) = posted().await;
    world.order_by("US-3", NAME, &["99.90", "0.11"]);
    world.sync().await;
    let later = world.task("US-3").gid;
    world.erases(&supplier(NAME)).await;
    world.complete(&later);
    world.way_back().await;
    let journals = world.journals().await;
    assert_eq!(journals.len(), 2);
    assert_eq!((journals[1].state.as_str(), journals[1].amount.as_str()), ("imported", "100.01"));
    world
        .edit(|settings| {
            settings.journal.as_mut().unwrap().reopened = connector::journal::settings::Reopened::Reverse
        })
        .await
        .unwrap();
    world.reopen(&task);
    world.way_back().await;
    let journals = world.journals().await;
    let reversal = journals.iter().find(|journal| journal.kind == "reversal").unwrap();
    assert_eq!((reversal.state.as_str(), &reversal.amount), ("imported", &journals[0].amount));
    world.end().await;
}

#[tokio::test]
async fn what_is_under_way_is_left_alone_until_it_is_over() {
    let world = World::new().await;
    let order = world.order_by("US-1", NAME, &["10"]);
    world.sync().await;
    world.fault(FaultRule::new(Fault::DropAfter).on(Side::Asana).method("PUT").times(1));
    world.set_amount(order, 1, "11");
    world.sync().await;
    assert_eq!(world.in_state("in_doubt").await.len(), 1);
    let before = world.body_of(order).await;
    let report = world.erases(&supplier(NAME)).await;
    assert_eq!((of(&report, "movements").open, of(&report, "documents").open), (1, 1));
    assert_eq!(of(&report, "movements").erased, 1, "the one that was delivered");
    assert_eq!((world.body_of(order).await, report.open()), (before, 2));
    world.settle().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("11"), "it went on as if nothing was");
    let report = world.erases(&supplier(NAME)).await;
    assert_eq!((of(&report, "movements").erased, report.open()), (1, 0));
    assert_eq!(world.places_with(WORD).await, Vec::<String>::new());
    world.end().await;
}

#[tokio::test]
async fn by_its_id_a_supplier_is_erased_under_every_name_it_had() {
    let (world, order, _) = posted().await;
    let id = world.sandbox.oracle().supplier_named(NAME).unwrap().to_string();
    world.oracle(Edit::RenameSupplier { supplier: NAME.into(), name: "QUUXTON AG".into(), touch: true });
    world.sync().await;
    world.settle().await;
    assert!(world.body_of(order).await.contains("QUUXTON"));
    let report = world.erases(&supplier(&id)).await;
    assert!(report.suppliers.iter().any(|one| one.name.as_deref() == Some("QUUXTON AG")), "{report:#?}");
    for word in [WORD, "quuxton"] {
        assert_eq!(world.places_with(word).await, Vec::<String>::new(), "{word}");
    }
    let refused = world.would_erase(&supplier("123456789")).await.unwrap_err();
    assert_eq!(refused.code, Code::EraseUnknown);
    let refused = world.would_erase(&Wanted::Person(vec!["A".into()])).await.unwrap_err();
    assert_eq!(refused.code, Code::EraseTooShort);
    world.end().await;
}

#[tokio::test]
async fn a_person_stays_one_person_without_a_name() {
    let (world, _, _) = posted().await;
    world.plant("Zyxob Ann").await;
    world.order("US-4", &["1"]);
    world.sync().await;
    world.sql("update movements set reason = 'zyxob anna is another' where movement_id = (select max(movement_id::text)::uuid from movements)").await;
    let person = Wanted::Person(vec!["zyxob ann".into(), "zyxob@ann.example".into()]);
    world.erases(&person).await;
    let said = world.places_with("zyxob ann").await;
    assert_eq!(said, ["movements.reason: 1"], "only as a whole word");
    let by = world.text("select completed_by from completions".to_owned()).await;
    assert!(by.starts_with("[erased ") && by.len() == "[erased 12345678]".len(), "{by}");
    for sql in ["select done_by from actions where what = 'edited'", "select acked_by from alerts"] {
        assert_eq!(world.text(sql.to_owned()).await, by, "who did both can be seen, but not who it was");
    }
    let left = world.text("select count(*)::text from suppliers".to_owned()).await;
    assert_eq!(left, "0", "that name was gone from Oracle's list");
    world.end().await;
}

#[tokio::test]
async fn an_erasure_that_was_cut_off_is_told_and_done_again() {
    let (world, _, _) = posted().await;
    let cut = {
        let progress = watch::Sender::new(0);
        let connection = world.whole().await;
        let how = How { by: "Ada".into(), note: None };
        let wanted = supplier(NAME);
        let mut seen = progress.subscribe();
        tokio::select! {
            _ = erase::erase(&world.engine, &connection, &wanted, &how, &progress) => false,
            _ = seen.changed() => true,
        }
    };
    assert!(cut);
    let past = erase::past(&world.engine.db, world.connection).await.unwrap();
    assert!(!past[0].told.finished && past[0].at <= Timestamp::now());
    assert_ne!(world.places_with(WORD).await, Vec::<String>::new());
    let report = world.erases(&supplier(NAME)).await;
    assert_eq!((report.before.len(), report.before[0].told.finished), (1, false));
    assert_eq!(world.places_with(WORD).await, Vec::<String>::new());
    world.run(Job::Push).await.unwrap();
    world.end().await;
}
