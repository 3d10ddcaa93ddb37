//! A transaction that is given up while it begins leaves nothing open.

use std::future::poll_fn;
use std::task::Poll;

use connector::store;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::fixture::World;

/// Transactions that are begun and given up.
const BEGINNINGS: u32 = 20;

/// Whether the next statement on the pool's connection would work inside somebody's transaction; ends that one.
async fn is_open(db: &PgPool) -> bool {
    let mut connection = db.acquire().await.unwrap();
    // a session takes `local` only within a transaction; without one it warns and changes nothing
    sqlx::query("set local application_name = 'inside'").execute(&mut *connection).await.unwrap();
    let name: String = sqlx::query_scalar("show application_name").fetch_one(&mut *connection).await.unwrap();
    if name == "inside" {
        sqlx::query("rollback").execute(&mut *connection).await.unwrap();
    }
    name == "inside"
}

/// Begins transactions and gives each up when its `BEGIN` was sent. How many of them were left open.
async fn give_up<F: Future>(db: &PgPool, begin: impl Fn() -> F) -> u32 {
    let (mut given_up, mut left_open) = (0, 0);
    while given_up < BEGINNINGS {
        drop(db.acquire().await.unwrap());
        while db.num_idle() == 0 {
            tokio::task::yield_now().await;
        }
        let ended = {
            let mut begin = std::pin::pin!(begin());
            poll_fn(|context| Poll::Ready(begin.as_mut().poll(context).is_ready())).await
        };
        // now and then the server answers while this still looks
        given_up += u32::from(!ended);
        left_open += u32::from(is_open(db).await);
    }
    left_open
}

#[tokio::test]
async fn a_transaction_that_is_given_up_while_it_begins_leaves_none_open() {
    let world = World::new().await;
    let pool = || {
        let options = (*world.engine.db.connect_options()).clone();
        // an idle connection is taken without a question, so that the first thing that is sent is `BEGIN`
        PgPoolOptions::new().max_connections(1).test_before_acquire(false).connect_lazy_with(options)
    };
    // the library's own leaves some open: when that is no longer so, `store::begin` has nothing left to do
    let bare = pool();
    #[expect(clippy::disallowed_methods, reason = "shows that the wrapper is needed")]
    let begin = || bare.begin();
    assert!(give_up(&bare, begin).await > 0, "sqlx can be trusted with this by now");
    let safe = pool();
    assert_eq!(give_up(&safe, || store::begin(&safe)).await, 0);
    bare.close().await;
    safe.close().await;
    world.end().await;
}
