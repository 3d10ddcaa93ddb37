//! Listings of tasks: which, in what order, in what pages, and how quickly.

use serde_json::{Value, json};

use super::{World, gid, names};
use sandbox::asana::{FieldKind, Unpaged};

async fn many(w: &World, n: usize) {
    for i in 0..n {
        w.asana.seed_task(&w.project, &format!("t{i}"), &std::collections::BTreeMap::new()).unwrap();
    }
}

/// Reads all pages by following the tokens.
async fn pages(w: &World, path: &str) -> Vec<Vec<String>> {
    let (mut found, mut offset) = (Vec::new(), String::new());
    loop {
        let body = w.get(&format!("{path}{offset}")).await;
        found.push(names(&body["data"]).into_iter().map(str::to_owned).collect());
        match body["next_page"]["offset"].as_str() {
            Some(token) => offset = format!("&offset={token}"),
            None => break,
        }
    }
    found
}

#[tokio::test]
async fn exactly_one_way_of_choosing_tasks_is_needed() {
    let w = World::new();
    let message =
        "Must specify exactly one of project, tag, section, user task list, or assignee + workspace";
    let (p, s, ws) = (&w.project, &w.section, &w.workspace);
    for query in [
        String::new(),
        "?assignee=me".to_owned(),
        format!("?workspace={ws}"),
        format!("?project={p}&section={s}"),
        format!("?project={p}&assignee=me&workspace={ws}"),
        "?modified_since=2026-01-01T00:00:00.000Z".to_owned(),
    ] {
        assert_eq!(w.refused_get(400, &format!("/tasks{query}")).await, message, "{query}");
    }
    let task = w.task("mine").await;
    w.put(&format!("/tasks/{task}"), json!({ "assignee": "me" })).await;
    for query in [format!("?project={p}"), format!("?section={s}"), format!("?assignee=me&workspace={ws}")] {
        assert_eq!(names(&w.data(&format!("/tasks{query}")).await), ["mine"]);
    }
    assert_eq!(names(&w.data(&format!("/sections/{s}/tasks")).await), ["mine"]);
}

#[tokio::test]
async fn modified_since_answers_what_changed_from_that_instant_on() {
    for inclusive in [true, false] {
        let w = World::configured(|c| c.modified_since_inclusive = inclusive);
        let field = w.field("PO", FieldKind::Text);
        let (a, b) = (w.task("a").await, w.task("b").await);
        let list = async || {
            let path = format!("/tasks?project={}&modified_since=2026-03-02T09:00:10.000Z", w.project);
            names(&w.data(&path).await).join(" ")
        };
        assert_eq!(list().await, "");
        w.advance(10);
        w.set(&b, &field, json!("1")).await;
        assert_eq!(list().await, if inclusive { "b" } else { "" });
        w.advance(1);
        w.put(&format!("/tasks/{a}"), json!({ "completed": true })).await;
        w.set(&b, &field, json!("2")).await;
        assert_eq!(list().await, "a b", "in the order of the project");
    }
}

#[tokio::test]
async fn completed_since_keeps_the_open_ones() {
    let w = World::new();
    let (open, early, late) = (w.task("open").await, w.task("early").await, w.task("late").await);
    w.put(&format!("/tasks/{early}"), json!({ "completed": true })).await;
    w.advance(100);
    w.put(&format!("/tasks/{late}"), json!({ "completed": true })).await;
    w.advance(1);
    for base in [format!("/tasks?project={}&", w.project), format!("/projects/{}/tasks?", w.project)] {
        let since = w.data(&format!("{base}completed_since=2026-03-02T09:00:30.000Z")).await;
        assert_eq!(names(&since), ["open", "late"]);
        assert_eq!(names(&w.data(&format!("{base}completed_since=now")).await), ["open"]);
    }
    assert!(!open.is_empty());
}

#[tokio::test]
async fn the_listing_of_a_project_knows_no_modified_since() {
    let w = World::new();
    w.task("old").await;
    let path = format!("/projects/{}/tasks?modified_since=2030-01-01T00:00:00.000Z", w.project);
    assert_eq!(names(&w.data(&path).await), ["old"]);
}

