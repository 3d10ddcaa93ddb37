//! What must hold once the faults have stopped. It asks both stand-ins and reads the database; it uses nothing of the
//! engine's own decisions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use sandbox::Side;
use sandbox::calls::Exchange;
use serde_json::Value;

use super::{Scene, expected};

/// All that is wrong, a line each.
pub async fn findings(scene: &Scene) -> Vec<String> {
    let mut found = tasks(scene);
    found.extend(debts(scene).await);
    found.extend(batches(scene).await);
    found.extend(deliveries(scene).await);
    found.extend(submissions(scene).await);
    found.extend(writes(scene).await);
    found.extend(clocks(scene).await);
    found
}

/// Whether something has not come to its end, as far as the database tells.
pub async fn is_under_way(scene: &Scene) -> bool {
    let open = "select (select count(*) from movements where state <> 'delivered' and reason is null)
                + (select count(*) from events where state = 'open')
                + (select count(*) from journals where state in ('ready', 'submitting', 'submitted')
                                                    or state = 'in_doubt' and code is null)";
    let completed = scene.world.count("select count(*) from completions").await;
    let tasks = scene.pair.tasks().len();
    scene.world.count(open).await > 0
        || completed < scene.completed.len() as i64
        || tasks < scene.pair.sandbox.oracle().counts().0
}

