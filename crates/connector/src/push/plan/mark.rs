//! What may not be used in Oracle: judging it before it is written, and the mark of a task on which a person chose it, one
//! text that is written by a movement of its own. Pure.

use std::collections::BTreeMap;

use asana::{FieldValue, TaskUpdate};
use jiff::tz::TimeZone;

use super::{Plan, Planner, Write, held, ignored, settled};
use crate::code::Code;
use crate::ids::FieldGid;
use crate::mapping::Held;
use crate::mapping::diff::differing;
use crate::mapping::field::FieldSet;
use crate::mapping::values::Subject;
use crate::push::world::{Moving, Record};
use crate::reference;
use crate::reference::choices::wanted;
use crate::store::outbox::{Next, Outcome, Sending};

/// Stands for the order of a write that only changes a mark.
pub const MARKS: &str = "marks";

impl Planner<'_> {
    fn mark_field(&self) -> Option<&FieldGid> {
        self.settings.reference.as_ref()?.mark.as_ref()
    }

    /// An empty mark, when everything that is judged on the task is among these values: then no person chose it.
    pub(super) fn unmarked(
        &self,
        fields: &FieldSet,
        values: &BTreeMap<String, FieldValue>,
    ) -> Option<(String, FieldValue)> {
        let gid = self.mark_field()?;
        let judged = reference::Kind::ALL.iter().filter_map(|kind| self.settings.fields.get(&kind.purpose()));
        let all_written = judged.into_iter().all(|gid| values.contains_key(&gid.0));
        let fits = fields.get(gid).is_some_and(|field| field.check_mark().is_ok());
        (all_written && fits).then(|| (gid.0.clone(), FieldValue::Clear))
    }

    /// Judges the supplier and the accounts among what is about to be written, on the day of the plan (UTC).
    pub(super) fn judged(
        &self,
        subject: Subject<'_>,
        written: &BTreeMap<String, FieldValue>,
    ) -> Result<Vec<String>, Held> {
        let day = self.now.to_zoned(TimeZone::UTC).date();
        reference::orders::judge(subject, self.settings, &self.world.reference, written, day)
    }

    /// Plans the movement of a mark.
    pub(super) fn mark(&self, moving: &Moving, plan: &mut Plan) {
        let Ok(Record::Task(gid)) = &moving.record else { return };
        if plan.writes.iter().any(|write| write.task.as_ref() == Some(gid)) {
            // that write empties the mark, or another look follows it
            let reason = "its order's values are written".to_owned();
            let next = Next::Delivered(Outcome::Superseded);
            plan.fates.push(settled(moving, next, Some(gid.clone()), Some(reason)));
            return;
        }
        let (Some(field), Some(known)) = (self.mark_field(), self.world.tasks.get(gid)) else {
            let reason = "no field is set for marks, or the task is not known any more".to_owned();
            plan.fates.push(ignored(moving, reason));
            return;
        };
        let fits = self.fields_of(Some(known)).and_then(|fields| {
            let missing = || {
                let reason = format!("field {field} for marks is not on the task's project");
                Held::new(Code::FieldMissing, reason)
            };
            fields.get(field).ok_or_else(missing)?.check_mark()
        });
        if let Err(why) = fits {
            plan.fates.push(held(moving, why));
            return;
        }
        let choices = self.world.choices.get(gid).into_iter().flatten();
        let says = wanted(choices);
        let note = match &says {
            Some(FieldValue::Text(words)) => format!("marked: {words}"),
            _ => "the mark is emptied: nothing is wrong any more".to_owned(),
        };
        let want = BTreeMap::from([(field.0.clone(), says.unwrap_or(FieldValue::Clear))]);
        let values = differing(&want, &known.values);
        if values.is_empty() {
            let next = Next::Delivered(Outcome::Unchanged);
            plan.fates.push(settled(moving, next, Some(gid.clone()), None));
            return;
        }
        plan.writes.push(write(moving, gid, values, note));
    }
}

fn write(moving: &Moving, gid: &str, values: BTreeMap<String, FieldValue>, note: String) -> Write {
    let body = TaskUpdate { custom_fields: values.clone(), ..TaskUpdate::default() }.to_body();
    let sending = Sending {
        id: moving.claimed.id,
        like: moving.claimed.id,
        destination: Some(gid.to_owned()),
        request: format!("PUT /tasks/{gid}\n{body}"),
    };
    Write {
        steps: Vec::new(),
        movements: vec![(sending, moving.claimed.attempts)],
        order_id: MARKS.to_owned(),
        order_number: String::new(),
        line_id: String::new(),
        task: Some(gid.to_owned()),
        body,
        values,
        notes: vec![note],
    }
}
