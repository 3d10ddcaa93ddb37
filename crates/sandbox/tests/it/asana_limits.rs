//! Rate limits as a client meets them.

use std::time::Duration;

use serde_json::json;

use super::{World, oauth_token};
use sandbox::asana::{AsanaConfig, Plan, TimeBase};

/// Limits on the virtual clock, so that a test can wait without waiting.
fn limited(change: impl FnOnce(&mut AsanaConfig)) -> World {
    let mut config =
        AsanaConfig { limits_clock: TimeBase::Virtual, short_span_seconds: 0, ..AsanaConfig::default() };
    change(&mut config);
    World::with(config)
}

#[tokio::test]
async fn beyond_the_allowance_the_answer_is_429_with_seconds_to_wait() {
    let w = limited(|c| c.requests_per_minute = Some(3));
    for _ in 0..3 {
        w.get("/users/me").await;
    }
    let answer = w.send("GET", "/users/me", None).await;
    assert_eq!(answer.status, 429);
    assert_eq!(
        answer.message(),
        "You've made too many requests and hit a rate limit. Please retry after the given amount of time."
    );
    let wait: i64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert_eq!((w.asana.requests(), w.asana.rate_limited()), (4, 1));
    w.advance(wait - 1);
    assert_eq!(w.send("GET", "/users/me", None).await.status, 429);
    w.advance(60);
    w.get("/users/me").await;
}

#[tokio::test]
async fn a_refused_request_burns_allowance_too() {
    let w = limited(|c| c.requests_per_minute = Some(2));
    w.get("/users/me").await;
    w.get("/users/me").await;
    for _ in 0..10 {
        w.advance(30);
        assert_eq!(w.send("GET", "/users/me", None).await.status, 429, "hammering keeps the door shut");
        w.send("GET", "/users/me", None).await;
    }
    w.advance(60);
    w.get("/users/me").await;
}

#[tokio::test]
async fn the_plan_decides_the_allowance() {
    for (plan, allowance) in [(Plan::Free, 150), (Plan::Paid, 1500)] {
        let w = limited(|c| c.plan = plan);
        for _ in 0..allowance {
            assert_eq!(w.send_text("GET", "/users/me?opt_fields=gid", None).await.status, 200);
        }
        assert_eq!(w.send("GET", "/users/me", None).await.status, 429);
    }
}

#[tokio::test]
async fn a_burst_is_refused_although_the_minute_has_room() {
    let w = limited(|c| {
        c.requests_per_minute = Some(40);
        c.short_span_seconds = 15;
    });
    for _ in 0..10 {
        w.get("/users/me").await;
    }
    let answer = w.send("GET", "/users/me", None).await;
    assert_eq!((answer.status, answer.headers["retry-after"].to_str().unwrap()), (429, "15"));
    w.advance(15);
    w.get("/users/me").await;
}

#[tokio::test]
async fn tokens_have_limits_of_their_own() {
    let w = limited(|c| {
        c.requests_per_minute = Some(1);
        c.tokens.push(oauth_token());
    });
    w.get("/users/me").await;
    assert_eq!(w.send("GET", "/users/me", None).await.status, 429);
    w.as_token("oauth-token").get("/users/me").await;
}

#[tokio::test]
async fn search_has_its_own_sixty_a_minute() {
    let w = limited(|_| {});
    let path = format!("/workspaces/{}/tasks/search", w.workspace);
    for _ in 0..60 {
        w.get(&path).await;
    }
    assert_eq!(w.send("GET", &path, None).await.status, 429);
    w.get("/users/me").await;
}

#[tokio::test]
async fn sixteen_writes_at_once_are_one_too_many_and_reads_have_their_own_room() {
    let w = World::with(AsanaConfig { latency_ms: 200, ..AsanaConfig::default() });
    let body = || json!({ "data": { "name": "x", "projects": [w.project] } }).to_string();
    let writes = (0..16).map(|_| w.send_text("POST", "/tasks", Some(body())));
    let reads = (0..50).map(|_| w.send_text("GET", "/users/me", None));
    let all =
        async { tokio::join!(futures_util::future::join_all(writes), futures_util::future::join_all(reads)) };
    let (writes, reads) = tokio::time::timeout(Duration::from_secs(30), all).await.unwrap();
    let refused = writes.iter().filter(|a| a.status == 429).count();
    assert_eq!(refused, 1);
    assert!(writes.iter().filter(|a| a.status == 429).all(|a| a.headers["retry-after"] == "1"));
    assert!(reads.iter().all(|a| a.status == 200));
    assert_eq!(w.send("GET", "/users/me", None).await.status, 200, "the room is given back");
}

#[tokio::test]
async fn fifty_one_reads_at_once_are_one_too_many() {
    let w = World::with(AsanaConfig { latency_ms: 200, ..AsanaConfig::default() });
    let reads = futures_util::future::join_all((0..51).map(|_| w.send_text("GET", "/users/me", None))).await;
    assert_eq!(reads.iter().filter(|a| a.status == 429).count(), 1);
}
