//! Provisioning custom fields against the stand-in.

use std::collections::{BTreeMap, BTreeSet};

use connector::Code;
use connector::manage::{self, FirstLook};
use connector::provision::plan::{Origin, Plan};
use connector::provision::run::{self, Done};
use connector::provision::wanted::{Choices, Target, sensible};
use connector::purpose::Purpose;
use connector::reference::{Kind, ReferenceSettings};
use connector::settings::Settings;
use connector::store::connections::{self, Connection};
use connector::store::jobs::Job;
use sandbox::asana::{Edit, FieldKind, FieldSpec};
use sandbox::oracle::{NewLine, NewOrder};
use sandbox::{AsanaConfig, Board, Fault, FaultRule, Sandbox, SandboxConfig, Side};

use crate::documented;
use crate::fixture::{World, settings};
use crate::reference::order_of;

/// A workspace with two projects that have no fields.
async fn bare(change: impl FnOnce(&mut AsanaConfig)) -> World {
    let mut asana = AsanaConfig::unlimited();
    change(&mut asana);
    let sandbox = Sandbox::start(SandboxConfig { asana, ..SandboxConfig::default() }).await.unwrap();
    let workspace = sandbox.asana().seed_workspace("Northwind Consulting");
    let project = sandbox.asana().seed_project(&workspace, "Purchasing").unwrap();
    let other = sandbox.asana().seed_project(&workspace, "Travel").unwrap();
    let board = Board { workspace, project, fields: Vec::new() };
    let mut settings: Settings = settings(&sandbox, &board);
    let rule = format!("supplier = \"TRAVEL*\"\nproject = \"{other}\"\n");
    settings.routing.rules.push(toml::from_str(&rule).unwrap());
    World::between(sandbox, board, &settings).await
}

async fn connection(world: &World) -> Connection {
    connections::load(&world.engine.db, world.connection).await.unwrap()
}

async fn propose(world: &World, choices: &Choices) -> Plan {
    run::propose(&world.engine, &connection(world).await, choices).await.unwrap()
}

async fn carry_out(world: &World, plan: &Plan) -> connector::Result<Done> {
    run::carry_out(&world.engine, &connection(world).await, plan).await
}

/// How many fields the workspace's library has.
async fn fields(world: &World) -> usize {
    let clients = world.engine.clients(world.connection).await.unwrap();
    clients.asana.workspace_custom_fields(&world.board.workspace).await.unwrap().len()
}

#[tokio::test]
async fn fields_are_created_and_put_onto_all_projects_and_a_second_run_changes_nothing() {
    let mut world = bare(|_| {}).await;
    world.sandbox.calls().record_exchanges(documented::KEPT);
    let optional = sensible(&connection(&world).await.settings);
    let choices = Choices { optional, ..Choices::default() };
    let plan = propose(&world, &choices).await;
    assert_eq!(world.asana_writes(), 0, "a proposal writes nothing");
    let wanted = plan.steps.len();
    let done = carry_out(&world, &plan).await.unwrap();
    assert_eq!((done.created, done.attached, done.mapped), (wanted, 2 * wanted, wanted));
    assert_eq!(fields(&world).await, wanted);
    let writes = world.asana_writes();
    let again = propose(&world, &choices).await;
    assert!(again.is_done(), "{again:?}");
    assert_eq!(carry_out(&world, &again).await.unwrap(), Done::default());
    assert_eq!(world.asana_writes(), writes);

    // every request and every answer is as Asana's published description says
    if let Some((judged, kinds)) = documented::conform(&world) {
        assert!(judged > 3 * wanted, "{judged}");
        for kind in [("GET", 200), ("POST", 201), ("POST", 200)] {
            assert!(kinds.contains(&(kind.0.to_owned(), kind.1)), "{kind:?} is not among {kinds:?}");
        }
    }

    // the fields are what the mapping needs: an order with an invoice arrives whole
    let known = connection(&world).await.settings.fields;
    world.board.fields = known.iter().map(|(purpose, gid)| (purpose.as_str(), gid.0.clone())).collect();
    world.order("US-1", &["10.25", "4"]);
    world.invoice("INV-1", &[("US-1", "10.25")]);
    world.sync().await;
    let task = world.task("US-1");
    assert_eq!(
        (task.shows("line_item_amount"), task.shows("invoice_numbers")),
        (Some("14.25"), Some("INV-1"))
    );
    assert!(task.shows("invoice_status").is_some());
    assert_eq!(world.held().await, []);
    world.end().await;
}

