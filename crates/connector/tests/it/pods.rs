//! A connection that is pointed at another pod.

use connector::Code;
use connector::feed::Feed;
use connector::store::feeds::{self, Mode};
use connector::store::jobs::{self, Job};
use sandbox::{AsanaConfig, Sandbox, SandboxConfig};
use url::Url;

use crate::fixture::World;

/// Another pod that knows the same client.
async fn another_pod() -> (Sandbox, Url) {
    let config = SandboxConfig { asana: AsanaConfig::unlimited(), ..SandboxConfig::default() };
    let pod = Sandbox::start(config).await.unwrap();
    let url = pod.oracle_url().parse().unwrap();
    (pod, url)
}

async fn point_at(world: &World, pod: &Sandbox, url: &Url) -> connector::Result<u64> {
    let token_url = pod.token_url().parse().unwrap();
    world
        .edit(|settings| {
            settings.oracle.url = Some(url.clone());
            settings.oracle.token_url = token_url;
        })
        .await
}

#[tokio::test]
async fn another_pod_is_refused_once_records_of_the_old_one_are_stored() {
    let world = World::new().await;
    world.order("US-1", &["10"]);
    world.sync().await;
    let (pod, url) = another_pod().await;
    let refused = point_at(&world, &pod, &url).await.unwrap_err();
    assert_eq!(refused.code, Code::PodChanged);
    world.sync().await;
    assert_eq!(world.tasks().len(), 1, "it goes on with its own pod");
    // the same pod, written otherwise
    world
        .edit(|settings| {
            let same = format!("{}/", world.sandbox.oracle_url());
            settings.oracle.url = Some(same.parse().unwrap());
        })
        .await
        .unwrap();
    world.end().await;
}

#[tokio::test]
async fn a_pod_that_showed_nothing_is_replaced_and_the_other_is_read_from_its_beginning() {
    let world = World::with_oracle(|settings| settings.last_update_queryable = false).await;
    world.sync().await;
    let read = feeds::load(&world.engine.db, world.connection, Feed::PurchaseOrders).await.unwrap();
    assert_eq!(read.mode, Some(Mode::FullScan));
    let (pod, url) = another_pod().await;
    pod.oracle()
        .apply(sandbox::oracle::Edit::CreateOrder(sandbox::oracle::NewOrder {
            number: Some("US-2".into()),
            lines: crate::fixture::lines(&["20"]),
            ..Default::default()
        }))
        .unwrap();
    point_at(&world, &pod, &url).await.unwrap();
    world.sync().await;
    assert_eq!(world.task("US-2").shows("line_item_amount"), Some("20"));
    let read = feeds::load(&world.engine.db, world.connection, Feed::PurchaseOrders).await.unwrap();
    assert_eq!(read.mode, Some(Mode::ByLastUpdate));
    world.end().await;
}

#[tokio::test]
async fn a_pod_is_not_replaced_while_it_is_being_read() {
    let world = World::new().await;
    let (db, node) = (&world.engine.db, world.engine.node);
    let lease = jobs::claim(db, node, world.connection, Job::Poll(Feed::Invoices)).await.unwrap().unwrap();
    let (pod, url) = another_pod().await;
    let refused = point_at(&world, &pod, &url).await.unwrap_err();
    assert_eq!(refused.code, Code::LeaseBusy);
    jobs::finish(db, &lease, None, None).await.unwrap();
    point_at(&world, &pod, &url).await.unwrap();
    world.end().await;
}
