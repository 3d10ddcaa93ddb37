//! What a completion would bring.

use std::process::ExitCode;

use connector::posting::lines::ShownLine;
use connector::posting::preview::{self, Nothing, Outcome, Planned, Preview};
use connector::store::connections;

use crate::cli::Global;
use crate::database::Database;
use crate::output;

/// Prints what each of the tasks would bring. Nothing is written anywhere.
pub async fn run(
    database: &Database,
    connection: &str,
    what: &str,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let engine = database.engine(global)?;
    let clients = engine.clients(connections::find(&database.pool, connection).await?.id).await?;
    let previews = preview::preview(&engine, &clients, what).await?;
    if global.json {
        output::json(&previews)?;
        return Ok(ExitCode::SUCCESS);
    }
    for (at, one) in previews.iter().enumerate() {
        if at > 0 {
            output::data("");
        }
        print(one);
    }
    output::say("nothing was sent, and nothing was stored");
    Ok(ExitCode::SUCCESS)
}

fn print(one: &Preview) {
    let how = if one.completed { "completed" } else { "open, taken as completed now," };
    let order = one.order_number.as_deref().map(|number| format!(" for PO {number}")).unwrap_or_default();
    let at = output::when(Some(one.completed_at));
    output::data(&format!("Task {} \"{}\"{order}: {how} at {at}", one.task_gid, one.task_name));
    match &one.outcome {
        Outcome::Nothing(Nothing { code, reason, remedy, held }) => {
            let end = if *held { "it would be held, and looked at again" } else { "that is final" };
            output::data(&format!("Nothing would be sent; {end}.\n{code}: {reason}\nWhat to do: {remedy}"));
        }
        Outcome::Journal(planned) => print_planned(planned),
    }
}

fn print_planned(planned: &Planned) {
    let plan = &planned.plan;
    let mut rows = vec![
        ("amount", format!("{} {}, from {}", planned.amount, planned.currency, planned.cost_from)),
        ("accounting date", format!("{}: {}", planned.accounting_date, planned.dated)),
        ("ledger, source, category", format!("{}, {}, {}", plan.ledger_id, plan.source, plan.category)),
        ("group id", planned.group_id.clone()),
        ("file", planned.file_name.clone()),
    ];
    if let Some(conversion) = &plan.conversion {
        rows.push(("conversion", format!("{} of {}", conversion.rate_type, conversion.date)));
    }
    output::data(&output::pairs(rows).to_string());
    output::data(&lines(&planned.lines, &planned.amount, &planned.currency).to_string());
    output::data(&format!("\nWhat would be sent, with the file packed:\n{}", planned.request));
}

/// The lines of a journal, with both sides added up.
pub fn lines(lines: &[ShownLine], total: &str, currency: &str) -> output::Table {
    let mut table = output::table(&["account", "debit", "credit", "stands for"]);
    let side = |amount: &Option<String>| amount.clone().unwrap_or_default();
    for line in lines {
        let stands_for = line.stands_for.clone();
        table.add_row([line.account.clone(), side(&line.debit), side(&line.credit), stands_for]);
    }
    let total = total.to_owned();
    table.add_row([format!("both sides, {currency}"), total.clone(), total, String::new()]);
    table.align_right(&[1, 2]);
    table
}
