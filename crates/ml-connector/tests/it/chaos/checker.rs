//! What must hold once the faults have stopped. It asks both stand-ins and reads the database; it uses nothing of the
//! engine's own decisions.

use std::collections::BTreeMap;

use sandbox::Side;
use sandbox::calls::Exchange;
use serde_json::Value;

use super::Scene;

/// All that is wrong, a line each.
pub async fn findings(scene: &Scene) -> Vec<String> {
    let mut found = tasks(scene);
    found.extend(debts(scene).await);
    found.extend(batches(scene).await);
    found.extend(deliveries(scene).await);
    found.extend(sent_blindly(&scene.pair.sandbox.calls().exchanges()));
    found
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
        for (field, member) in [("po_number", "OrderNumber"), ("supplier", "Supplier")] {
            if order[member] != task[field].as_str() {
                found.push(format!("order {id}: {} in Oracle, {field} is {}", order[member], task[field]));
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

/// No open lease, no movement on its way, no record of a task that is not there.
async fn debts(scene: &Scene) -> Vec<String> {
    let counts = [
        ("open leases", "select count(*) from jobs where node_id is not null"),
        (
            "movements without their end",
            "select count(*) from movements where state <> 'delivered' and reason is null",
        ),
        ("links without a document", {
            "select count(*) from links l where not exists (select from documents d
             where d.connection_id = l.connection_id and d.source_id = l.order_id and d.feed = 'purchase_orders')"
        }),
        ("journals without a completion", {
            "select count(*) from journals j where not exists (select from completions c
             where c.connection_id = j.connection_id and c.task_gid = j.task_gid and c.ordinal = j.ordinal)"
        }),
        ("open events", "select count(*) from events where state = 'open'"),
    ];
    let mut found = Vec::new();
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

/// The journals that were sent again although nobody had looked whether they were there.
fn sent_blindly(exchanges: &[Exchange]) -> Vec<String> {
    let mut in_doubt: BTreeMap<String, bool> = BTreeMap::new();
    let mut found = Vec::new();
    for exchange in exchanges.iter().filter(|exchange| exchange.side == Side::Oracle) {
        if exchange.method == "GET" && exchange.target.contains("journalBatches") {
            in_doubt.values_mut().for_each(|doubt| *doubt = false);
        }
        if exchange.method != "POST" || !exchange.target.contains("erpintegrations") {
            continue;
        }
        let body = state(&exchange.request_body);
        let Some(parameters) = body["ParameterList"].as_str() else { continue };
        let was_in_doubt = in_doubt.insert(parameters.to_owned(), !is_refused(exchange));
        if was_in_doubt == Some(true) {
            found.push(format!("sent again before a look-up: {parameters}"));
        }
    }
    found
}
