//! Definitions of custom fields, their options, and fields on projects.

use serde_json::{Value, json};

use super::{World, gid, keys, names};
use sandbox::asana::{AddedTwice, Edit, FieldKind, FieldSpec, Strictness};

async fn enum_field(w: &World, names: &[&str]) -> String {
    let options: Vec<Value> = names.iter().map(|n| json!({ "name": n })).collect();
    let data = json!({
        "workspace": w.workspace, "name": "Status", "resource_subtype": "enum", "enum_options": options
    });
    gid(&w.post("/custom_fields", data).await)
}

#[tokio::test]
async fn a_currency_field_is_created_with_its_precision_and_currency() {
    let w = World::new();
    let data = json!({
        "workspace": w.workspace, "name": "ERP Amount", "resource_subtype": "number", "precision": 2,
        "format": "currency", "currency_code": "USD"
    });
    let field = w.post("/custom_fields", data).await;
    assert_eq!((&field["precision"], &field["currency_code"]), (&json!(2), &json!("USD")));
    assert_eq!(field["is_global_to_workspace"], true);
    let read = w.data(&format!("/custom_fields/{}", gid(&field))).await;
    assert_eq!(read, field);
}

#[tokio::test]
async fn a_definition_that_is_incomplete_or_wrong_is_refused() {
    let w = World::new();
    let ws = &w.workspace;
    for (data, expected) in [
        (json!({ "name": "a", "resource_subtype": "text" }), "workspace: Missing input"),
        (json!({ "workspace": ws, "name": "a" }), "resource_subtype: Missing input"),
        (json!({ "workspace": ws, "resource_subtype": "text" }), "name: Missing input"),
        (json!({ "workspace": ws, "name": "a", "resource_subtype": "enum" }), "enum_options: Missing input"),
        (
            json!({ "workspace": ws, "name": "a", "resource_subtype": "number", "precision": 7 }),
            "precision: Must be between 0 and 6",
        ),
        (
            json!({ "workspace": ws, "name": "a", "resource_subtype": "number", "format": "currency" }),
            "currency_code: Missing input",
        ),
    ] {
        assert_eq!(w.refused(400, "POST", "/custom_fields", data).await, expected);
    }
}

#[tokio::test]
async fn names_are_unique_and_not_those_of_built_in_properties() {
    let w = World::new();
    w.field("PO number", FieldKind::Text);
    for name in ["PO number", "Due Date", "Assignee"] {
        let data = json!({ "workspace": w.workspace, "name": name, "resource_subtype": "text" });
        w.refused(400, "POST", "/custom_fields", data).await;
    }
}

#[tokio::test]
async fn listed_definitions_are_compact() {
    let w = World::new();
    w.field("Amount", FieldKind::Number { precision: 2 });
    let rows = w.data(&format!("/workspaces/{}/custom_fields", w.workspace)).await;
    assert_eq!(rows[0]["type"], "number");
    for absent in ["resource_subtype", "precision", "enabled", "number_value"] {
        assert!(rows[0].get(absent).is_none(), "{absent}");
    }
    let path =
        format!("/workspaces/{}/custom_fields?opt_fields=name,precision,resource_subtype", w.workspace);
    assert_eq!(keys(&w.data(&path).await[0]), ["gid", "name", "precision", "resource_subtype"]);
}

#[tokio::test]
async fn a_definition_can_change_but_not_its_type_or_options() {
    let w = World::new();
    let field = w.field("Amount", FieldKind::Number { precision: 2 });
    let path = format!("/custom_fields/{field}");
    let changed = w.put(&path, json!({ "name": "Total", "precision": 3 })).await;
    assert_eq!((&changed["name"], &changed["precision"]), (&json!("Total"), &json!(3)));
    w.refused(400, "PUT", &path, json!({ "resource_subtype": "text" })).await;
    w.refused(400, "PUT", &path, json!({ "enum_options": [] })).await;
}

#[tokio::test]
async fn a_locked_definition_is_403() {
    let w = World::new();
    let field = enum_field(&w, &["a", "b"]).await;
    let option = w.asana.options(&field)[0].0.clone();
    w.edit(Edit::LockField { field: field.clone(), locked: true });
    w.refused(403, "PUT", &format!("/custom_fields/{field}"), json!({ "name": "x" })).await;
    w.refused(403, "POST", &format!("/custom_fields/{field}/enum_options"), json!({ "name": "c" })).await;
    w.refused(403, "PUT", &format!("/enum_options/{option}"), json!({ "name": "c" })).await;
    w.edit(Edit::LockField { field: field.clone(), locked: false });
    w.put(&format!("/custom_fields/{field}"), json!({ "name": "x" })).await;
}

#[tokio::test]
async fn options_are_added_moved_and_disabled() {
    let w = World::new();
    let field = enum_field(&w, &["Held", "Paid"]).await;
    let path = format!("/custom_fields/{field}/enum_options");
    let order = || w.asana.options(&field).into_iter().map(|(_, n)| n).collect::<Vec<_>>().join(" ");
    let paid = w.asana.options(&field)[1].0.clone();
    let open = w.post(&path, json!({ "name": "Open", "color": "blue", "insert_before": paid })).await;
    assert_eq!((&open["enabled"], &open["color"]), (&json!(true), &json!("blue")));
    assert_eq!(order(), "Held Open Paid");
    w.post(&format!("{path}/insert"), json!({ "enum_option": gid(&open), "after_enum_option": paid })).await;
    assert_eq!(order(), "Held Paid Open");
    let off = w.put(&format!("/enum_options/{paid}"), json!({ "enabled": false })).await;
    assert_eq!(off["enabled"], false);
    let both = json!({ "enum_option": gid(&open), "after_enum_option": paid, "before_enum_option": paid });
    w.refused(400, "POST", &format!("{path}/insert"), both).await;
}

