use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::reference::ReferenceSettings;

fn settings() -> Settings {
    Settings::from_toml(
        "[oracle]\nurl = \"https://pod.example\"\ntoken_url = \"https://id.example/token\"\n\
         client_id = \"c\"\nscope = \"s\"\n[asana]\nworkspace = \"1\"\n[routing.default]\nproject = \"77\"\n\
         [[routing.rules]]\nsupplier = \"A*\"\nproject = \"78\"\n",
    )
    .unwrap()
}

fn field(gid: &str, name: &str, more: serde_json::Value) -> CustomField {
    let mut all = json!({ "gid": gid, "name": name, "is_global_to_workspace": true });
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

fn empty() -> Seen {
    let projects = settings().projects().into_iter().map(|project| (project, Vec::new())).collect();
    Seen { projects, ..Seen::default() }
}

/// What Asana has after the plan was carried out.
fn carried_out(plan: &Plan, seen: &Seen, settings: &Settings) -> (Seen, Settings) {
    let (mut seen, mut settings) = (seen.clone(), settings.clone());
    for (n, step) in plan.steps.iter().enumerate() {
        let gid = match &step.origin {
            Origin::Mapped(gid) | Origin::Found(gid) => gid.clone(),
            Origin::Create(new) => {
                let gid = format!("9{n}");
                let more = match &new.kind {
                    FieldType::Text => json!({ "resource_subtype": "text" }),
                    FieldType::Date => json!({ "resource_subtype": "date" }),
                    FieldType::Number { precision, .. } => {
                        json!({ "resource_subtype": "number", "precision": precision, "format": "none" })
                    }
                    FieldType::Enum(options) => {
                        let options: Vec<_> =
                            options.iter().map(|o| json!({ "gid": format!("{n}{o}"), "name": o })).collect();
                        json!({ "resource_subtype": "enum", "enum_options": options })
                    }
                };
                seen.library.push(field(&gid, &new.name, more));
                FieldGid(gid)
            }
            Origin::Problem(_, why) => panic!("{why}"),
        };
        let made = seen.library.iter().find(|f| f.gid == gid.0).unwrap().clone();
        for project in &step.attach {
            seen.projects.get_mut(project).unwrap().push(made.clone());
        }
        step.target.map(&mut settings, gid);
    }
    (seen, settings)
}

fn step(plan: &Plan, purpose: Purpose) -> &Step {
    plan.steps.iter().find(|step| step.target == Target::Purpose(purpose)).unwrap()
}

#[test]
fn an_empty_workspace_gets_the_required_fields_and_all_projects_get_them() {
    let plan = plan(&settings(), &Choices::default(), &empty());
    assert_eq!(
        plan.steps.iter().map(|s| s.target).collect::<Vec<_>>(),
        Purpose::REQUIRED.iter().map(|p| Target::Purpose(*p)).collect::<Vec<_>>()
    );
    assert!(plan.steps.iter().all(|s| matches!(s.origin, Origin::Create(_)) && s.attach.len() == 2));
    assert_eq!(step(&plan, Purpose::LineItemAmount).kind, "number with 2 decimals");
    assert!(step(&plan, Purpose::InvoiceStatus).kind.starts_with("single-select: Not validated, "));
    assert!(!plan.is_done() && plan.problems().next().is_none());
    assert!(plan.writes());
}

proptest! {
    #[test]
    fn what_was_carried_out_leaves_nothing_to_do(
        some in proptest::collection::btree_set(proptest::sample::select(Purpose::ALL.to_vec()), 0..10),
        decimals in 0u8..=6,
        reference: bool,
        mark: bool,
    ) {
        let choices = Choices { optional: some, decimals, mark, ..Choices::default() };
        let mut settings = settings();
        settings.reference = reference.then(ReferenceSettings::default);
        let first = plan(&settings, &choices, &empty());
        prop_assert!(first.problems().next().is_none());
        prop_assert_eq!(first.steps.iter().any(|s| s.target == Target::Mark), reference && mark);
        let (seen, mapped) = carried_out(&first, &empty(), &settings);
        prop_assert!(plan(&mapped, &choices, &seen).is_done());
        prop_assert!(!plan(&mapped, &choices, &seen).writes());
        // the settings were not written: what was created is found, and not created a second time
        let again = plan(&settings, &choices, &seen);
        prop_assert!(again.steps.iter().all(|s| matches!(s.origin, Origin::Found(_)) && s.attach.is_empty()));
        prop_assert!(!again.writes(), "they are only mapped");
    }
}

#[test]
fn a_field_of_the_same_name_and_another_type_is_reported_and_never_used() {
    let number = |more| {
        let mut all = json!({ "resource_subtype": "number", "precision": 2 });
        all.as_object_mut().unwrap().extend(serde_json::Value::as_object(&more).unwrap().clone());
        all
    };
    for (name, more) in [
        ("Supplier", json!({ "resource_subtype": "number", "precision": 2 })),
        ("supplier ", json!({ "resource_subtype": "enum" })),
        ("Supplier", json!({ "resource_subtype": "text", "is_value_read_only": true })),
        ("Line-item amount", number(json!({ "precision": 1 }))),
        ("Line-item amount", number(json!({ "format": "percentage" }))),
        ("Line-item amount", number(json!({ "format": "currency", "currency_code": "USD" }))),
        ("LINE-ITEM AMOUNT", json!({ "resource_subtype": "text" })),
        ("Invoice status", json!({ "resource_subtype": "text" })),
        (
            "Invoice status",
            json!({ "resource_subtype": "enum",
                                   "enum_options": [{ "gid": "1", "name": "Paid" }] }),
        ),
    ] {
        let seen = Seen { library: vec![field("5", name, more.clone())], ..empty() };
        let plan = plan(&settings(), &Choices::default(), &seen);
        let problems: Vec<_> = plan.problems().collect();
        assert_eq!(problems.len(), 1, "{name} {more}");
        assert_eq!(problems[0].0, Code::FieldConflict);
        assert!(problems[0].1.contains("(5)"), "{}", problems[0].1);
    }
}

#[test]
fn a_currency_field_is_found_only_when_that_currency_was_chosen() {
    let euro = json!({ "resource_subtype": "number", "precision": 2, "format": "currency",
                       "currency_code": "EUR" });
    let seen = Seen { library: vec![field("5", "Line-item amount", euro)], ..empty() };
    let origin = |currency: Option<&str>| {
        let choices = Choices { currency: currency.map(str::to_owned), ..Choices::default() };
        step(&plan(&settings(), &choices, &seen), Purpose::LineItemAmount).origin.clone()
    };
    assert_eq!(origin(Some("EUR")), Origin::Found("5".into()));
    assert!(matches!(origin(Some("USD")), Origin::Problem(..)));
    assert!(matches!(origin(None), Origin::Problem(..)));
}

#[test]
fn a_field_that_belongs_to_one_project_is_no_field_of_the_connection() {
    let mut seen = empty();
    let local = json!({ "resource_subtype": "text", "is_global_to_workspace": false });
    seen.projects.get_mut(&"78".into()).unwrap().push(field("5", "supplier", local));
    let unmapped = plan(&settings(), &Choices::default(), &seen);
    assert!(unmapped.problems().next().unwrap().1.contains("project 78 has a field `supplier` of its own"));
    let mut with_it = settings();
    with_it.fields.insert(Purpose::Supplier, "5".into());
    let mapped = plan(&with_it, &Choices::default(), &seen);
    assert!(mapped.problems().next().unwrap().1.contains("cannot be put onto 77"));
}

#[test]
fn a_mapped_field_is_checked_and_put_where_it_is_missing() {
    let mut with_it = settings();
    with_it.fields.insert(Purpose::Supplier, "5".into());
    let of = |more, name: &str| {
        let seen = Seen { library: vec![field("5", name, more)], ..empty() };
        step(&plan(&with_it, &Choices::default(), &seen), Purpose::Supplier).clone()
    };
    let text = of(json!({ "resource_subtype": "text" }), "whatever people call it");
    assert_eq!((text.origin, text.attach.len()), (Origin::Mapped("5".into()), 2));
    let wrong = of(json!({ "resource_subtype": "date" }), "Supplier").origin;
    assert!(matches!(wrong, Origin::Problem(Code::FieldType, _)), "{wrong:?}");
    let gone = plan(&with_it, &Choices::default(), &empty());
    assert!(matches!(step(&gone, Purpose::Supplier).origin, Origin::Problem(Code::FieldMissing, _)));
}

#[test]
fn names_that_would_collide_are_told_and_a_chosen_one_is_used() {
    let names = BTreeMap::from([(Target::Purpose(Purpose::Supplier), "po Number".to_owned())]);
    let told = plan(&settings(), &Choices { names, ..Choices::default() }, &empty());
    assert!(told.problems().next().unwrap().1.contains("share the name"));
    let names = BTreeMap::from([(Target::Purpose(Purpose::Supplier), "ERP supplier".to_owned())]);
    let good = plan(&settings(), &Choices { names, ..Choices::default() }, &empty());
    assert_eq!(step(&good, Purpose::Supplier).name, "ERP supplier");
}

#[test]
fn a_project_that_would_have_more_fields_than_asana_allows_is_told_of() {
    let mut seen = empty();
    let text = || json!({ "resource_subtype": "text" });
    let many: Vec<_> = (0..17).map(|n| field(&n.to_string(), &format!("own {n}"), text())).collect();
    *seen.projects.get_mut(&"77".into()).unwrap() = many;
    let plan = plan(&settings(), &Choices::default(), &seen);
    assert_eq!(plan.warnings.len(), 1);
    assert!(
        plan.warnings[0].starts_with("project 77 has 17 fields and would have 21"),
        "{}",
        plan.warnings[0]
    );
}

#[test]
fn a_field_whose_options_are_kept_is_a_single_select() {
    let mut settings = settings();
    settings.reference =
        Some(ReferenceSettings { options: vec![Purpose::GlAccount], ..ReferenceSettings::default() });
    let planned = |seen: &Seen| {
        let plan = plan(&settings, &Choices::default(), seen);
        step(&plan, Purpose::GlAccount).clone()
    };
    let new = planned(&empty());
    assert!(matches!(&new.origin, Origin::Create(new) if new.kind == FieldType::Enum(Vec::new())), "{new:?}");
    assert_eq!(plan(&settings, &Choices::default(), &empty()).options_of, [Kind::Accounts]);
    // one that is mapped wants its options until they were kept once
    let mut mapped = settings.clone();
    mapped.fields.insert(Purpose::GlAccount, "5".into());
    let wants = |seen: &Seen| plan(&mapped, &Choices::default(), seen).options_of;
    assert_eq!(wants(&empty()), [Kind::Accounts]);
    assert_eq!(wants(&Seen { kept: [FieldGid::from("5")].into(), ..empty() }), []);
    // one that is there may have any options
    let library = |kind: &str| Seen {
        library: vec![field("5", "GL account", json!({ "resource_subtype": kind, "enum_options": [] }))],
        ..empty()
    };
    assert_eq!(planned(&library("enum")).origin, Origin::Found("5".into()));
    let text = planned(&library("text"));
    assert!(
        matches!(&text.origin, Origin::Problem(Code::FieldConflict, why) if why.ends_with("wanted is single-select")),
        "{text:?}"
    );
}

#[test]
fn the_mark_of_reference_is_a_text_field_like_the_others() {
    let mut with_it = settings();
    with_it.reference = Some(ReferenceSettings::default());
    let mark = |settings: &Settings, choices: &Choices, seen: &Seen| {
        plan(settings, choices, seen).steps.into_iter().find(|step| step.target == Target::Mark)
    };
    let usual = Choices::default();
    let new = mark(&with_it, &usual, &empty()).unwrap();
    assert_eq!((new.name.as_str(), new.kind.as_str(), new.attach.len()), ("Oracle check", "text", 2));
    assert!(matches!(new.origin, Origin::Create(_)));
    assert_eq!(mark(&settings(), &usual, &empty()), None, "without the section nothing is marked");
    let unwanted = Choices { mark: false, ..Choices::default() };
    assert_eq!(mark(&with_it, &unwanted, &empty()), None);

    let of = |gid: &str, kind: &str| Seen {
        library: vec![field(gid, "oracle check", json!({ "resource_subtype": kind }))],
        ..empty()
    };
    let found = mark(&with_it, &usual, &of("5", "text")).unwrap();
    assert_eq!((found.origin, found.attach.len()), (Origin::Found("5".into()), 2));
    let other = mark(&with_it, &usual, &of("5", "number")).unwrap();
    assert!(matches!(other.origin, Origin::Problem(Code::FieldConflict, _)), "{other:?}");
    // a field that is named for something else is not taken
    let mut text = with_it.clone();
    text.reference.as_mut().unwrap().text.insert(Purpose::Supplier, "5".into());
    let used = mark(&text, &usual, &of("5", "text")).unwrap();
    assert!(matches!(used.origin, Origin::Problem(Code::FieldConflict, _)), "{used:?}");
    // one that is named is checked and put where it is missing, wanted anew or not
    with_it.reference.as_mut().unwrap().mark = Some("5".into());
    let named = mark(&with_it, &unwanted, &of("5", "text")).unwrap();
    assert_eq!((named.origin, named.attach.len()), (Origin::Mapped("5".into()), 2));
    let wrong = mark(&with_it, &usual, &of("5", "date")).unwrap();
    assert!(matches!(wrong.origin, Origin::Problem(Code::FieldType, _)), "{wrong:?}");
}
