//! One project for all orders, or rules: what an order has, and the project it goes to then.

use std::collections::BTreeSet;

use connector::guide::offers::{self, Guest};
use connector::guide::routes::{Route, RouteBy};
use connector::manage::{self, Secrets};
use connector::store::connections::Connection;

use super::journals::listed;
use super::sides::{choose_project, projects};
use super::{Guide, prompt, words};
use crate::output;

/// What a person does next about the rules.
enum Now {
    Store,
    Rule(String),
    Pattern,
    TakeBack,
}

/// Asks what tells orders apart, then for the rules; stores them when they are whole.
pub async fn ask(guide: &mut Guide<'_>, connection: &Connection) -> anyhow::Result<()> {
    let rest = rest(guide, connection);
    let Some(by) = guide.answers.routes.by else {
        prompt::explain("projects", words::ROUTES);
        let one = [(format!("all to one: {rest}"), None)];
        let several = RouteBy::ALL.map(|by| (format!("to several, by {}", by.what()), Some(by)));
        guide.answers.routes.by = prompt::pick("Orders go:", one.into_iter().chain(several))?;
        guide.answers.routes.done = guide.answers.routes.by.is_none();
        return guide.keep().await;
    };
    let found = listed(async || {
        let found = offers::route_values(&guide.engine, connection, by).await?;
        Ok(found.into_iter().collect::<Vec<_>>())
    });
    let found: BTreeSet<String> = found.await?.unwrap_or_default().into_iter().collect();
    let workspace = &connection.settings.asana.workspace;
    let guest = Guest::of(&guide.engine, connection).await?;
    let all = projects(&guest, workspace).await;
    while guide.answers.routes.by.is_some() {
        let value = match next(guide, by, &found, &rest)? {
            Now::Store => return store(guide, connection).await,
            Now::TakeBack => {
                guide.answers.routes.take_back();
                guide.keep().await?;
                continue;
            }
            Now::Rule(value) => value,
            Now::Pattern => prompt::text("Its name, or a pattern with * and ?:", None)?,
        };
        let asks = format!("Project for {value}:");
        let project = choose_project(&guest, workspace, &all, &asks).await?;
        guide.answers.routes.rules.push(Route { value, project });
        guide.keep().await?;
    }
    Ok(())
}

/// Where orders go that no rule names, in words.
fn rest(guide: &Guide<'_>, connection: &Connection) -> String {
    let Some(place) = &connection.settings.routing.default else { return "nowhere".to_owned() };
    let answered = guide.answers.project.as_ref().filter(|project| project.gid == place.project.as_str());
    answered.map_or_else(|| place.project.to_string(), ToString::to_string)
}

/// Shows the rules so far, and asks for the next one.
fn next(guide: &Guide<'_>, by: RouteBy, found: &BTreeSet<String>, rest: &str) -> anyhow::Result<Now> {
    let routes = &guide.answers.routes;
    let mut options = Vec::new();
    if !routes.rules.is_empty() {
        output::say(&format!("\nOrders go by {}, the first that fits wins:", by.what()));
        routes.rules.iter().for_each(|rule| prompt::done(&rule.value, &rule.project.to_string()));
        prompt::done("all others", rest);
        options.push(("no other rule: store these".to_owned(), Now::Store));
    }
    let open = routes.open(found).into_iter().map(|value| (value.clone(), Now::Rule(value)));
    options.extend(open);
    options.push(("another one, by its name or a pattern".to_owned(), Now::Pattern));
    let back = if routes.rules.is_empty() { "no rules by it after all" } else { "take the last rule back" };
    options.push((back.to_owned(), Now::TakeBack));
    prompt::pick(&format!("A rule for which {}?", by.what()), options)
}

async fn store(guide: &mut Guide<'_>, connection: &Connection) -> anyhow::Result<()> {
    let mut settings = connection.settings.clone();
    settings.routing.rules = guide.answers.routes.routing_rules();
    manage::edit(&guide.engine, connection, &settings, &Secrets::default()).await?;
    let count = settings.routing.rules.len();
    output::say(&format!(
        "The routing rules are stored: {count}. A file can have more (docs/settings.md, [routing])."
    ));
    guide.answers.routes.done = true;
    guide.keep().await
}
