//! The shared budget, seen from the server.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use asana::{Asana, BudgetSettings, Config, Error};
use serde_json::json;
use tokio::task::JoinSet;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{Gate, answering, config, ok, task, token};

const BODY: &str = r#"{"data":{"name":"x"}}"#;

/// Sends 40 writes over two clients with one token, lets them be answered, and gives the most seen at once.
async fn most_writes_at_once(gate: &mut Gate, clients: [&Asana; 2], expected: usize) -> usize {
    let mut writes = JoinSet::new();
    for n in 0..40 {
        let asana = clients[n % 2].clone();
        writes.spawn(async move { asana.create_task(BODY).await });
    }
    gate.until_under_way(expected).await;
    gate.answers.add_permits(40);
    while let Some(written) = writes.join_next().await {
        written.unwrap().unwrap();
    }
    gate.most.load(Ordering::SeqCst)
}

#[tokio::test]
async fn no_more_than_fifteen_writes_are_under_way_over_all_clients_of_a_token() {
    let mut gate = Gate::open().await;
    let settings = config(&gate.base);
    let one = Asana::new(settings.clone()).unwrap();
    let other = Asana::new(settings).unwrap();
    assert_eq!(most_writes_at_once(&mut gate, [&one, &other], 15).await, 15);
    assert_eq!(one.requests() + other.requests(), 40);
}

#[tokio::test]
async fn a_changed_budget_holds_for_every_client_of_the_token() {
    let mut gate = Gate::open().await;
    let settings = config(&gate.base);
    let one = Asana::new(settings.clone()).unwrap();
    let other = Asana::new(settings.clone()).unwrap();
    other.set_budget(&BudgetSettings { writes_at_once: 3, ..settings.budget }).unwrap();
    assert_eq!(most_writes_at_once(&mut gate, [&one, &other], 3).await, 3);
    let zero = BudgetSettings { writes_at_once: 0, ..settings.budget };
    assert!(matches!(one.set_budget(&zero), Err(Error::Config(_))));
}

#[tokio::test]
async fn reads_are_not_held_up_by_writes_under_way() {
    let mut gate = Gate::open().await;
    let settings = config(&gate.base);
    let budget = BudgetSettings { writes_at_once: 1, reads_at_once: 2, ..settings.budget };
    let asana = Asana::new(Config { budget, ..settings }).unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..3 {
        let (reader, writer) = (asana.clone(), asana.clone());
        calls.spawn(async move { reader.task("5").await.map(drop) });
        calls.spawn(async move { writer.create_task(BODY).await.map(drop) });
    }
    gate.until_under_way(3).await;
    gate.answers.add_permits(6);
    while let Some(done) = calls.join_next().await {
        done.unwrap().unwrap();
    }
    assert_eq!(gate.most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn requests_leave_at_the_pace() {
    let (server, _) = answering(ok(&json!({"data": task("5")}))).await;
    // 1,200 a minute: six may leave at once, then about twenty a second.
    let budget = BudgetSettings { requests_per_minute: 1_200, ..BudgetSettings::default() };
    let asana = Asana::new(Config { budget, ..config(&server.uri()) }).unwrap();
    let began = Instant::now();
    let mut calls = JoinSet::new();
    for _ in 0..26 {
        let asana = asana.clone();
        calls.spawn(async move { asana.task("5").await });
    }
    while let Some(done) = calls.join_next().await {
        done.unwrap().unwrap();
    }
    assert!(began.elapsed() >= Duration::from_millis(1_000), "{:?}", began.elapsed());
}

#[tokio::test]
async fn searches_wait_for_their_own_allowance_and_hold_up_no_one() {
    let (server, _) = answering(ok(&json!({"data": []}))).await;
    let budget =
        BudgetSettings { searches_per_minute: 60, requests_per_minute: 60_000, ..BudgetSettings::default() };
    let asana = Asana::new(Config { budget, ..config(&server.uri()) }).unwrap();
    let began = Instant::now();
    asana.search_by_custom_field("1", "77", "101", "PO-1").await.unwrap();
    let waiting = asana.clone();
    let second = tokio::spawn(async move {
        waiting.search_by_custom_field("1", "77", "101", "PO-2").await.unwrap();
        Instant::now()
    });
    let mut listings = 0;
    while !second.is_finished() {
        asana.sections("77").await.unwrap();
        listings += 1;
    }
    assert!(second.await.unwrap() - began >= Duration::from_secs(1));
    assert!(listings >= 10, "{listings}");
}

#[tokio::test]
async fn with_patience_a_read_waits_and_is_sent_again_and_a_write_is_not() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(429).insert_header("retry-after", "0"))
        .up_to_n_times(2)
        .with_priority(1)
        .mount(&server)
        .await;
    Mock::given(any()).respond_with(ok(&json!({"data": task("5")}))).mount(&server).await;
    let asana = Asana::new(Config { patience: Duration::from_secs(60), ..config(&server.uri()) }).unwrap();
    let began = Instant::now();
    assert!(matches!(asana.create_task(BODY).await, Err(Error::RateLimited { .. })));
    assert_eq!(asana.requests(), 1);
    asana.task("5").await.unwrap();
    assert_eq!((asana.requests(), asana.rate_limited()), (3, 2));
    // a wait of none backs off all the same
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    let hasty = Config { patience: Duration::from_secs(5), ..config(&server.uri()) };
    Mock::given(any())
        .respond_with(ResponseTemplate::new(429).insert_header("retry-after", "30"))
        .with_priority(1)
        .mount(&server)
        .await;
    let hasty = Asana::new(hasty).unwrap();
    assert!(matches!(hasty.task("5").await, Err(Error::RateLimited { .. })));
    // nor does anything else wait for the end of a pause that lasts too long
    for refused in [hasty.task("5").await.map(drop), hasty.create_task(BODY).await.map(drop)] {
        let left = refused.unwrap_err().retry_after().unwrap();
        assert!(left > Duration::from_secs(20), "{left:?}");
    }
    assert_eq!((hasty.requests(), hasty.rate_limited()), (1, 1));
}

#[tokio::test]
async fn after_a_429_every_client_of_the_token_waits() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(429).insert_header("retry-after", "1"))
        .up_to_n_times(1)
        .with_priority(1)
        .mount(&server)
        .await;
    Mock::given(any()).respond_with(ok(&json!({"data": task("5")}))).mount(&server).await;
    let settings = Config { token: token().into(), ..config(&server.uri()) };
    let one = Asana::new(settings.clone()).unwrap();
    let other = Asana::new(settings).unwrap();
    let stranger = Asana::new(config(&server.uri())).unwrap();

    let began = Instant::now();
    let limited = one.task("5").await.unwrap_err();
    assert!(matches!(limited, Error::RateLimited { .. }), "{limited}");
    assert_eq!(limited.retry_after(), Some(Duration::from_secs(1)));
    assert_eq!((one.requests(), one.rate_limited()), (1, 1));
    assert!(!other.paused().is_zero());
    assert_eq!(stranger.paused(), Duration::ZERO);
    other.create_task(BODY).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!((other.requests(), other.rate_limited()), (1, 0));
}