fn state(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// One task for each order, equal to Oracle value by value and to what an undisturbed connection shows.
pub fn tasks(scene: &Scene) -> Vec<String> {
    let (shown, calm) = (scene.pair.tasks(), scene.calm.tasks());
    let oracle = state(&scene.pair.sandbox.oracle().state_json());
    let orders = oracle["purchaseOrders"].as_array().unwrap();
    let mut found = Vec::new();
    if shown.len() != orders.len() {
        found.push(format!("{} tasks for {} orders", shown.len(), orders.len()));
    }
    for order in orders {
        let id = order["POHeaderId"].to_string();
        let Some(task) = shown.get(&id) else {
            found.push(format!("order {id} has no task"));
            continue;
        };
        for (field, wanted) in expected::values(order, oracle["invoices"].as_array().unwrap()) {
            if !expected::shows(&task[field], &wanted, field) {
                found.push(format!("order {id}: {field} is {}, {wanted} by Oracle", task[field]));
            }
        }
        for (field, value) in calm.get(&id).into_iter().flatten() {
            if task.get(field) != Some(value) {
                found.push(format!("order {id}: {field} is {:?}, undisturbed {value}", task.get(field)));
            }
        }
        if !calm.contains_key(&id) {
            found.push(format!("order {id} has no undisturbed task"));
        }
    }
    found
}

/// How long what is under way may take to end, once no time is made to pass.
const ENDS_WITHIN: Duration = Duration::from_secs(20);

/// The leases that stay open although nothing makes another job due.
async fn open_leases(scene: &Scene) -> Option<String> {
    let begun = Instant::now();
    loop {
        let open = scene.world.count("select count(*) from jobs where node_id is not null").await;
        if open == 0 {
            return None;
        }
        if begun.elapsed() > ENDS_WITHIN {
            return Some(format!("{open} open leases"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// No open lease, no movement on its way, no record of a task that is not there.
async fn debts(scene: &Scene) -> Vec<String> {
    let counts = [
        (
            "movements without their end",
            "select count(*) from movements where state <> 'delivered' and reason is null",
        ),
        ("links without a document", {
            "select count(*) from links l where not exists (select from documents d
             where d.connection_id = l.connection_id and d.source_id = l.order_id and d.feed = 'purchase_orders')"
        }),
        ("tasks without a link", {
            "select count(distinct m.destination_id) from movements m where m.state = 'delivered'
             and m.destination_id is not null and not exists (select from links l
             where l.connection_id = m.connection_id and l.task_gid = m.destination_id)"
        }),
        ("written records that do not say onto which task", {
            "select count(*) from movements where outcome in ('created', 'updated', 'unchanged')
             and destination_id is null"
        }),
        ("journals without a completion", {
            "select count(*) from journals j where not exists (select from completions c
             where c.connection_id = j.connection_id and c.task_gid = j.task_gid and c.ordinal = j.ordinal)"
        }),
        ("open events", "select count(*) from events where state = 'open'"),
    ];
    let mut found: Vec<String> = open_leases(scene).await.into_iter().collect();
    for (what, sql) in counts {
        let count = scene.world.count(sql).await;
        if count != 0 {
            found.push(format!("{count} {what}"));
        }
    }
    found
}

/// Exactly one imported batch for each completion, or a reason that a person can read.
async fn batches(scene: &Scene) -> Vec<String> {
    let rows: Vec<(String, String, Option<String>, i64, i64)> = sqlx::query_as(
        "select c.task_gid, c.state, c.code, count(j.*) filter (where j.state = 'imported'),
                count(j.*) filter (where j.state in ('rejected', 'in_doubt', 'withdrawn') and j.code is not null)
         from completions c left join journals j using (connection_id, task_gid, ordinal) group by 1, 2, 3",
    )
    .fetch_all(&scene.world.db)
    .await
    .unwrap();
    let mut by_task: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for row in &rows {
        by_task.entry(&row.0).or_default().push(row);
    }
    let mut found = Vec::new();
    let mut imported_in_all = 0;
    for task in &scene.completed {
        match by_task.get(task.as_str()).map(Vec::as_slice) {
            None => found.push(format!("the completion of task {task} is lost")),
            Some([(_, state, code, imported, explained)]) => {
                imported_in_all += *imported;
                let has_reason = *explained > 0 || (state != "journal" && code.is_some());
                if *imported > 1 || (*imported == 0 && !has_reason) {
                    found.push(format!(
                        "task {task}: {imported} imported, {state} {code:?}, {explained} explained"
                    ));
                }
            }
            Some(many) => found.push(format!("task {task} was found completed {} times", many.len())),
        }
    }
    if by_task.len() != scene.completed.len() {
        found.push(format!("{} completions of {} tasks", rows.len(), scene.completed.len()));
    }
    let in_ledger = scene.pair.batches() as i64;
    if in_ledger != imported_in_all {
        found.push(format!("{in_ledger} batches in the ledger, {imported_in_all} known as imported"));
    }
    let ledger = state(&scene.pair.sandbox.oracle().ledger_json());
    for (group, times) in ledger["submissions"].as_object().unwrap() {
        if *times != 1 {
            found.push(format!("group {group} was submitted {times} times"));
        }
    }
    found
}

/// What was answered with 2xx stands in the inbox.
async fn deliveries(scene: &Scene) -> Vec<String> {
    let stored: Vec<String> =
        sqlx::query_scalar("select body from deliveries").fetch_all(&scene.world.db).await.unwrap();
    let events: Vec<String> = sqlx::query_scalar("select resource_gid || ' ' || action from events")
        .fetch_all(&scene.world.db)
        .await
        .unwrap();
    let taken = scene.pair.sandbox.asana().delivery_attempts();
    let mut found = Vec::new();
    for attempt in taken.iter().filter(|attempt| attempt.succeeded() && attempt.events > 0) {
        let known = |event: &Value| {
            let key = |member: &Value| member.as_str().unwrap_or_default().to_owned();
            events.contains(&format!("{} {}", key(&event["resource"]["gid"]), key(&event["action"])))
        };
        let in_inbox = stored.contains(&attempt.body)
            || state(&attempt.body)["events"].as_array().unwrap().iter().all(known);
        if !in_inbox {
            found.push(format!("a delivery that was taken is not in the inbox: {}", attempt.body));
        }
    }
    found
}

/// Whether Oracle certainly did not take a submission, by its answer.
fn is_refused(exchange: &Exchange) -> bool {
    matches!(exchange.status, Some(401 | 403 | 429))
}

/// The group of a submission: the fourth of the import's parameters.
fn group_of(exchange: &Exchange) -> Option<String> {
    if exchange.method != "POST" || !exchange.target.contains("erpintegrations") {
        return None;
    }
    let body = state(&exchange.request_body);
    Some(body["ParameterList"].as_str()?.split(',').nth(3).unwrap().to_owned())
}

/// Whether an exchange is a look-up of this very group whose answer left whole. What a fault cut off or changed was made as
/// if it had been answered, and is none.
fn looks_for(exchange: &Exchange, group: &str) -> bool {
    let is_answer = exchange.spoilt_by.is_none()
        && serde_json::from_str::<Value>(&exchange.response_body).is_ok_and(|b| b["items"].is_array());
    let is_asked = exchange.method == "GET" && exchange.target.contains("journalBatches");
    is_asked && exchange.target.contains(group) && exchange.status == Some(200) && is_answer
}

/// The submissions that no journal explains, and those of a journal that was in doubt and whose group nobody had looked
/// for since.
async fn submissions(scene: &Scene) -> Vec<String> {
    let known: Vec<(String, String, i32)> = sqlx::query_as(
        // a node that is killed before it records what it sent leaves the group that it stored before it sent
        "select j.journal_id::text, concat_ws(' ', j.group_id, string_agg(s.request, ' ')), j.submissions
         from journals j left join journal_steps s using (connection_id, journal_id)
         group by j.connection_id, j.journal_id",
    )
    .fetch_all(&scene.world.db)
    .await
    .unwrap();
    let mut exchanges = scene.pair.sandbox.calls().exchanges();
    exchanges.retain(|exchange| exchange.side == Side::Oracle);
    exchanges.sort_by_key(|exchange| exchange.came_us);
    let mut found = Vec::new();
    let mut sent: BTreeMap<&str, Vec<(String, &Exchange)>> = BTreeMap::new();
    for exchange in &exchanges {
        let Some(group) = group_of(exchange) else { continue };
        let names = |(_, request, _): &&(String, String, i32)| request.contains(&group);
        let Some((journal, _, submissions)) = known.iter().find(names) else {
            found.push(format!("the submission of group {group} is in no journal's log"));
            continue;
        };
        let earlier = sent.entry(journal).or_default();
        for (doubted, before) in earlier.iter().filter(|(_, before)| !is_refused(before)) {
            let is_proved = exchanges.iter().any(|look| {
                let is_between = look.came_us > before.came_us && look.answered_us < exchange.came_us;
                is_between && looks_for(look, doubted)
            });
            if !is_proved {
                found.push(format!("journal {journal} was sent again before a look-up of {doubted}"));
            }
        }
        earlier.push((group, exchange));
        if earlier.len() > *submissions as usize {
            found.push(format!("journal {journal}: {} sent, {submissions} in the log", earlier.len()));
        }
    }
    found
}

/// The writes to tasks that no movement's log holds, value by value.
async fn writes(scene: &Scene) -> Vec<String> {
    let logged: Vec<(String, String)> = sqlx::query_as(
        "select request, coalesce(earlier_requests, '') from movements where request is not null",
    )
    .fetch_all(&scene.world.db)
    .await
    .unwrap();
    let earlier =
        logged.iter().flat_map(|(_, earlier)| earlier.split("\n\n").filter_map(|one| one.split_once('\n')));
    let logged: BTreeSet<(String, String)> = logged
        .iter()
        .map(|(last, _)| last.as_str())
        .chain(earlier.map(|(_, one)| one))
        .filter_map(request)
        .collect();
    let exchanges = scene.pair.sandbox.calls().exchanges();
    let writes = exchanges.iter().filter(|exchange| {
        let writes = matches!(exchange.method.as_str(), "PUT" | "POST");
        exchange.side == Side::Asana && writes && exchange.target.contains("/tasks")
    });
    writes
        .filter_map(|write| {
            let path = write.target.split('?').next()?;
            let path = &path[path.find("/tasks")?..];
            let sent = (format!("{} {path}", write.method), state(&write.request_body).to_string());
            let is_logged = logged.contains(&sent);
            (!is_logged).then(|| format!("{} is in no log, {:?}: {}", sent.0, write.status, sent.1))
        })
        .collect()
}

/// A stored request: its line, and its body whatever the order of its members.
fn request(text: &str) -> Option<(String, String)> {
    let (line, body) = text.split_once('\n')?;
    Some((line.to_owned(), serde_json::from_str::<Value>(body).ok()?.to_string()))
}

/// A clock that is off is told of.
async fn clocks(scene: &Scene) -> Vec<String> {
    let told = scene.world.count("select count(*) from alerts where kind = 'clock_skew'").await;
    let is_silent = scene.fired.of("clock an hour off") > 0 && told == 0;
    is_silent.then(|| "no alert tells of the clock that is off".to_owned()).into_iter().collect()
}

mod tests {
    use sandbox::Fault;

    use super::*;

    fn look(status: Option<u16>, body: &str, spoilt_by: Option<Fault>) -> Exchange {
        Exchange {
            side: Side::Oracle,
            method: "GET".to_owned(),
            target: "/journalBatches?q=BatchName%20LIKE%20'*123*'".to_owned(),
            request_headers: Vec::new(),
            request_body: String::new(),
            came_us: 1,
            answered_us: 2,
            status,
            response_headers: Vec::new(),
            response_body: body.to_owned(),
            spoilt_by,
        }
    }

    #[test]
    fn a_look_up_counts_as_answered_only_when_its_answer_left_whole() {
        let whole = "{\"items\":[],\"hasMore\":false}";
        assert!(looks_for(&look(Some(200), whole, None), "123"));
        assert!(!looks_for(&look(Some(200), whole, None), "124"));
        for fault in [Fault::TruncatedBody, Fault::MalformedJson, Fault::RepeatPage, Fault::DropAfter] {
            assert!(!looks_for(&look(Some(200), whole, Some(fault.clone())), "123"), "{fault:?}");
        }
        for (status, body) in [(None, whole), (Some(500), whole), (Some(200), ""), (Some(200), "<html>")] {
            assert!(!looks_for(&look(status, body, None), "123"), "{status:?} {body}");
        }
    }
}