#[tokio::test]
async fn one_option_stays_enabled() {
    let w = World::new();
    let field = enum_field(&w, &["only"]).await;
    let option = w.asana.options(&field)[0].0.clone();
    w.refused(400, "PUT", &format!("/enum_options/{option}"), json!({ "enabled": false })).await;
}

#[tokio::test]
async fn a_field_has_at_most_500_options_disabled_ones_included() {
    let w = World::new();
    let many: Vec<String> = (0..500).map(|i| format!("o{i}")).collect();
    let field = w.field("Supplier", FieldKind::Enum(many));
    let option = w.asana.options(&field)[0].0.clone();
    w.put(&format!("/enum_options/{option}"), json!({ "enabled": false })).await;
    w.refused(400, "POST", &format!("/custom_fields/{field}/enum_options"), json!({ "name": "one more" }))
        .await;
}

#[tokio::test]
async fn duplicate_option_names_follow_the_setting() {
    for (setting, status) in [(Strictness::Accept, 201), (Strictness::Refuse, 400)] {
        let w = World::configured(|c| c.duplicate_option_names = setting);
        let field = enum_field(&w, &["a"]).await;
        let body = json!({ "data": { "name": "a" } });
        let answer = w.send("POST", &format!("/custom_fields/{field}/enum_options"), Some(body)).await;
        assert_eq!(answer.status, status);
    }
}

#[tokio::test]
async fn settings_are_compact_until_the_field_is_asked_for() {
    let w = World::new();
    let field = w.field("PO", FieldKind::Text);
    let path = format!("/projects/{}/custom_field_settings", w.project);
    assert_eq!(keys(&w.data(&path).await[0]), ["gid", "resource_type"]);
    let asked = w.data(&format!("{path}?opt_fields=custom_field.name,custom_field.resource_subtype")).await;
    let expected = json!({ "gid": field, "name": "PO", "resource_subtype": "text" });
    assert_eq!(asked[0]["custom_field"], expected);
}

#[tokio::test]
async fn a_library_field_joins_a_project_with_200() {
    let w = World::new();
    let field = w.asana.seed_field(&w.workspace, &FieldSpec::new("PO", FieldKind::Text)).unwrap();
    let path = format!("/projects/{}/addCustomFieldSetting", w.project);
    let body = json!({ "data": { "custom_field": field, "is_important": true } });
    let answer = w.send("POST", &path, Some(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.body["data"]["custom_field"]["name"], "PO");
    assert_eq!(answer.body["data"]["is_important"], true);
    assert_eq!(
        w.refused(400, "POST", &path, json!({ "custom_field": "PO" })).await,
        "custom_field: Not a recognized ID: PO"
    );
    w.refused(400, "POST", &path, json!({})).await;
    w.post(&format!("/projects/{}/removeCustomFieldSetting", w.project), json!({ "custom_field": field }))
        .await;
    assert_eq!(w.data(&format!("/projects/{}/custom_field_settings", w.project)).await, json!([]));
}

#[tokio::test]
async fn a_local_field_belongs_to_its_project_alone() {
    let w = World::new();
    let path = format!("/projects/{}/addCustomFieldSetting", w.project);
    let definition = json!({ "workspace": w.workspace, "name": "Note", "resource_subtype": "text" });
    let setting = w.post(&path, json!({ "custom_field": definition })).await;
    let field = gid(&setting["custom_field"]);
    assert_eq!(w.data(&format!("/custom_fields/{field}")).await["is_global_to_workspace"], false);
    assert_eq!(names(&w.data(&format!("/workspaces/{}/custom_fields", w.workspace)).await), [""; 0]);
    let other = w.asana.seed_project(&w.workspace, "Other").unwrap();
    w.refused(
        400,
        "POST",
        &format!("/projects/{other}/addCustomFieldSetting"),
        json!({ "custom_field": field }),
    )
    .await;
}

#[tokio::test]
async fn the_twenty_first_field_of_a_project_is_refused() {
    let w = World::new();
    for i in 0..20 {
        w.field(&format!("F{i}"), FieldKind::Text);
    }
    let more = w.asana.seed_field(&w.workspace, &FieldSpec::new("more", FieldKind::Text)).unwrap();
    let path = format!("/projects/{}/addCustomFieldSetting", w.project);
    w.refused(400, "POST", &path, json!({ "custom_field": more })).await;
}

#[tokio::test]
async fn adding_a_field_twice_follows_the_setting() {
    for (setting, status) in [(AddedTwice::Refuse, 400), (AddedTwice::Answer, 200)] {
        let w = World::configured(|c| c.field_added_twice = setting);
        let field = w.field("PO", FieldKind::Text);
        let body = json!({ "data": { "custom_field": field } });
        let path = format!("/projects/{}/addCustomFieldSetting", w.project);
        assert_eq!(w.send("POST", &path, Some(body)).await.status, status);
    }
}
