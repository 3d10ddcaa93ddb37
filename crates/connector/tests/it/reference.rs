//! Suppliers and accounts, read whole, and the options that stand for them.

use connector::Code;
use connector::feed::Feed;
use connector::ids::FieldGid;
use connector::node::Report;
use connector::purpose::Purpose;
use connector::reference::check::Validity;
use connector::reference::findings::findings;
use connector::reference::read::ReferenceReport;
use connector::reference::{Beyond, Kind, ReferenceSettings};
use connector::store::alerts;
use connector::store::jobs::{self, Job};
use connector::store::reference;
use jiff::civil::date;
use sandbox::asana::{Edit as AsanaEdit, FieldKind, FieldSpec};
use sandbox::oracle::settings::Access;
use sandbox::oracle::{Edit, NewOrder};
use sandbox::{Fault, FaultRule, Side};

use crate::fixture::{World, lines};

pub const SUPPLIERS: Job = Job::Reference(Kind::Suppliers);
const ACCOUNTS: Job = Job::Reference(Kind::Accounts);

pub async fn read(world: &World, job: Job) -> connector::Result<ReferenceReport> {
    match world.run(job).await?.remove(job.as_str()) {
        Some(Report::Reference(report)) => Ok(report),
        other => panic!("{other:?}"),
    }
}

/// A world whose supplier field is a single-select with one option that a person made.
pub async fn with_options(change: impl FnOnce(&mut ReferenceSettings)) -> (World, String) {
    let world = World::new().await;
    let spec = FieldSpec::new("Supplier (list)", FieldKind::Enum(vec!["By hand".into()]));
    let gid = world.sandbox.asana().seed_local_field(&world.board.project, &spec).unwrap();
    let field = FieldGid(gid.clone());
    let mut reference =
        ReferenceSettings { options: vec![Purpose::Supplier], ..ReferenceSettings::default() };
    change(&mut reference);
    let set = |settings: &mut connector::settings::Settings| {
        settings.fields.insert(Purpose::Supplier, field);
        settings.reference = Some(reference);
    };
    world.edit(set).await.unwrap();
    (world, gid)
}

pub fn order_of(world: &World, number: &str, supplier: &str) -> i64 {
    let (number, supplier) = (Some(number.to_owned()), Some(supplier.to_owned()));
    world.new_order(NewOrder { number, supplier, lines: lines(&["10"]), ..NewOrder::default() })
}

pub fn rename(world: &World, from: &str, to: &str, touch: bool) {
    world.oracle(Edit::RenameSupplier { supplier: from.into(), name: to.into(), touch });
}

pub fn names(world: &World, field: &str) -> Vec<String> {
    world.sandbox.asana().options(field).into_iter().map(|(_, name)| name).collect()
}

/// What the one task of an order shows in a field; an option by its name.
fn shown(world: &World, number: &str, field: &str) -> Option<String> {
    let value = world.task(number).values.get(field).cloned()?;
    let options = world.sandbox.asana().options(field);
    Some(options.into_iter().find(|(gid, _)| *gid == value).map_or(value, |(_, name)| name))
}

/// The open alerts after a look at the causes: what about, and with which code. None are of another kind.
async fn options_full(world: &World) -> Vec<(String, Option<String>)> {
    world.run(Job::Alerts).await.unwrap();
    let open = alerts::list(&world.engine.db, world.connection, false, 100).await.unwrap();
    open.into_iter()
        .map(|alert| {
            assert_eq!(alert.kind, "options_full", "{alert:?}");
            (alert.subject, alert.code)
        })
        .collect()
}

#[tokio::test]
async fn suppliers_are_read_whole_and_what_is_the_same_is_not_written_again() {
    let world = World::new().await;
    world.sandbox.oracle().generate_reference(1_200, 0).unwrap();
    let first = read(&world, SUPPLIERS).await.unwrap();
    assert_eq!((first.rows, first.written, first.gone), (1_200, 1_200, 0));
    let second = read(&world, SUPPLIERS).await.unwrap();
    assert_eq!((second.rows, second.written, second.gone), (1_200, 0, 0));
    rename(&world, "SUPPLIER 000003 LTD", "RENAMED LTD", true);
    let inactive = world.sandbox.oracle().supplier_named("SUPPLIER 000004 LTD").unwrap();
    world.oracle(Edit::DeactivateSupplier { supplier: inactive, from: Some(date(2020, 1, 1)) });
    let lost = world.sandbox.oracle().supplier_named("SUPPLIER 000005 LTD").unwrap();
    world.oracle(Edit::RemoveSupplier { supplier: lost });
    let third = read(&world, SUPPLIERS).await.unwrap();
    assert_eq!((third.rows, third.written, third.gone), (1_199, 2, 1));
    let entries = reference::entries(&world.engine.db, world.connection, Kind::Suppliers).await.unwrap();
    let validity = |id: i64| {
        let entry = entries.iter().find(|entry| entry.id == id.to_string()).unwrap();
        entry.validity(date(2026, 1, 1))
    };
    assert_eq!((validity(inactive), validity(lost)), (Validity::Disabled, Validity::Gone));
    assert!(entries.iter().any(|entry| entry.name == "RENAMED LTD"));
    world.end().await;
}

