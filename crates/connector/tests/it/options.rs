//! Options of single-select fields that stand for suppliers: foretold as they are pushed, mended by themselves, and asked
//! for only where there can be any.

use connector::Code;
use connector::dry_run::{self, Options};
use connector::ids::FieldGid;
use connector::manage::{self, FirstLook};
use connector::purpose::Purpose;
use connector::reconcile::{self, report::Kind as Difference};
use connector::reference::ReferenceSettings;
use connector::settings::Settings;
use connector::store::connections::{self, Connection};
use connector::store::jobs::{self, Job};
use sandbox::asana::{FieldKind, FieldSpec};
use tokio::sync::watch;

use crate::fixture::{World, held};
use crate::reference::{SUPPLIERS, names, order_of, read, rename, with_options};

/// Records that would be held, each with its code: by a dry run and by reconciliation. Neither would write anything.
async fn foretold(world: &World) -> (Vec<(String, String)>, Vec<(String, String)>) {
    let quiet = || watch::Sender::new(0);
    let made = dry_run::run(&world.engine, world.connection, Options::default(), &quiet()).await;
    let mut report = made.unwrap();
    assert_eq!((report.counts.created, report.counts.updated), (0, 0));
    let entries = (0..report.len()).map(|place| report.entry(place).unwrap().unwrap());
    let mut by_dry_run: Vec<_> = entries.map(|entry| (entry.source_id, entry.code.unwrap())).collect();
    let mut report = reconcile::check(&world.engine, world.connection, &quiet()).await.unwrap();
    let differences = (0..report.len()).map(|place| report.difference(place).unwrap().unwrap());
    let by_comparison = differences.map(|difference| {
        assert_eq!(difference.kind, Difference::Held, "{difference:?}");
        (difference.source_id, difference.code.unwrap())
    });
    let mut by_comparison: Vec<_> = by_comparison.collect();
    by_dry_run.sort();
    by_comparison.sort();
    (by_dry_run, by_comparison)
}

/// What is foretold is what the push made of it.
async fn agrees(world: &World, holds: &[(String, String)]) {
    assert_eq!(world.held().await, holds);
    assert_eq!(foretold(world).await, (holds.to_vec(), holds.to_vec()));
}

async fn asked_for(world: &World, job: Job) -> bool {
    let all = jobs::status(&world.engine.db, world.connection).await.unwrap();
    all.iter().any(|status| status.job == job.as_str() && status.due_at.is_some())
}

/// As if the suppliers had been read an hour ago, as far as the time between two readings goes.
async fn an_hour_passes(world: &World) {
    world.sql("update jobs set finished_at = finished_at - interval '1 hour' where job = 'suppliers'").await;
}

async fn loaded(world: &World) -> Connection {
    connections::load(&world.engine.db, world.connection).await.unwrap()
}

/// Begins, without a dry run.
async fn activate(world: &World) -> connector::Result<()> {
    manage::activate(&world.engine, &loaded(world).await, FirstLook::Waived).await
}

fn keep_supplier(settings: &mut Settings) {
    let options = vec![Purpose::Supplier];
    settings.reference = Some(ReferenceSettings { options, ..ReferenceSettings::default() });
}

/// A single-select field beside the board's own.
fn list(world: &World) -> FieldGid {
    let spec = FieldSpec::new("Supplier (list)", FieldKind::Enum(vec!["By hand".into()]));
    FieldGid(world.sandbox.asana().seed_local_field(&world.board.project, &spec).unwrap())
}

