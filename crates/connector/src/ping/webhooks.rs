//! Whether Asana's events can arrive: the right to look after webhooks, and the registrations.

use super::{AsanaSide, Check, failed, note, ok, skipped};
use crate::code::Code;
use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::hooks::{by_hand, watch};
use crate::store::hooks;
use crate::trouble;

const SIDE: &str = "asana";
const REGISTRATIONS: &str = "webhooks: registrations";

/// Tests what completions need to be heard of.
pub(super) async fn checks(engine: &Engine, clients: &AsanaSide) -> Vec<Check> {
    let workspace = &clients.connection.settings.asana.workspace;
    let listed = match clients.asana.webhooks(workspace).await {
        Ok(listed) => listed,
        Err(error) => return vec![failed(SIDE, "webhooks", &refused(error))],
    };
    let visible = format!("{} of this token are listed in the workspace", listed.len());
    // comparing them is the engine's own work, which begins with both sides
    let registrations = match &clients.both {
        Some(both) => registrations(engine, both).await,
        None => Ok(skipped(SIDE, REGISTRATIONS)),
    };
    vec![
        ok(SIDE, "webhooks", visible),
        registrations.unwrap_or_else(|error| failed(SIDE, REGISTRATIONS, &error)),
    ]
}

fn refused(error: asana::Error) -> Error {
    match error {
        asana::Error::PaymentRequired(_) => Error::new(Code::HookPlan, error.to_string()).because(error),
        asana::Error::Forbidden(_) => {
            let words = format!(
                "the token may not list webhooks (scope webhooks:read, where it has scopes): {error}"
            );
            Error::new(Code::AsanaForbidden, words).because(error)
        }
        other => trouble::asana(other),
    }
}

/// Registrations that do not work are no failure: the sweep finds what they would have told.
async fn registrations(engine: &Engine, clients: &Clients) -> Result<Check> {
    let minutes = clients.connection.settings.webhooks.sweep_minutes;
    let meanwhile = format!("completions are found by the sweep, every {minutes} minutes");
    let Some(public_url) = &engine.public_url else {
        let active = hooks::count(&engine.db, clients.connection.id).await?.remove("active").unwrap_or(0);
        let words = format!(
            "no public address is given here (--public-url), so they cannot be compared; {active} are active, and \
             without any {meanwhile}"
        );
        return Ok(note(SIDE, REGISTRATIONS, words));
    };
    let wanted = by_hand::wanted(clients).await?;
    let found = by_hand::findings(&watch::check(engine, clients, public_url, &wanted).await?, &[]);
    let wrong: Vec<_> = found.iter().filter(|finding| !finding.well).collect();
    Ok(match wrong.first() {
        None => ok(SIDE, REGISTRATIONS, format!("{} work", found.len())),
        Some(first) => {
            let which = first.resource.as_ref().map(|resource| format!("{resource}: ")).unwrap_or_default();
            let words = format!(
                "{} of {} differ, the first: {which}{}; until `serve` or `webhooks check --repair` has mended it, \
                 {meanwhile}",
                wrong.len(),
                found.len(),
                first.found
            );
            note(SIDE, REGISTRATIONS, words)
        }
    })
}
