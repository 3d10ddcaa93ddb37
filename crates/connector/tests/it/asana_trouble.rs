//! Asana out of reach as a whole: the push stops with a code, nothing is lost, and it goes on by itself.

use connector::Code;
use connector::feed::Feed;
use connector::manage::{self, Secrets};
use connector::store::connections;
use connector::store::jobs::Job;
use sandbox::asana::{Edit as AsanaEdit, Plan, TokenConfig};
use sandbox::{AsanaConfig, Fault, FaultRule, GenerateOptions, Side};

use crate::fixture::{World, held};

fn status(status: u16, body: Option<&str>) -> Fault {
    Fault::Status { status, retry_after: None, body: body.map(str::to_owned), html: false }
}

/// A world with one order read from Oracle and not yet sent.
async fn with_an_order_to_send() -> World {
    let world = World::new().await;
    world.order("US-1", &["10"]);
    world.run(Job::Poll(Feed::PurchaseOrders)).await.unwrap();
    world
}

/// The push fails with the code, which also stands on the job; the movement stays open.
async fn fails_with(world: &World, code: Code) {
    let error = world.run(Job::Push).await.unwrap_err();
    assert_eq!(error.code, code, "{error}");
    assert_eq!(world.job_code(Job::Push).await, Some(code.to_string()));
    let movements = world.movements().await;
    let open = ["pending", "sending", "retrying", "in_doubt"];
    assert!(
        !movements.is_empty() && movements.iter().all(|m| open.contains(&m.state.as_str())),
        "{movements:?}"
    );
}

async fn arrives(world: &World) {
    world.pass_the_wait().await;
    world.run(Job::Push).await.unwrap();
    world.settle().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("10"));
    assert_eq!(world.job_code(Job::Push).await, None);
}

async fn store_token(world: &World, token: &str) {
    let connection = connections::load(&world.engine.db, world.connection).await.unwrap();
    let secrets = Secrets { oracle_client_secret: None, asana_token: Some(token.into()) };
    manage::edit(&world.engine, &connection, &connection.settings, &secrets).await.unwrap();
}

/// A second token of the same user.
fn give_new_token(world: &World, token: &str) {
    let mut config: AsanaConfig = (*world.sandbox.asana().config()).clone();
    let new = TokenConfig { token: token.into(), ..config.tokens[0].clone() };
    config.tokens.push(new);
    world.sandbox.asana().reconfigure(config);
}

