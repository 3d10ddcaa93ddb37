//! Workspaces, projects and sections.

use serde_json::json;

use super::{World, keys, names};
use sandbox::asana::Edit;

#[tokio::test]
async fn projects_are_listed_both_ways_and_archived_ones_too() {
    let w = World::new();
    let old = w.asana.seed_project(&w.workspace, "Old").unwrap();
    w.edit(Edit::ArchiveProject { project: old, archived: true });
    for path in
        [format!("/projects?workspace={}&", w.workspace), format!("/workspaces/{}/projects?", w.workspace)]
    {
        assert_eq!(names(&w.data(&path).await), ["Payables", "Old"]);
        assert_eq!(names(&w.data(&format!("{path}archived=true")).await), ["Old"]);
        assert_eq!(names(&w.data(&format!("{path}archived=false")).await), ["Payables"]);
        assert_eq!(keys(&w.data(&path).await[0]), ["gid", "name", "resource_type"]);
    }
    w.refused_get(400, "/projects?workspace=99").await;
}

#[tokio::test]
async fn a_project_is_read_whole() {
    let w = World::new();
    w.field("PO", sandbox::asana::FieldKind::Text);
    let project = w.data(&format!("/projects/{}", w.project)).await;
    assert_eq!(project["workspace"]["name"], "Northwind");
    assert_eq!(project["custom_field_settings"].as_array().unwrap().len(), 1);
    let path = format!("/projects/{}?opt_fields=custom_field_settings.custom_field.name", w.project);
    assert_eq!(w.data(&path).await["custom_field_settings"][0]["custom_field"]["name"], "PO");
}

#[tokio::test]
async fn a_private_project_is_403_and_in_no_listing() {
    let w = World::new();
    let task = w.asana.seed_task(&w.project, "x", &std::collections::BTreeMap::new()).unwrap();
    w.edit(Edit::HideProject { project: w.project.clone(), hidden: true });
    let no = "You do not have access to this project.";
    assert_eq!(w.refused_get(403, &format!("/projects/{}", w.project)).await, no);
    assert_eq!(w.refused_get(403, &format!("/tasks?project={}", w.project)).await, no);
    assert_eq!(w.refused_get(403, &format!("/tasks/{task}")).await, "You do not have access to this task.");
    assert_eq!(names(&w.data(&format!("/projects?workspace={}", w.workspace)).await), [""; 0]);
}

#[tokio::test]
async fn sections_are_listed_in_order_and_can_be_added() {
    let w = World::new();
    let path = format!("/projects/{}/sections", w.project);
    assert_eq!(names(&w.data(&path).await), ["Untitled section"]);
    let made = w.post(&path, json!({ "name": "First", "insert_before": w.section })).await;
    assert_eq!(made["project"]["name"], "Payables");
    assert_eq!(names(&w.data(&path).await), ["First", "Untitled section"]);
    assert_eq!(w.refused(400, "POST", &path, json!({})).await, "name: Missing input");
}

#[tokio::test]
async fn workspaces_and_users_are_found() {
    let w = World::new();
    assert_eq!(names(&w.data("/workspaces").await), ["Northwind"]);
    assert_eq!(w.data(&format!("/workspaces/{}", w.workspace)).await["is_organization"], false);
    let me = w.data("/users/me").await;
    assert_eq!(me["workspaces"][0]["name"], "Northwind");
    assert_eq!(w.data("/users/connector@example.com").await["gid"], me["gid"]);
    w.refused_get(404, "/users/99").await;
}
