//! How long the log is kept: months made ahead and dropped, rows and bodies taken away, what is open never.

use std::collections::BTreeSet;

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