#[tokio::test]
async fn the_mark_is_made_with_the_other_fields_and_written_into_its_section() {
    let world = bare(|_| {}).await;
    world.edit(|settings| settings.reference = Some(ReferenceSettings::default())).await.unwrap();
    // a name that is taken by another type is reported, and nothing is made
    let spec = FieldSpec::new("Oracle check", FieldKind::Date);
    world.sandbox.asana().seed_field(&world.board.workspace, &spec).unwrap();
    let refused = carry_out(&world, &propose(&world, &Choices::default()).await).await.unwrap_err();
    assert_eq!((refused.code, fields(&world).await), (Code::FieldConflict, 1));
    let names = BTreeMap::from([(Target::Mark, "May not be used".to_owned())]);
    let choices = Choices { names, ..Choices::default() };
    let done = carry_out(&world, &propose(&world, &choices).await).await.unwrap();
    assert_eq!((done.created, done.attached, done.mapped), (5, 10, 5));
    let settings = connection(&world).await.settings;
    let mark = settings.reference.unwrap().mark.unwrap();
    assert_eq!((settings.fields.len(), settings.fields.values().any(|gid| *gid == mark)), (4, false));
    let writes = world.asana_writes();
    let again = propose(&world, &Choices::default()).await;
    assert!(again.is_done(), "{again:?}");
    assert_eq!(carry_out(&world, &again).await.unwrap(), Done::default());
    assert_eq!(world.asana_writes(), writes);
    world.end().await;
}

#[tokio::test]
async fn fields_whose_options_are_kept_are_made_as_single_selects_and_filled() {
    let mut world = bare(|_| {}).await;
    let chart = world.sandbox.oracle().ledger_facts().chart_of_accounts_id.to_string();
    let reference = ReferenceSettings {
        options: vec![Purpose::Supplier, Purpose::GlAccount],
        chart_of_accounts: Some(chart),
        ..ReferenceSettings::default()
    };
    world.edit(|settings| settings.reference = Some(reference)).await.unwrap();
    let usual = Choices { mark: false, ..Choices::default() };
    let plan = propose(&world, &usual).await;
    assert_eq!(run::unread(&world.engine, &connection(&world).await, &plan).await.unwrap(), Kind::ALL);
    let refused = carry_out(&world, &plan).await.unwrap_err();
    assert_eq!((refused.code, fields(&world).await), (Code::FieldFirstOption, 0));
    let activated = manage::activate(&world.engine, &connection(&world).await, FirstLook::Waived).await;
    let words = activated.unwrap_err();
    assert!(words.code == Code::FieldsUnmapped && words.message.contains("gl_account"), "{words}");

    order_of(&world, "US-1", "ACME");
    order_of(&world, "US-2", "BOLT");
    for kind in Kind::ALL {
        world.run(Job::Reference(kind)).await.unwrap();
    }
    assert_eq!(run::unread(&world.engine, &connection(&world).await, &plan).await.unwrap(), []);
    let done = carry_out(&world, &plan).await.unwrap();
    assert_eq!((done.created, done.attached, done.mapped), (5, 10, 5));
    let again = propose(&world, &usual).await;
    assert!(again.are_mapped() && !again.is_done(), "the options are still to be made: {again:?}");
    let mapped = connection(&world).await.settings.fields;
    let options = |purpose: Purpose| world.sandbox.asana().options(mapped[&purpose].as_str());
    assert_eq!((options(Purpose::Supplier).len(), options(Purpose::GlAccount).len()), (1, 1));

    // the next reading makes the others, and an order is written with them
    for kind in Kind::ALL {
        world.run(Job::Reference(kind)).await.unwrap();
    }
    assert!(options(Purpose::Supplier).len() > 1 && options(Purpose::GlAccount).len() > 1);
    assert!(propose(&world, &usual).await.is_done());
    world.board.fields = mapped.iter().map(|(purpose, gid)| (purpose.as_str(), gid.0.clone())).collect();
    world.sync().await;
    assert_eq!(world.held().await, []);
    // an order with several accounts is said to need a text field, as the plan said before
    let accounts = ["101.10.60540.000.000.000", "101.10.60120.000.000.000"].map(str::to_owned).to_vec();
    let line = NewLine { amount: "10".into(), accounts, ..NewLine::default() };
    world.new_order(NewOrder { number: Some("US-3".into()), lines: vec![line], ..NewOrder::default() });
    world.sync().await;
    let several = world.in_state("held").await.remove(0).reason.unwrap();
    assert!(
        several.ends_with("several accounts are no option: a text field in `[reference.text]` takes them"),
        "{several}"
    );
    assert!(plan.warnings.iter().any(|warning| warning.contains("several accounts")), "{plan:?}");
    assert!(
        world.task("US-1").shows("supplier").is_some() && world.task("US-1").shows("gl_account").is_some()
    );
    world.end().await;
}

