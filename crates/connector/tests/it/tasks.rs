//! Which task stands for which order: made, found, adopted, shared, or held because nobody can tell.

use connector::Code;
use connector::purpose::Purpose;
use connector::settings::TaskPer;
use connector::store::jobs::Job;
use sandbox::asana::Edit as AsanaEdit;
use sandbox::oracle::{Edit, NewOrder};

use crate::fixture::{World, held, lines};

#[tokio::test]
async fn each_order_has_one_task_with_its_values_name_and_key() {
    let world = World::new().await;
    let order = world.new_order(NewOrder {
        number: Some("US-1".into()),
        supplier: Some("Łódź Sp. z o.o.".into()),
        currency: Some("PLN".into()),
        requester: Some("Núñez, José".into()),
        lines: lines(&["10.10", "5"]),
        ..NewOrder::default()
    });
    world.order("US-2", &["3"]);
    world.sync().await;
    let task = world.task("US-1");
    assert_eq!(task.name, "US-1 Łódź Sp. z o.o.");
    assert!(task.notes.ends_with(&format!("\n\nOracle order id: {order}")), "{}", task.notes);
    assert_eq!(task.shows("supplier"), Some("Łódź Sp. z o.o."));
    assert_eq!(task.shows("line_item_amount"), Some("15.1"));
    assert_eq!(task.shows("currency"), Some("PLN"));
    assert_eq!(task.shows("order_status"), Some("Open"));
    assert_eq!(task.shows("requester"), Some("Núñez, José"));
    assert_eq!(task.shows("gl_account"), Some("101.10.60540.000.000.000"));
    assert_eq!(task.shows("cost_center"), Some("10"));
    assert_eq!(task.shows("invoice_status"), None);
    assert_eq!(world.tasks().len(), 2);
    world.end().await;
}

#[tokio::test]
async fn in_line_mode_each_line_has_a_task_and_a_new_line_gets_its_own() {
    let world = World::with(Default::default(), |settings| {
        settings.tasks.per = TaskPer::Line;
        settings.fields.retain(|purpose, _| Purpose::REQUIRED.contains(purpose));
    })
    .await;
    let order = world.order("US-1", &["10.10", "5"]);
    world.sync().await;
    let shown = |world: &World| {
        let mut amounts: Vec<String> =
            world.tasks_of("US-1").iter().map(|t| t.shows("line_item_amount").unwrap().to_owned()).collect();
        amounts.sort();
        amounts
    };
    assert_eq!(shown(&world), ["10.1", "5"]);
    let writes = world.asana_writes();
    world.oracle(Edit::AddLine { order, line: lines(&["7"]).remove(0), touch: true });
    world.set_amount(order, 2, "6");
    world.sync().await;
    assert_eq!(shown(&world), ["10.1", "6", "7"]);
    assert_eq!(world.asana_writes(), writes + 2, "the first line did not change");
    world.end().await;
}