#[tokio::test]
async fn a_revoked_token_stops_the_push_until_a_new_one_is_stored() {
    let world = with_an_order_to_send().await;
    let token = world.sandbox.asana().config().tokens[0].token.clone();
    world.asana(AsanaEdit::RevokeToken { token });
    fails_with(&world, Code::AsanaUnauthorized).await;
    give_new_token(&world, "another token");
    store_token(&world, "another token").await;
    arrives(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_token_revoked_in_the_middle_of_a_push_stops_it_and_loses_nothing() {
    let world = World::new().await;
    let made = GenerateOptions { orders: 60, invoices: 0, ..GenerateOptions::default() };
    world.sandbox.oracle().generate(&made).unwrap();
    world.run(Job::Poll(Feed::PurchaseOrders)).await.unwrap();
    let rule = world.fault(FaultRule::new(status(401, None)).on(Side::Asana).method("POST").after(20));
    let error = world.run(Job::Push).await.unwrap_err();
    assert_eq!(error.code, Code::AsanaUnauthorized);
    assert!(world.fired(rule) <= 15, "what was under way, and no more: {}", world.fired(rule));
    assert!(world.in_state("failed").await.is_empty());
    world.sandbox.faults().clear();
    world.run(Job::Push).await.unwrap();
    world.settle().await;
    assert_eq!(world.tasks().len(), 60);
    let posts =
        world.sandbox.calls().count(|c| c.side == Side::Asana && c.method == "POST" && c.status == Some(201));
    assert_eq!(posts, 60);
    world.end().await;
}

#[tokio::test]
async fn a_plan_without_custom_fields_is_named() {
    let world = with_an_order_to_send().await;
    world.asana(AsanaEdit::ChangePlan { plan: Plan::Free });
    fails_with(&world, Code::AsanaPayment).await;
    world.asana(AsanaEdit::ChangePlan { plan: Plan::Paid });
    arrives(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_workspace_that_falls_back_to_the_free_plan_while_writing_stops_the_push() {
    let world = with_an_order_to_send().await;
    let rule = world.fault(FaultRule::new(status(402, None)).on(Side::Asana).method("POST").times(1));
    fails_with(&world, Code::AsanaPayment).await;
    assert_eq!(world.fired(rule), 1);
    arrives(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_host_that_cannot_be_reached() {
    let world = with_an_order_to_send().await;
    let right = world.sandbox.asana_url();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}/api/1.0", listener.local_addr().unwrap());
    drop(listener);
    world.edit(|settings| settings.asana.url = nobody.parse().unwrap()).await.unwrap();
    fails_with(&world, Code::AsanaUnreachable).await;
    world.edit(|settings| settings.asana.url = right.parse().unwrap()).await.unwrap();
    arrives(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_listing_that_fails_stops_the_push_before_anything_is_written() {
    let world = with_an_order_to_send().await;
    for (fault, code) in [
        (status(500, None), Code::AsanaServer),
        (Fault::DropBefore, Code::AsanaNoAnswer),
        (Fault::MalformedJson, Code::AsanaMalformed),
        (Fault::HtmlPage, Code::AsanaMalformed),
        (Fault::TruncatedBody, Code::AsanaNoAnswer),
    ] {
        let rule = world.fault(FaultRule::new(fault).on(Side::Asana).method("GET").times(1));
        fails_with(&world, code).await;
        assert_eq!(world.fired(rule), 1);
    }
    assert_eq!(world.asana_writes(), 0);
    arrives(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_listing_that_is_asked_to_slow_down_waits_where_it_stands_and_goes_on() {
    let world = with_an_order_to_send().await;
    let busy = Fault::Status { status: 429, retry_after: Some("1".into()), body: None, html: false };
    let rule = world.fault(FaultRule::new(busy).on(Side::Asana).method("GET").times(1));
    let began = std::time::Instant::now();
    arrives(&world).await;
    assert_eq!(world.fired(rule), 1);
    assert!(began.elapsed() >= std::time::Duration::from_secs(1), "{:?}", began.elapsed());
    world.end().await;
}

#[tokio::test]
async fn a_page_token_that_expires_while_listing_begins_the_listing_anew() {
    let world = World::new().await;
    for n in 0..250 {
        world.persons_task(&format!("US-{n}"));
    }
    let message = r#"{"errors":[{"message":"offset: Your pagination token is invalid.","help":"x"}]}"#;
    let expired = status(400, Some(message));
    let rule = world.fault(FaultRule::new(expired.clone()).on(Side::Asana).path("offset=").after(1).times(2));
    for n in [0, 100, 249] {
        world.order(&format!("US-{n}"), &["10"]);
    }
    world.sync().await;
    assert_eq!(world.fired(rule), 2);
    assert_eq!(world.tasks().len(), 250, "each order found its task on whatever page it stands");
    // a token that expires for ever ends the push with a code
    world.edit(|settings| settings.tasks.create = false).await.unwrap();
    world.fault(FaultRule::new(expired).on(Side::Asana).path("offset="));
    assert_eq!(world.run(Job::Push).await.unwrap_err().code, Code::AsanaRefused);
    world.end().await;
}

#[tokio::test]
async fn a_hidden_project_holds_its_orders_and_a_shown_one_releases_them() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    let hide = |hidden| AsanaEdit::HideProject { project: world.board.project.clone(), hidden };
    world.asana(hide(true));
    world.set_amount(order, 1, "11");
    world.sync().await;
    let (id, code) = world.held().await.remove(0);
    assert_eq!(id, order.to_string());
    assert!([Code::AsanaForbidden, Code::AsanaNotFound].iter().any(|c| c.to_string() == code), "{code}");
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("10"));
    world.asana(hide(false));
    world.an_hour_later().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("11"));
    assert!(world.held().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_task_that_was_taken_out_of_its_project_is_held_until_it_is_back() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    let (task, section) = (world.task("US-1").gid, world.task("US-1").memberships[0].1.clone());
    let project = world.board.project.clone();
    world.asana(AsanaEdit::RemoveFromProject { task: task.clone(), project });
    world.set_amount(order, 1, "11");
    world.sync().await;
    assert_eq!(world.held().await, held(&[order], Code::FieldMissing));
    assert_eq!(world.tasks().len(), 1);
    world.asana(AsanaEdit::MoveTask { task, section });
    world.an_hour_later().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("11"));
    assert!(world.held().await.is_empty());
    world.end().await;
}
