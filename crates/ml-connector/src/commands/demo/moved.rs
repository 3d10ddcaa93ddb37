//! What a synchronisation wrote, for people: one row per write, with the fields by name.

use std::collections::BTreeMap;

use connector::ids::MovementId;
use connector::store::movements::{self, Filter};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::scene::Scene;
use crate::output;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow, default)]
    custom_fields: BTreeMap<String, &'a RawValue>,
}

/// A table of the writes since `since`, oldest first.
pub async fn table(scene: &Scene, since: jiff::Timestamp) -> anyhow::Result<String> {
    let db = &scene.engine.db;
    let mut moved = movements::list(db, scene.connection, &Filter::default(), 100).await?;
    moved.retain(|m| m.created_at >= since && m.sent_at.is_some());
    moved.reverse();
    let mut seen = Vec::new();
    let mut table = output::table(&["record", "task", "outcome", "written"]);
    for movement in moved {
        let Some(full) = movements::show(db, scene.connection, MovementId(movement.movement_id)).await?
        else {
            continue;
        };
        let write = (movement.destination_id.clone(), full.request.clone());
        if seen.contains(&write) {
            continue;
        }
        seen.push(write);
        let what = match movement.feed.as_str() {
            "purchase_orders" => format!("order {}", movement.number.unwrap_or(movement.source_id)),
            _ => format!("invoice {}", movement.source_id),
        };
        let written = full.request.as_deref().map(|request| values(scene, request)).unwrap_or_default();
        let outcome = movement.outcome.unwrap_or(movement.state);
        table.add_row([what, movement.destination_id.unwrap_or_default(), outcome, written]);
    }
    Ok(table.to_string())
}

/// The fields of a request by their names in the settings.
fn values(scene: &Scene, request: &str) -> String {
    let body = request.split_once('\n').map(|(_, body)| serde_json::from_str::<Body>(body));
    let Some(Ok(body)) = body else { return String::new() };
    let name = |gid: &str| {
        scene.board.fields.iter().find(|(_, g)| g == gid).map_or(gid.to_owned(), |(n, _)| (*n).to_owned())
    };
    let option = |raw: &str| {
        let gid: String = serde_json::from_str(raw).ok()?;
        let options = scene.sandbox.asana().options(scene.board.field("invoice_status")?);
        options.into_iter().find(|(g, _)| *g == gid).map(|(_, name)| name)
    };
    let shown = body.data.custom_fields.iter().map(|(gid, raw)| (name(gid), raw.get()));
    // the time of the write is in every one
    let shown = shown.filter(|(name, _)| name != "last_synced");
    shown
        .map(|(name, raw)| format!("{name} = {}", option(raw).unwrap_or_else(|| raw.to_owned())))
        .collect::<Vec<_>>()
        .join("\n")
}
