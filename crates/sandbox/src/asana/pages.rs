//! Pages for people: the projects, one project as a table, one task with a form.

use std::collections::HashMap;

use axum::Router;
use axum::extract::{Form, Path, Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, html};
use serde_json::{Value as Body, json};

use super::error::Fail;
use super::ops::Ctx;
use super::records::View;
use super::world::{Field, Gid, Kind, Subtype, Task};
use super::{Asana, Edit, page_attributes};
use crate::amount_text::grouped;

/// The most tasks shown on a project's page.
const MAX_ROWS: usize = 500;

const STYLE: &str = include_str!("pages.css");

pub(crate) fn router(asana: Asana) -> Router {
    Router::new()
        .route("/", get(projects))
        .route("/0/{project}/list", get(project))
        .route("/0/{project}/{task}", get(task).post(change))
        .with_state(asana)
}

fn page(title: &str, body: &Markup) -> Markup {
    framed(title, Width::Full, body)
}

/// How wide a page may become.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Width {
    Full,
    Narrow,
}

fn framed(title: &str, width: Width, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (maud::PreEscaped(STYLE)) }
            }
            body {
                header { a href="/" { "Projects" } span { "stand-in for Asana, no real system" } }
                main.narrow[width == Width::Narrow] { (body) }
            }
        }
    }
}

/// Shows something as the person sees it.
fn show(asana: &Asana, draw: impl FnOnce(&mut Ctx<'_>) -> Result<Markup, Fail>) -> Response {
    match asana.with_ctx(asana.person(), None, "", draw) {
        Ok(markup) => markup.into_response(),
        Err(fail) => failed(&fail.message, fail.status),
    }
}

fn failed(message: &str, status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, page("Error", &html! { div.error { (message) } a href="/" { "All projects" } })).into_response()
}

async fn projects(State(asana): State<Asana>) -> Response {
    show(&asana, |ctx| {
        let world = &*ctx.world;
        Ok(page(
            "Projects",
            &html! {
                @for workspace in world.workspaces.values() {
                    h2 { (workspace.name) }
                    div.cards {
                        @for (gid, project) in workspace.projects.iter().filter_map(|g| Some((g, world.projects.get(g)?))) {
                            a.card href={ "/0/" (gid) "/list" } {
                                b { (project.name) }
                                small { (project.by_modified.len()) " tasks, " (project.settings.len()) " fields" }
                            }
                        }
                    }
                }
                @if world.workspaces.is_empty() { p.muted { "There is no workspace yet." } }
            },
        ))
    })
}

#[derive(serde::Deserialize)]
struct Find {
    #[serde(default)]
    find: String,
}

async fn project(
    State(asana): State<Asana>,
    Path(project): Path<String>,
    Query(Find { find }): Query<Find>,
) -> Response {
    show(&asana, |ctx| {
        let gid = ctx.project_in_path(&project)?;
        let (view, world) = (ctx.view(), &*ctx.world);
        let Some(project) = world.projects.get(&gid) else { return Err(Fail::unknown("project", gid)) };
        let fields: Vec<(Gid, &Field)> =
            project.settings.iter().filter_map(|s| Some((s.field, world.fields.get(&s.field)?))).collect();
        let wanted = find.trim().to_lowercase();
        let mut left = MAX_ROWS;
        let mut blocks = Vec::new();
        for section in project.sections.iter().filter_map(|s| world.sections.get(s)) {
            let tasks: Vec<(Gid, &Task)> = section
                .tasks
                .values()
                .filter_map(|g| Some((*g, world.tasks.get(g)?)))
                .filter(|(_, task)| task.name.to_lowercase().contains(&wanted))
                .take(left)
                .collect();
            left = left.saturating_sub(tasks.len());
            blocks.push((section, tasks));
        }
        Ok(page(
            &project.name,
            &html! {
                h1 { (project.name) }
                form.find method="get" {
                    input name="find" value=(find) placeholder="Part of a task's name" aria-label="Part of a task's name";
                    button { "Find" }
                }
                @for (section, tasks) in &blocks {
                    h2 { (section.name) " " span.muted { (section.tasks.len()) " tasks" } }
                    @if !tasks.is_empty() {
                        div.scroll { table {
                            tr {
                                th.task { "Task" } th { "Completed" } (page_attributes::heads())
                                @for (_, f) in &fields { th.n[f.kind == Kind::Number] { (f.name) } }
                            }
                            @for (task, entry) in tasks { (row(view, gid, *task, entry, &fields, &find)) }
                        } }
                    } @else if !wanted.is_empty() { p.muted { "None of these tasks has that in its name." } }
                }
                @if left == 0 { p.muted { "The first " (MAX_ROWS) " tasks are shown; find others by their name." } }
            },
        ))
    })
}

