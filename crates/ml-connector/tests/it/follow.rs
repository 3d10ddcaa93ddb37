//! What follows a change of settings, watched to its end.

use sandbox::{Fault, FaultRule, Side};
use serde_json::Value;

use crate::pair::Pair;
use crate::program::{Running, start, until};
use crate::terminal::Terminal;
use crate::world::World;

const CHANGE: &str = "routing.account.cost_center_segment=3";
const EDIT: [&str; 6] = ["connection", "edit", "main", "--set", CHANGE, "--follow"];
const BACK: [&str; 6] = ["connection", "rollback", "main", "1", "--yes", "--follow"];

fn refusing(status: u16, retry_after: Option<&str>) -> FaultRule {
    let retry_after = retry_after.map(str::to_owned);
    let status = Fault::Status { status, retry_after, body: None, html: false };
    FaultRule::new(status).on(Side::Asana).method("PUT")
}

/// What the tasks show as their cost center.
fn cost_centers(pair: &Pair) -> Vec<String> {
    pair.tasks().values().map(|task| task["cost_center"].clone()).collect()
}

/// An active connection whose 12 orders are all shown, with six invoices.
pub async fn shown() -> (World, Pair) {
    let (world, pair) = tokio::join!(World::new(), Pair::new());
    pair.add_orders(12);
    world.add("main", &pair).await;
    world.succeeds(&["poll", "main"]).await;
    world.succeeds(&["connection", "activate", "main", "--without-dry-run"]).await;
    (world, pair)
}

pub async fn serves(world: &World) -> Running {
    let mut serving = start(world.program(&["serve", "--listen", "127.0.0.1:0"]));
    serving.listens().await;
    serving
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_a_rollback_and_a_file_are_followed_until_every_record_is_settled() {
    let (world, pair) = shown().await;
    let before = cost_centers(&pair);
    let serving = serves(&world).await;
    let followed = world.succeeds(&EDIT).await;
    assert!(followed.stderr.contains("`main` was changed; 18 records are compared anew"), "{followed:?}");
    assert!(
        followed.stderr.contains("all records are settled; none is held, none failed; 12 tasks changed"),
        "{followed:?}"
    );
    let after = cost_centers(&pair);
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{before:?} {after:?}");

    // what fails is told, and is settled by what follows
    let rule = pair.sandbox.faults().add(refusing(400, None));
    let followed = world.run(&[&BACK[..], &["--json"]].concat()).await.ends_with(3).json();
    // a poll that the change asked for may have brought the records once more
    assert!(pair.sandbox.faults().fired(rule) >= 12);
    assert_eq!((&followed["done"], &followed["compared_anew"]), (&true.into(), &18.into()));
    let seen = &followed["followed"];
    assert_eq!((&seen["ended"], &seen["open"]), (&"settled".into(), &0.into()));
    assert_eq!((&seen["made"], &seen["changed"]), (&0.into(), &0.into()), "all of it was refused");
    let failed = world.count("select count(*) from movements where state = 'failed'").await;
    assert!(failed >= 12 && seen["failed"] == failed, "{failed} {followed}");
    pair.sandbox.faults().clear();
    let exported = world.succeeds(&["connection", "export", "main"]).await.stdout;
    let file = world.file("main.toml", &exported.replace("page_size = 10", "page_size = 20"));
    let apply = ["connection", "apply", "-f", file.to_str().unwrap(), "--follow"];
    let followed = world.succeeds(&apply).await;
    assert!(followed.stderr.contains("all records are settled; none is held, none failed"), "{followed:?}");
    assert_eq!(cost_centers(&pair), before);
    // nothing to change, and nothing is left
    let again = world.succeeds(&[&apply[..], &["--json"]].concat()).await.json();
    assert_eq!((&again["action"], &again["followed"]["ended"]), (&"nothing".into(), &"settled".into()));
    serving.stop().await.ends_with(0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_would_happen_nobody_waits() {
    let (world, pair) = shown().await;
    let nobody = world.run(&EDIT).await.ends_with(3);
    assert!(nobody.stderr.contains("no `serve` runs, so 18 records wait for one"), "{nobody:?}");
    world.succeeds(&["connection", "pause", "main"]).await;
    let paused = world.succeeds(&BACK).await;
    assert!(paused.stderr.contains("`main` is not active, so nothing happens before it is"), "{paused:?}");
    let paused: Value = world.succeeds(&[&EDIT[..], &["--json"]].concat()).await.json();
    assert_eq!(
        (&paused["followed"]["ended"], &paused["followed"]["open"]),
        (&"not_active".into(), &18.into())
    );
    assert_eq!(pair.tasks().len(), 12);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_stops_following_a_change_stops_only_watching() {
    let (world, pair) = shown().await;
    let before = cost_centers(&pair);
    let serving = serves(&world).await;
    // Asana asks for patience, so they stay open
    let rule = pair.sandbox.faults().add(refusing(429, Some("600")));
    let mut following = start(world.program(&EDIT));
    following.says("0 of 18 records settled, 0 held, 0 failed").await;
    let stopped = following.stop().await.ends_with(0);
    assert!(stopped.stderr.contains("18 records are still open; that goes on by itself"), "{stopped:?}");
    until("Asana was asked", || async { pair.sandbox.faults().fired(rule) > 0 }).await;

    let mut terminal = Terminal::start(world.program(&BACK));
    terminal.sees("compared anew").await;
    terminal.sees("records settled, 0 held, 0 failed").await;
    terminal.sees(" 0/").await;
    terminal.interrupts();
    let (code, screen) = terminal.ends().await;
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("records are still open; that goes on by itself"), "{screen}");
    assert_eq!(world.count("select count(*) from connections where state = 'active'").await, 1);
    assert_eq!(cost_centers(&pair), before);
    serving.stop().await.ends_with(0);
    world.end().await;
}
