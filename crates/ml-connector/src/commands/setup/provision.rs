//! `connection provision`: shows which custom fields are missing, and creates them on consent.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use connector::Engine;
use connector::node::Report;
use connector::provision::plan::{Origin, Plan, Step};
use connector::provision::run::{self, Done};
use connector::provision::wanted::{self, Choices, DECIMALS, Target};
use connector::purpose::Purpose;
use connector::reference::Kind;
use connector::store::connections::{self, Connection};
use connector::store::jobs::Job;

use crate::cli::Global;
use crate::commands::poll;
use crate::database::Database;
use crate::{exit, output};

/// How long to wait while another node reads suppliers or accounts.
const PATIENCE: Duration = Duration::from_secs(75);

/// Which fields are wanted.
#[derive(Debug, Args)]
pub struct ProvisionArgs {
    /// The connection's name
    name: String,
    /// Also a field for this optional purpose, such as `currency`; may be repeated
    #[arg(long, value_name = "PURPOSE")]
    field: Vec<Purpose>,
    /// A field for every optional purpose that fits the settings
    #[arg(long)]
    all_fields: bool,
    /// No field for the mark of `[reference]`, which is proposed otherwise
    #[arg(long)]
    without_mark: bool,
    /// Another name for a field that is created, such as `supplier="ERP supplier"`; may be repeated
    #[arg(long = "name", value_name = "PURPOSE=NAME", value_parser = named)]
    names: Vec<(Target, String)>,
    /// Decimal places of new amount fields
    #[arg(long, default_value_t = DECIMALS, value_parser = clap::value_parser!(u8).range(0..=6), value_name = "N")]
    decimals: u8,
    /// Show new amount fields in this one currency (ISO 4217); amounts of another are held then
    #[arg(long, value_name = "CODE", value_parser = currency)]
    currency: Option<String>,
    /// Create without asking
    #[arg(long)]
    yes: bool,
}

fn named(text: &str) -> Result<(Target, String), String> {
    let (target, name) = text.split_once('=').ok_or("it must be PURPOSE=NAME")?;
    let name = name.trim();
    if name.is_empty() {
        return Err("the name is empty".to_owned());
    }
    Ok((target.parse()?, name.to_owned()))
}

fn currency(text: &str) -> Result<String, String> {
    let is_code = text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase());
    is_code.then(|| text.to_owned()).ok_or_else(|| "it must be three capital letters, such as USD".to_owned())
}

/// Runs the command.
pub async fn run(database: &Database, args: ProvisionArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let engine = database.engine(global)?;
    let connection = connections::find(&database.pool, &args.name).await?;
    let mut optional: BTreeSet<Purpose> = args.field.iter().copied().collect();
    if args.all_fields {
        optional.extend(wanted::sensible(&connection.settings));
    }
    let choices = Choices {
        optional,
        mark: !args.without_mark,
        names: args.names.into_iter().collect::<BTreeMap<_, _>>(),
        decimals: args.decimals,
        currency: args.currency,
    };
    let plan = run::propose(&engine, &connection, &choices).await?;
    let refused = plan.problems().next().is_some();
    if !global.json {
        show(&plan);
    }
    if refused || plan.is_done() || !(args.yes || output::consents(global)?) {
        report(&connection, &plan, None, global)?;
        return Ok(match (refused, plan.is_done()) {
            (true, _) => ExitCode::from(exit::FOUND_PROBLEMS),
            (false, true) => ExitCode::SUCCESS,
            (false, false) => ExitCode::from(exit::FAILED),
        });
    }
    let done = carry_out(&engine, &connection, &plan).await?;
    report(&connection, &plan, Some(&done), global)?;
    match done.failed {
        None => Ok(ExitCode::SUCCESS),
        // the fields are there, which was said
        Some(error) => Err(error.into()),
    }
}

/// What was done, options besides.
#[derive(Debug, serde::Serialize)]
pub(super) struct All {
    #[serde(flatten)]
    fields: Done,
    /// Options made in fields that had none of them yet.
    options: u64,
    /// Why not all options were made.
    #[serde(skip)]
    pub failed: Option<connector::Error>,
}

