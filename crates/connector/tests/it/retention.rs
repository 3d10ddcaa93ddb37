//! How long the log is kept: months made ahead and dropped, rows and bodies taken away, what is open never.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use connector::ids::{ConnectionId, MovementId};
use connector::retention::{self, Tidied};
use jiff::{SignedDuration, Timestamp};

use crate::fixture::World;

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

impl World {
    /// A movement that was opened so many days ago.
    async fn old(&self, connection: ConnectionId, age: i64, state: &str) -> MovementId {
        let millis = u64::try_from((Timestamp::now() - days(age)).as_millisecond()).unwrap();
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid();
        sqlx::query(
            "insert into movements (connection_id, movement_id, feed, source_id, state, body, request, response)
             values ($1, $2, 'purchase_orders', $2::text, $3, '{}', 'PUT', '200')",
        )
        .bind(connection.0)
        .bind(id)
        .bind(state)
        .execute(&self.engine.db)
        .await
        .unwrap();
        MovementId(id)
    }

    async fn kept(&self) -> BTreeSet<MovementId> {
        let ids: Vec<uuid::Uuid> =
            sqlx::query_scalar("select movement_id from movements").fetch_all(&self.engine.db).await.unwrap();
        ids.into_iter().map(MovementId).collect()
    }

    async fn months(&self) -> Vec<String> {
        sqlx::query_scalar(
            "select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
             where i.inhparent = 'movements'::regclass order by 1",
        )
        .fetch_all(&self.engine.db)
        .await
        .unwrap()
    }

    /// Makes the month in which something so old lies.
    async fn month_of(&self, age: i64) -> String {
        let at = (Timestamp::now() - days(age)).to_zoned(jiff::tz::TimeZone::UTC).date().first_of_month();
        sqlx::query("select make_month('movements', 'movement_id', $1::text::date)")
            .bind(at.to_string())
            .execute(&self.engine.db)
            .await
            .unwrap();
        at.strftime("movements_y%Ym%m").to_string()
    }

    async fn tidied(&self) -> Tidied {
        retention::tidy(&self.engine.db, Timestamp::now()).await.unwrap()
    }
}

#[tokio::test]
async fn months_are_made_ahead_and_a_movement_lies_in_its_own() {
    let world = World::new().await;
    let before = world.months().await;
    assert_eq!(before.len(), 4, "this month, two more and the default: {before:?}");
    world.sql("do $$ begin execute 'drop table ' || (select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'movements'::regclass and c.relname ~ 'y' order by 1 desc limit 1); end $$").await;
    assert_eq!(world.months().await.len(), 3);
    world.tidied().await;
    assert_eq!(world.months().await, before);
    world.order("US-1", &["10"]);
    world.sync().await;
    let lost: i64 = sqlx::query_scalar("select count(*) from movements_default")
        .fetch_one(&world.engine.db)
        .await
        .unwrap();
    assert_eq!((lost, world.movements().await.len()), (0, 1));
    world.end().await;
}

#[tokio::test]
async fn a_month_that_nobody_keeps_is_dropped_as_a_whole_unless_something_in_it_is_open() {
    let world = World::new().await;
    let (old, held) = (world.month_of(500).await, world.month_of(800).await);
    world.old(world.connection, 500, "delivered").await;
    let open = world.old(world.connection, 800, "held").await;
    world.old(world.connection, 800, "delivered").await;
    let young = world.old(world.connection, 300, "delivered").await;
    let tidied = world.tidied().await;
    assert_eq!(tidied.months, std::slice::from_ref(&old));
    assert_eq!(tidied.rows, 1, "the one beside the open one");
    assert_eq!(world.kept().await, BTreeSet::from([open, young]));
    let months = world.months().await;
    assert!(months.contains(&held) && !months.contains(&old), "{months:?}");
    world.sql("update movements set state = 'delivered' where state = 'held'").await;
    assert_eq!(world.tidied().await.months, [held]);
    assert_eq!(world.kept().await, BTreeSet::from([young]));
    world.end().await;
}

