//! What a replay would send, without sending or storing anything.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::engine::Engine;
use crate::error::Result;
use crate::ids::MovementId;
use crate::mapping::engine::Mapping;
use crate::push::plan::Planner;
use crate::push::world::{self, World};
use crate::replay::decide::decide;
use crate::store::connections::Connection;
use crate::store::outbox::{Claimed, Fate, Next};
use crate::store::{self, movements, replays};
use crate::template::Templates;

/// What would become of one movement.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Preview {
    /// The movement that would be sent again.
    pub movement: MovementId,
    /// Whether an edited record would be sent.
    pub is_edited: bool,
    /// The requests: method and path, and on the next line the body. The time in a field that shows when a task was
    /// last written is that of the preview.
    pub requests: Vec<String>,
    /// Why there is none, or what else is to be said.
    pub code: Option<&'static str>,
    /// The same, in words.
    pub reason: Option<String>,
}

/// Plans these movements together, as the push would, against what is known of the tasks now. The push lists the
/// tasks once more before it sends.
///
/// # Errors
/// [`Code::MovementUnknown`](crate::Code::MovementUnknown), and what reading the projects' fields meets.
pub async fn preview(
    engine: &Engine,
    connection: &Connection,
    ids: &[MovementId],
    older: bool,
) -> Result<Vec<Preview>> {
    let clients = engine.clients(connection.id).await?;
    let sections = clients.sections().await?;
    let settings = &clients.connection.settings;
    let fields = clients.fields().await?;
    let origins = movements::origins(&engine.db, connection.id, ids).await?;
    // never committed: it only reads, and its locks end with it
    let mut tx = store::begin(&engine.db).await?;
    let (mut batch, mut previews) = (Vec::new(), Vec::new());
    for candidate in replays::lock(&mut tx, connection.id, &origins).await? {
        let mut preview = Preview {
            movement: candidate.id,
            is_edited: candidate.edit_after.is_some(),
            requests: Vec::new(),
            code: None,
            reason: None,
        };
        match decide(&candidate, &settings.reading(), older) {
            Ok(decided) => {
                let claimed = Claimed {
                    id: candidate.id,
                    feed: candidate.feed,
                    source_id: candidate.source_id,
                    attempts: 0,
                    body: decided.body,
                };
                batch.push(world::read(claimed, &settings.reading()));
            }
            Err(error) => {
                preview.code = Some(error.code.info().code);
                preview.reason = Some(error.message);
            }
        }
        previews.push(preview);
    }
    let fields = &world::bound(&mut tx, connection.id, settings, &fields).await?;
    let world = World::load(&mut tx, connection.id, settings, &batch).await?;
    drop(tx);
    let templates = Templates::new(&settings.tasks)?;
    let mapping = Mapping::of(settings)?;
    let planner = Planner {
        settings,
        fields,
        mapping: &mapping,
        sections: &sections,
        templates: &templates,
        world: &world,
        tally: None,
        now: Timestamp::now(),
        looked_up: Timestamp::now(),
    };
    let plan = planner.plan(&batch);
    let mut requests: HashMap<MovementId, Vec<String>> = HashMap::new();
    for (sending, _) in plan.writes.into_iter().flat_map(|write| write.movements) {
        requests.entry(sending.like).or_default().push(sending.request);
    }
    let fates: HashMap<MovementId, Fate> = plan.fates.into_iter().map(|fate| (fate.id, fate)).collect();
    for preview in &mut previews {
        preview.requests = requests.remove(&preview.movement).unwrap_or_default();
        if let Some(fate) = fates.get(&preview.movement) {
            preview.code = fate.code.map(|code| code.info().code);
            preview.reason = Some(words(fate));
        }
    }
    Ok(previews)
}

fn words(fate: &Fate) -> String {
    let what = match (fate.next, &fate.destination) {
        (Next::Held, _) => "it would be held".to_owned(),
        (_, Some(task)) => format!("task {task} shows it already"),
        (_, None) => "nothing is to be sent".to_owned(),
    };
    fate.reason.as_ref().map_or_else(|| what.clone(), |reason| format!("{what}: {reason}"))
}