#[tokio::test]
async fn without_access_or_with_far_fewer_rows_nothing_is_marked_as_gone() {
    let world = World::new().await;
    let oracle = world.sandbox.oracle();
    oracle.generate_reference(40, 0).unwrap();
    read(&world, SUPPLIERS).await.unwrap();
    let access = |data| {
        oracle.change_settings(|s| {
            s.access.insert("suppliers".into(), Access { privilege: true, data });
        });
    };
    access(false);
    assert_eq!(read(&world, SUPPLIERS).await.unwrap_err().code, Code::OracleNoRows);
    access(true);
    for n in 0..21 {
        let supplier = oracle.supplier_named(&format!("SUPPLIER {n:06} LTD")).unwrap();
        world.oracle(Edit::RemoveSupplier { supplier });
    }
    assert_eq!(read(&world, SUPPLIERS).await.unwrap_err().code, Code::ReferenceShrunk);
    let entries = reference::entries(&world.engine.db, world.connection, Kind::Suppliers).await.unwrap();
    assert!(entries.len() == 40 && entries.iter().all(|entry| !entry.gone));
    world.end().await;
}

#[tokio::test]
async fn accounts_of_the_chart_are_read_with_their_validity() {
    let world = World::new().await;
    let unknown = read(&world, ACCOUNTS).await.unwrap_err();
    assert_eq!(unknown.code, Code::ReferenceNoChart);
    // it says which there are
    let facts = [world.sandbox.oracle().ledger_facts(), world.sandbox.oracle().second_ledger_facts()];
    for ledger in facts {
        let words = format!("{} (that of ledger {})", ledger.chart_of_accounts_id, ledger.ledger_name);
        assert!(unknown.message.contains(&words), "{unknown}");
    }
    let refused = Fault::Status { status: 403, retry_after: None, body: None, html: false };
    world.fault(FaultRule::new(refused).on(Side::Oracle).path("/ledgersLOV").times(1));
    let unlisted = read(&world, ACCOUNTS).await.unwrap_err();
    assert_eq!(unlisted.code, Code::ReferenceNoChart);
    assert!(unlisted.message.contains("ledgers cannot be listed"), "{unlisted}");
    let chart = world.sandbox.oracle().ledger_facts().chart_of_accounts_id.to_string();
    let set = |s: &mut connector::settings::Settings| {
        s.reference =
            Some(ReferenceSettings { chart_of_accounts: Some(chart), ..ReferenceSettings::default() });
    };
    world.edit(set).await.unwrap();
    world.sandbox.oracle().generate_reference(0, 700).unwrap();
    let account = |n: u32| format!("101.10.60000.{}.000.000", 100 + n);
    world.oracle(Edit::ChangeAccount { account: account(1), enabled: Some(false), detail_posting: None });
    world.oracle(Edit::EndAccount { account: account(2), last_day: Some(date(2026, 6, 30)) });
    let first = read(&world, ACCOUNTS).await.unwrap();
    assert!(first.rows > 700 && first.written == first.rows, "{first:?}");
    assert_eq!(read(&world, ACCOUNTS).await.unwrap().written, 0);
    let entries = reference::entries(&world.engine.db, world.connection, Kind::Accounts).await.unwrap();
    let validity = |n: u32, day| entries.iter().find(|entry| entry.name == account(n)).unwrap().validity(day);
    assert_eq!(validity(0, date(2026, 7, 1)), Validity::Valid);
    assert_eq!(validity(1, date(2026, 7, 1)), Validity::Disabled);
    assert_eq!(validity(2, date(2026, 6, 30)), Validity::Valid);
    assert_eq!(validity(2, date(2026, 7, 1)), Validity::Expired);
    world.end().await;
}

#[tokio::test]
async fn a_renamed_supplier_renames_one_option_and_rewrites_no_task() {
    let (world, field) = with_options(|_| {}).await;
    order_of(&world, "US-1", "ACME");
    order_of(&world, "US-2", "BOLT");
    let made = read(&world, SUPPLIERS).await.unwrap();
    assert_eq!((made.created, made.renamed), (2, 0));
    world.sync().await;
    assert!(world.held().await.is_empty());
    let before = shown(&world, "US-1", &field).unwrap();
    assert_eq!(before, "ACME");
    for touch in [false, true] {
        let (from, to) = if touch { ("ACME GMBH", "ACME SE") } else { ("ACME", "ACME GMBH") };
        let writes = world.asana_writes();
        rename(&world, from, to, touch);
        let report = read(&world, SUPPLIERS).await.unwrap();
        assert_eq!((report.created, report.renamed, report.switched), (0, 1, 0));
        world.sync().await;
        assert!(world.held().await.is_empty());
        assert_eq!(world.asana_writes(), writes + 1, "the option was renamed, and nothing else written");
        let mut now = names(&world, &field);
        now.sort_unstable();
        assert_eq!(now, [to, "BOLT", "By hand"]);
    }
    world.end().await;
}