fn row(view: View<'_>, project: Gid, gid: Gid, task: &Task, fields: &[(Gid, &Field)], find: &str) -> Markup {
    html! {
        tr.done[task.completed] {
            td.task { div {
                @if task.completed { span.tick { "✓ " } }
                a href={ "/0/" (project) "/" (gid) } { (task.name) }
            } }
            td {
                form.done method="post" action={ "/0/" (project) "/" (gid) } {
                    input type="hidden" name="completed" value=(!task.completed);
                    input type="hidden" name="list" value=(find);
                    (completed_at(task))
                    button aria-label={ (verb(task)) ": " (task.name) } { (verb(task)) }
                }
            }
            (page_attributes::cells(view.world, task))
            @for (field, f) in fields {
                td.n[f.kind == Kind::Number] {
                    @if let Some(value) = task.values.get(field) { (cell(f, &view.shown(f, value))) }
                }
            }
        }
    }
}

/// When a task was completed and, of an approval, how it was decided.
fn completed_at(task: &Task) -> Markup {
    html! {
        @if task.subtype == Subtype::Approval {
            span.pill { (task.approval.name().replace('_', " ")) } " "
        }
        @if let Some(at) = task.completed_at {
            span.time { (moment(&super::time::instant(at).to_string())) }
        }
    }
}

/// What the button of a task does to it.
fn verb(task: &Task) -> &'static str {
    if task.completed { "Reopen" } else { "Complete" }
}

fn cell(field: &Field, shown: &str) -> Markup {
    html! {
        @if field.kind.has_options() { span.pill { (shown) } }
        @else if field.kind == Kind::Number { (grouped(shown)) }
        @else if field.kind == Kind::Date { span.time { (moment(shown)) } }
        @else { div title=(shown) { (shown) } }
        @if let Some(code) = &field.currency_code { " " span.muted { (code) } }
    }
}

/// A date, or an instant without the fraction that nobody reads.
fn moment(shown: &str) -> String {
    match shown.split_once('T') {
        Some((day, "00:00:00.000Z")) => day.to_owned(),
        Some((day, time)) => format!("{day} {} UTC", time.split('.').next().unwrap_or(time)),
        None => shown.to_owned(),
    }
}

async fn task(State(asana): State<Asana>, Path((_, task)): Path<(String, String)>) -> Response {
    show(&asana, |ctx| {
        let gid = ctx.task_in_path(&task)?;
        let (view, world) = (ctx.view(), &*ctx.world);
        let Some(task) = world.tasks.get(&gid) else { return Err(Fail::unknown("task", gid)) };
        let live = world.fields_of(task);
        let stray: Vec<Gid> = task.values.keys().copied().filter(|f| !live.contains(f)).collect();
        let named = |g: &Gid| Some((*g, world.fields.get(g)?));
        Ok(framed(
            &task.name,
            Width::Narrow,
            &html! {
                h1 { @if task.completed { span.tick { "✓ " } } (task.name) }
                p.muted {
                    @for m in &task.memberships {
                        @if let Some(p) = world.projects.get(&m.project) {
                            a href={ "/0/" (m.project) "/list" } { (p.name) } ", "
                        }
                    }
                    "changed " (moment(&super::time::instant(task.modified_at).to_string()))
                }
                div.fields {
                    form method="post" {
                        input type="hidden" name="completed" value=(!task.completed);
                        span.state { @if task.completed { "Completed" } @else { "Open" } }
                        span.muted { (completed_at(task)) }
                        button.done { (verb(task)) }
                    }
                    (page_attributes::forms(world, task))
                    @for (field, f) in live.iter().filter_map(named) {
                        (value_form(view, field, f, task))
                    }
                }
                @for (field, f) in stray.iter().filter_map(named) {
                    @if let Some(value) = task.values.get(&field) {
                        p.off { (f.name) ": " (view.shown(f, value)) }
                    }
                }
                @if !task.notes.is_empty() { pre { (task.notes) } }
            },
        ))
    })
}

