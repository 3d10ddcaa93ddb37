//! Which project and section a new task goes to.

use connector::Code;
use connector::ids::ProjectGid;
use connector::routing::{Place, Rule};
use sandbox::oracle::NewOrder;

use crate::fixture::{World, held, lines};

fn order(number: &str, supplier: &str, unit: &str) -> NewOrder {
    NewOrder {
        number: Some(number.into()),
        supplier: Some(supplier.into()),
        business_unit: Some(unit.into()),
        lines: lines(&["1"]),
        ..NewOrder::default()
    }
}

#[tokio::test]
async fn the_first_rule_that_fits_decides_project_and_section() {
    let world = World::new().await;
    let second = world.board.add_project(world.sandbox.asana(), "Second").unwrap();
    let third = world.board.add_project(world.sandbox.asana(), "Third").unwrap();
    let urgent = world.sandbox.asana().seed_section(&second, "Urgent").unwrap();
    let rules = vec![
        Rule {
            supplier: Some("acme*".into()),
            business_unit: Some("US*".into()),
            project: second.clone(),
            section: Some(urgent.clone()),
            ..Rule::default()
        },
        Rule { supplier: Some("acme*".into()), project: third.clone(), ..Rule::default() },
    ];
    world.edit(|settings| settings.routing.rules = rules).await.unwrap();
    world.new_order(order("1", "ACME Gmbh", "US1"));
    world.new_order(order("2", "ACME Gmbh", "UK"));
    world.new_order(order("3", "Globex", "US1"));
    world.sync().await;
    let first_section = |project: &str| world.sandbox.asana().sections(project)[0].0.clone();
    assert_eq!(world.task("1").memberships, [(second, urgent)]);
    assert_eq!(world.task("2").memberships, [(third.clone(), first_section(&third))]);
    let project = world.board.project.clone();
    assert_eq!(world.task("3").memberships, [(project.clone(), first_section(&project))]);
    world.end().await;
}

#[tokio::test]
async fn an_order_without_route_is_held_and_sent_when_a_rule_is_added() {
    let world = World::new().await;
    let project = world.board.project.clone();
    let rule = |supplier: &str| Rule {
        supplier: Some(supplier.into()),
        project: project.clone(),
        ..Rule::default()
    };
    world
        .edit(|settings| {
            settings.routing.default = None;
            settings.routing.rules = vec![rule("acme*")];
        })
        .await
        .unwrap();
    let stray = world.new_order(order("1", "Globex", "US1"));
    world.new_order(order("2", "Acme", "US1"));
    world.sync().await;
    assert_eq!(world.held().await, held(&[stray], Code::NoRoute));
    assert_eq!(world.tasks().len(), 1);
    world.edit(|settings| settings.routing.rules.push(rule("glob*"))).await.unwrap();
    world.sync().await;
    assert!(world.held().await.is_empty());
    assert_eq!(world.tasks_of("1").len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_number_that_two_legal_entities_share_is_clear_where_they_are_routed_apart() {
    let world = World::new().await;
    let second = world.board.add_project(world.sandbox.asana(), "Second").unwrap();
    let rule = Rule { legal_entity: Some("B".into()), project: second.clone(), ..Rule::default() };
    world.edit(|settings| settings.routing.rules = vec![rule]).await.unwrap();
    let gid = world.persons_task("4711");
    for (entity, amount) in [("A", "1"), ("B", "2")] {
        world.new_order(NewOrder {
            legal_entity: Some(entity.into()),
            lines: lines(&[amount]),
            ..order("4711", "Acme", "US1")
        });
    }
    world.sync().await;
    assert!(world.held().await.is_empty(), "{:?}", world.held().await);
    assert_eq!(world.task_with_gid(&gid).shows("line_item_amount"), Some("1"));
    let other = world.tasks_of("4711").into_iter().find(|t| t.gid != gid).unwrap();
    assert_eq!(other.shows("line_item_amount"), Some("2"));
    assert_eq!(other.memberships[0].0, second);
    world.end().await;
}

#[tokio::test]
async fn a_project_that_is_hidden_stops_its_own_orders_only() {
    let world = World::new().await;
    let second = world.board.add_project(world.sandbox.asana(), "Second").unwrap();
    let rule = Rule { supplier: Some("Globex".into()), project: second.clone(), ..Rule::default() };
    world.edit(|settings| settings.routing.rules = vec![rule]).await.unwrap();
    let hide = |hidden| sandbox::asana::Edit::HideProject { project: second.clone(), hidden };
    world.asana(hide(true));
    world.new_order(order("1", "Acme", "US1"));
    let stopped = world.new_order(order("2", "Globex", "US1"));
    world.sync().await;
    assert_eq!(world.tasks_of("1").len(), 1);
    let (id, code) = world.held().await.remove(0);
    assert_eq!(id, stopped.to_string());
    assert!([Code::AsanaForbidden, Code::AsanaNotFound].iter().any(|c| c.to_string() == code), "{code}");
    world.asana(hide(false));
    world.an_hour_later().await;
    assert_eq!(world.tasks_of("2").len(), 1);
    assert!(world.held().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_section_that_does_not_exist_is_refused_by_asana_and_named() {
    let world = World::new().await;
    let project = ProjectGid(world.board.project.clone());
    let place = Place { project, section: Some("1999999999999999".into()) };
    world.edit(|settings| settings.routing.default = Some(place)).await.unwrap();
    let order = world.new_order(order("1", "Acme", "US1"));
    world.sync().await;
    let movement = world.movement_of(order).await;
    assert_eq!((movement.state.as_str(), movement.code.as_deref()), ("failed", Some("MLC-3007")));
    assert!(movement.reason.unwrap().contains("1999999999999999"));
    world.edit(|settings| settings.routing.default.as_mut().unwrap().section = None).await.unwrap();
    world.sync().await;
    assert_eq!(world.tasks_of("1").len(), 1);
    world.end().await;
}

#[tokio::test]
async fn an_order_goes_by_the_project_that_its_distributions_are_charged_to() {
    let world = World::new().await;
    let second = world.board.add_project(world.sandbox.asana(), "Second").unwrap();
    let order = world.new_order(order("1", "ACME", "US1"));
    world.set_order(order, Some(1), "schedules.distributions[1].projectDFF._PROJECT_ID", "300100");
    world.new_order(self::order("2", "ACME", "US1"));
    let rule = Rule { project_number: Some("300100".into()), project: second.clone(), ..Rule::default() };
    world.edit(|settings| settings.routing.rules = vec![rule]).await.unwrap();
    world.sync().await;
    assert_eq!(world.task("1").memberships[0].0, second);
    assert_eq!(world.task("2").memberships[0].0, world.board.project);
    world.end().await;
}
