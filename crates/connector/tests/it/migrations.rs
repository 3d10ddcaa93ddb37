//! What migrations do to rows of before.

use connector::ids::ConnectionId;
use embedded_postgres::Server;
use sqlx::AssertSqlSafe;

/// The migrations with these numbers, in their order.
fn texts(numbers: std::ops::RangeInclusive<u32>) -> Vec<String> {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let mut paths: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let number =
        |path: &std::path::Path| path.file_name().unwrap().to_string_lossy()[..4].parse::<u32>().ok();
    let wanted = paths.into_iter().filter(|path| number(path).is_some_and(|n| numbers.contains(&n)));
    wanted.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[tokio::test]
async fn of_a_resources_failed_webhooks_the_newest_stays_and_counts_them() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let server =
        Server::start(embedded_postgres::Settings::new(directory.path().join("postgres"))).await.unwrap();
    let db = connector::store::open(&server.url()).await.unwrap();
    for text in texts(1..=6) {
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&db).await.unwrap();
    }
    // two connections; of the first, resource 1 failed three times and works now, resource 2 failed once
    sqlx::raw_sql(
        "insert into connections (connection_id, name, state, settings)
         select ('00000000-0000-0000-0000-00000000000' || n)::uuid, 'c' || n, 'draft', '{}'
         from generate_series(1, 2) n;
         insert into webhooks (connection_id, webhook_id, resource_gid, resource_kind, state, token_digest)
         select ('00000000-0000-0000-0000-00000000000' || c)::uuid, ('00000000-0000-0000-0000-00000000010' || w)::uuid,
                r, 'project', s, decode('0' || w, 'hex')
         from (values (1, 1, '1', 'failed'), (1, 2, '1', 'failed'), (1, 3, '1', 'failed'), (1, 4, '1', 'active'),
                      (1, 5, '2', 'failed'), (2, 6, '1', 'failed'), (1, 7, '3', 'removed'), (1, 8, '3', 'lost'))
              as t(c, w, r, s)",
    )
    .execute(&db)
    .await
    .unwrap();
    for text in texts(7..=7) {
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&db).await.unwrap();
    }
    let left: Vec<(String, String, i32)> = sqlx::query_as(
        "select right(webhook_id::text, 1), state, failures from webhooks order by webhook_id",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    let row = |webhook: &str, state: &str, failures| (webhook.to_owned(), state.to_owned(), failures);
    let wanted = [
        row("3", "failed", 3),
        row("4", "active", 0),
        row("5", "failed", 1),
        row("6", "failed", 1),
        row("7", "removed", 0),
        row("8", "lost", 0),
    ];
    assert_eq!(left, wanted);
    db.close().await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn rows_of_before_lie_in_their_months_and_nothing_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let server =
        Server::start(embedded_postgres::Settings::new(directory.path().join("postgres"))).await.unwrap();
    let db = connector::store::open(&server.url()).await.unwrap();
    for text in texts(1..=17) {
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&db).await.unwrap();
    }
    // one movement of now, one whose id tells no time, two pending of one record never were; a step and an attempt
    sqlx::raw_sql(
        "insert into movements (connection_id, movement_id, feed, source_id, state, body, code)
         select '00000000-0000-0000-0000-000000000001', id, 'invoices', s, 'pending', 'body ' || s, 'MLC-1'
         from (values (new_movement_id(), '1'), ('ffffffff-ffff-4fff-8fff-ffffffffffff'::uuid, '2')) as t(id, s);
         insert into journal_steps (connection_id, journal_id, step_id, node_id, state, what)
         select '00000000-0000-0000-0000-000000000001', gen_random_uuid(), new_movement_id(), gen_random_uuid(), 'ready', 'it';
         insert into attempts (connection_id, attempt_id, subject_kind, subject_id, at, what, outcome, elapsed_ms, node_id)
         select '00000000-0000-0000-0000-000000000001', new_movement_id(), 'movement', gen_random_uuid(), now(), 'GET',
                'answered', 1, gen_random_uuid()",
    )
    .execute(&db)
    .await
    .unwrap();
    let before: Vec<(uuid::Uuid, String, String)> =
        sqlx::query_as("select movement_id, body, code from movements order by 1")
            .fetch_all(&db)
            .await
            .unwrap();
    for text in texts(18..=18) {
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&db).await.unwrap();
    }
    let after: Vec<(uuid::Uuid, String, String)> =
        sqlx::query_as("select movement_id, body, code from movements order by 1")
            .fetch_all(&db)
            .await
            .unwrap();
    assert_eq!(after, before);
    let by_default: (i64, i64, i64) = sqlx::query_as(
        "select (select count(*) from movements_default), (select count(*) from journal_steps_default),
                (select count(*) from attempts_default)",
    )
    .fetch_one(&db)
    .await
    .unwrap();
    assert_eq!(by_default, (1, 0, 0));
    let all: (i64, i64) =
        sqlx::query_as("select (select count(*) from journal_steps), (select count(*) from attempts)")
            .fetch_one(&db)
            .await
            .unwrap();
    assert_eq!(all, (1, 1));
    db.close().await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn records_of_before_are_found_by_their_suppliers_after_their_words_are_taken_up() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let server =
        Server::start(embedded_postgres::Settings::new(directory.path().join("postgres"))).await.unwrap();
    let db = connector::store::open(&server.url()).await.unwrap();
    for text in texts(1..=21) {
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&db).await.unwrap();
    }
    sqlx::raw_sql(
        "insert into connections (connection_id, name, state, settings)
         values ('00000000-0000-0000-0000-000000000001', 'c', 'draft', '{}');
         insert into documents (connection_id, feed, source_id, order_number, fingerprint, digest, body)
         select connection_id, 'invoices', n::text, 'US1', '', '',
                '{\"Supplier\": \"M\\u00fcller\", \"InvoiceNumber\": \"INV-' || n || '\"}'
         from connections, generate_series(1, 1200) n",
    )
    .execute(&db)
    .await
    .unwrap();
    for text in texts(22..=22) {
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&db).await.unwrap();
    }
    let pages: Vec<i32> = sqlx::query_scalar("select cardinality(source_ids) from unsearched order by 1")
        .fetch_all(&db)
        .await
        .unwrap();
    assert_eq!(pages, [200, 500, 500]);
    let connection = ConnectionId("00000000-0000-0000-0000-000000000001".parse().unwrap());
    connector::search::take_up(&db, connection, |_| ()).await.unwrap();
    let asked = "'000001müller':*A & '000001inv':*B";
    let found = connector::store::search::records(&db, connection, asked, asked, 2_000);
    assert_eq!(found.await.unwrap().len(), 1_200);
    let number: String = sqlx::query_scalar("select invoice_number from documents where source_id = '77'")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(number, "INV-77");
    db.close().await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn connections_that_are_at_work_are_compared_within_a_day_and_no_other() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let server =
        Server::start(embedded_postgres::Settings::new(directory.path().join("postgres"))).await.unwrap();
    let db = connector::store::open(&server.url()).await.unwrap();
    for text in texts(1..=22) {
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&db).await.unwrap();
    }
    sqlx::raw_sql(
        "insert into connections (connection_id, name, state, settings)
         select gen_random_uuid(), s, s, '{}' from unnest(array['draft', 'active', 'paused']) s",
    )
    .execute(&db)
    .await
    .unwrap();
    for text in texts(23..=23) {
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&db).await.unwrap();
    }
    let due: Vec<(String, Option<bool>)> = sqlx::query_as(
        "select state, due_at between now() and now() + interval '24 hours'
         from jobs join connections using (connection_id) where job = 'reconcile' order by state",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    let row = |state: &str, due| (state.to_owned(), due);
    assert_eq!(due, [row("active", Some(true)), row("draft", None), row("paused", None)]);
    db.close().await;
    server.stop().await.unwrap();
}
