//! Oracle out of order: each trouble has its code, loses nothing, and what was meant arrives once it is over.

use connector::Code;
use connector::feed::Feed;
use connector::manage::{self, Secrets};
use connector::ping::{self, Verdict};
use connector::store::jobs::{self, Job};
use connector::store::{connections, feeds};
use sandbox::oracle::Edit;
use sandbox::oracle::settings::{Access, Maintenance, RateLimit, UnauthorizedBody};
use sandbox::{Fault, FaultRule, GenerateOptions, Side};

use crate::fixture::World;

const ORDERS: Job = Job::Poll(Feed::PurchaseOrders);

/// A world with one order in it.
async fn with_an_order() -> World {
    let world = World::new().await;
    world.order("US-1", &["10"]);
    world
}

/// The poll fails with the code, which also stands on the job; nothing is stored.
async fn fails_with(world: &World, code: Code) {
    let error = world.run(ORDERS).await.unwrap_err();
    assert_eq!(error.code, code, "{error}");
    assert_eq!(world.job_code(ORDERS).await, Some(code.to_string()));
}

/// In how many seconds the orders are read again.
async fn due_in(world: &World) -> f64 {
    let due = "select extract(epoch from due_at - now())::float8 from jobs where job = 'purchase_orders'";
    sqlx::query_scalar(due).fetch_one(&world.engine.db).await.unwrap()
}

async fn arrives(world: &World) {
    world.sync().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("10"));
    assert_eq!(world.job_code(ORDERS).await, None);
}

/// A fault hits, the poll fails with the code, and without the fault everything arrives.
async fn recovers(fault: Fault, code: Code) {
    let world = with_an_order().await;
    let rule = world.fault(FaultRule::new(fault).on(Side::Oracle).path("purchaseOrders").times(1));
    fails_with(&world, code).await;
    assert_eq!(world.fired(rule), 1);
    assert!(world.movements().await.is_empty());
    arrives(&world).await;
    world.end().await;
}

fn status(status: u16, retry_after: Option<&str>, body: Option<&str>, html: bool) -> Fault {
    Fault::Status { status, retry_after: retry_after.map(str::to_owned), body: body.map(str::to_owned), html }
}

