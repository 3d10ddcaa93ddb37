//! Everything about a completion.

use std::process::ExitCode;

use connector::posting::story::{self, Advice, Story, Told};
use connector::record::OrderFacts;
use connector::store::completions::Completion;
use connector::store::connections;
use connector::{Code, Error};

use crate::cli::Global;
use crate::commands::movements::{actions, exchanges};
use crate::database::Database;
use crate::output;

/// Prints every completion that `what` means.
pub async fn run(
    database: &Database,
    connection: &str,
    what: &str,
    full: bool,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let connection = connections::find(&database.pool, connection).await?;
    let mut stories = story::find(&database.pool, &connection, what).await?;
    if stories.is_empty() {
        let words = format!(
            "`{}` knows no completion by `{what}`: neither a task's gid or PO number, nor a journal's id, batch, \
             request or group id; `journals preview` says what a task that is open would bring",
            connection.name
        );
        return Err(Error::new(Code::JournalSubjectUnknown, words).into());
    }
    if !full {
        for step in stories.iter_mut().flat_map(|s| &mut s.journals).flat_map(|told| &mut told.steps) {
            step.request = None;
            step.response = None;
        }
    }
    if global.json {
        output::json(&stories)?;
        return Ok(ExitCode::SUCCESS);
    }
    for (at, one) in stories.iter().enumerate() {
        if at > 0 {
            output::data("");
        }
        print(one);
    }
    if !full {
        output::say("requests and answers with --full");
    }
    Ok(ExitCode::SUCCESS)
}

fn print(one: &Story) {
    let what = if one.completion.ordinal == 1 { "" } else { ", completed again" };
    output::data(&format!("Task {} \"{}\"{what}", one.completion.task_gid, one.completion.task_name));
    output::data(&output::pairs(completion(&one.completion)).to_string());
    advise(one.advice.as_ref());
    match &one.order {
        Some(order) => print_order(order, one.completion.line_id.as_deref()),
        None if one.completion.order_id.is_some() => output::data("\nThe order is no longer stored."),
        None => {}
    }
    for told in &one.journals {
        print_journal(told);
    }
}

fn completion(c: &Completion) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("completed", format!("{} by {}", output::when(Some(c.completed_at)), or_unknown(&c.completed_by))),
        ("learnt of", format!("{} by {}", output::when(Some(c.found_at)), c.found_by)),
        ("PO number on the task", or_unknown(&c.order_number)),
    ];
    if let Some(cost) = &c.own_cost {
        let currency = c.own_currency.as_deref().unwrap_or("in the order's currency");
        rows.push(("cost on the task", format!("{cost} {currency}")));
    }
    if let Some(status) = &c.approval_status {
        rows.push(("approval", status.clone()));
    }
    if c.reopened_at.is_some() {
        rows.push(("opened again", output::when(c.reopened_at)));
    }
    let state = match c.state.as_str() {
        "held" => "held: no journal yet",
        "skipped" => "no journal",
        _ => "has a journal",
    };
    rows.push(("what came of it", state.to_owned()));
    let why: Vec<&str> = [c.code.as_deref(), c.reason.as_deref()].into_iter().flatten().collect();
    if !why.is_empty() {
        rows.push(("why", why.join(": ")));
    }
    rows
}

fn or_unknown(text: &Option<String>) -> String {
    text.clone().unwrap_or_else(|| "-".to_owned())
}

fn advise(advice: Option<&Advice>) {
    if let Some(Advice { code, title, remedy }) = advice {
        output::data(&format!("{code}: {title}. What to do: {remedy}"));
    }
}

fn print_order(order: &OrderFacts, line: Option<&str>) {
    output::data(&format!("\nPurchase order {}, as Oracle showed it last", order.number));
    let rows = [
        ("id", order.id.clone()),
        ("supplier", or_unknown(&order.supplier)),
        ("status", or_unknown(&order.status)),
        ("total", format!("{} {}", or_unknown(&order.total), order.currency.as_deref().unwrap_or_default())),
    ];
    output::data(&output::pairs(rows).to_string());
    let mut table = output::table(&["line", "description", "ordered", "total", "status", "charge accounts"]);
    for of_order in order.lines.iter().filter(|of_order| line.is_none_or(|id| of_order.id == id)) {
        table.add_row([
            of_order.number.clone(),
            or_unknown(&of_order.description),
            or_unknown(&of_order.ordered),
            or_unknown(&of_order.total),
            or_unknown(&of_order.status),
            of_order.accounts.join(", "),
        ]);
    }
    output::data(&table.to_string());
}

fn print_journal(told: &Told) {
    let j = &told.journal;
    let kind = if j.kind == "reversal" { "Reversal" } else { "Journal" };
    output::data(&format!("\n{kind} {}: {}", j.journal_id, j.state));
    output::data(&output::pairs(journal(told)).to_string());
    advise(told.advice.as_ref());
    for code in &told.import_codes {
        advise(Some(code));
    }
    output::data(&super::preview::lines(&told.lines, &j.amount, &j.currency).to_string());
    let mut table = output::table(&["at", "state", "what happened"]);
    for step in &told.steps {
        let again = match step.repeats {
            ..=1 => String::new(),
            times => format!(" ({times} times, last {})", output::when(Some(step.last_at))),
        };
        table.add_row([output::when(Some(step.at)), step.state.clone(), format!("{}{again}", step.what)]);
    }
    output::data(&table.to_string());
    if !told.actions.is_empty() {
        output::data(&actions(&told.actions).to_string());
    }
    if let Some(table) = exchanges(&told.exchanges) {
        output::data(&table.to_string());
    }
    for (number, step) in told.steps.iter().enumerate() {
        for (name, text) in [("request", &step.request), ("answer", &step.response)] {
            if let Some(text) = text {
                let at = output::when(Some(step.at));
                output::data(&format!("\nstep {}, {at}, {name}:\n{text}", number + 1));
            }
        }
    }
}

fn journal(told: &Told) -> Vec<(&'static str, String)> {
    let (j, plan) = (&told.journal, &told.plan);
    let mut rows = vec![
        ("amount", format!("{} {}, from {}", j.amount, j.currency, told.cost_from)),
        ("accounting date", format!("{}: {}", j.accounting_date, told.dated)),
        ("ledger, source, category", format!("{}, {}, {}", plan.ledger_id, plan.source, plan.category)),
    ];
    if let Some(conversion) = &plan.conversion {
        rows.push(("conversion", format!("{} of {}", conversion.rate_type, conversion.date)));
    }
    if let Some(reversed) = &plan.reverses {
        rows.push(("takes back", format!("batch {}, group {}", reversed.batch_id, reversed.group)));
    }
    rows.push(("group id", j.group_id.clone()));
    if !told.earlier_groups.is_empty() {
        rows.push(("earlier group ids", told.earlier_groups.join(", ")));
    }
    rows.extend([
        ("request", or_unknown(&j.request_id)),
        ("batch", or_unknown(&j.batch_id)),
        ("times sent", format!("{}, last {}", j.submissions, output::when(j.submitted_at))),
        ("settled", output::when(j.decided_at)),
    ]);
    if j.due_at.is_some() {
        rows.push(("looked at again", output::when(j.due_at)));
    }
    let why: Vec<&str> = [j.code.as_deref(), j.reason.as_deref()].into_iter().flatten().collect();
    if !why.is_empty() {
        rows.push(("last", why.join(": ")));
    }
    rows
}
