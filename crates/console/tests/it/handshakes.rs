//! A handshake is answered once, for the registration that waits for it, and never changes anything else.

use connector::hooks::ingest::Limits;
use connector::hooks::token::Tokens;
use connector::store::hooks::{self, State};
use connector::vault::{self, CredentialName};
use secrecy::ExposeSecret;

use crate::fixture::{Hook, House, Node, completing};
use crate::wire::Answer;

async fn offer(node: &Node, hook: &Hook, secret: &str) -> Answer {
    node.post(&hook.path, &[("x-hook-secret", secret)], b"").await
}

async fn stored(house: &House, hook: &Hook) -> Option<String> {
    let mut db = house.engine.db.acquire().await.unwrap();
    let name = CredentialName::WebhookSecret(hook.webhook);
    let secret = vault::get(&mut db, &house.engine.master, house.connection, name).await.ok()?;
    Some(secret.expose_secret().to_owned())
}

#[tokio::test]
async fn the_first_secret_offered_to_a_pending_registration_is_its_candidate() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let hook = house.pending("77").await;
    let answer = offer(&node, &hook, "first").await;
    assert_eq!((answer.status, answer.header("x-hook-secret")), (200, Some("first")));
    // the same once more does no harm, another one is refused
    let again = offer(&node, &hook, "first").await;
    assert_eq!((again.status, again.header("x-hook-secret")), (200, Some("first")));
    for other in ["second", "firs", "first2", "FIRST"] {
        let refused = offer(&node, &hook, other).await;
        assert_eq!((refused.status, refused.header("x-hook-secret")), (403, None), "{other}");
    }
    assert_eq!(stored(&house, &hook).await.as_deref(), Some("first"));
    assert_eq!(house.state_of(hook.webhook).await.0, "pending");
    let plain = "select count(*) from credentials where position('first'::bytea in ciphertext) > 0";
    assert_eq!(house.number(plain).await, 0);
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn a_handshake_may_carry_an_empty_list_of_events_and_any_type() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    for (project, kind) in [("77", "application/json"), ("78", "text/plain")] {
        let hook = house.pending(project).await;
        let headers = [("x-hook-secret", "s"), ("content-type", kind)];
        let answer = node.post(&hook.path, &headers, br#"{"events":[]}"#).await;
        assert_eq!((answer.status, answer.header("x-hook-secret")), (200, Some("s")));
    }
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn of_two_secrets_offered_at_once_one_is_answered() {
    let house = House::new().await;
    let nodes = [house.node(Limits::default()).await, house.node(Limits::default()).await];
    for round in 0..10 {
        let hook = house.pending(&format!("{round}")).await;
        let (one, other) = tokio::join!(offer(&nodes[0], &hook, "one"), offer(&nodes[1], &hook, "other"));
        let mut both = [one.status, other.status];
        both.sort_unstable();
        assert_eq!(both, [200, 403]);
        let winner = if one.status == 200 { "one" } else { "other" };
        assert_eq!(stored(&house, &hook).await.as_deref(), Some(winner));
    }
    for node in nodes {
        node.end().await;
    }
    house.end().await;
}

#[tokio::test]
async fn a_second_handshake_changes_nothing_on_a_live_registration() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let hook = house.active("77").await;
    for secret in ["stolen", hook.secret.as_str()] {
        let answer = offer(&node, &hook, secret).await;
        assert_eq!((answer.status, answer.header("x-hook-secret")), (403, None));
    }
    assert_eq!(stored(&house, &hook).await.as_deref(), Some(hook.secret.as_str()));
    assert_eq!(node.deliver(&hook, &completing(&["9001"])).await.status, 200);
    let forger = Hook { secret: "stolen".into(), ..hook };
    assert_eq!(node.deliver(&forger, &completing(&["9002"])).await.status, 401);
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn a_handshake_for_an_ended_registration_or_for_nobody_is_refused() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let ended = house.pending("77").await;
    hooks::end(&house.engine.db, house.connection, ended.webhook, State::Failed, None).await.unwrap();
    assert_eq!(offer(&node, &ended, "late").await.status, 403);
    let (token, _) = Tokens::new(&house.engine.master).mint(house.connection);
    let nobody = Hook { path: format!("/hooks/asana/{}", token.expose_secret()), ..ended.clone() };
    assert_eq!(offer(&node, &nobody, "nobody").await.status, 403);
    let forged = Hook { path: format!("/hooks/asana/{}", "A".repeat(64)), ..ended };
    assert_eq!(offer(&node, &forged, "forged").await.status, 404);
    assert_eq!(house.number("select count(*) from credentials where name like 'webhook_secret/%'").await, 0);
    assert_eq!(house.count("webhooks").await, 1);
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn a_secret_that_is_none_is_not_kept() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let hook = house.pending("77").await;
    for bad in ["", "\u{e9}", &"a".repeat(257)] {
        assert_eq!(offer(&node, &hook, bad).await.status, 403, "{bad:?}");
    }
    assert_eq!(stored(&house, &hook).await, None);
    assert_eq!(offer(&node, &hook, &"a".repeat(256)).await.status, 200);
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn a_candidate_does_not_sign_anything_yet() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let hook = house.pending("77").await;
    assert_eq!(offer(&node, &hook, &hook.secret).await.status, 200);
    assert_eq!(node.deliver(&hook, &completing(&["9001"])).await.status, 503);
    assert_eq!(house.count("deliveries").await, 0);
    node.end().await;
    house.end().await;
}