#[tokio::test]
async fn a_run_that_breaks_off_creates_nothing_twice_and_maps_nothing_half() {
    let world = bare(|_| {}).await;
    // the third request that adds a field to a project finds the server broken, as if the program had died there
    let broken = Fault::Status { status: 500, retry_after: None, body: None, html: false };
    let rule = FaultRule::new(broken).on(Side::Asana).path("addCustomFieldSetting").after(2);
    world.fault(rule);
    let plan = propose(&world, &Choices::default()).await;
    carry_out(&world, &plan).await.unwrap_err();
    assert_eq!(connection(&world).await.settings.fields.len(), 0);
    assert_eq!(fields(&world).await, 4);
    world.sandbox.faults().clear();
    let again = propose(&world, &Choices::default()).await;
    assert!(again.steps.iter().all(|step| matches!(step.origin, Origin::Found(_))), "{again:?}");
    assert_eq!(again.steps.iter().map(|step| step.attach.len()).sum::<usize>(), 6);
    carry_out(&world, &again).await.unwrap();
    assert_eq!((fields(&world).await, connection(&world).await.settings.fields.len()), (4, 4));
    assert!(propose(&world, &Choices::default()).await.is_done());
    world.end().await;
}

#[tokio::test]
async fn a_creation_whose_answer_is_lost_is_found_and_not_made_again() {
    let world = bare(|_| {}).await;
    let lost = FaultRule::new(Fault::DropAfter).on(Side::Asana).method("POST").path("/custom_fields");
    let id = world.fault(lost.times(2));
    let plan = propose(&world, &Choices::default()).await;
    let done = carry_out(&world, &plan).await.unwrap();
    assert_eq!((world.fired(id), done.mapped, fields(&world).await), (2, 4, 4));
    world.end().await;
}

#[tokio::test]
async fn a_field_of_another_type_stops_everything_before_anything_is_sent() {
    let world = bare(|_| {}).await;
    let spec = FieldSpec::new("Supplier", FieldKind::Number { precision: 0 });
    world.sandbox.asana().seed_field(&world.board.workspace, &spec).unwrap();
    let plan = propose(&world, &Choices::default()).await;
    let refused = carry_out(&world, &plan).await.unwrap_err();
    assert_eq!(refused.code, Code::FieldConflict);
    assert_eq!((world.asana_writes(), fields(&world).await), (0, 1));
    world.end().await;
}

#[tokio::test]
async fn a_full_project_and_a_free_plan_are_told_in_clear_words() {
    let full = bare(|config| config.fields_per_project = 2).await;
    let plan = propose(&full, &Choices::default()).await;
    let refused = carry_out(&full, &plan).await.unwrap_err();
    // two fields are far from the documented limit, so Asana's own words tell
    assert_eq!(refused.code, Code::FieldNotCreated);
    assert!(refused.message.contains("at most 2 custom fields"), "{refused}");
    full.end().await;

    let crowded = bare(|_| {}).await;
    for n in 0..18 {
        let spec = FieldSpec::new(format!("own {n}"), FieldKind::Text);
        let gid = crowded.sandbox.asana().seed_field(&crowded.board.workspace, &spec).unwrap();
        crowded.sandbox.asana().seed_attach(&crowded.board.project, &gid).unwrap();
    }
    let plan = propose(&crowded, &Choices::default()).await;
    assert_eq!(plan.warnings.len(), 1);
    let refused = carry_out(&crowded, &plan).await.unwrap_err();
    assert_eq!(refused.code, Code::FieldLimit);
    assert!(refused.message.contains("has 20 fields"), "{refused}");
    assert_eq!(connection(&crowded).await.settings.fields.len(), 0);
    crowded.end().await;

    let free = bare(|config| config.plan = sandbox::asana::Plan::Free).await;
    let refused =
        run::propose(&free.engine, &connection(&free).await, &Choices::default()).await.unwrap_err();
    assert_eq!(refused.code, Code::FieldPlan);
    free.end().await;
}

#[tokio::test]
async fn a_mapped_field_that_was_taken_off_a_project_is_put_back() {
    let world = World::new().await;
    let supplier = world.field("supplier");
    world.asana(Edit::RemoveField { project: world.board.project.clone(), field: supplier });
    let plan = propose(&world, &Choices::default()).await;
    let missing: BTreeSet<_> =
        plan.steps.iter().filter(|s| !s.attach.is_empty()).map(|s| s.target.as_str()).collect();
    assert_eq!(missing, BTreeSet::from(["supplier"]));
    let done = carry_out(&world, &plan).await.unwrap();
    assert_eq!((done.created, done.attached, done.mapped), (0, 1, 0));
    assert!(propose(&world, &Choices::default()).await.is_done());
    world.end().await;
}

#[tokio::test]
async fn a_connection_without_its_fields_is_neither_activated_nor_stripped_of_them_later() {
    let world = bare(|_| {}).await;
    let draft = connection(&world).await;
    let refused = connector::manage::activate(&world.engine, &draft, connector::manage::FirstLook::Waived)
        .await
        .unwrap_err();
    assert_eq!(refused.code, Code::FieldsUnmapped);
    let plan = propose(&world, &Choices::default()).await;
    carry_out(&world, &plan).await.unwrap();
    connector::manage::activate(
        &world.engine,
        &connection(&world).await,
        connector::manage::FirstLook::Waived,
    )
    .await
    .unwrap();
    let refused = world.edit(|settings| settings.fields.clear()).await.unwrap_err();
    assert_eq!(refused.code, Code::FieldsUnmapped);
    world.end().await;
}
