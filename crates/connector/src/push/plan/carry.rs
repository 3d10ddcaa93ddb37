//! What becomes of the movements of a batch, and which write carries which. Pure.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Decision, Planner, Write};
use crate::code::Code;
use crate::ids::MovementId;
use crate::mapping::Held;
use crate::push::world::{Moving, Record};
use crate::store::outbox::{Fate, Next, Outcome, Sending};

/// Of several movements of one record the newest carries it; the others are superseded.
pub(super) fn newest_per_record<'a>(batch: &'a [Moving], fates: &mut Vec<Fate>) -> Vec<&'a Moving> {
    let mut newest: BTreeMap<(&str, &str), &Moving> = BTreeMap::new();
    for moving in batch {
        let key = (moving.claimed.feed.as_str(), moving.claimed.source_id.as_str());
        if let Some(older) = newest.insert(key, moving) {
            let reason = format!("movement {} carries the newer record", moving.claimed.id);
            fates.push(settled(older, Next::Delivered(Outcome::Superseded), None, Some(reason)));
        }
    }
    newest.into_values().collect()
}

/// What became of a carrier over all its orders and tasks.
pub(super) struct Results<'a> {
    moving: &'a Moving,
    used: bool,
    held: Vec<Held>,
    waits: Option<Timestamp>,
    unchanged: Option<String>,
}

impl Results<'_> {
    /// The carrier's fate, unless a write carries it.
    pub(super) fn settled(self, planner: &Planner<'_>) -> Option<Fate> {
        if let Some(until) = self.waits {
            return Some(waits(self.moving, until, planner.looked_up));
        }
        if let Some(why) = Held::joined(self.held) {
            return Some(held(self.moving, why));
        }
        if self.used {
            return None;
        }
        Some(settled(self.moving, Next::Delivered(Outcome::Unchanged), self.unchanged, None))
    }
}

/// Notes for each carrier what holds it and which task needs nothing.
pub(super) fn note<'a>(
    decisions: &[Decision],
    movings: &[&'a Moving],
    results: &mut HashMap<MovementId, Results<'a>>,
) {
    for moving in movings {
        let result = results.entry(moving.claimed.id).or_insert_with(|| Results {
            moving,
            used: false,
            held: Vec::new(),
            waits: None,
            unchanged: None,
        });
        for decision in decisions {
            match decision {
                Decision::Held(held) => result.held.push(held.clone()),
                Decision::Unchanged(task) => {
                    result.unchanged.get_or_insert_with(|| task.clone());
                }
                Decision::Waits(until) => result.waits = result.waits.max(Some(*until)),
                Decision::Write { .. } => {}
            }
        }
    }
}

/// Whether a movement is about another order, which only shares its number with this one.
pub(super) fn is_namesake(moving: &Moving, order_id: &str) -> bool {
    matches!(&moving.record, Ok(Record::Order(order)) if order.id != order_id)
}

/// Gives each write its movements: the carrier's own for the first, new ones for further tasks. A
/// carrier that is held or waits stays so, and all its writes get new ones.
pub(super) fn carry(
    (order_id, order_number): (&str, &str),
    movings: &[&Moving],
    decisions: Vec<Decision>,
    results: &mut HashMap<MovementId, Results<'_>>,
    writes: &mut Vec<Write>,
) {
    for decision in decisions {
        let Decision::Write { line_id, task, request, body, steps, values, notes } = decision else {
            continue;
        };
        let mut carried = Vec::with_capacity(movings.len());
        for moving in movings {
            let Some(result) = results.get_mut(&moving.claimed.id) else { continue };
            let own = !result.used && result.held.is_empty() && result.waits.is_none();
            result.used = true;
            let id = if own { moving.claimed.id } else { MovementId::new() };
            let like = moving.claimed.id;
            let sending = Sending { id, like, destination: task.clone(), request: request.clone() };
            carried.push((sending, moving.claimed.attempts));
        }
        let order_id = order_id.to_owned();
        let order_number = order_number.to_owned();
        let movements = carried;
        writes.push(Write { movements, order_id, order_number, line_id, task, body, steps, values, notes });
    }
}

pub(super) fn held(moving: &Moving, why: Held) -> Fate {
    Fate { code: Some(why.code), ..settled(moving, Next::Held, None, Some(why.reason)) }
}

/// Nothing is sent before it is known whether its task was made.
fn waits(moving: &Moving, until: Timestamp, looked_up: Timestamp) -> Fate {
    let reason = "no answer came to the request that made its task, and no listing shows the task yet; \
                  it is looked for once more when the request can no longer arrive";
    let left: SignedDuration = until.duration_since(looked_up);
    Fate {
        code: Some(Code::AsanaNoAnswer),
        retry_in: Some(Duration::try_from(left).unwrap_or_default()),
        ..settled(moving, Next::InDoubt, None, Some(reason.to_owned()))
    }
}

pub(super) fn ignored(moving: &Moving, reason: String) -> Fate {
    settled(moving, Next::Delivered(Outcome::Ignored), None, Some(reason))
}

pub(super) fn settled(
    moving: &Moving,
    next: Next,
    destination: Option<String>,
    reason: Option<String>,
) -> Fate {
    Fate {
        id: moving.claimed.id,
        next,
        destination,
        code: None,
        reason,
        response: None,
        attempts: moving.claimed.attempts,
        retry_in: None,
    }
}
