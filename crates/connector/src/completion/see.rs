//! What a task that was read means for its completions. Pure.

use asana::Task;
use jiff::Timestamp;

use crate::engine::ProjectFields;
use crate::mapping::field::Kind;
use crate::purpose::Purpose;
use crate::settings::Settings;
use crate::store::completions::{Completion, Facts};

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nothing that is not known.
    Nothing,
    /// The task was completed, and that is not known yet. With the completion before it, when nobody saw that the
    /// task was open in between.
    Completed(Facts, Option<i32>),
    /// The task of a completion without a journal says something else now.
    Changed(i32, Facts),
    /// The task of a settled completion carries another order number now; the journal stays with the first.
    Renumbered(i32, String),
    /// The task is open again after this completion.
    Reopened(i32, Timestamp),
}

/// Compares a task with the completions that are known of it, in their order.
#[must_use]
pub fn see(task: &Task, known: &[Completion], settings: &Settings, fields: &ProjectFields) -> Seen {
    let last = known.last();
    let Some(completed_at) = task.completed_at.filter(|_| task.completed) else {
        return match last.filter(|last| last.reopened_at.is_none() && !task.completed) {
            Some(last) => Seen::Reopened(last.ordinal, task.modified_at),
            None => Seen::Nothing,
        };
    };
    let facts = facts(task, completed_at, settings, fields);
    // the database keeps microseconds
    let same = |known: &&Completion| known.completed_at.as_microsecond() == completed_at.as_microsecond();
    let Some(known) = known.iter().find(same) else {
        let before = last.filter(|last| last.reopened_at.is_none() && last.completed_at < completed_at);
        return Seen::Completed(facts, before.map(|before| before.ordinal));
    };
    // an approval can be given after all, and that is the same completion
    let decided_anew = known.state == "skipped" && known.approval_status != facts.approval_status;
    if known.state == "held" || decided_anew {
        let unchanged = known.order_number == facts.order_number
            && known.own_cost == facts.own_cost
            && known.own_currency == facts.own_currency
            && known.approval_status == facts.approval_status
            && known.elsewhere == facts.elsewhere
            && known.task_name == facts.task_name;
        return if unchanged { Seen::Nothing } else { Seen::Changed(known.ordinal, facts) };
    }
    if known.state == "journal" && known.order_number != facts.order_number {
        let now = facts.order_number.as_deref().unwrap_or("none");
        let was = known.order_number.as_deref().unwrap_or("none");
        return Seen::Renumbered(
            known.ordinal,
            format!(
                "the task carries the order number {now} now, at its completion it was {was}; the journal stays"
            ),
        );
    }
    Seen::Nothing
}

/// What a completed task says that its journal depends on.
pub(crate) fn facts(
    task: &Task,
    completed_at: Timestamp,
    settings: &Settings,
    fields: &ProjectFields,
) -> Facts {
    let field = |purpose| settings.fields.get(&purpose).and_then(|gid| task.field(gid.0.as_str()));
    let order_number = field(Purpose::PoNumber)
        .and_then(|field| field.text_value.as_deref())
        .map(str::trim)
        .filter(|number| !number.is_empty())
        .map(str::to_owned);
    let own_cost = field(Purpose::Cost).and_then(|field| field.number_value.as_ref());
    Facts {
        task_gid: task.gid.clone(),
        completed_at,
        completed_by: task
            .completed_by
            .as_ref()
            .map(|who| who.name.clone().unwrap_or_else(|| who.gid.clone())),
        task_name: task.name.clone(),
        order_number,
        own_cost: own_cost.map(|number| number.as_str().to_owned()),
        own_currency: own_cost.and_then(|_| cost_currency(settings, fields)),
        approval_status: task.approval_status.clone().filter(|_| task.resource_subtype == "approval"),
        elsewhere: !settings.projects().iter().any(|project| task.projects.contains(&project.0)),
    }
}

/// The currency of the cost field, when it is a currency field. A field has one currency wherever it is used.
fn cost_currency(settings: &Settings, fields: &ProjectFields) -> Option<String> {
    let gid = settings.fields.get(&Purpose::Cost)?;
    let kinds = fields.values().filter_map(|set| set.as_ref().ok()).filter_map(|set| set.get(gid));
    kinds.map(|field| &field.kind).find_map(|kind| match kind {
        Kind::Number { currency, .. } => currency.clone(),
        _ => None,
    })
}
