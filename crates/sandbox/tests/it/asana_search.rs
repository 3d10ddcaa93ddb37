//! Search: its lag, its operators, its silence about what it does not know.

use serde_json::json;

use super::{World, names};
use sandbox::asana::FieldKind;

impl World {
    async fn search(&self, query: &str) -> String {
        let path = format!("/workspaces/{}/tasks/search?sort_by=created_at&{query}", self.workspace);
        let body = self.get(&path).await;
        let mut found: Vec<String> = names(&body["data"]).into_iter().map(str::to_owned).collect();
        found.sort_unstable();
        found.join(" ")
    }
}

#[tokio::test]
async fn a_change_is_found_only_after_the_lag() {
    let w = World::configured(|c| c.search_lag_seconds = 30);
    let field = w.field("PO", FieldKind::Text);
    let task = w.task("x").await;
    let query = |value: &str| format!("custom_fields.{field}.value={value}");
    assert_eq!(w.search("").await, "", "not even its creation is known yet");
    w.advance(30);
    assert_eq!(w.search("").await, "x");
    w.set(&task, &field, json!("PO-1")).await;
    w.advance(29);
    assert_eq!(w.search(&query("PO-1")).await, "");
    w.set(&task, &field, json!("PO-2")).await;
    w.advance(1);
    assert_eq!(w.search(&query("PO-1")).await, "x", "the older value is the one that is known");
    w.advance(29);
    assert_eq!(
        (w.search(&query("PO-1")).await, w.search(&query("PO-2")).await),
        (String::new(), "x".to_owned())
    );
}

#[tokio::test]
async fn custom_fields_are_searched_by_operators() {
    let w = World::new();
    let text = w.field("PO", FieldKind::Text);
    let number = w.field("Amount", FieldKind::Number { precision: 2 });
    let date = w.field("Date", FieldKind::Date);
    let status = w.field("Status", FieldKind::Enum(vec!["Paid".to_owned(), "Held".to_owned()]));
    let paid = w.asana.options(&status)[0].0.clone();
    let a = w.task("a").await;
    let b = w.task("b").await;
    w.task("c").await;
    for (task, po, amount, day) in [(&a, "PO-1", 10.5, "2026-04-01"), (&b, "PO-12", 20.0, "2026-05-01")] {
        w.set(task, &text, json!(po)).await;
        w.set(task, &number, json!(amount)).await;
        w.set(task, &date, json!({ "date": day })).await;
    }
    w.set(&b, &status, json!(paid)).await;
    let cases = [
        (format!("{text}.value=PO-1"), "a"),
        (format!("{text}.starts_with=PO-1"), "a b"),
        (format!("{text}.ends_with=2"), "b"),
        (format!("{text}.contains=O-"), "a b"),
        (format!("{text}.is_set=false"), "c"),
        (format!("{text}.is_set=true"), "a b"),
        (format!("{number}.value=10.50"), "a"),
        (format!("{number}.less_than=20"), "a"),
        (format!("{number}.greater_than=10.5"), "b"),
        (format!("{date}.before=2026-04-15"), "a"),
        (format!("{date}.after=2026-04-15"), "b"),
        (format!("{status}.value={paid}"), "b"),
        (format!("{status}.value=Paid"), ""),
    ];
    for (query, expected) in cases {
        assert_eq!(w.search(&format!("custom_fields.{query}")).await, expected, "{query}");
    }
}

#[tokio::test]
async fn a_misspelt_parameter_answers_everything() {
    let w = World::new();
    let field = w.field("PO", FieldKind::Text);
    w.task("a").await;
    w.task("b").await;
    assert_eq!(w.search(&format!("custom_fields.{field}.valeu=PO-1")).await, "a b");
    assert_eq!(w.search("project.any=1").await, "a b");
}

#[tokio::test]
async fn built_in_properties_are_searched() {
    let w = World::new();
    let other = w.asana.seed_project(&w.workspace, "Other").unwrap();
    let a = w.task("apple").await;
    w.advance(60);
    w.post("/tasks", json!({ "name": "pear", "projects": [other], "due_on": "2026-04-01" })).await;
    w.put(&format!("/tasks/{a}"), json!({ "completed": true, "assignee": "me" })).await;
    for (query, expected) in [
        (format!("projects.any={}", w.project), "apple"),
        (format!("projects.not={}", w.project), "pear"),
        (format!("projects.any={},{other}", w.project), "apple pear"),
        (format!("projects.all={},{other}", w.project), ""),
        ("completed=false".to_owned(), "pear"),
        ("assignee.any=me".to_owned(), "apple"),
        ("text=EAR".to_owned(), "pear"),
        ("due_on=2026-04-01".to_owned(), "pear"),
        ("due_on=null".to_owned(), "apple"),
        ("due_on.before=2026-05-01".to_owned(), "pear"),
        ("created_at.after=2026-03-02T09:00:30.000Z".to_owned(), "pear"),
        ("resource_subtype=milestone".to_owned(), ""),
    ] {
        assert_eq!(w.search(&query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn at_most_a_hundred_are_answered_and_never_a_next_page() {
    let w = World::new();
    for i in 0..120 {
        w.asana.seed_task(&w.project, &format!("t{i}"), &std::collections::BTreeMap::new()).unwrap();
        w.advance(1);
    }
    let path = format!("/workspaces/{}/tasks/search?sort_by=created_at&sort_ascending=true", w.workspace);
    let body = w.get(&format!("{path}&limit=100")).await;
    assert!(body.get("next_page").is_none());
    let first = names(&body["data"]);
    assert_eq!((first.len(), first[0], first[99]), (100, "t0", "t99"));
    w.refused_get(400, &format!("{path}&limit=101")).await;
    let rest = w.data(&format!("{path}&created_at.after=2026-03-02T09:01:39.000Z")).await;
    assert_eq!(names(&rest).len(), 20, "paging goes by the time of creation");
}