#[tokio::test]
async fn pages_are_followed_to_the_end() {
    let w = World::new();
    many(&w, 25).await;
    let found = pages(&w, &format!("/tasks?project={}&limit=10", w.project)).await;
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
    assert_eq!(found.concat(), (0..25).map(|i| format!("t{i}")).collect::<Vec<_>>());
    let exact = pages(&w, &format!("/tasks?project={}&limit=25", w.project)).await;
    assert_eq!(exact.len(), 1, "a full last page has no next page");
}

#[tokio::test]
async fn next_page_stands_there_only_when_a_limit_was_given() {
    let w = World::new();
    many(&w, 3).await;
    let plain = w.get(&format!("/tasks?project={}", w.project)).await;
    assert!(plain.get("next_page").is_none());
    let last = w.get(&format!("/tasks?project={}&limit=3", w.project)).await;
    assert_eq!(last.get("next_page"), Some(&Value::Null));
    let next =
        w.get(&format!("/tasks?project={}&limit=2&opt_fields=name", w.project)).await["next_page"].take();
    let token = next["offset"].as_str().unwrap();
    let path = format!("/tasks?project={}&limit=2&opt_fields=name&offset={token}", w.project);
    assert_eq!(next["path"], path);
    assert_eq!(next["uri"], format!("http://asana.test/api/1.0{path}"));
}

#[tokio::test]
async fn a_limit_lies_between_1_and_100() {
    let w = World::new();
    for limit in ["0", "101", "-1", "ten"] {
        w.refused_get(400, &format!("/tasks?project={}&limit={limit}", w.project)).await;
    }
}

#[tokio::test]
async fn a_token_that_was_not_given_out_is_invalid_and_an_old_one_expires() {
    let w = World::configured(|c| c.page_token_seconds = 60);
    many(&w, 3).await;
    let path = format!("/tasks?project={}&limit=1", w.project);
    let invalid = "offset: Your pagination token is invalid.";
    assert_eq!(w.refused_get(400, &format!("{path}&offset=1")).await, invalid);
    let token = w.get(&path).await["next_page"]["offset"].as_str().unwrap().to_owned();
    let elsewhere = format!("/projects?limit=1&offset={token}");
    assert_eq!(w.refused_get(400, &elsewhere).await, invalid);
    w.advance(60);
    assert_eq!(names(&w.data(&format!("{path}&offset={token}")).await), ["t1"]);
    w.advance(1);
    let message = w.refused_get(400, &format!("{path}&offset={token}")).await;
    assert_eq!(message, "offset: Your pagination token has expired.");
}

#[tokio::test]
async fn a_task_that_leaves_between_pages_does_not_shift_the_rest() {
    let w = World::new();
    many(&w, 4).await;
    let path = format!("/tasks?project={}&limit=2", w.project);
    let first = w.get(&path).await;
    let token = first["next_page"]["offset"].as_str().unwrap();
    let gone = gid(&first["data"][0]);
    assert_eq!(w.send("DELETE", &format!("/tasks/{gone}"), None).await.status, 200);
    assert_eq!(names(&w.data(&format!("{path}&offset={token}")).await), ["t2", "t3"]);
}

#[tokio::test]
async fn a_listing_without_limit_is_cut_or_refused() {
    for (setting, status) in [(Unpaged::Truncate, 200), (Unpaged::Refuse, 400)] {
        let w = World::configured(|c| {
            c.unpaged = setting;
            c.unpaged_rows = 5;
        });
        many(&w, 6).await;
        let answer = w.send("GET", &format!("/tasks?project={}", w.project), None).await;
        assert_eq!(answer.status, status);
        match setting {
            Unpaged::Truncate => assert_eq!(names(&answer.body["data"]).len(), 5),
            Unpaged::Refuse => assert_eq!(
                answer.message(),
                "The result is too large. You should use pagination (may require specifying a workspace)!"
            ),
        }
        assert_eq!(names(&w.data(&format!("/tasks?project={}&limit=6", w.project)).await).len(), 6);
    }
}

