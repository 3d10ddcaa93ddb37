//! Two nodes on one database: both work, and one goes on when the other is gone.

use std::time::Duration;

use sandbox::{Fault, FaultRule, Side};
use uuid::Uuid;

use crate::pair::Pair;
use crate::program::{start, until};
use crate::world::World;

/// Nodes that hold a job now.
async fn workers(world: &World) -> Vec<Uuid> {
    sqlx::query_scalar("select distinct node_id from jobs where node_id is not null")
        .fetch_all(&world.db)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_one_of_two_nodes_dies_the_other_takes_its_work_over() {
    let (world, stuck, busy) = tokio::join!(World::new(), Pair::new(), Pair::new());
    for (name, pair) in [("stuck", &stuck), ("busy", &busy)] {
        world.add(name, pair).await;
        world.succeeds(&["connection", "activate", name, "--without-dry-run"]).await;
    }
    stuck.add_orders(30);
    busy.add_orders(10);
    // the first node to read the orders of `stuck` gets no answer, and holds the job as long as it lives
    let silence = FaultRule::new(Fault::TimeoutBefore { ms: 200_000 })
        .on(Side::Oracle)
        .path("purchaseOrders?")
        .times(1);
    let silence = stuck.sandbox.faults().add(silence);
    let serve = || start(world.program(&["serve", "--listen", "127.0.0.1:0"]));
    let first = serve();
    until("the first node is stuck", || async { stuck.sandbox.faults().fired(silence) == 1 }).await;
    until("all else is done", || async { workers(&world).await.len() == 1 && busy.tasks().len() == 10 })
        .await;
    let dying = workers(&world).await[0];

    let second = serve();
    // requests take a moment, so that it can be seen who works
    busy.sandbox.faults().add(FaultRule::new(Fault::Delay { ms: 20 }));
    until("the second node works too", || async {
        world
            .execute(
                "update jobs set due_at = now() from connections c
                 where c.connection_id = jobs.connection_id and c.name = 'busy' and node_id is null",
            )
            .await;
        workers(&world).await.iter().any(|node| *node != dying)
    })
    .await;
    busy.add_orders(5);

    assert!(first.kill().await);
    let holds =
        "select count(*) from jobs where node_id is not null and lease_until > now() + interval '10 seconds'";
    assert!(world.count(holds).await >= 1, "the dead node's lease was given up before it ran out");
    sqlx::query("update jobs set lease_until = now() - interval '1 second' where node_id = $1")
        .bind(dying)
        .execute(&world.db)
        .await
        .unwrap();
    until("the second node has done the dead one's work", || async { stuck.tasks().len() == 30 }).await;
    world.execute("update jobs set due_at = now() where node_id is null and job <> 'push'").await;
    until("the second node goes on", || async { busy.tasks().len() == 15 }).await;
    until("nothing is left", || async {
        world.undelivered("stuck").await.is_empty() && world.undelivered("busy").await.is_empty()
    })
    .await;
    let stopped = second.stop();
    tokio::time::timeout(Duration::from_secs(30), stopped).await.unwrap().ends_with(0);
    world.end().await;
}