#[tokio::test]
async fn a_host_that_cannot_be_reached() {
    let world = with_an_order().await;
    let right = world.sandbox.oracle_url();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    world.edit(|settings| settings.oracle.url = Some(nobody.parse().unwrap())).await.unwrap();
    fails_with(&world, Code::OracleUnreachable).await;
    world.edit(|settings| settings.oracle.url = Some(right.parse().unwrap())).await.unwrap();
    arrives(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_wrong_client_secret() {
    let world = with_an_order().await;
    let store = async |secret: &str| {
        let connection = connections::load(&world.engine.db, world.connection).await.unwrap();
        let secrets = Secrets { oracle_client_secret: Some(secret.into()), asana_token: None };
        manage::edit(&world.engine, &connection, &connection.settings, &secrets).await.unwrap();
    };
    store("not the secret").await;
    fails_with(&world, Code::OracleClientRefused).await;
    store(&world.sandbox.oracle().config().client_secret).await;
    arrives(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_wrong_scope() {
    let world = with_an_order().await;
    let right = world.sandbox.oracle().config().scope.clone();
    world.edit(|settings| settings.oracle.scope = "urn:opc:idm:__myscopes__".into()).await.unwrap();
    fails_with(&world, Code::OracleScopeRefused).await;
    world.edit(|settings| settings.oracle.scope = right).await.unwrap();
    arrives(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_token_endpoint_that_answers_with_a_page() {
    let world = with_an_order().await;
    let rule = world.fault(FaultRule::new(Fault::HtmlPage).on(Side::Token).times(1));
    fails_with(&world, Code::OracleTokenFailed).await;
    assert_eq!(world.fired(rule), 1);
    arrives(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_token_revoked_in_the_middle_of_a_poll_is_replaced_once() {
    let world = World::with_oracle(|settings| settings.max_limit = 5).await;
    let made = GenerateOptions { orders: 30, invoices: 0, ..GenerateOptions::default() };
    world.sandbox.oracle().generate(&made).unwrap();
    let unauthorized = status(401, None, None, false);
    let rule = world.fault(FaultRule::new(unauthorized).on(Side::Oracle).path("orderBy").after(3).times(1));
    world.sync().await;
    assert_eq!(world.fired(rule), 1);
    assert_eq!(world.sandbox.calls().total_of(Side::Token), 2);
    assert_eq!(world.tasks().len(), 30);
    // all tokens given out so far are refused: a new one is fetched without anybody noticing
    world.oracle(Edit::RevokeTokens);
    world.sandbox.oracle().change_settings(|s| s.unauthorized_body = UnauthorizedBody::Html);
    world.sync().await;
    assert_eq!(world.sandbox.calls().total_of(Side::Token), 3);
    world.end().await;
}

#[tokio::test]
async fn a_pod_that_never_takes_the_token_is_asked_once_more_and_not_for_ever() {
    let world = with_an_order().await;
    let rule = world.fault(FaultRule::new(status(401, None, None, false)).on(Side::Oracle));
    fails_with(&world, Code::OracleUnauthorized).await;
    assert_eq!(world.fired(rule), 2);
    assert_eq!(world.sandbox.calls().total_of(Side::Token), 2);
    world.sandbox.faults().clear();
    arrives(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_missing_privilege() {
    let world = with_an_order().await;
    let access = |privilege, data| {
        world.sandbox.oracle().change_settings(|settings| {
            settings.access.insert("purchaseOrders".into(), Access { privilege, data });
        });
    };
    access(false, true);
    fails_with(&world, Code::OracleForbidden).await;
    assert!((590.0..=600.0).contains(&due_in(&world).await), "asked again as on any other day");
    // whoever changes the connection may have mended it
    world.edit(|_| {}).await.unwrap();
    assert!(due_in(&world).await <= 0.0);
    access(true, true);
    arrives(&world).await;
    world.end().await;
}

#[tokio::test]
async fn missing_data_access_looks_like_an_empty_collection_and_the_ping_tells() {
    let world = with_an_order().await;
    let data_access = |data| {
        world.sandbox.oracle().change_settings(|settings| {
            settings.access.insert("purchaseOrders".into(), Access { privilege: true, data });
        });
    };
    data_access(false);
    world.sync().await;
    assert!(world.tasks().is_empty());
    let checks = ping::ping(&world.engine, world.connection).await.unwrap();
    let rows = checks.iter().find(|check| check.name == "purchase_orders: rows").unwrap();
    assert_eq!((rows.verdict, rows.code), (Verdict::Failed, Some(Code::OracleNoRows.info().code)));
    data_access(true);
    arrives(&world).await;
    // what was read once stays when the access is lost again
    data_access(false);
    world.sync().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("10"));
    world.end().await;
}

/// Whether the page and the command call the orders' last failure a maintenance.
async fn shown_as_maintenance(world: &World) -> bool {
    let all = jobs::status(&world.engine.db, world.connection).await.unwrap();
    all.into_iter().find(|status| status.job == ORDERS.as_str()).unwrap().maintenance
}

#[tokio::test]
async fn a_503_without_a_word_of_maintenance_is_an_error_like_any_other() {
    let world = with_an_order().await;
    world.fault(FaultRule::new(status(503, None, Some("busy"), false)).on(Side::Oracle).times(1));
    fails_with(&world, Code::OracleServer).await;
    assert!(!shown_as_maintenance(&world).await);
    arrives(&world).await;
    world.end().await;
}

#[tokio::test]
async fn maintenance_is_waited_out() {
    let world = with_an_order().await;
    let maintenance = |on: Option<Maintenance>| {
        world.sandbox.oracle().change_settings(|settings| settings.maintenance = on);
    };
    maintenance(Some(Maintenance { retry_after: None }));
    fails_with(&world, Code::OracleMaintenance).await;
    maintenance(Some(Maintenance { retry_after: Some(600) }));
    fails_with(&world, Code::OracleMaintenance).await;
    let wait = due_in(&world).await;
    assert!((590.0..=600.0).contains(&wait), "the pod's own word counts: {wait}");
    assert!(shown_as_maintenance(&world).await);
    world.sql("update jobs set code_since = code_since - interval '8 hours'").await;
    fails_with(&world, Code::OracleMaintenance).await;
    assert!(!shown_as_maintenance(&world).await, "after eight hours it is an error");
    maintenance(None);
    arrives(&world).await;
    world.end().await;
}

#[tokio::test]
async fn being_asked_to_slow_down_with_and_without_a_time() {
    let world = with_an_order().await;
    let busy =
        FaultRule::new(status(429, None, None, false)).on(Side::Oracle).path("purchaseOrders").times(2);
    let rule = world.fault(busy);
    arrives(&world).await;
    assert_eq!(world.fired(rule), 2);
    world.order("US-2", &["20"]);
    let limit = |on: Option<RateLimit>| {
        world.sandbox.oracle().change_settings(|settings| settings.rate_limit = on);
    };
    limit(Some(RateLimit { requests: 0, window_seconds: 120, retry_after: true }));
    fails_with(&world, Code::OracleBusy).await;
    let waits: bool = sqlx::query_scalar(
        "select due_at > now() + interval '60 seconds' from jobs where job = 'purchase_orders'",
    )
    .fetch_one(&world.engine.db)
    .await
    .unwrap();
    assert!(waits, "the poll comes again only after the time that Oracle names");
    // nor does anything else of the connection ask before
    let asked = || world.sandbox.calls().total_of(Side::Oracle) + world.sandbox.calls().total_of(Side::Token);
    let before = asked();
    assert_eq!(world.run(Job::Poll(Feed::Invoices)).await.unwrap_err().code, Code::OracleBusy);
    fails_with(&world, Code::OracleBusy).await;
    assert!(due_in(&world).await > 60.0);
    assert!(
        ping::ping(&world.engine, world.connection)
            .await
            .unwrap()
            .iter()
            .any(|check| { check.side == "oracle" && check.code == Some(Code::OracleBusy.info().code) })
    );
    assert_eq!(asked(), before);
    // a person who changes the connection begins anew
    world.edit(|_| {}).await.unwrap();
    limit(None);
    arrives(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_time_to_wait_that_is_over_already_is_waited_out_like_any_failure() {
    let world = with_an_order().await;
    for over in ["0", "Wed, 21 Oct 2015 07:28:00 GMT"] {
        let rule =
            world.fault(FaultRule::new(status(429, Some(over), None, false)).on(Side::Oracle).times(1));
        let began = std::time::Instant::now();
        world.run(ORDERS).await.unwrap();
        assert_eq!(world.fired(rule), 1);
        assert!(began.elapsed() >= std::time::Duration::from_secs(1), "{over}: {:?}", began.elapsed());
    }
    arrives(&world).await;
    world.end().await;
}

#[tokio::test]
async fn malformed_json() {
    recovers(Fault::MalformedJson, Code::OracleMalformed).await;
}

#[tokio::test]
async fn a_body_that_breaks_off() {
    recovers(Fault::TruncatedBody, Code::OracleMalformed).await;
}

#[tokio::test]
async fn a_page_of_html_with_status_200() {
    recovers(Fault::HtmlPage, Code::OracleMalformed).await;
}

#[tokio::test]
async fn a_server_error_and_a_refused_query() {
    recovers(status(500, None, None, false), Code::OracleServer).await;
    recovers(status(400, None, Some("{\"title\":\"Bad Request\"}"), false), Code::OracleRefused).await;
}

#[tokio::test]
async fn a_connection_that_breaks_or_stays_silent() {
    recovers(Fault::DropBefore, Code::OracleUnreachable).await;
    recovers(Fault::TimeoutBefore { ms: 50 }, Code::OracleUnreachable).await;
}

#[tokio::test]
async fn a_page_that_repeats_ends_the_poll_and_keeps_what_was_read() {
    let world = World::with_oracle(|settings| settings.max_limit = 5).await;
    let made =
        GenerateOptions { orders: 40, invoices: 0, same_timestamp: true, ..GenerateOptions::default() };
    world.sandbox.oracle().generate(&made).unwrap();
    let rule = world.fault(FaultRule::new(Fault::RepeatPage).on(Side::Oracle).path("orderBy").after(3));
    fails_with(&world, Code::OraclePageRepeats).await;
    assert!(world.fired(rule) > 0);
    assert!(!world.movements().await.is_empty(), "the pages before are stored");
    world.sandbox.faults().clear();
    world.sync().await;
    assert_eq!(world.tasks().len(), 40);
    world.end().await;
}

#[tokio::test]
async fn a_poll_that_breaks_off_at_any_page_is_completed_by_the_next() {
    let world = World::with_oracle(|settings| settings.max_limit = 7).await;
    let made = GenerateOptions { orders: 60, invoices: 60, ..GenerateOptions::default() };
    world.sandbox.oracle().generate(&made).unwrap();
    let mut broken = 0;
    loop {
        world.sandbox.faults().clear();
        let rule = FaultRule::new(Fault::DropAfter).on(Side::Oracle).path("orderBy").after(broken % 4);
        let rule = world.fault(rule);
        if world.try_sync().await.is_ok() {
            break;
        }
        assert!(world.fired(rule) > 0);
        broken += 1;
        assert!(broken < 100, "each poll with a page must come further");
    }
    assert!(broken > 5, "{broken}");
    world.sandbox.faults().clear();
    world.sync().await;
    assert_eq!(world.tasks().len(), 60);
    for feed in Feed::ALL {
        let state = feeds::load(&world.engine.db, world.connection, feed).await.unwrap();
        assert!(state.watermark.is_some(), "{feed:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn trouble_with_one_feed_does_not_stop_the_other() {
    let world = with_an_order().await;
    world.invoice("INV-1", &[("US-1", "4")]);
    world.fault(FaultRule::new(status(500, None, None, false)).on(Side::Oracle).path("/invoices"));
    world.run(ORDERS).await.unwrap();
    assert_eq!(world.run(Job::Poll(Feed::Invoices)).await.unwrap_err().code, Code::OracleServer);
    world.run(Job::Push).await.unwrap();
    assert_eq!(world.task("US-1").shows("invoice_numbers"), None);
    world.sandbox.faults().clear();
    world.sync().await;
    assert_eq!(world.task("US-1").shows("invoice_numbers"), Some("INV-1"));
    world.end().await;
}

#[tokio::test]
async fn a_round_goes_on_after_a_job_that_fails_and_ends_with_its_failure() {
    let world = with_an_order().await;
    world.run(ORDERS).await.unwrap();
    world.invoice("INV-1", &[("US-1", "4")]);
    let access = Access { privilege: false, data: true };
    world.sandbox.oracle().change_settings(|settings| {
        settings.access.insert("purchaseOrders".into(), access);
    });
    let error = world.try_sync().await.unwrap_err();
    assert_eq!(error.code, Code::OracleForbidden);
    assert_eq!(world.task("US-1").shows("invoice_numbers"), Some("INV-1"), "read and pushed all the same");
    assert_eq!(world.job_code(ORDERS).await, Some(Code::OracleForbidden.to_string()));
    assert_eq!(world.job_code(Job::Push).await, None);
    world.end().await;
}

#[tokio::test]
async fn a_side_without_its_secret_keeps_nothing_of_the_other_from_being_tested() {
    let world = with_an_order().await;
    for (credential, without, with) in
        [("asana_token", "asana", "oracle"), ("oracle_client_secret", "oracle", "asana")]
    {
        let forget = "update credentials set name = 'put aside' where name = $1";
        sqlx::query(forget).bind(credential).execute(&world.engine.db).await.unwrap();
        let engine = world.another_node().await;
        let checks = ping::ping(&engine, world.connection).await.unwrap();
        let of = |side: &str| checks.iter().filter(move |check| check.side == side).collect::<Vec<_>>();
        assert!(of(with).len() > 2 && of(with).iter().all(|c| c.verdict != Verdict::Skipped), "{checks:#?}");
        assert!(of(with).iter().any(|c| c.name == "token" && c.verdict == Verdict::Ok), "{checks:#?}");
        let without = of(without);
        let (first, rest) = without.split_first().unwrap();
        assert_eq!((first.verdict, first.code), (Verdict::Failed, Some(Code::CredentialMissing.info().code)));
        assert!(!rest.is_empty() && rest.iter().all(|c| c.verdict == Verdict::Skipped), "{checks:#?}");
        let give_back = "update credentials set name = $1 where name = 'put aside'";
        sqlx::query(give_back).bind(credential).execute(&world.engine.db).await.unwrap();
        engine.db.close().await;
    }
    world.end().await;
}
