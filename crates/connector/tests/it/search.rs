//! Searching a log that is long: words that fit very many records, and what was not taken up yet.

use connector::search::{self, Answer, Wanted, Words};
use connector::store::search as stored;

use crate::fixture::World;

/// Orders of Acme, of which every thousandth is of Rarely, each with its movement, stored in pages of 500; the
/// newest has the highest number.
const MANY: &str = "with orders as (
        select connection_id, n, (clock_timestamp() - make_interval(secs => 12000 - n)) as stored_at
        from connections, generate_series(1, 12000) n),
    stored as (
        insert into documents (connection_id, feed, source_id, order_number, fingerprint, digest, body, supplier)
        select connection_id, 'purchase_orders', 'id' || n, 'US' || n, '', '', '{}',
               case when n % 1000 = 0 then 'Rarely Ltd' else 'Acme ' || n % 7 end from orders),
    moved as (
        insert into movements (connection_id, movement_id, feed, source_id, state, created_at)
        select connection_id, (left(first_id(stored_at)::text, 14) || '7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
               'purchase_orders', 'id' || n, 'delivered', stored_at from orders)
    insert into unsearched (connection_id, page_id, feed, source_ids, stored_at)
    select connection_id, new_movement_id(), 'purchase_orders', array_agg('id' || n), max(stored_at)
    from orders group by connection_id, n / 500 order by n / 500";

fn wanted(supplier: Option<&str>, text: Option<&str>) -> Wanted {
    let words = Words { supplier: supplier.map(Into::into), text: text.map(Into::into), invoice: None };
    Wanted { words, ..Wanted::default() }
}

fn numbers(answer: &Answer) -> Vec<&str> {
    answer.found.iter().filter_map(|found| found.number.as_deref()).collect()
}

#[tokio::test]
async fn of_very_many_that_fit_the_newest_are_found_and_rare_ones_all() {
    let world = World::new().await;
    world.sql(MANY).await;
    let (db, id) = (&world.engine.db, world.connection);
    let mut told = Vec::new();
    search::take_up(db, id, |records| told.push(records)).await.unwrap();
    assert_eq!(told.last(), Some(&12_000));
    assert_eq!(stored::take_up(db, id).await.unwrap(), None);
    let find = async |wanted: Wanted, limit: usize| search::find(db, id, &wanted, limit).await.unwrap();

    for broad in [wanted(Some("acme"), None), wanted(None, Some("acme")), wanted(Some("ac"), None)] {
        let answer = find(broad, 3).await;
        assert_eq!((answer.more, answer.broad), (true, true));
        assert_eq!(answer.found.len(), 3);
        // pages of 500 were stored at once: the newest are those of the last page
        assert!(
            numbers(&answer).iter().all(|number| *number >= "US11500" && number.len() == 7),
            "{answer:?}"
        );
    }
    let rare = find(wanted(Some("rarely"), None), 50).await;
    assert_eq!(numbers(&rare), (1..=12).rev().map(|n| format!("US{n}000")).collect::<Vec<_>>());
    assert_eq!((rare.more, rare.broad), (false, false));
    assert_eq!(numbers(&find(wanted(None, Some("1234")), 50).await), ["US1234"]);
    assert_eq!(numbers(&find(wanted(Some("acme 3"), Some("us4")), 1).await).len(), 1);
    // a word that nearly all have, beside one that is rare: both must fit
    assert_eq!(numbers(&find(wanted(Some("acme"), Some("us11999")), 50).await), ["US11999"]);
    assert_eq!(numbers(&find(wanted(None, Some("us11999 acme")), 50).await), ["US11999"]);
    for none in [wanted(Some("acme"), Some("us12000")), wanted(Some("rarely"), Some("us11999"))] {
        let answer = find(none, 50).await;
        assert!(answer.found.is_empty(), "{answer:?}");
    }
    let seventh = find(wanted(Some("acme 3"), None), 2_000).await;
    assert_eq!((seventh.found.len(), seventh.more, seventh.broad), (1_712, false, false));
    let seventh = find(wanted(Some("acme 3"), None), 1_000).await;
    assert_eq!((seventh.found.len(), seventh.more, seventh.broad), (1_000, true, true));
    let most = find(wanted(Some("acme"), None), 4_000).await;
    assert_eq!((most.found.len(), most.more), (4_000, true));
    assert!(most.found.windows(2).all(|two| two[0].id > two[1].id), "newest first");
    world.end().await;
}

#[tokio::test]
async fn words_are_taken_up_once_by_two_at_the_same_time() {
    let world = World::new().await;
    world.sql(MANY).await;
    let (db, id) = (&world.engine.db, world.connection);
    let (mut one, mut other) = (0, 0);
    let (first, second) =
        tokio::join!(search::take_up(db, id, |n| one = n), search::take_up(db, id, |n| other = n));
    first.unwrap();
    second.unwrap();
    assert_eq!(one + other, 12_000);
    let all: i64 = sqlx::query_scalar("select count(*) from searched").fetch_one(db).await.unwrap();
    let left: i64 = sqlx::query_scalar("select count(*) from unsearched").fetch_one(db).await.unwrap();
    assert_eq!((all, left), (12_000, 0));
    world.end().await;
}