#[tokio::test]
async fn an_order_of_a_supplier_without_option_waits_until_the_supplier_was_read() {
    let (world, field) = with_options(|_| {}).await;
    order_of(&world, "US-1", "ACME");
    world.sync().await;
    assert_eq!(world.held().await.len(), 1, "there is no option yet");
    // the poll has asked for the suppliers
    let status = jobs::status(&world.engine.db, world.connection).await.unwrap();
    assert!(status.iter().any(|job| job.job == "suppliers" && job.due_at.is_some()));
    read(&world, SUPPLIERS).await.unwrap();
    world.run(Job::Push).await.unwrap();
    assert!(world.held().await.is_empty());
    assert_eq!(shown(&world, "US-1", &field).as_deref(), Some("ACME"));
    // once within the hour, however many orders name a new one
    order_of(&world, "US-2", "NEWCOMER");
    world.sync().await;
    let status = jobs::status(&world.engine.db, world.connection).await.unwrap();
    assert!(status.iter().any(|job| job.job == "suppliers" && job.due_at.is_none()));
    world.end().await;
}

#[tokio::test]
async fn an_option_whose_answer_was_lost_is_adopted_and_not_made_twice() {
    let (world, field) = with_options(|_| {}).await;
    order_of(&world, "US-1", "ACME");
    order_of(&world, "US-2", "BOLT");
    let fault = FaultRule::new(Fault::DropAfter).on(Side::Asana).method("POST").path("enum_options").times(1);
    let rule = world.fault(fault);
    read(&world, SUPPLIERS).await.unwrap_err();
    assert_eq!(world.fired(rule), 1);
    let report = read(&world, SUPPLIERS).await.unwrap();
    assert_eq!(report.created, 1, "the one whose answer was lost is found by its name");
    let mut now = names(&world, &field);
    now.sort_unstable();
    assert_eq!(now, ["ACME", "BOLT", "By hand"]);
    world.sync().await;
    assert_eq!(shown(&world, "US-1", &field).as_deref(), Some("ACME"));
    world.end().await;
}

#[tokio::test]
async fn beyond_five_hundred_only_the_suppliers_in_use_get_options() {
    let (world, field) = with_options(|_| {}).await;
    world.sandbox.oracle().generate_reference(600, 0).unwrap();
    order_of(&world, "US-1", "SUPPLIER 000007 LTD");
    world.sync().await;
    let report = read(&world, SUPPLIERS).await.unwrap();
    assert_eq!(report.created, 1);
    assert_eq!(names(&world, &field), ["By hand", "SUPPLIER 000007 LTD"]);
    let kept = reference::kept(&world.engine.db, world.connection).await.unwrap();
    assert_eq!((kept[0].kept.as_str(), kept[0].code.as_deref()), ("in_use", Some("MLC-8003")));
    assert_eq!(options_full(&world).await, [("supplier".to_owned(), Some("MLC-8003".to_owned()))]);
    world.run(Job::Push).await.unwrap();
    assert_eq!(shown(&world, "US-1", &field).as_deref(), Some("SUPPLIER 000007 LTD"));

    // another one comes into use: its option is asked for, though the supplier is known, but not at once again
    let is_due = "select count(*) from jobs where job = 'suppliers' and due_at is not null";
    world.sql("update jobs set due_at = null where job = 'suppliers'").await;
    order_of(&world, "US-2", "SUPPLIER 000008 LTD");
    world.sync().await;
    assert_eq!(world.count(is_due).await, 0);
    world
        .sql("update jobs set finished_at = finished_at - interval '1 minute' where job = 'suppliers'")
        .await;
    world.run(Job::Poll(Feed::PurchaseOrders)).await.unwrap();
    assert_eq!(world.count(is_due).await, 1);
    read(&world, SUPPLIERS).await.unwrap();
    world.run(Job::Push).await.unwrap();
    assert_eq!(shown(&world, "US-2", &field).as_deref(), Some("SUPPLIER 000008 LTD"));
    world.sql("update jobs set due_at = null, finished_at = finished_at - interval '1 minute' where job = 'suppliers'").await;
    world.run(Job::Poll(Feed::PurchaseOrders)).await.unwrap();
    assert_eq!(world.count(is_due).await, 0, "all in use have options");
    world.end().await;
}