#[tokio::test]
async fn a_text_field_for_what_has_no_option_must_stand_on_every_project() {
    let (world, _) = with_options(|_| {}).await;
    activate(&world).await.unwrap();
    let asana = world.sandbox.asana();
    let elsewhere =
        asana.seed_field(&world.board.workspace, &FieldSpec::new("Beside", FieldKind::Text)).unwrap();
    let date = FieldSpec::new("A date", FieldKind::Date);
    let date = asana.seed_local_field(&world.board.project, &date).unwrap();
    for (gid, words) in
        [(&elsewhere, "it is not on project"), (&date, "is no text field that can be written")]
    {
        let text = [(Purpose::Supplier, FieldGid(gid.clone()))].into();
        let refused =
            world.edit(|settings| settings.reference.as_mut().unwrap().text = text).await.unwrap_err();
        assert_eq!(refused.code, Code::MappingRefused);
        assert!(
            refused.message.starts_with("reference.text.supplier (") && refused.message.contains(words),
            "{refused}"
        );
    }
    asana.seed_attach(&world.board.project, &elsewhere).unwrap();
    let text = [(Purpose::Supplier, FieldGid(elsewhere))].into();
    world.edit(|settings| settings.reference.as_mut().unwrap().text = text).await.unwrap();
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_and_reconciliation_judge_a_renamed_supplier_as_the_push_does() {
    let (world, field) = with_options(|_| {}).await;
    order_of(&world, "US-1", "ACME");
    read(&world, SUPPLIERS).await.unwrap();
    world.sync().await;
    agrees(&world, &[]).await;

    rename(&world, "ACME", "ACME GMBH", true);
    let quiet = watch::Sender::new(0);
    let made = dry_run::run(&world.engine, world.connection, Options::default(), &quiet).await;
    let counts = made.unwrap().counts;
    assert_eq!((counts.held, counts.updated, counts.unchanged), (0, 0, 1), "the order was not polled yet");
    let writes = world.asana_writes();
    world.sync().await;
    agrees(&world, &[]).await;
    read(&world, SUPPLIERS).await.unwrap();
    world.run(Job::Push).await.unwrap();
    agrees(&world, &[]).await;
    assert_eq!(world.asana_writes(), writes + 1, "only the option was renamed");

    // where the push holds, so do they
    let order = order_of(&world, "US-2", "NEWCOMER");
    world.sync().await;
    agrees(&world, &held(&[order], Code::NoOption)).await;
    let reason = world.movement_of(order).await.reason.unwrap();
    assert!(reason.contains("`NEWCOMER`; `reference sync NAME` makes the options of supplier"), "{reason}");
    read(&world, SUPPLIERS).await.unwrap();
    world.run(Job::Push).await.unwrap();
    agrees(&world, &[]).await;
    assert_eq!(names(&world, &field).len(), 3);
    world.end().await;
}

#[tokio::test]
async fn an_order_that_names_a_supplier_otherwise_has_its_option_renamed() {
    let (world, field) = with_options(|_| {}).await;
    let order = order_of(&world, "US-1", "ACME");
    order_of(&world, "US-2", "BOLT");
    read(&world, SUPPLIERS).await.unwrap();
    world.sync().await;
    assert!(!asked_for(&world, SUPPLIERS).await, "all are known by these names");

    rename(&world, "ACME", "ACME GMBH", true);
    world.sync().await;
    assert!(!asked_for(&world, SUPPLIERS).await, "at most once an hour");
    an_hour_passes(&world).await;
    world.set_amount(order, 1, "11");
    world.sync().await;
    assert!(asked_for(&world, SUPPLIERS).await);
    let writes = world.asana_writes();
    let report = read(&world, SUPPLIERS).await.unwrap();
    assert_eq!((report.created, report.renamed, report.switched), (0, 1, 0));
    world.sync().await;
    assert!(world.held().await.is_empty());
    assert_eq!(world.asana_writes(), writes + 1, "no task is written");
    let mut now = names(&world, &field);
    now.sort_unstable();
    assert_eq!(now, ["ACME GMBH", "BOLT", "By hand"]);

    // a name that stays another is asked about when an order comes with it, and not for ever after
    let named = async |name: &str| {
        an_hour_passes(&world).await;
        world.set_order(order, None, "Supplier", &format!("\"{name}\""));
        world.sync().await;
        asked_for(&world, SUPPLIERS).await
    };
    assert!(!named(" Acme GmbH ").await, "case and spaces make no other name");
    assert!(named("ACME GMBH - WEST").await);
    let report = read(&world, SUPPLIERS).await.unwrap();
    assert_eq!((report.written, report.renamed), (0, 0));
    an_hour_passes(&world).await;
    order_of(&world, "US-3", "BOLT");
    world.sync().await;
    assert!(!asked_for(&world, SUPPLIERS).await, "the order was stored before the reading");
    world.end().await;
}

#[tokio::test]
async fn options_of_a_text_field_are_refused_before_they_are_missed() {
    let world = World::new().await;
    // a draft is told when it is looked at or begins
    world.edit(keep_supplier).await.unwrap();
    let quiet = watch::Sender::new(0);
    let looked = dry_run::run(&world.engine, world.connection, Options::default(), &quiet).await;
    let words = "reference.options: field `Supplier` is text, options need a single-select field; \
                 map one as `fields.supplier`, or take `supplier` out of `reference.options`";
    let refusals = [looked.unwrap_err(), activate(&world).await.unwrap_err()];
    for refused in refusals {
        assert_eq!((refused.code, refused.message.as_str()), (Code::MappingRefused, words));
    }
    world.edit(|settings| settings.reference = None).await.unwrap();
    activate(&world).await.unwrap();
    let before = loaded(&world).await;
    let refused = world.edit(keep_supplier).await.unwrap_err();
    assert_eq!((refused.code, refused.message.as_str()), (Code::MappingRefused, words));
    let after = loaded(&world).await;
    assert_eq!((after.settings_version, &after.settings), (before.settings_version, &before.settings));

    // with a field that can have options it is accepted, and so is everything else from then on
    let (of_list, of_text) = (list(&world), FieldGid(world.field("supplier")));
    let set = |settings: &mut Settings| {
        keep_supplier(settings);
        settings.fields.insert(Purpose::Supplier, of_list);
    };
    world.edit(set).await.unwrap();
    let back = world.edit(|settings| drop(settings.fields.insert(Purpose::Supplier, of_text))).await;
    assert_eq!(back.unwrap_err().message, words);
    world.end().await;
}

#[tokio::test]
async fn a_field_that_is_mapped_instead_gets_its_options_at_once() {
    let world = World::new().await;
    let with_none = |settings: &mut Settings| settings.reference = Some(ReferenceSettings::default());
    world.edit(with_none).await.unwrap();
    let order = order_of(&world, "US-1", "ACME");
    read(&world, SUPPLIERS).await.unwrap();
    world.sync().await;
    assert_eq!(world.movement_of(order).await.state, "delivered");
    let (first, second) = (list(&world), list(&world));
    let map = |field: &FieldGid| {
        let field = field.clone();
        move |settings: &mut Settings| {
            keep_supplier(settings);
            settings.fields.insert(Purpose::Supplier, field);
        }
    };
    world.edit(map(&first)).await.unwrap();
    read(&world, SUPPLIERS).await.unwrap();
    assert!(!asked_for(&world, SUPPLIERS).await);
    // a change that concerns neither field nor section asks for nothing
    world.edit(|settings| settings.schedule.poll_minutes = 7).await.unwrap();
    world.edit(|settings| drop(settings.fields.remove(&Purpose::Requester))).await.unwrap();
    assert!(!asked_for(&world, SUPPLIERS).await);

    world.sql("update jobs set due_at = null where job = 'accounts'").await;
    world.edit(map(&second)).await.unwrap();
    assert!(asked_for(&world, SUPPLIERS).await);
    assert!(!asked_for(&world, Job::REFERENCE[1]).await, "no field of accounts was changed");
    world.run(Job::Push).await.unwrap();
    assert_eq!(world.held().await, held(&[order], Code::NoOption));
    let report = read(&world, SUPPLIERS).await.unwrap();
    assert_eq!(report.created, 1);
    world.run(Job::Push).await.unwrap();
    assert!(world.held().await.is_empty());
    let mut now = names(&world, &second.0);
    now.sort_unstable();
    assert_eq!(now, ["ACME", "By hand"]);
    world.end().await;
}