#[tokio::test]
async fn a_very_long_listing_ends_with_an_error_instead_of_its_last_page() {
    let w = World::configured(|c| c.cut_after_rows = 4);
    many(&w, 5).await;
    let path = format!("/tasks?project={}&limit=2", w.project);
    let mut offset = String::new();
    for _ in 0..2 {
        let body = w.get(&format!("{path}{offset}")).await;
        offset = format!("&offset={}", body["next_page"]["offset"].as_str().unwrap());
    }
    assert!(w.refused_get(400, &format!("{path}{offset}")).await.contains("truncated"));
}

#[tokio::test]
async fn every_changed_task_is_listed_once_whether_few_or_many_changed() {
    let w = World::new();
    many(&w, 1200).await;
    w.advance(10);
    let rows = w.get(&format!("/tasks?project={}&limit=100", w.project)).await;
    let some: Vec<String> = rows["data"].as_array().unwrap().iter().map(gid).collect();
    for task in &some {
        w.put(&format!("/tasks/{task}"), json!({ "notes": "changed" })).await;
    }
    for (since, expected) in [("2026-03-02T09:00:10.000Z", 100), ("2026-03-02T09:00:00.000Z", 1200)] {
        let path = format!("/tasks?project={}&modified_since={since}&limit=70", w.project);
        let mut found = pages(&w, &path).await.concat();
        found.sort_unstable();
        let all = found.len();
        found.dedup();
        assert_eq!((all, found.len()), (expected, expected), "{since}");
    }
}

/// A demo's worth of data: what a page costs may not grow with the project.
#[tokio::test]
async fn thirteen_thousand_tasks_with_fourteen_fields_are_written_and_listed_quickly() {
    let w = World::new();
    let mut fields: Vec<String> = (0..10).map(|i| w.field(&format!("T{i}"), FieldKind::Text)).collect();
    fields.extend((0..4).map(|i| w.field(&format!("N{i}"), FieldKind::Number { precision: 2 })));
    let started = std::time::Instant::now();
    let mut created = Vec::new();
    for i in 0..13_000 {
        let mut values = serde_json::Map::new();
        for (n, field) in fields.iter().enumerate() {
            values.insert(field.clone(), if n < 10 { json!(format!("PO-{i}")) } else { json!(i) });
        }
        let body = json!({ "data": { "name": "x", "projects": [w.project], "custom_fields": values } });
        let answer = w.send_text("POST", "/tasks?opt_fields=gid", Some(body.to_string())).await;
        assert_eq!(answer.status, 201);
        created.push(gid(&answer.body["data"]));
    }
    let wrote = started.elapsed();
    let path = format!(
        "/tasks?project={}&limit=100&opt_fields=name,modified_at,custom_fields.gid,custom_fields.text_value,\
         custom_fields.number_value",
        w.project
    );
    let (mut rows, mut offset) = (0, String::new());
    loop {
        let answer = w.send_text("GET", &format!("{path}{offset}"), None).await;
        rows += answer.body["data"].as_array().unwrap().len();
        match answer.body["next_page"]["offset"].as_str() {
            Some(token) => offset = format!("&offset={token}"),
            None => break,
        }
    }
    let listed = started.elapsed() - wrote;
    w.advance(10);
    for task in created.iter().step_by(130) {
        w.send_text("PUT", &format!("/tasks/{task}"), Some(json!({ "data": { "name": "y" } }).to_string()))
            .await;
    }
    let since = format!("{path}&modified_since=2026-03-02T09:00:10.000Z");
    let before = std::time::Instant::now();
    let changed = w.send_text("GET", &since, None).await.body["data"].as_array().unwrap().len();
    println!("wrote in {wrote:?}, listed in {listed:?}, changes in {:?}", before.elapsed());
    assert_eq!((rows, changed), (13_000, 100));
    // Generous, since it runs unoptimised and beside other tests; a scan per request would take minutes.
    assert!(started.elapsed().as_secs() < 120);
}
