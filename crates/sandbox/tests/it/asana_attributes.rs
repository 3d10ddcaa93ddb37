//! Due date, assignee, section and tags of tasks; and the people and tags to choose from.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::spec::Spec;
use super::{World, gid, keys, names};
use sandbox::Board;
use sandbox::asana::{BarePaths, Edit, Strictness};

const ALL: &str = "opt_fields=due_on,assignee.email,tags,memberships.section.name,modified_at";

async fn shown(w: &World, task: &str) -> Value {
    w.data(&format!("/tasks/{task}?{ALL}")).await
}

fn tags_of(record: &Value) -> Vec<String> {
    record["tags"].as_array().unwrap().iter().map(gid).collect()
}

#[tokio::test]
async fn a_new_task_takes_due_date_assignee_and_tags() {
    let w = World::new();
    let ana = w.asana.seed_user("Ana", "ana@example.com");
    let urgent = w.asana.seed_tag(&w.workspace, "Urgent").unwrap();
    let data = json!({
        "name": "x", "projects": [w.project], "due_on": "2026-04-01", "assignee": "ANA@example.com",
        "tags": [urgent, urgent]
    });
    let made = w.post("/tasks", data).await;
    assert_eq!((&made["due_on"], &made["assignee"]["gid"]), (&json!("2026-04-01"), &json!(ana)));
    assert_eq!(made["tags"], json!([{ "gid": urgent, "resource_type": "tag", "name": "Urgent" }]));
    let record = shown(&w, &gid(&made)).await;
    assert_eq!(record["assignee"], json!({ "gid": ana, "email": "ana@example.com" }));
    let data = |tags: Value| json!({ "name": "x", "projects": [w.project], "tags": tags });
    let message = w.refused(400, "POST", "/tasks", data(json!([urgent, "99"]))).await;
    assert_eq!(message, "tags: [1]: Unknown object: 99");
    let elsewhere = w.asana.seed_workspace("Elsewhere");
    let foreign = w.asana.seed_tag(&elsewhere, "Urgent").unwrap();
    let message = w.refused(400, "POST", "/tasks", data(json!([foreign]))).await;
    assert_eq!(message, format!("tags: [0]: Unknown object: {foreign}"));
    assert_eq!(
        names(&w.data(&format!("/tasks?project={}", w.project)).await),
        ["x"],
        "nothing was made of them"
    );
}

#[test]
fn the_document_would_object_to_other_forms() {
    let Some(spec) = Spec::shared() else { return };
    let judge = |method: &str, path: &str, request: Option<Value>, response: Value| {
        spec.violations(method, path, 200, request.as_ref(), Some(&response)).join("\n")
    };
    let task = |more: Value| judge("GET", "/tasks/1", None, json!({ "data": more }));
    assert_eq!(task(json!({ "gid": "1", "due_on": null, "assignee": null, "tags": [{ "gid": "2" }] })), "");
    assert!(task(json!({ "gid": "1", "tags": ["2"] })).contains("tags"));
    assert!(task(json!({ "gid": "1", "due_on": "soon" })).contains("due_on"));
    for path in ["/tasks/1/addTag", "/tasks/1/removeTag"] {
        let sent = |data: Value| judge("POST", path, Some(json!({ "data": data })), json!({ "data": {} }));
        assert_eq!(sent(json!({ "tag": "2" })), "");
        assert!(sent(json!({ "tag": 2 })).contains("tag") && sent(json!({})).contains("tag"), "{path}");
    }
    let sent = |data: Value| {
        judge("POST", "/sections/1/addTask", Some(json!({ "data": data })), json!({ "data": {} }))
    };
    assert_eq!(sent(json!({ "task": "2" })), "");
    assert!(sent(json!({ "section": "2" })).contains("task"));
    let tag = json!({ "gid": "1", "resource_type": "tag", "name": "a" });
    assert_eq!(judge("GET", "/workspaces/1/tags?limit=5", None, json!({ "data": [tag] })), "");
    let odd = json!({ "data": [{ "gid": "1", "shade": "red" }] });
    assert!(judge("GET", "/workspaces/1/tags", None, odd).contains("shade"));
}