#[tokio::test]
async fn a_connection_may_keep_less_than_another_and_bodies_less_than_the_log() {
    let world = World::new().await;
    world
        .edit(|settings| {
            settings.log.keep_days = 30;
            settings.log.keep_bodies_days = Some(10);
        })
        .await
        .unwrap();
    let other = ConnectionId::new();
    sqlx::query(
        "insert into connections (connection_id, name, state, settings)
         select $1, 'other', state, jsonb_set(settings::jsonb, '{log}', '{\"keep_days\": 400}')::text::json
         from connections where connection_id = $2",
    )
    .bind(other.0)
    .bind(world.connection.0)
    .execute(&world.engine.db)
    .await
    .unwrap();
    world.month_of(31).await;
    let gone = world.old(world.connection, 31, "failed").await;
    let blank = world.old(world.connection, 11, "delivered").await;
    let open = world.old(world.connection, 31, "retrying").await;
    let young = world.old(world.connection, 9, "delivered").await;
    let others = world.old(other, 31, "delivered").await;
    let tidied = world.tidied().await;
    assert_eq!((tidied.rows, tidied.bodies), (1, 1));
    let kept = world.kept().await;
    assert!(!kept.contains(&gone));
    assert_eq!(kept, BTreeSet::from([blank, open, young, others]));
    let with_body: Vec<uuid::Uuid> = sqlx::query_scalar(
        "select movement_id from movements where body is not null and request is not null and response is not null",
    )
    .fetch_all(&world.engine.db)
    .await
    .unwrap();
    assert_eq!(
        with_body.into_iter().map(MovementId).collect::<BTreeSet<_>>(),
        BTreeSet::from([open, young, others])
    );
    assert_eq!(world.tidied().await, Tidied::default());
    world.end().await;
}

impl World {
    /// Runs a statement with the connection and a moment so many days ago, which also stands at the front of ids.
    async fn then(&self, age: i64, statement: &'static str) {
        // one present for all statements: equal ages make equal ids
        static NOW: OnceLock<Timestamp> = OnceLock::new();
        let at = (*NOW.get_or_init(Timestamp::now) - days(age)).to_string();
        sqlx::query(statement).bind(self.connection.0).bind(at).execute(&self.engine.db).await.unwrap();
    }

    async fn rows_of(&self, table: &str, column: &str) -> Vec<String> {
        let sql = format!("select {column}::text from {table} order by 1");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&self.engine.db).await.unwrap()
    }

    async fn keep(&self, keep_days: u32, keep_bodies_days: Option<u32>) {
        let set = |settings: &mut connector::settings::Settings| {
            (settings.log.keep_days, settings.log.keep_bodies_days) = (keep_days, keep_bodies_days);
        };
        self.edit(set).await.unwrap();
    }
}

/// An event of a delivery, both so old; with a key that begins with its second.
const DELIVERED: [&str; 2] = [
    "insert into deliveries (connection_id, delivery_id, webhook_id, events, body)
     values ($1, first_id($2::text::timestamptz), gen_random_uuid(), 1, $2)",
    "insert into events (connection_id, event_key, delivery_id, resource_type, resource_gid, action, happened_at, state)
     values ($1, (lpad(to_hex(extract(epoch from $2::text::timestamptz)::bigint), 8, '0') || repeat('0', 24))::uuid,
             first_id($2::text::timestamptz), 'task', $2, 'changed', $2::text::timestamptz, 'done')",
];

#[tokio::test]
async fn what_asana_delivered_goes_with_the_log_but_never_before_it_was_looked_at() {
    let world = World::new().await;
    world.keep(30, None).await;
    for age in [31, 35, 29] {
        for statement in DELIVERED {
            world.then(age, statement).await;
        }
    }
    // whose moment is not known: it is as old as its delivery
    let without = "insert into events (connection_id, event_key, delivery_id, resource_type, resource_gid, action, state)
                   values ($1, gen_random_uuid(), first_id($2::text::timestamptz), 'task', 'when?', 'changed', 'done')";
    world.then(35, without).await;
    world.then(29, without).await;
    world.sql("update events set event_key = (repeat('0', 8) || substring(event_key::text from 9))::uuid where happened_at is null").await;
    world
        .sql("update events set state = 'open' where happened_at = (select min(happened_at) from events)")
        .await;
    let (deliveries, events) =
        (world.rows_of("deliveries", "body").await, world.rows_of("events", "resource_gid").await);
    assert_eq!((deliveries.len(), events.len()), (3, 5));
    let tidied = world.tidied().await;
    assert_eq!(tidied.rows, 3, "a delivery and its event, and one without a moment");
    let kept = [deliveries[0].clone(), deliveries[2].clone()];
    assert_eq!(world.rows_of("deliveries", "body").await, kept, "the oldest has an open event");
    let mut events_kept = kept.to_vec();
    events_kept.push("when?".to_owned());
    assert_eq!(world.rows_of("events", "resource_gid").await, events_kept);
    world.sql("update events set state = 'ignored'").await;
    assert_eq!(world.tidied().await.rows, 2);
    assert_eq!(world.tidied().await, Tidied::default());
    world.end().await;
}

