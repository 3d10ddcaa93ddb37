//! Everything that passes between the connector and Asana is as Asana's published OpenAPI document says, and
//! Oracle is only ever read.

use std::collections::BTreeSet;

use connector::feed::Feed;
use connector::ids::FieldGid;
use connector::ping;
use connector::purpose::Purpose;
use connector::routing::{Place, Rule};
use connector::settings::{TaskPer, WhenDeleted, WithoutOrder};
use sandbox::asana::{Edit as AsanaEdit, FieldKind, FieldSpec};
use sandbox::oracle::{NewInvoice, NewInvoiceLine};
use sandbox::{Fault, FaultRule, GenerateOptions, Side};
use serde_json::Value;

use crate::fixture::World;

#[path = "../../../sandbox/tests/it/asana_spec.rs"]
mod asana_spec;

/// Requests that are kept in full; more than the test makes.
pub const KEPT: usize = 5_000;

/// A world that uses every feature once: all fields, sections, several projects, lines, own tasks of
/// invoices, adopted and deleted tasks, changes, clearing, retries, refusals, the ping.
async fn everything() -> World {
    let world = World::new().await;
    world.sandbox.calls().record_exchanges(KEPT);
    let asana = world.sandbox.asana();
    let second = world.board.add_project(asana, "Second").unwrap();
    let section = asana.seed_section(&second, "Orders").unwrap();
    let link = asana.seed_field(&world.board.workspace, &FieldSpec::new("Link", FieldKind::Text)).unwrap();
    for project in [&world.board.project, &second] {
        asana.seed_attach(project, &link).unwrap();
    }
    let rule = Rule {
        currency: Some("EUR".into()),
        project: second.clone(),
        section: Some(section),
        ..Rule::default()
    };
    world
        .edit(|settings| {
            settings.fields.insert(Purpose::OracleLink, FieldGid(link));
            settings.oracle.order_link = Some("https://pod.example/orders/{id}".into());
            settings.routing.rules = vec![rule];
            settings.tasks.invoices_without_order = WithoutOrder::Task;
            settings.tasks.deleted = WhenDeleted::Recreate;
        })
        .await
        .unwrap();
    for n in 0..150 {
        world.persons_task(&format!("NOT-{n}"));
    }
    world.persons_task("US-1");
    let order = world.order("US-1", &["10", "-2.50"]);
    let made = GenerateOptions { orders: 60, invoices: 60, ..GenerateOptions::default() };
    world.sandbox.oracle().generate(&made).unwrap();
    let line = NewInvoiceLine { amount: "5".into(), ..NewInvoiceLine::default() };
    world.new_invoice(NewInvoice { lines: vec![line], ..NewInvoice::default() });
    ping::ping(&world.engine, world.connection).await.unwrap();
    world.sync().await;
    world.set_order(order, None, "RequesterDisplayName", "null");
    world.set_amount(order, 1, "11.25");
    let key = format!("Oracle order id: {}", world.sandbox.oracle().order_ids()[5]);
    let task = world.tasks().into_iter().find(|task| task.notes.ends_with(&key)).unwrap();
    world.asana(AsanaEdit::DeleteTask { task: task.gid });
    for order in world.sandbox.oracle().order_ids() {
        world.set_amount(order, 1, "3.75");
    }
    world.fault(FaultRule::new(Fault::TimeoutAfter { ms: 10 }).on(Side::Asana).method("PUT").times(2));
    world.sync().await;
    world.settle().await;
    // refusals too: a section that is not there
    let project = connector::ids::ProjectGid(world.board.project.clone());
    let place = Place { project, section: Some("1999999999999999".into()) };
    world.edit(|settings| settings.routing.default = Some(place)).await.unwrap();
    world.order("US-REFUSED", &["1"]);
    world.sync().await;
    world
        .edit(|settings| {
            settings.routing.default.as_mut().unwrap().section = None;
            settings.tasks.per = TaskPer::Line;
        })
        .await
        .unwrap();
    world.sync().await;
    world.settle().await;
    world
}

/// Holds every exchange with Asana that was kept against the document; how many there were, and of which kinds by
/// method and status. `None` where the document is missing.
pub fn conform(world: &World) -> Option<(usize, BTreeSet<(String, u16)>)> {
    let spec = asana_spec::Spec::shared()?;
    let exchanges = world.sandbox.calls().exchanges();
    assert!(exchanges.len() < KEPT);
    let (mut judged, mut kinds) = (0, BTreeSet::new());
    for exchange in exchanges.iter().filter(|e| e.side == Side::Asana) {
        let Some(status) = exchange.status else { continue };
        let request: Option<Value> = match exchange.request_body.as_str() {
            "" => None,
            body => Some(serde_json::from_str(body).unwrap()),
        };
        let answer: Value = serde_json::from_str(&exchange.response_body).unwrap();
        let found =
            spec.violations(&exchange.method, &exchange.target, status, request.as_ref(), Some(&answer));
        assert!(found.is_empty(), "{} {}: {found:#?}", exchange.method, exchange.target);
        let accepts = exchange.request_headers.iter().any(|(n, v)| n == "accept" && v == "application/json");
        assert!(accepts, "{:?}", exchange.request_headers);
        judged += 1;
        kinds.insert((exchange.method.clone(), status));
    }
    Some((judged, kinds))
}

#[tokio::test]
async fn every_request_to_asana_and_every_answer_is_as_the_openapi_document_says() {
    let world = everything().await;
    if let Some((judged, kinds)) = conform(&world) {
        assert!(judged > 200, "{judged}");
        for kind in [("GET", 200), ("POST", 201), ("PUT", 200), ("PUT", 404), ("POST", 400)] {
            assert!(kinds.contains(&(kind.0.to_owned(), kind.1)), "{kind:?} is not among {kinds:?}");
        }
    }
    world.end().await;
}

#[tokio::test]
async fn oracle_is_only_read() {
    let world = everything().await;
    let before = world.sandbox.oracle().state_json();
    let exchanges = world.sandbox.calls().exchanges();
    for exchange in exchanges.iter().filter(|e| e.side == Side::Oracle) {
        assert_eq!((exchange.method.as_str(), exchange.request_body.as_str()), ("GET", ""));
        let version = exchange.request_headers.iter().find(|(name, _)| name == "rest-framework-version");
        assert_eq!(version.map(|(_, value)| value.as_str()), Some("4"), "{}", exchange.target);
    }
    for exchange in exchanges.iter().filter(|e| e.side == Side::Token) {
        assert_eq!((exchange.method.as_str(), exchange.target.as_str()), ("POST", "/oauth2/v1/token"));
        assert!(exchange.request_body.contains("grant_type=client_credentials"));
    }
    let count = |side| exchanges.iter().filter(|e| e.side == side).count();
    let (reads, tokens) = (count(Side::Oracle), count(Side::Token));
    assert!(reads > 10 && tokens < reads / 2, "a token serves many reads: {tokens} for {reads}");
    assert_eq!(world.sandbox.oracle().state_json(), before);
    for feed in Feed::ALL {
        let asked = exchanges.iter().filter(|e| e.target.contains(feed.resource().name()));
        assert!(asked.count() > 2, "{feed:?}");
    }
    world.end().await;
}
