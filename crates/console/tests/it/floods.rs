//! More than can be taken, and more than deserves to be looked at.

use std::sync::Arc;

use connector::hooks::ingest::{Limits, MAX_BODY_BYTES};
use connector::hooks::token::Tokens;
use connector::key::MasterKey;
use console::hooks::Doors;
use secrecy::ExposeSecret;

use crate::fixture::{House, Node, completing, signed, until};
use crate::wire::{Wire, head};

/// Requests with made-up tokens.
const FORGERIES: usize = 10_000;
/// Connections they come over.
const FORGERS: usize = 20;
/// What the process may grow by meanwhile, in bytes: its allocator and the sockets of both sides breathe.
const GROWTH: u64 = 8 * 1024 * 1024;

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// A made-up token: of the right length under another key, or just some text.
fn forgery(tokens: &Tokens, house: &House, number: usize) -> String {
    match number % 4 {
        0 => format!("{number}"),
        1 => format!("{number:064}"),
        2 => tokens.mint(connector::ids::ConnectionId::new()).0.expose_secret().to_owned(),
        _ => tokens.mint(house.connection).0.expose_secret().to_owned(),
    }
}

async fn forge(wire: &mut Wire, paths: &[String]) {
    let body = completing(&["9001"]);
    let headers = signed("guessed", body.as_bytes());
    for path in paths {
        let answer = wire.request(&format!("POST {path}"), &headers.headers(), body.as_bytes()).await;
        assert_eq!(answer.status, 404);
    }
}

#[tokio::test]
async fn made_up_tokens_cost_neither_memory_nor_a_statement() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    house.active("77").await;
    // whoever asked the database now would get an error, and answer something else
    node.engine.db.close().await;
    let tokens = Tokens::new(&MasterKey::from_base64(&MasterKey::generate()).unwrap());
    let paths: Vec<String> =
        (0..FORGERIES).map(|number| format!("/hooks/asana/{}", forgery(&tokens, &house, number))).collect();
    let mut wires = Vec::new();
    for _ in 0..FORGERS {
        wires.push(node.wire().await);
    }
    // once before, so that buffers and threads are there
    for wire in &mut wires {
        forge(wire, &paths[..20]).await;
    }
    let before = resident_bytes();
    let share = FORGERIES / FORGERS;
    let forging = wires.iter_mut().zip(paths.chunks(share)).map(|(wire, paths)| forge(wire, paths));
    futures_util::future::join_all(forging).await;
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < GROWTH, "grew by {grown} bytes");
    assert_eq!((node.receiver.registry().look_ups(), node.receiver.registry().size()), (0, 0));
    assert_eq!((house.count("deliveries").await, house.count("webhooks").await), (0, 1));
    assert_eq!(house.number("select sum(rejected)::bigint from webhooks").await, 0);
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn beyond_the_bound_is_refused_and_whatever_is_answered_with_success_is_there() {
    let house = House::new().await;
    let node = Arc::new(house.node(Limits { deliveries: 4, ..Limits::default() }).await);
    let hook = house.active("77").await;
    // nothing can be stored for now
    let mut blocker = connector::store::begin(&house.engine.db).await.unwrap();
    sqlx::query("lock table deliveries in access exclusive mode").execute(&mut *blocker).await.unwrap();
    let deliveries: Vec<_> = (0..20)
        .map(|number| {
            let (node, hook) = (node.clone(), hook.clone());
            tokio::spawn(async move { node.deliver(&hook, &completing(&[&number.to_string()])).await })
        })
        .collect();
    until("the bound is met", || async { deliveries.iter().filter(|one| one.is_finished()).count() == 16 })
        .await;
    blocker.rollback().await.unwrap();
    let (mut taken, mut refused) = (0, 0);
    for delivery in deliveries {
        let answer = delivery.await.unwrap();
        match answer.status {
            200 => taken += 1,
            503 => {
                assert!(answer.header("retry-after").is_some());
                refused += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!((taken, refused), (4, 16));
    assert_eq!((house.count("deliveries").await, house.count("events").await), (4, 8));
    Arc::into_inner(node).unwrap().end().await;
    house.end().await;
}

#[tokio::test]
async fn bodies_under_way_are_bounded_in_bytes_before_they_are_read() {
    let house = House::new().await;
    let node = house.node(Limits { bytes: 2 * MAX_BODY_BYTES, ..Limits::default() }).await;
    let hook = house.active("77").await;
    let line = format!("POST {}", hook.path);
    let headers = signed(&hook.secret, b"");
    // two say that they will send much, and send nothing yet
    let mut large = Vec::new();
    for _ in 0..2 {
        let mut wire = node.wire().await;
        wire.send(head(&line, &headers.headers(), Some(MAX_BODY_BYTES)).as_bytes()).await.unwrap();
        large.push(wire);
    }
    let small = completing(&["9001"]);
    until("the room is taken", || async { node.deliver(&hook, &small).await.status == 503 }).await;
    // the head of one that does not say its length is enough for it to be refused
    let mut wire = node.wire().await;
    wire.send(head(&line, &headers.headers(), None).as_bytes()).await.unwrap();
    assert_eq!(wire.answer().await.unwrap().status, 503);
    drop(large);
    until("there is room again", || async { node.deliver(&hook, &small).await.status == 200 }).await;
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn a_connection_too_many_is_turned_away() {
    let house = House::new().await;
    let doors = Doors { connections: 2 };
    turns_away_a_third(&house, house.node_with(Limits::default(), doors).await).await;
    turns_away_a_third(&house, house.shared_node(Limits::default(), doors).await).await;
    house.end().await;
}

async fn turns_away_a_third(house: &House, node: Node) {
    let hook = house.active(&node.address.to_string()).await;
    let body = completing(&["9001"]);
    let headers = signed(&hook.secret, body.as_bytes());
    let mut held = [node.wire().await, node.wire().await];
    for wire in &mut held {
        let line = format!("POST {}", hook.path);
        assert_eq!(wire.request(&line, &headers.headers(), body.as_bytes()).await.status, 200);
    }
    let answer = node.wire().await.answer().await.unwrap();
    assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true));
    drop(held);
    until("there is room again", || async {
        let mut wire = node.wire().await;
        let line = format!("POST {}", hook.path);
        let request = head(&line, &headers.headers(), Some(body.len())) + &body;
        wire.send(request.as_bytes()).await.is_ok() && wire.answer().await.is_some_and(|a| a.status == 200)
    })
    .await;
    node.end().await;
}

#[tokio::test]
async fn many_at_once_are_all_taken_and_all_there() {
    let house = House::new().await;
    let node = Arc::new(house.node(Limits::default()).await);
    let hook = house.active("77").await;
    let senders = (0..16).map(|sender: usize| {
        let (node, hook) = (node.clone(), hook.clone());
        tokio::spawn(async move {
            let mut wire = node.wire().await;
            let line = format!("POST {}", hook.path);
            for number in 0..25 {
                let body = completing(&[&format!("{sender}-{number}")]);
                let headers = signed(&hook.secret, body.as_bytes());
                assert_eq!(wire.request(&line, &headers.headers(), body.as_bytes()).await.status, 200);
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.unwrap();
    }
    assert_eq!((house.count("deliveries").await, house.count("events").await), (400, 800));
    assert_eq!(node.receiver.registry().look_ups(), 1);
    Arc::into_inner(node).unwrap().end().await;
    house.end().await;
}