#[tokio::test]
async fn closed_alerts_and_their_messages_go_with_the_log_and_open_ones_stay() {
    let world = World::new().await;
    world.keep(40, None).await;
    let alert = "insert into alerts (connection_id, alert_id, kind, subject, count, title, detail, opened_at, closed_at)
                 values ($1, first_id($2::text::timestamptz), 'held', $2, 1, '', '', $2::text::timestamptz,
                         $2::text::timestamptz)";
    let told = "insert into told_alerts (connection_id, channel, alert_id, told_at, over)
                values ($1, $2, first_id($2::text::timestamptz), $2::text::timestamptz, true)";
    let message =
        "insert into notifications (connection_id, notification_id, channel, state, body, created_at)
                   values ($1, first_id($2::text::timestamptz), $2, 'sent', '', $2::text::timestamptz)";
    for age in [50, 45, 39] {
        for statement in [alert, told, message] {
            world.then(age, statement).await;
        }
    }
    world
        .sql("update alerts set closed_at = null where opened_at = (select min(opened_at) from alerts)")
        .await;
    world.sql("update notifications set state = 'pending' where created_at = (select min(created_at) from notifications)").await;
    // of a node
    world.then(500, "insert into alerts (connection_id, alert_id, kind, subject, count, title, detail, closed_at)
                     select overlay($1::uuid::text placing '00000000-0000-0000-0000-000000000000' from 1)::uuid, first_id($2::text::timestamptz), 'node_gone', $2, 1, '', '', $2::text::timestamptz
                     from (select 1) s").await;
    let tidied = world.tidied().await;
    assert_eq!(tidied.rows, 4, "an alert, what was told of it, a message, and the node's");
    for (table, column) in [("alerts", "subject"), ("told_alerts", "channel"), ("notifications", "channel")] {
        let kept = world.rows_of(table, column).await;
        assert_eq!(kept.len(), 2, "{table}: {kept:?}");
    }
    world.keep(1, None).await;
    world.then(20, alert).await;
    world.then(2, alert).await;
    world.tidied().await;
    let kept = world.rows_of("alerts", "subject").await;
    assert_eq!(kept.len(), 3, "the open one, and those of the last thirty days: {kept:?}");
    world.end().await;
}

#[tokio::test]
async fn the_bodies_of_a_journals_steps_go_when_it_is_settled_however_long_that_took() {
    let world = World::new().await;
    world.keep(400, Some(10)).await;
    let journal = "insert into journals (connection_id, journal_id, kind, task_gid, ordinal, subject, counts, group_id, plan,
                                         accounting_date, currency, amount, state, machine)
                   values ($1, first_id($2::text::timestamptz), 'posting', $2, 1, $2, true,
                           extract(epoch from $2::text::timestamptz)::bigint, '{}', '2026-01-01', 'USD', '1', 'imported', '{}')";
    let step = "insert into journal_steps (connection_id, journal_id, step_id, node_id, state, what, request, response)
                values ($1, first_id($2::text::timestamptz), first_id($2::text::timestamptz), gen_random_uuid(), 'ready',
                        $2, 'POST', '200')";
    for age in [12, 11, 9] {
        world.then(age, journal).await;
        world.then(age, step).await;
    }
    let under_way = "update journals set state = 'in_doubt' where journal_id = (select min(journal_id::text)::uuid from journals)";
    world.sql(under_way).await;
    assert_eq!(world.tidied().await.bodies, 1);
    let left = "coalesce(request, '-') || coalesce(response, '-')";
    assert_eq!(world.rows_of("journal_steps", left).await, ["--", "POST200", "POST200"]);
    world.sql("update journals set state = 'imported'").await;
    assert_eq!(world.tidied().await.bodies, 1, "it was on its way when the others were looked at");
    assert_eq!(world.rows_of("journal_steps", left).await, ["--", "--", "POST200"]);
    assert_eq!(world.tidied().await, Tidied::default());
    world.end().await;
}