impl std::fmt::Display for All {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Done { created, attached, mapped, .. } = self.fields;
        write!(f, "{created} fields created, {attached} put onto projects, {mapped} mapped")?;
        if self.options > 0 {
            write!(f, ", {} options made", self.options)?;
        }
        Ok(())
    }
}

/// Does what the plan says, and makes the options of the fields in which they are kept.
pub(super) async fn carry_out(
    engine: &Engine,
    connection: &Connection,
    plan: &Plan,
) -> connector::Result<All> {
    let unread = run::unread(engine, connection, plan).await?;
    options(engine, connection, &unread).await?;
    let fields =
        if plan.are_mapped() { Done::default() } else { run::carry_out(engine, connection, plan).await? };
    let mut all = All { fields, options: 0, failed: None };
    match options(engine, connection, &plan.options_of).await {
        Ok(made) => all.options = made,
        Err(error) => all.failed = Some(error),
    }
    Ok(all)
}

/// Reads these kinds; how many options it made.
async fn options(engine: &Engine, connection: &Connection, kinds: &[Kind]) -> connector::Result<u64> {
    let jobs: Vec<Job> = kinds.iter().map(|kind| Job::Reference(*kind)).collect();
    let mut made = 0;
    for (_, result) in poll::patiently(engine, connection.id, &jobs, "reading from Oracle", PATIENCE).await {
        if let Report::Reference(read) = result? {
            made += read.created;
        }
    }
    Ok(made)
}

/// The plan as a table, with its warnings.
pub(super) fn show(plan: &Plan) {
    let mut table = output::table(&["field", "name in Asana", "type", "what will be done"]);
    for step in &plan.steps {
        table.add_row([step.target.as_str(), &step.name, &step.kind, &what(step)]);
    }
    output::data(&table.to_string());
    for warning in &plan.warnings {
        output::say(&format!("note: {warning}"));
    }
}

fn what(step: &Step) -> String {
    let (first, then) = match &step.origin {
        Origin::Problem(code, why) => return format!("{code}: {why}"),
        Origin::Mapped(_) if step.attach.is_empty() => return "nothing: it is there".to_owned(),
        Origin::Mapped(gid) => (format!("use {gid}"), ""),
        Origin::Found(gid) => (format!("use {gid}, which has this name and type"), "; map it"),
        Origin::Create(_) => ("create it".to_owned(), "; map it"),
    };
    let projects = step.attach.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let onto = if projects.is_empty() { String::new() } else { format!("; put it onto project {projects}") };
    format!("{first}{onto}{then}")
}

fn report(connection: &Connection, plan: &Plan, done: Option<&All>, global: &Global) -> anyhow::Result<()> {
    if global.json {
        let fields: Vec<_> = plan.steps.iter().map(json).collect();
        return output::json(&serde_json::json!({
            "fields": fields, "warnings": plan.warnings, "complete": plan.is_done() || done.is_some(), "done": done,
        }));
    }
    let name = &connection.name;
    let next = format!("next: ml-connector connection dry-run {name}");
    match done {
        Some(done) => output::say(&format!("{done}; {next}")),
        None if plan.problems().next().is_some() => {
            output::say(
                "nothing was created: a field above cannot be used; `ml-connector explain CODE` says more",
            );
        }
        None if plan.is_done() => output::say(&format!("nothing to do: all fields are there; {next}")),
        None => output::say("nothing was created; say --yes to do it"),
    }
    Ok(())
}

fn json(step: &Step) -> serde_json::Value {
    let (action, gid, code, reason) = match &step.origin {
        Origin::Mapped(gid) => ("mapped", Some(gid), None, None),
        Origin::Found(gid) => ("found", Some(gid), None, None),
        Origin::Create(_) => ("create", None, None, None),
        Origin::Problem(code, why) => ("problem", None, Some(code.info().code), Some(why)),
    };
    serde_json::json!({
        "purpose": step.target.as_str(), "name": step.name, "type": step.kind, "action": action, "gid": gid,
        "attach": step.attach, "code": code, "reason": reason,
    })
}
