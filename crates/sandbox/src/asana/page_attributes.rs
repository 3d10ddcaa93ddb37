//! Due date, assignee, section and tags of a task on the pages for people.

use std::collections::HashMap;

use maud::{Markup, html};

use super::Edit;
use super::world::{Membership, Task, World};

/// The heads of the columns that [`cells`] fills.
pub(super) fn heads() -> Markup {
    html! { th { "Due" } th { "Assignee" } th { "Tags" } }
}

/// A task's attributes in a row of its project; the section is the table's own title.
pub(super) fn cells(world: &World, task: &Task) -> Markup {
    html! {
        td { @if let Some(day) = task.due_on { span.time { (day) } } }
        td { @if let Some(user) = task.assignee.and_then(|gid| world.users.get(&gid)) { (user.name) } }
        td { @for tag in task.tags.iter().filter_map(|gid| world.tags.get(gid)) { span.pill { (tag.name) } " " } }
    }
}

/// The forms that change them, each told apart by `attribute`.
pub(super) fn forms(world: &World, task: &Task) -> Markup {
    let due = task.due_on.map(|day| day.to_string()).unwrap_or_default();
    html! {
        form method="post" {
            label for="due_on" { "Due date" }
            input id="due_on" type="date" name="value" value=(due);
            (save("due_on"))
        }
        form method="post" {
            label for="assignee" { "Assignee" }
            select id="assignee" name="value" {
                option value="" { "—" }
                @for (gid, user) in &world.users {
                    option value=(gid) selected[task.assignee == Some(*gid)] { (user.name) " (" (user.email) ")" }
                }
            }
            (save("assignee"))
        }
        @for home in &task.memberships { (section(world, home)) }
        (tags(world, task))
    }
}

fn section(world: &World, home: &Membership) -> Markup {
    let project = world.projects.get(&home.project);
    let sections = project.map_or(&[][..], |project| &project.sections);
    html! {
        form method="post" {
            label for={ "s" (home.project) } {
                "Section" @if let Some(project) = project { " " span.muted { (project.name) } }
            }
            select id={ "s" (home.project) } name="value" {
                @for (gid, section) in sections.iter().filter_map(|gid| Some((gid, world.sections.get(gid)?))) {
                    option value=(gid) selected[home.section == *gid] { (section.name) }
                }
            }
            (save("section"))
        }
    }
}

fn tags(world: &World, task: &Task) -> Markup {
    let others: Vec<_> = world
        .tags
        .iter()
        .filter(|(gid, tag)| tag.workspace == task.workspace && !task.tags.contains(gid))
        .collect();
    html! {
        @for (gid, tag) in task.tags.iter().filter_map(|gid| Some((gid, world.tags.get(gid)?))) {
            form method="post" {
                span.state { "Tag" }
                span { span.pill { (tag.name) } }
                input type="hidden" name="attribute" value="untag";
                input type="hidden" name="value" value=(gid);
                button aria-label={ "Remove the tag " (tag.name) } { "Remove" }
            }
        }
        @if !others.is_empty() {
            form method="post" {
                label for="tag" { "Another tag" }
                select id="tag" name="value" {
                    @for (gid, tag) in &others { option value=(gid) { (tag.name) } }
                }
                input type="hidden" name="attribute" value="tag";
                button { "Add" }
            }
        }
    }
}

fn save(attribute: &str) -> Markup {
    html! {
        input type="hidden" name="attribute" value=(attribute);
        button { "Save" }
    }
}

/// The change that a form asks for; `None` for a form that is not one of these.
pub(super) fn edit(task: String, form: &HashMap<String, String>) -> Option<Edit> {
    let value = form.get("value").map(|typed| typed.trim().to_owned())?;
    let given = Some(value.clone()).filter(|value| !value.is_empty());
    match form.get("attribute")?.as_str() {
        "due_on" => Some(Edit::SetDueDate { task, due_on: given }),
        "assignee" => Some(Edit::AssignTask { task, assignee: given }),
        "section" => Some(Edit::MoveTask { task, section: value }),
        "tag" => Some(Edit::TagTask { task, tag: value }),
        "untag" => Some(Edit::UntagTask { task, tag: value }),
        _ => None,
    }
}