fn value_form(view: View<'_>, gid: Gid, field: &Field, task: &Task) -> Markup {
    let value = task.values.get(&gid);
    let shown = value.map(|v| view.shown(field, v)).unwrap_or_default();
    let editable =
        !field.read_only() && !matches!(field.kind, Kind::MultiEnum | Kind::People | Kind::Reference);
    html! {
        form method="post" {
            label for={ "f" (gid) } {
                (field.name)
                @if let Some(code) = &field.currency_code { " " span.muted { (code) } }
            }
            @if !editable {
                span.n[field.kind == Kind::Number] { (shown) } span {}
            } @else if field.kind == Kind::Enum {
                select id={ "f" (gid) } name="value" {
                    option value="" { "—" }
                    @for o in field.options.iter().filter(|o| o.enabled || o.name == shown) {
                        option value=(o.gid) selected[o.name == shown] { (o.name) }
                    }
                }
            } @else {
                input.n[field.kind == Kind::Number] id={ "f" (gid) } name="value" value=(plain(field, value, &shown));
            }
            @if editable {
                input type="hidden" name="field" value=(gid);
                button { "Save" }
            }
        }
    }
}

/// What stands in the input: a number without its percent sign's scaling, a date without its time.
fn plain(field: &Field, value: Option<&super::world::Value>, shown: &str) -> String {
    match (field.kind, value) {
        (Kind::Number, Some(super::world::Value::Number(n))) => n.to_string(),
        (Kind::Date, Some(super::world::Value::Date(day, _))) => day.to_string(),
        _ => shown.to_owned(),
    }
}

async fn change(
    State(asana): State<Asana>,
    uri: Uri,
    Path((project, task)): Path<(String, String)>,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let edit = match (form.get("completed").map(String::as_str), form.get("field")) {
        (Some("true"), _) => Edit::CompleteTask { task },
        (Some(_), _) => Edit::ReopenTask { task },
        (None, Some(field)) => {
            let typed = form.get("value").map(|v| v.trim()).unwrap_or_default();
            let value = typed_value(&asana, field, typed);
            Edit::SetValue { task, field: field.clone(), value }
        }
        (None, None) => match page_attributes::edit(task, &form) {
            Some(edit) => edit,
            None => return failed("Nothing to change.", 400),
        },
    };
    match asana.apply(edit) {
        Ok(()) => Redirect::to(&back(&project, uri.path(), form.get("list"))).into_response(),
        Err(message) => failed(&message, 400),
    }
}

/// Where a form leads: back to the task or, from a project's list, to that list.
fn back(project: &str, task_page: &str, list: Option<&String>) -> String {
    let Some(find) = list else { return task_page.to_owned() };
    // The project's gid comes from the path and is decoded there.
    let project: String = project.chars().filter(char::is_ascii_digit).collect();
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("find", find).finish();
    if find.is_empty() { format!("/0/{project}/list") } else { format!("/0/{project}/list?{query}") }
}

/// What a person typed, in the form that the API takes for the field's type.
fn typed_value(asana: &Asana, field: &str, typed: &str) -> Body {
    if typed.is_empty() {
        return Body::Null;
    }
    let kind = Gid::parse(field).and_then(|g| super::lock(&asana.0.world).fields.get(&g).map(|f| f.kind));
    match kind {
        Some(Kind::Number) => {
            serde_json::from_str::<serde_json::Number>(typed).map_or_else(|_| json!(typed), Body::Number)
        }
        Some(Kind::Date) => json!({ "date": typed }),
        _ => json!(typed),
    }
}
