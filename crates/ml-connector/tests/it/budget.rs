//! Nodes that share an Asana token keep to one budget together.

use std::time::Instant;

use sandbox::Side;

use crate::pair::Pair;
use crate::world::World;

/// Tasks that each connection makes.
const ORDERS: usize = 100;
/// What the token may send; a quarter of it within 15 seconds. Two nodes that kept this pace each for themselves would
/// send more than a quarter within them.
const PER_MINUTE: u32 = 600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_that_share_a_token_meet_no_429() {
    let (world, mut pair) = tokio::join!(World::new(), Pair::limited(PER_MINUTE));
    pair.add_orders(ORDERS);
    world.add("one", &pair).await;
    pair.change_board("Another one");
    world.add("two", &pair).await;
    let began = Instant::now();
    let (one, two) = tokio::join!(world.succeeds(&["poll", "one"]), world.succeeds(&["poll", "two"]));
    let took = began.elapsed();
    drop((one, two));
    for name in ["one", "two"] {
        assert!(world.undelivered(name).await.is_empty(), "{name}");
    }
    let calls = pair.sandbox.calls();
    let refused = calls.count(|call| call.side == Side::Asana && call.status == Some(429));
    let sent = calls.total_of(Side::Asana);
    assert_eq!(refused, 0, "of {sent} in {took:?}");
    assert!(sent >= 2 * ORDERS as u64, "{sent}");
    let nodes = world.count("select count(distinct node_id) from attempts").await;
    let made = "select count(*) from attempts a join movements m
                on m.connection_id = a.connection_id and m.movement_id = a.subject_id
                where a.status = 201 and m.feed = 'purchase_orders'";
    let exchanges = world.count(made).await;
    assert_eq!((nodes, exchanges), (2, 2 * ORDERS as i64));
    world.end().await;
}
