//! What is refused, and that nothing is stored of it.

use connector::hooks::ingest::{Limits, MAX_BODY_BYTES};
use connector::hooks::token::Tokens;
use connector::key::MasterKey;
use connector::store::hooks;
use secrecy::ExposeSecret;

use crate::fixture::{House, Node, completing, signed};
use crate::wire::head;

/// Nothing is stored, and nothing is counted but what was refused for its signature.
async fn nothing_stored(house: &House, node: &Node, rejected: i64) {
    assert_eq!((house.count("deliveries").await, house.count("events").await), (0, 0));
    node.ingest.notes().write(&node.engine.db).await;
    let all = hooks::list(&house.engine.db, house.connection, 10, 10).await.unwrap();
    assert_eq!(all.iter().map(|one| one.rejected).sum::<i64>(), rejected);
    assert!(all.iter().all(|one| one.last_delivery_at.is_none()));
}

#[tokio::test]
async fn a_delivery_that_is_forged_or_unsigned_is_refused() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let hook = house.active("77").await;
    let other = house.active("78").await;
    let stranger = house.pending_of(house.add("stranger").await, "77").await;
    house.activate(&stranger).await;
    let body = completing(&["9001"]);
    let body = body.as_bytes();
    let good = signed(&hook.secret, body);
    let good = good.headers()[1].1;
    let upper = good.to_uppercase().replace(|c: char| c.is_ascii_digit(), "0");
    let forged = signed("guessed", body);
    let of_other = signed(&other.secret, body);
    let of_stranger = signed(&stranger.secret, body);
    let of_another_body = signed(&hook.secret, b"{}");
    let cases: [&[(&str, &str)]; 11] = [
        &[],
        &[("x-hook-signature", "")],
        &[("x-hook-signature", &good[..63])],
        &[("x-hook-signature", &upper)],
        &[("x-hook-signature", forged.headers()[1].1)],
        &[("x-hook-signature", of_other.headers()[1].1)],
        &[("x-hook-signature", of_stranger.headers()[1].1)],
        &[("x-hook-signature", of_another_body.headers()[1].1)],
        // another header is no substitute, and of two it cannot be told which counts
        &[("x-asana-request-signature", good)],
        &[("x-hook-signature", good), ("x-hook-signature", good)],
        &[("x-hook-signature", "not hex at all, but sixty-four characters long, as is required..")],
    ];
    for headers in cases {
        assert_eq!(node.post(&hook.path, headers, body).await.status, 401, "{headers:?}");
    }
    nothing_stored(&house, &node, 11).await;
    assert_eq!(node.post(&hook.path, &[("X-HOOK-SIGNATURE", good)], body).await.status, 200);
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn a_body_that_was_cut_short_is_refused() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let hook = house.active("77").await;
    let body = completing(&["9001"]);
    let headers = signed(&hook.secret, body.as_bytes());
    let cut = &body.as_bytes()[..body.len() - 1];
    // as if it were whole
    assert_eq!(node.post(&hook.path, &headers.headers(), cut).await.status, 401);
    // the connection ends before what was announced has come
    let mut wire = node.wire().await;
    let line = format!("POST {}", hook.path);
    wire.send(head(&line, &headers.headers(), Some(body.len())).as_bytes()).await.unwrap();
    wire.send(cut).await.unwrap();
    drop(wire);
    // a chunked one that ends without its last chunk
    let mut wire = node.wire().await;
    wire.send(head(&line, &headers.headers(), None).as_bytes()).await.unwrap();
    wire.send(format!("{:x}\r\n{body}\r\n", body.len()).as_bytes()).await.unwrap();
    drop(wire);
    // whatever comes of them has come when the node has ended
    node.end().await;
    assert_eq!((house.count("deliveries").await, house.count("events").await), (0, 0));
    house.end().await;
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_refused_however_it_is_sent() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let hook = house.active("77").await;
    let mut body = completing(&["9001"]).into_bytes();
    body.resize(2 * 1024 * 1024, b' ');
    let headers = signed(&hook.secret, &body);
    assert_eq!(node.post(&hook.path, &headers.headers(), &body).await.status, 413);
    let mut wire = node.wire().await;
    let mut chunked = head(&format!("POST {}", hook.path), &headers.headers(), None).into_bytes();
    for piece in body.chunks(100_000) {
        chunked.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        chunked.extend_from_slice(piece);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    wire.send(&chunked).await.unwrap();
    assert_eq!(wire.answer().await.unwrap().status, 413);
    nothing_stored(&house, &node, 0).await;
    // one that just fits is taken
    body.truncate(MAX_BODY_BYTES);
    let headers = signed(&hook.secret, &body);
    assert_eq!(node.post(&hook.path, &headers.headers(), &body).await.status, 200);
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let house = House::new().await;
    let node = house.node(Limits { deliveries: 1, ..Limits::default() }).await;
    let hook = house.active("77").await;
    let body = completing(&["9001"]);
    let headers = signed(&hook.secret, body.as_bytes());
    let mut wire = node.wire().await;
    let line = format!("POST {}", hook.path);
    wire.send(head(&line, &headers.headers(), Some(body.len())).as_bytes()).await.unwrap();
    assert_eq!(wire.answer().await.unwrap().status, 408);
    nothing_stored(&house, &node, 0).await;
    // its place is free again
    assert_eq!(node.deliver(&hook, &body).await.status, 200);
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn a_signed_body_of_another_form_is_refused() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let hook = house.active("77").await;
    let many = format!("{{\"events\":[{}]}}", vec!["0"; 10_001].join(","));
    for body in ["{", "[]", "{}", "null", r#"{"events":5}"#, r#"{"events":[]"#, many.as_str()] {
        let answer = node.deliver(&hook, body).await;
        assert_eq!(answer.status, 400, "{:.30}", body);
    }
    let no_text = b"{\"events\":[\"\xff\"]}";
    let headers = signed(&hook.secret, no_text);
    assert_eq!(node.post(&hook.path, &headers.headers(), no_text).await.status, 400);
    nothing_stored(&house, &node, 0).await;
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn a_token_of_another_key_or_without_a_registration_is_unknown() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let other_key = MasterKey::from_base64(&MasterKey::generate()).unwrap();
    for tokens in [Tokens::new(&other_key), Tokens::new(&house.engine.master)] {
        let (token, _) = tokens.mint(house.connection);
        let path = format!("/hooks/asana/{}", token.expose_secret());
        let body = completing(&["9001"]);
        let answer = node.post(&path, &signed("guessed", body.as_bytes()).headers(), body.as_bytes()).await;
        assert_eq!(answer.status, 404);
    }
    nothing_stored(&house, &node, 0).await;
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn other_paths_and_methods_lead_nowhere_and_nothing_is_ever_gone() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let hook = house.active("77").await;
    let target = hook.path.clone();
    for (line, status) in [
        ("GET /".to_owned(), 404),
        ("POST /hooks/asana/".to_owned(), 404),
        ("POST /hooks/asana".to_owned(), 404),
        (format!("POST {target}x"), 404),
        (format!("POST {target}/"), 404),
        (format!("GET {target}"), 405),
        (format!("PUT {target}"), 405),
        (format!("DELETE {target}"), 405),
    ] {
        let answer = node.wire().await.request(&line, &[], b"").await;
        assert_eq!(answer.status, status, "{line}");
    }
    // a query changes nothing
    let body = completing(&["9001"]);
    let path = format!("{target}?a=b");
    let answer = node.post(&path, &signed(&hook.secret, body.as_bytes()).headers(), body.as_bytes()).await;
    assert_eq!(answer.status, 200);
    node.end().await;
    house.end().await;
}
