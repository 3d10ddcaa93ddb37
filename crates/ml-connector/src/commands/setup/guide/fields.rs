//! The fields in Asana: the plan of `connection provision`, shown, and carried out on consent.

use std::collections::BTreeSet;

use connector::guide::progress;
use connector::provision::plan::{Origin, Plan};
use connector::provision::run;
use connector::provision::wanted::{self, Choices, Target};
use connector::purpose::Purpose;
use connector::store::connections::Connection;

use super::super::provision;
use super::{Guide, prompt, words};
use crate::output;

/// What a person does about a plan.
enum Now {
    CarryOut,
    LookAgain,
    Rename(Target),
    ChooseAgain,
}

/// Shows the plan, and carries it out on consent.
pub async fn ask(guide: &Guide<'_>, connection: &Connection) -> anyhow::Result<()> {
    prompt::explain("fields in Asana", words::FIELDS);
    let mut choices = Choices { optional: optional(connection)?, ..Choices::default() };
    loop {
        let plan = match run::propose(&guide.engine, connection, &choices).await {
            Ok(plan) => plan,
            Err(error) => {
                prompt::refused(&error);
                prompt::pick("What now?", [("ask Asana again", ())])?;
                continue;
            }
        };
        provision::show(&plan);
        match what_now(&plan)? {
            Now::CarryOut => match provision::carry_out(&guide.engine, connection, &plan).await {
                Ok(done) => {
                    output::say(&done.to_string());
                    if let Some(error) = &done.failed {
                        prompt::refused(error);
                    }
                    return Ok(progress::forget_answers(&guide.engine, &guide.name).await?);
                }
                Err(error) => {
                    prompt::refused(&error);
                    prompt::pick("What now?", [("look again", ())])?;
                }
            },
            Now::LookAgain => {}
            Now::Rename(target) => {
                let asks = format!("Another name for the field of {}:", target.as_str());
                choices.names.insert(target, prompt::text(&asks, None)?);
            }
            Now::ChooseAgain => choices.optional = optional(connection)?,
        }
    }
}

/// Which optional purposes get a field, of those that fit the settings.
fn optional(connection: &Connection) -> anyhow::Result<BTreeSet<Purpose>> {
    let settings = &connection.settings;
    let open = wanted::sensible(settings)
        .into_iter()
        .filter(|purpose| !Purpose::REQUIRED.contains(purpose) && !settings.fields.contains_key(purpose));
    let open: Vec<(String, Purpose)> =
        open.map(|purpose| (purpose.as_str().replace('_', " "), purpose)).collect();
    if open.is_empty() {
        return Ok(BTreeSet::new());
    }
    let chosen: BTreeSet<Purpose> =
        prompt::pick_any("Which optional fields besides?", open)?.into_iter().collect();
    if chosen.contains(&Purpose::CostCenter) {
        let layout = &settings.routing.account;
        output::say(&format!(
            "The cost center is taken for segment {} of an account that is cut at `{}`; if it is another:\n\
             ml-connector connection edit {} --set routing.account.cost_center_segment=N",
            layout.cost_center_segment, layout.delimiter, connection.name
        ));
    }
    Ok(chosen)
}

fn what_now(plan: &Plan) -> anyhow::Result<Now> {
    let renames: Vec<(String, Now)> = plan
        .steps
        .iter()
        .filter(|step| matches!(step.origin, Origin::Problem(..)))
        .map(|step| (format!("another name for `{}`", step.name), Now::Rename(step.target)))
        .collect();
    let again = [
        ("look again".to_owned(), Now::LookAgain),
        ("choose the optional fields again".to_owned(), Now::ChooseAgain),
    ];
    if !renames.is_empty() {
        output::say("Nothing can be created as long as a field above cannot be used.");
        return prompt::pick("What now?", renames.into_iter().chain(again));
    }
    let asks =
        if plan.writes() { "Write this to Asana?" } else { "Use these fields? Nothing is written to Asana." };
    if prompt::confirm(asks, true)? {
        return Ok(Now::CarryOut);
    }
    prompt::pick("What now?", again)
}