#[tokio::test]
async fn tags_are_given_and_taken_one_at_a_time_and_twice_is_no_error() {
    let w = World::new();
    let [one, two] = ["Urgent", "Checked"].map(|name| w.asana.seed_tag(&w.workspace, name).unwrap());
    let task = w.task("x").await;
    let (add, remove) = (format!("/tasks/{task}/addTag"), format!("/tasks/{task}/removeTag"));
    for tag in [&one, &two, &one] {
        assert_eq!(w.post(&add, json!({ "tag": tag })).await, json!({}));
    }
    assert_eq!(tags_of(&shown(&w, &task).await), [one.clone(), two.clone()]);
    assert_eq!(names(&w.data(&format!("/tasks?tag={two}")).await), ["x"]);
    for _ in 0..2 {
        assert_eq!(w.post(&remove, json!({ "tag": one })).await, json!({}));
    }
    assert_eq!(tags_of(&shown(&w, &task).await), [two.as_str()]);
    let search = format!("/workspaces/{}/tasks/search?tags.any=", w.workspace);
    assert_eq!(names(&w.data(&format!("{search}{two}")).await), ["x"]);
    assert_eq!(names(&w.data(&format!("{search}{one}")).await), [""; 0]);
}

#[tokio::test]
async fn what_is_no_tag_of_the_workspace_is_refused() {
    let w = World::new();
    let tag = w.asana.seed_tag(&w.workspace, "Urgent").unwrap();
    let elsewhere = w.asana.seed_workspace("Elsewhere");
    let foreign = w.asana.seed_tag(&elsewhere, "Urgent").unwrap();
    let task = w.task("x").await;
    for call in ["addTag", "removeTag"] {
        let path = format!("/tasks/{task}/{call}");
        for (data, message) in [
            (json!({ "tag": "99" }), "tag: Unknown object: 99".to_owned()),
            (json!({ "tag": foreign }), format!("tag: Unknown object: {foreign}")),
            (json!({ "tag": w.project }), format!("tag: Unknown object: {}", w.project)),
            (json!({ "tag": "Urgent" }), "tag: Not a recognized ID: Urgent".to_owned()),
            (json!({ "tag": 5 }), "tag: Not a valid GID type: number".to_owned()),
            (json!({}), "tag: Missing input".to_owned()),
        ] {
            assert_eq!(w.refused(400, "POST", &path, data).await, message, "{call}");
        }
        let gone = w.refused(404, "POST", &format!("/tasks/99/{call}"), json!({ "tag": tag })).await;
        assert_eq!(gone, "task: Unknown object: 99");
    }
    let message = w.refused(400, "PUT", &format!("/tasks/{task}"), json!({ "tags": [tag] })).await;
    assert_eq!(message, "tags: Cannot write this property");
    let list = w.refused_get(400, "/tasks?tag=99").await;
    assert_eq!(list, "tag: Unknown object: 99");
    assert_eq!(tags_of(&shown(&w, &task).await), [""; 0]);
}