#[tokio::test]
async fn five_hundred_and_one_suppliers_in_use_change_no_option_and_go_to_the_text_field() {
    let world = World::new().await;
    let seed = |name: &str, kind| {
        world.sandbox.asana().seed_local_field(&world.board.project, &FieldSpec::new(name, kind)).unwrap()
    };
    let list = seed("Supplier (list)", FieldKind::Enum(vec!["SUPPLIER 000001 LTD".into()]));
    let beside = seed("Supplier (text)", FieldKind::Text);
    let reference = ReferenceSettings {
        options: vec![Purpose::Supplier],
        beyond: Beyond::InUse,
        text: [(Purpose::Supplier, FieldGid(beside.clone()))].into(),
        ..ReferenceSettings::default()
    };
    let set = |settings: &mut connector::settings::Settings| {
        settings.fields.insert(Purpose::Supplier, FieldGid(list.clone()));
        settings.reference = Some(reference);
    };
    world.edit(set).await.unwrap();
    for n in 0..501 {
        order_of(&world, &format!("US-{n}"), &format!("SUPPLIER {n:06} LTD"));
    }
    world.sync().await;
    let writes = world.asana_writes();
    let failure = read(&world, SUPPLIERS).await.unwrap_err();
    assert_eq!(failure.code, Code::TooManyOptions, "{failure}");
    assert_eq!((world.asana_writes(), names(&world, &list).len()), (writes, 1), "nothing half-written");
    // what a person must know stands on the job and on the field
    let status = jobs::status(&world.engine.db, world.connection).await.unwrap();
    let job = status.iter().find(|job| job.job == "suppliers").unwrap();
    assert_eq!(job.code.as_deref(), Some("MLC-8002"));
    let kept = reference::kept(&world.engine.db, world.connection).await.unwrap();
    assert_eq!((kept[0].kept.as_str(), kept[0].needed), ("none", 501));
    // one alert, of the field, however often the job fails with it
    world.sql("update jobs set failures = 5 where job = 'suppliers'").await;
    assert_eq!(options_full(&world).await, [("supplier".to_owned(), Some("MLC-8002".to_owned()))]);
    assert!(world.held().await.is_empty());
    assert_eq!(shown(&world, "US-500", &beside).as_deref(), Some("SUPPLIER 000500 LTD"));
    assert_eq!(shown(&world, "US-1", &list).as_deref(), Some("SUPPLIER 000001 LTD"));
    assert_eq!(shown(&world, "US-1", &beside), None, "where there is an option it is chosen");
    // and all is as it should be: nothing is written again
    world.sync().await;
    assert_eq!(world.asana_writes(), writes);
    // who does not ask for options any more is told no more of them
    world.edit(|settings| settings.reference = None).await.unwrap();
    assert_eq!(options_full(&world).await, []);
    world.end().await;
}

#[tokio::test]
async fn a_field_that_cannot_have_options_is_left_alone() {
    let world = World::new().await;
    let set = |settings: &mut connector::settings::Settings| {
        let options = vec![Purpose::Supplier];
        settings.reference = Some(ReferenceSettings { options, ..ReferenceSettings::default() });
    };
    world.edit(set).await.unwrap();
    world.sandbox.oracle().generate_reference(3, 0).unwrap();
    assert_eq!(read(&world, SUPPLIERS).await.unwrap_err().code, Code::OptionsField);
    assert_eq!(world.asana_writes(), 0);
    world.end().await;
}

#[tokio::test]
async fn what_a_person_chose_is_judged_by_oracle() {
    let world = World::new().await;
    order_of(&world, "US-1", "ACME");
    order_of(&world, "US-2", "BOLT");
    world.sync().await;
    let clients = world.engine.clients(world.connection).await.unwrap();
    let found = || findings(&world.engine, &clients, date(2026, 7, 1));
    assert!(found().await.unwrap().is_empty(), "nothing was read, so nothing can be said");
    read(&world, SUPPLIERS).await.unwrap();
    assert_eq!(found().await.unwrap(), []);
    let task = world.task("US-1").gid;
    let field = world.field("supplier");
    world.asana(AsanaEdit::SetValue { task: task.clone(), field, value: "NOBODY LTD".into() });
    let bolt = world.sandbox.oracle().supplier_named("BOLT").unwrap();
    world.oracle(Edit::DeactivateSupplier { supplier: bolt, from: Some(date(2020, 1, 1)) });
    read(&world, SUPPLIERS).await.unwrap();
    world.run(Job::Push).await.unwrap();
    let mut told: Vec<(String, Validity)> =
        found().await.unwrap().into_iter().map(|finding| (finding.value, finding.validity)).collect();
    told.sort();
    assert_eq!(told, [("BOLT".to_owned(), Validity::Disabled), ("NOBODY LTD".to_owned(), Validity::Unknown)]);
    world.end().await;
}
