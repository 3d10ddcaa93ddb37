//! Values of custom fields on tasks.

use serde_json::{Value, json};

use super::{World, gid, value};
use sandbox::asana::{Edit, FieldKind, NumberAsText, Plan};

fn options(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

#[tokio::test]
async fn each_type_takes_its_own_kind_of_value() {
    let w = World::new();
    let text = w.field("Text", FieldKind::Text);
    let number = w.field("Number", FieldKind::Number { precision: 2 });
    let status = w.field("Status", FieldKind::Enum(options(&["Paid", "Held"])));
    let flags = w.field("Flags", FieldKind::MultiEnum(options(&["a", "b"])));
    let date = w.field("Date", FieldKind::Date);
    let people = w.field("People", FieldKind::People);
    let refs = w.field("Refs", FieldKind::Reference);
    let (paid, flag) = (w.asana.options(&status)[0].0.clone(), w.asana.options(&flags)[1].0.clone());
    let task = w.task("x").await;
    let record = w
        .put(
            &format!("/tasks/{task}"),
            json!({ "custom_fields": {
                &text: "INV-2026-0042", &number: 1234.56, &status: paid, &flags: [flag],
                &date: { "date": "2026-06-30" }, &people: ["me"], &refs: [w.project]
            } }),
        )
        .await;
    let shown = |f: &str| value(&record, f)["display_value"].clone();
    assert_eq!(value(&record, &text)["text_value"], "INV-2026-0042");
    assert_eq!(value(&record, &number)["number_value"], 1234.56);
    assert_eq!(value(&record, &status)["enum_value"]["name"], "Paid");
    assert_eq!(value(&record, &flags)["multi_enum_values"][0]["name"], "b");
    assert_eq!(value(&record, &date)["date_value"], json!({ "date": "2026-06-30" }));
    assert_eq!(value(&record, &people)["people_value"][0]["name"], "Connector Bot");
    assert_eq!(value(&record, &refs)["reference_value"][0]["name"], "Payables");
    assert_eq!(shown(&number), "1234.56");
    assert_eq!(shown(&status), "Paid");
    assert_eq!(shown(&date), "2026-06-30T00:00:00.000Z");
    assert!(record["custom_fields"].as_array().unwrap().iter().all(|f| f["enabled"] == true));

    let cleared: serde_json::Map<String, Value> = [&text, &number, &status, &flags, &date, &people, &refs]
        .map(|f| (f.clone(), Value::Null))
        .into_iter()
        .collect();
    let record = w.put(&format!("/tasks/{task}"), json!({ "custom_fields": cleared })).await;
    assert!(record["custom_fields"].as_array().unwrap().iter().all(|f| f["display_value"].is_null()));
    assert_eq!(value(&record, &flags)["multi_enum_values"], json!([]));
}

#[tokio::test]
async fn a_value_of_the_wrong_kind_is_refused_and_nothing_is_written() {
    let w = World::new();
    let text = w.field("Text", FieldKind::Text);
    let number = w.field("Number", FieldKind::Number { precision: 2 });
    let status = w.field("Status", FieldKind::Enum(options(&["Paid"])));
    let flags = w.field("Flags", FieldKind::MultiEnum(options(&["a"])));
    let date = w.field("Date", FieldKind::Date);
    let people = w.field("People", FieldKind::People);
    let task = w.task("x").await;
    let cases = [
        (&text, json!(12)),
        (&number, json!("12")),
        (&number, json!(true)),
        (&status, json!("Paid")),
        (&status, json!(1)),
        (&flags, json!("a")),
        (&date, json!("2026-06-30")),
        (&date, json!({ "day": "2026-06-30" })),
        (&date, json!({ "date": "30.06.2026" })),
        (&people, json!("me")),
        (&people, json!(["nobody@example.com"])),
    ];
    for (field, wrong) in cases {
        let data = json!({ "name": "changed", "custom_fields": { field: wrong } });
        w.refused(400, "PUT", &format!("/tasks/{task}"), data).await;
    }
    let record = w.data(&format!("/tasks/{task}")).await;
    assert_eq!(record["name"], "x");
    let scalar = w.refused(400, "PUT", &format!("/tasks/{task}"), json!({ "custom_fields": "x" })).await;
    assert_eq!(scalar, "custom_fields: Value is not a JSON object: \"x\"");
}

#[tokio::test]
async fn an_option_must_be_known_and_enabled() {
    let w = World::new();
    let status = w.field("Status", FieldKind::Enum(options(&["Paid", "Held"])));
    let held = w.asana.options(&status)[1].0.clone();
    let task = w.task("x").await;
    w.set(&task, &status, json!(held)).await;
    w.edit(Edit::EnableOption { option: held.clone(), enabled: false });
    let record = w.data(&format!("/tasks/{task}")).await;
    assert_eq!(value(&record, &status)["enum_value"]["enabled"], false, "a value that was set stays");
    assert_eq!(
        w.set_refused(&task, &status, json!(held)).await,
        format!("custom_fields: Not a recognized ID: {held}")
    );
    assert_eq!(w.set_refused(&task, &status, json!("99")).await, "custom_fields: Not a recognized ID: 99");
}

#[tokio::test]
async fn lists_replace_what_was_there() {
    let w = World::new();
    let flags = w.field("Flags", FieldKind::MultiEnum(options(&["a", "b", "c"])));
    let gids: Vec<String> = w.asana.options(&flags).into_iter().map(|(g, _)| g).collect();
    let task = w.task("x").await;
    w.set(&task, &flags, json!([gids[0], gids[1]])).await;
    let record = w.set(&task, &flags, json!([gids[2]])).await;
    assert_eq!(value(&record, &flags)["display_value"], "c");
}

#[tokio::test]
async fn numbers_are_rounded_and_lose_what_a_double_cannot_hold() {
    let w = World::new();
    let amount = w.field("Amount", FieldKind::Currency { precision: 2, code: "EUR".to_owned() });
    let share = w.field("Share", FieldKind::Percentage { precision: 0 });
    let task = w.task("x").await;
    let raw = async |text: &str| {
        let body = format!("{{\"data\":{{\"custom_fields\":{{\"{amount}\":{text}}}}}}}");
        let path = format!("/tasks/{task}?opt_fields=custom_fields.number_value");
        let answer = w.send_text("PUT", &path, Some(body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let start = answer.text.find("number_value\":").unwrap() + "number_value\":".len();
        answer.text[start..].chars().take_while(|c| *c != '}').collect::<String>()
    };
    for (sent, stored) in [
        ("1234.50", "1234.5"),
        ("0.1", "0.1"),
        ("1.005", "1.01"),
        ("-17.999", "-18"),
        ("1e3", "1000"),
        ("9999999999999.99", "9999999999999.99"),
        ("12345678901234567.89", "12345678901234600"),
    ] {
        assert_eq!(raw(sent).await, stored, "{sent}");
    }
    let record = w.set(&task, &share, json!(0.256)).await;
    assert_eq!(value(&record, &share)["number_value"], 0.26);
    assert_eq!(value(&record, &share)["display_value"], "26%");
}

#[tokio::test]
async fn a_number_sent_as_text_follows_the_setting() {
    let w = World::configured(|c| c.number_as_text = NumberAsText::Accept);
    let amount = w.field("Amount", FieldKind::Number { precision: 2 });
    let task = w.task("x").await;
    let record = w.set(&task, &amount, json!("12.5")).await;
    assert_eq!(value(&record, &amount)["number_value"], 12.5);
    w.set_refused(&task, &amount, json!("twelve")).await;
}

#[tokio::test]
async fn a_text_holds_1024_characters() {
    let w = World::configured(|c| c.text_too_long = "too long".to_owned());
    let text = w.field("Text", FieldKind::Text);
    let task = w.task("x").await;
    w.set(&task, &text, json!("ü".repeat(1024))).await;
    assert_eq!(w.set_refused(&task, &text, json!("x".repeat(1025))).await, "too long");
    let record = w.set(&task, &text, json!("")).await;
    assert_eq!(value(&record, &text)["text_value"], Value::Null);
}

#[tokio::test]
async fn a_date_may_carry_a_time() {
    let w = World::new();
    let date = w.field("Date", FieldKind::Date);
    let task = w.task("x").await;
    let record = w.set(&task, &date, json!({ "date_time": "2026-06-30T12:00:00.000Z" })).await;
    let expected = json!({ "date": "2026-06-30", "date_time": "2026-06-30T12:00:00.000Z" });
    assert_eq!(value(&record, &date)["date_value"], expected);
}

#[tokio::test]
async fn a_field_that_is_on_no_project_of_the_task_is_refused() {
    let w = World::new();
    let spec = sandbox::asana::FieldSpec::new("Loose", FieldKind::Text);
    let loose = w.asana.seed_field(&w.workspace, &spec).unwrap();
    let task = w.task("x").await;
    let expected = format!("Custom field with ID {loose} is not on given object");
    assert_eq!(w.set_refused(&task, &loose, json!("x")).await, expected);
    assert_eq!(
        w.set_refused(&task, "99", json!("x")).await,
        "Custom field with ID 99 is not on given object"
    );
    assert_eq!(w.set_refused(&task, "PO", json!("x")).await, "custom_fields: Not a recognized ID: PO");
    let data = json!({ "projects": [w.project], "custom_fields": { &loose: "x" } });
    assert_eq!(w.refused(400, "POST", "/tasks", data).await, expected);
}

#[tokio::test]
async fn a_subtask_does_not_inherit_fields() {
    let w = World::new();
    let field = w.field("PO", FieldKind::Text);
    let parent = w.task("x").await;
    let child = w.post(&format!("/tasks/{parent}/subtasks"), json!({ "name": "y" })).await;
    assert_eq!(child["custom_fields"], json!([]));
    w.set_refused(&gid(&child), &field, json!("x")).await;
}

#[tokio::test]
async fn a_value_whose_field_left_the_project_is_disabled_and_can_only_be_cleared() {
    let w = World::new();
    let field = w.field("PO", FieldKind::Text);
    let task = w.task("x").await;
    w.set(&task, &field, json!("PO-1")).await;
    w.edit(Edit::RemoveField { project: w.project.clone(), field: field.clone() });
    let record = w.data(&format!("/tasks/{task}")).await;
    assert_eq!(value(&record, &field)["enabled"], false);
    assert_eq!(value(&record, &field)["text_value"], "PO-1");
    w.set_refused(&task, &field, json!("PO-2")).await;
    let record = w.set(&task, &field, Value::Null).await;
    assert_eq!(record["custom_fields"], json!([]));
    w.edit(Edit::AddField { project: w.project.clone(), field: field.clone() });
    w.set(&task, &field, json!("PO-3")).await;
}

#[tokio::test]
async fn a_value_stays_enabled_while_one_project_has_the_field() {
    let w = World::new();
    let field = w.field("PO", FieldKind::Text);
    let other = w.asana.seed_project(&w.workspace, "Other").unwrap();
    w.asana.seed_attach(&other, &field).unwrap();
    let task = gid(&w
        .post("/tasks", json!({ "projects": [w.project, other], "custom_fields": { &field: "1" } }))
        .await);
    w.edit(Edit::RemoveField { project: w.project.clone(), field: field.clone() });
    let record = w.data(&format!("/tasks/{task}")).await;
    assert_eq!(value(&record, &field)["enabled"], true);
    assert_eq!(record["custom_fields"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn formulas_and_asanas_own_ids_cannot_be_written() {
    let w = World::new();
    let formula = w.field("Total", FieldKind::Formula);
    let id = w.field("ID", FieldKind::CustomId { prefix: "AP".to_owned() });
    let task = w.task("x").await;
    w.set_refused(&task, &formula, json!(1)).await;
    w.set_refused(&task, &id, json!("AP-1")).await;
    let definition = w.data(&format!("/custom_fields/{formula}")).await;
    assert_eq!(
        (&definition["is_value_read_only"], &definition["is_formula_field"]),
        (&json!(true), &json!(true))
    );
}

#[tokio::test]
async fn a_restricted_value_is_403() {
    let w = World::new();
    let field = w.field("PO", FieldKind::Text);
    let task = w.task("x").await;
    let restrict =
        |restricted| Edit::RestrictValues { project: w.project.clone(), field: field.clone(), restricted };
    w.edit(restrict(true));
    w.refused(403, "PUT", &format!("/tasks/{task}"), json!({ "custom_fields": { &field: "x" } })).await;
    w.edit(Edit::SetValue { task: task.clone(), field: field.clone(), value: json!("by the lead") });
    w.edit(restrict(false));
    w.set(&task, &field, json!("x")).await;
}

#[tokio::test]
async fn a_private_field_is_left_out_without_a_word() {
    let w = World::new();
    let field = w.field("Secret", FieldKind::Text);
    let task = w.task("x").await;
    w.edit(Edit::HideField { field: field.clone(), hidden: true });
    assert_eq!(w.data(&format!("/tasks/{task}")).await["custom_fields"], json!([]));
    assert_eq!(w.data(&format!("/projects/{}/custom_field_settings", w.project)).await, json!([]));
    assert_eq!(w.data(&format!("/workspaces/{}/custom_fields", w.workspace)).await, json!([]));
    w.set_refused(&task, &field, json!("x")).await;
}

#[tokio::test]
async fn only_a_real_change_of_a_value_changes_the_date() {
    let w = World::new();
    let field = w.field("PO", FieldKind::Text);
    let task = w.task("x").await;
    w.advance(10);
    assert_eq!(w.set(&task, &field, json!("1")).await["modified_at"], "2026-03-02T09:00:10.000Z");
    w.advance(10);
    assert_eq!(w.set(&task, &field, json!("1")).await["modified_at"], "2026-03-02T09:00:10.000Z");
}

#[tokio::test]
async fn custom_fields_are_402_on_the_free_plan() {
    let w = World::new();
    let field = w.field("PO", FieldKind::Text);
    let task = w.task("x").await;
    w.edit(Edit::ChangePlan { plan: Plan::Free });
    let fields = "Custom Fields are not available for free users or guests.";
    let data = json!({ "custom_fields": { &field: "x" } });
    assert_eq!(w.refused(402, "PUT", &format!("/tasks/{task}"), data).await, fields);
    assert_eq!(w.refused_get(402, &format!("/workspaces/{}/custom_fields", w.workspace)).await, fields);
    assert_eq!(
        w.refused_get(402, &format!("/projects/{}/custom_field_settings", w.project)).await,
        "Custom Field Settings are not available for free users."
    );
    assert_eq!(
        w.refused_get(402, &format!("/workspaces/{}/tasks/search", w.workspace)).await,
        "Search is only available to premium users."
    );
    assert!(w.data(&format!("/tasks/{task}")).await.get("custom_fields").is_none());
}