#[tokio::test]
async fn an_unknown_member_beside_tag_or_task_is_ignored_or_refused_by_setting() {
    for (setting, status) in [(Strictness::Ignore, 200), (Strictness::Refuse, 400)] {
        let w = World::configured(|c| c.unknown_members = setting);
        let tag = w.asana.seed_tag(&w.workspace, "Urgent").unwrap();
        let section = w.asana.seed_section(&w.project, "Paid").unwrap();
        let task = w.task("x").await;
        for (path, data) in [
            (format!("/tasks/{task}/addTag"), json!({ "tag": tag, "colour": "red" })),
            (format!("/tasks/{task}/removeTag"), json!({ "tag": tag, "colour": "red" })),
            (format!("/sections/{section}/addTask"), json!({ "task": task, "project": w.project })),
        ] {
            let answer = w.send("POST", &path, Some(json!({ "data": data }))).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn the_tags_of_a_workspace_are_listed_in_pages() {
    let w = World::new();
    for name in ["a", "b", "c"] {
        w.asana.seed_tag(&w.workspace, name).unwrap();
    }
    let elsewhere = w.asana.seed_workspace("Elsewhere");
    w.asana.seed_tag(&elsewhere, "d").unwrap();
    let path = format!("/workspaces/{}/tags", w.workspace);
    let first = w.get(&format!("{path}?limit=2")).await;
    assert_eq!(names(&first["data"]), ["a", "b"]);
    assert_eq!(keys(&first["data"][0]), ["gid", "name", "resource_type"]);
    let offset = first["next_page"]["offset"].as_str().unwrap();
    let last = w.get(&format!("{path}?limit=2&offset={offset}")).await;
    assert_eq!((names(&last["data"]), &last["next_page"]), (vec!["c"], &Value::Null));
    let all = format!("{path}?opt_fields=name,color,created_at,followers,notes,permalink_url,workspace.name");
    let whole = w.data(&all).await;
    assert_eq!((&whole[0]["workspace"]["name"], &whole[0]["color"]), (&json!("Northwind"), &Value::Null));
    w.refused_get(404, "/workspaces/99/tags").await;
    assert_eq!(w.asana.tags(&w.workspace).len(), 3);
}

#[tokio::test]
async fn only_gids_of_tags_are_answered_where_a_bare_path_brings_no_more() {
    let w = World::configured(|c| c.bare_paths = BarePaths::GidOnly);
    let tag = w.asana.seed_tag(&w.workspace, "Urgent").unwrap();
    let task = w.task("x").await;
    w.post(&format!("/tasks/{task}/addTag"), json!({ "tag": tag })).await;
    assert_eq!(shown(&w, &task).await["tags"], json!([{ "gid": tag, "resource_type": "tag" }]));
}

#[tokio::test]
async fn due_date_and_assignee_change_the_date_of_change_but_tags_and_sections_do_not() {
    for (setting, arranged) in [(false, "2026-03-02T09:00:02.000Z"), (true, "2026-03-02T09:00:04.000Z")] {
        let w = World::configured(|c| c.arranging_changes_modified_at = setting);
        let tag = w.asana.seed_tag(&w.workspace, "Urgent").unwrap();
        let section = w.asana.seed_section(&w.project, "Paid").unwrap();
        let task = w.task("x").await;
        let path = format!("/tasks/{task}");
        w.advance(1);
        let due = w.put(&path, json!({ "due_on": "2026-04-01" })).await;
        assert_eq!(due["modified_at"], "2026-03-02T09:00:01.000Z");
        w.advance(1);
        let assigned = w.put(&path, json!({ "assignee": "lead@example.com" })).await;
        assert_eq!(assigned["modified_at"], "2026-03-02T09:00:02.000Z");
        w.advance(1);
        w.post(&format!("{path}/addTag"), json!({ "tag": tag })).await;
        w.advance(1);
        w.post(&format!("/sections/{section}/addTask"), json!({ "task": task })).await;
        w.advance(1);
        // neither of these changes anything
        w.post(&format!("{path}/addTag"), json!({ "tag": tag })).await;
        w.post(&format!("/sections/{section}/addTask"), json!({ "task": task })).await;
        w.put(&path, json!({ "due_on": "2026-04-01", "assignee": "lead@example.com" })).await;
        let record = shown(&w, &task).await;
        assert_eq!(record["modified_at"], arranged);
        assert_eq!(record["memberships"][0]["section"]["name"], "Paid");
        let since = format!("/tasks?project={}&modified_since=2026-03-02T09:00:03.000Z", w.project);
        assert_eq!(w.data(&since).await.as_array().unwrap().len(), usize::from(setting));
    }
}

#[tokio::test]
async fn tags_are_told_to_nobody_while_due_date_assignee_and_section_are() {
    let w = World::new();
    let tag = w.asana.seed_tag(&w.workspace, "Urgent").unwrap();
    let section = w.asana.seed_section(&w.project, "Paid").unwrap();
    let task = w.task("x").await;
    let (receiver, _hook) = w.listen(json!([])).await;
    w.post(&format!("/tasks/{task}/addTag"), json!({ "tag": tag })).await;
    w.post(&format!("/tasks/{task}/removeTag"), json!({ "tag": tag })).await;
    assert_eq!(w.told(&receiver).await, [] as [Value; 0]);
    w.put(&format!("/tasks/{task}"), json!({ "due_on": "2026-04-01", "assignee": "me" })).await;
    w.post(&format!("/sections/{section}/addTask"), json!({ "task": task })).await;
    let told = super::receiver::shorts(&w.told(&receiver).await);
    assert_eq!(told, ["task changed due_on", "task changed assignee", "task added section"]);
}

#[tokio::test]
async fn a_section_of_another_project_brings_the_task_there_too() {
    let w = World::new();
    let other = w.asana.seed_project(&w.workspace, "Other").unwrap();
    let late = w.asana.seed_section(&other, "Late").unwrap();
    let task = w.task("x").await;
    w.post(&format!("/sections/{late}/addTask"), json!({ "task": task })).await;
    let homes = shown(&w, &task).await["memberships"].clone();
    assert_eq!(
        (&homes[0]["section"]["name"], &homes[1]["section"]["name"]),
        (&json!("Untitled section"), &json!("Late"))
    );
    let gone = w.refused(404, "POST", "/sections/99/addTask", json!({ "task": task })).await;
    assert_eq!(gone, "section: Unknown object: 99");
    let path = format!("/sections/{late}/addTask");
    assert_eq!(w.refused(400, "POST", &path, json!({ "task": "99" })).await, "task: Unknown object: 99");
    assert_eq!(w.refused(400, "POST", &path, json!({})).await, "task: Missing input");
}

#[tokio::test]
async fn people_are_found_by_gid_and_by_address() {
    let w = World::new();
    let ana = w.asana.seed_user("Ana", "ana+ap@example.com");
    assert_eq!(w.asana.seed_user("Ana again", "Ana+AP@example.com"), ana, "an address is one user's");
    for named in ["ana+ap@example.com", ana.as_str()] {
        let user = w.data(&format!("/users/{named}")).await;
        assert_eq!((gid(&user), &user["email"]), (ana.clone(), &json!("ana+ap@example.com")));
    }
    let none = w.refused_get(404, "/users/nobody@example.com").await;
    assert_eq!(none, "user: Unknown object: nobody@example.com");
    let task = w.task("x").await;
    let path = format!("/tasks/{task}");
    assert_eq!(w.put(&path, json!({ "assignee": ana })).await["assignee"]["name"], "Ana");
    for nobody in ["99", "", "Ana"] {
        let message = w.refused(400, "PUT", &path, json!({ "assignee": nobody })).await;
        assert_eq!(message, format!("assignee: Not a user in Organization: {nobody}"));
    }
    w.refused(400, "PUT", &path, json!({ "assignee": 5 })).await;
    assert_eq!(w.data(&path).await["assignee"]["gid"], ana);
}

#[tokio::test]
async fn edits_set_what_a_person_would() {
    let w = World::new();
    let apply = |edit: Value| w.asana.apply(serde_json::from_value(edit).unwrap());
    let task = w.task("x").await;
    apply(json!({ "edit": "add_user", "name": "Ana", "email": "ana@example.com" })).unwrap();
    apply(json!({ "edit": "add_tag", "workspace": w.workspace, "name": "Urgent" })).unwrap();
    apply(json!({ "edit": "add_section", "project": w.project, "name": "Paid" })).unwrap();
    let tag = w.asana.tags(&w.workspace)[0].0.clone();
    let section = w.asana.sections(&w.project)[1].0.clone();
    apply(json!({ "edit": "assign_task", "task": task, "assignee": "ana@example.com" })).unwrap();
    apply(json!({ "edit": "set_due_date", "task": task, "due_on": "2026-04-01" })).unwrap();
    apply(json!({ "edit": "change_notes", "task": task, "notes": "by hand" })).unwrap();
    apply(json!({ "edit": "tag_task", "task": task, "tag": tag })).unwrap();
    apply(json!({ "edit": "move_task", "task": task, "section": section })).unwrap();
    let state: Value = serde_json::from_str(&w.asana.state_json()).unwrap();
    let stored = &state["tasks"][&task];
    let ana = stored["assignee"][0].as_str().unwrap();
    assert_eq!(state["users"][ana]["email"], "ana@example.com");
    assert_eq!((&stored["due_on"], &stored["notes"]), (&json!("2026-04-01"), &json!("by hand")));
    assert_eq!((&stored["tags"], &stored["memberships"][0][1]), (&json!([tag]), &json!(section)));
    assert_eq!(state["tags"][&tag], json!({ "name": "Urgent", "workspace": [w.workspace] }));
    apply(json!({ "edit": "assign_task", "task": task })).unwrap();
    apply(json!({ "edit": "set_due_date", "task": task })).unwrap();
    apply(json!({ "edit": "delete_tag", "tag": tag })).unwrap();
    let record = shown(&w, &task).await;
    assert_eq!(
        (&record["due_on"], &record["assignee"], tags_of(&record)),
        (&Value::Null, &Value::Null, vec![])
    );
    for refused in [
        json!({ "edit": "tag_task", "task": task, "tag": tag }),
        json!({ "edit": "untag_task", "task": task, "tag": tag }),
        json!({ "edit": "delete_tag", "tag": tag }),
        json!({ "edit": "assign_task", "task": task, "assignee": "nobody@example.com" }),
        json!({ "edit": "set_due_date", "task": task, "due_on": "tomorrow" }),
        json!({ "edit": "add_user", "name": "Ana", "email": "ANA@example.com" }),
        json!({ "edit": "add_tag", "workspace": "99", "name": "x" }),
        json!({ "edit": "add_section", "project": "99", "name": "x" }),
    ] {
        assert!(apply(refused.clone()).is_err(), "{refused}");
    }
}

#[tokio::test]
async fn a_board_has_people_and_tags_that_move_no_other_gid() {
    let (with, without) = (World::new(), World::new());
    let board = Board::seed(&with.asana, "Purchasing").unwrap();
    let workspace = without.asana.seed_workspace("Northwind Consulting");
    assert_eq!(board.workspace, workspace);
    assert_eq!(Some(board.project), without.asana.seed_project(&workspace, "Purchasing"));
    let tags = with.asana.tags(&workspace);
    assert_eq!(tags.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), sandbox::board::TAGS);
    let people = with.asana.users();
    for (name, email) in sandbox::board::PEOPLE {
        assert!(people.iter().any(|(_, n, e)| n == name && e == email), "{people:?}");
    }
    Board::seed(&with.asana, "Again").unwrap();
    assert_eq!(with.asana.users().len(), people.len(), "the same people work in both");
}

#[tokio::test]
async fn a_person_sees_and_changes_them_on_the_pages() {
    let w = World::new();
    let ana = w.asana.seed_user("Ana <AP>", "ana@example.com");
    let tag = w.asana.seed_tag(&w.workspace, "Very urgent").unwrap();
    let section = w.asana.seed_section(&w.project, "Paid").unwrap();
    let task = w.task("Order 1").await;
    let page = async |path: String| w.exchange(Request::get(path).body(Body::empty()).unwrap()).await.text;
    let form = async |attribute: &str, value: &str| {
        let body = format!("attribute={attribute}&value={value}");
        let request = Request::post(format!("/0/{}/{task}", w.project))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        w.exchange(request).await.status
    };
    let before = page(format!("/0/{}/{task}", w.project)).await;
    assert!(before.contains("Due date") && before.contains("Another tag") && !before.contains("\"untag\""));
    for (attribute, value) in [
        ("due_on", "2026-04-01"),
        ("assignee", ana.as_str()),
        ("section", section.as_str()),
        ("tag", tag.as_str()),
    ] {
        assert_eq!(form(attribute, value).await, 303, "{attribute}");
    }
    let list = page(format!("/0/{}/list", w.project)).await;
    for seen in ["2026-04-01", "Ana &lt;AP&gt;", "Very urgent"] {
        assert!(list.contains(seen), "{seen}: {list}");
    }
    let after = page(format!("/0/{}/{task}", w.project)).await;
    assert!(after.contains("\"untag\"") && !after.contains("Another tag"), "{after}");
    assert_eq!(shown(&w, &task).await["memberships"][0]["section"]["name"], "Paid");
    for (attribute, value, status) in
        [("due_on", "", 303), ("assignee", "", 303), ("untag", tag.as_str(), 303), ("colour", "red", 400)]
    {
        assert_eq!(form(attribute, value).await, status, "{attribute}");
    }
    let record = shown(&w, &task).await;
    assert_eq!(
        (&record["due_on"], &record["assignee"], tags_of(&record)),
        (&Value::Null, &Value::Null, vec![])
    );
    w.edit(Edit::TagTask { task: task.clone(), tag });
    assert!(page(format!("/0/{}/list", w.project)).await.contains("Very urgent"));
}