#[tokio::test]
async fn a_persons_task_with_the_order_number_is_adopted_and_not_doubled() {
    let world = World::new().await;
    let gid = world.persons_task("US-1");
    world.order("US-1", &["10"]);
    world.sync().await;
    let task = world.task("US-1");
    assert_eq!(task.gid, gid);
    assert_eq!(task.shows("line_item_amount"), Some("10"));
    assert_eq!(task.name, "made by a person", "a person's name for the task stays");
    assert_eq!(world.tasks().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn all_tasks_with_the_same_order_number_get_the_values() {
    let world = World::new().await;
    let mut gids = [world.persons_task("US-1"), world.persons_task("US-1"), world.persons_task("US-1")];
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    world.set_amount(order, 1, "11");
    world.sync().await;
    let tasks = world.tasks_of("US-1");
    gids.sort();
    assert_eq!(tasks.iter().map(|t| t.gid.clone()).collect::<Vec<_>>(), gids);
    assert!(tasks.iter().all(|t| t.shows("line_item_amount") == Some("11")), "{tasks:?}");
    assert!(world.movements().await.iter().all(|m| m.state == "delivered"));
    world.end().await;
}

#[tokio::test]
async fn a_task_that_gets_the_number_after_the_order_was_sent_gets_the_values_too() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    let own = world.task("US-1").gid;
    let late = world.persons_task("US-1");
    world.run(Job::Push).await.unwrap();
    assert_eq!(world.task_with_gid(&late).shows("line_item_amount"), Some("10"));
    world.set_amount(order, 1, "11");
    world.sync().await;
    for gid in [own, late] {
        assert_eq!(world.task_with_gid(&gid).shows("line_item_amount"), Some("11"));
    }
    assert_eq!(world.tasks().len(), 2);
    world.end().await;
}

#[tokio::test]
async fn a_number_typed_in_with_spaces_around_it_is_found_and_cleaned() {
    let world = World::new().await;
    let gid = world.persons_task(" US-1 ");
    world.order("US-1", &["10"]);
    world.sync().await;
    assert_eq!(world.tasks().len(), 1);
    let task = world.task_with_gid(&gid);
    assert_eq!(task.shows("line_item_amount"), Some("10"));
    world.end().await;
}

#[tokio::test]
async fn orders_of_different_legal_entities_with_one_number_have_tasks_of_their_own() {
    let world = World::new().await;
    for (entity, amount) in [("US1 Legal Entity", "10"), ("US2 Legal Entity", "20")] {
        world.new_order(NewOrder {
            number: Some("4711".into()),
            legal_entity: Some(entity.into()),
            lines: lines(&[amount]),
            ..NewOrder::default()
        });
    }
    world.sync().await;
    let mut amounts: Vec<String> =
        world.tasks_of("4711").iter().map(|t| t.shows("line_item_amount").unwrap().to_owned()).collect();
    amounts.sort();
    assert_eq!(amounts, ["10", "20"]);
    assert!(world.held().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_persons_task_whose_number_several_orders_share_is_held_until_it_can_be_told() {
    let world = World::new().await;
    let gid = world.persons_task("4711");
    let mut orders = Vec::new();
    for entity in ["US1 Legal Entity", "US2 Legal Entity"] {
        orders.push(world.new_order(NewOrder {
            number: Some("4711".into()),
            legal_entity: Some(entity.into()),
            lines: lines(&["10"]),
            ..NewOrder::default()
        }));
    }
    world.sync().await;
    assert_eq!(world.held().await, held(&orders, Code::NumberAmbiguous));
    assert_eq!(world.task_with_gid(&gid).shows("line_item_amount"), None);
    // the person gives the task another number: nothing is in the way any more
    let value = "none of them".into();
    world.asana(AsanaEdit::SetValue { task: gid.clone(), field: world.field("po_number"), value });
    world.an_hour_later().await;
    assert!(world.held().await.is_empty(), "{:?}", world.held().await);
    assert_eq!(world.tasks_of("4711").len(), 2);
    assert_eq!(world.task_with_gid(&gid).shows("line_item_amount"), None);
    world.end().await;
}

#[tokio::test]
async fn without_creating_an_order_waits_for_a_person_to_make_its_task() {
    let world = World::new().await;
    world.edit(|settings| settings.tasks.create = false).await.unwrap();
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    assert_eq!(world.held().await, held(&[order], Code::NoTask));
    assert!(world.tasks().is_empty());
    world.persons_task("US-1");
    world.run(Job::Push).await.unwrap();
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("10"));
    assert!(world.held().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn of_two_tasks_of_an_order_one_can_be_deleted_and_the_other_goes_on() {
    let world = World::new().await;
    let deleted = world.persons_task("US-1");
    let kept = world.persons_task("US-1");
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    world.asana(AsanaEdit::DeleteTask { task: deleted });
    world.set_amount(order, 1, "12");
    world.sync().await;
    assert_eq!(world.task("US-1").gid, kept);
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("12"));
    world.end().await;
}

#[tokio::test]
async fn what_a_person_renamed_or_moved_stays_as_the_person_left_it() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    let gid = world.task("US-1").gid;
    let section = world.sandbox.asana().seed_section(&world.board.project, "Later").unwrap();
    world.asana(AsanaEdit::RenameTask { task: gid.clone(), name: "Chairs".into() });
    world.asana(AsanaEdit::MoveTask { task: gid.clone(), section: section.clone() });
    world.set_amount(order, 1, "11");
    world.sync().await;
    let task = world.task_with_gid(&gid);
    assert_eq!(task.shows("line_item_amount"), Some("11"));
    assert_eq!(task.name, "Chairs");
    assert_eq!(task.memberships, [(world.board.project.clone(), section)]);
    world.end().await;
}
