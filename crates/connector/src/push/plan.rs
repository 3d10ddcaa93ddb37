//! Planning a batch: which task gets which values, and what becomes of each movement. Pure.

mod carry;
mod mark;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;

use asana::{FieldValue, NewTask};
use jiff::{SignedDuration, Timestamp};

use self::carry::{Results, carry, held, ignored, is_namesake, newest_per_record, note, settled};
pub use self::mark::MARKS;
use crate::code::Code;
use crate::engine::Sections;
use crate::ids::MovementId;
use crate::mapping::Held;
use crate::mapping::desired::{Desired, desired, journal_status, stamp};
use crate::mapping::diff::{SECTION, differing};
use crate::mapping::engine::Mapping;
use crate::mapping::field::FieldSet;
use crate::mapping::tally::Tally;
use crate::mapping::values::Subject;
use crate::push::parts::{self, Parts, Step};
use crate::push::world::{BoundFields, Moving, Record, World, invoice_key};
use crate::record::{InvoiceFacts, LineFacts, OrderFacts};
use crate::settings::{Settings, TaskPer, WhenDeleted, WithoutOrder};
use crate::store::creations::Creation;
use crate::store::links::NewLink;
use crate::store::outbox::{Fate, Sending};
use crate::store::tasks::KnownTask;
use crate::template::{Templates, order_key};

/// How long after its answer failed to come a request may still make a task: as long as a write is waited for.
pub const SETTLE: SignedDuration = SignedDuration::from_mins(1);

/// What planning needs besides the world.
#[derive(Debug)]
pub struct Planner<'a> {
    /// The connection's settings.
    pub settings: &'a Settings,
    /// The mapped projects' fields, with what their options stand for.
    pub fields: &'a BoundFields<'a>,
    /// The mapping document.
    pub mapping: &'a Mapping,
    /// The project of each section that a rule may name.
    pub sections: &'a Sections,
    /// The task templates.
    pub templates: &'a Templates,
    /// What is known.
    pub world: &'a World,
    /// Counts what the mapping gives for each task, where somebody wants it.
    pub tally: Option<&'a Mutex<Tally>>,
    /// The time of the plan.
    pub now: Timestamp,
    /// When the listing was begun from which the tasks are known, by the database's clock.
    pub looked_up: Timestamp,
}

/// A batch's plan.
#[derive(Debug, Default)]
pub struct Plan {
    /// What is settled without a write.
    pub fates: Vec<Fate>,
    /// Writes to be made.
    pub writes: Vec<Write>,
    /// Links found by order number.
    pub links: Vec<NewLink>,
}

/// One write to Asana, and the movements it carries.
#[derive(Debug, Clone)]
pub struct Write {
    /// The movements, each with the claimed one it belongs to and its attempts.
    pub movements: Vec<(Sending, u32)>,
    /// The order's id.
    pub order_id: String,
    /// The order's number.
    pub order_number: String,
    /// The line's id; empty for the whole order.
    pub line_id: String,
    /// The task to change; `None` makes one.
    pub task: Option<String>,
    /// The body to send; empty when only steps are needed.
    pub body: String,
    /// What is sent after it, one by one.
    pub steps: Vec<Step>,
    /// The values in it.
    pub values: BTreeMap<String, FieldValue>,
    /// What was done to make a value fit.
    pub notes: Vec<String>,
}

impl Write {
    /// For what it makes a task, if it does.
    #[must_use]
    pub fn creation(&self) -> Option<Creation> {
        let (order_id, line_id) = (self.order_id.clone(), self.line_id.clone());
        self.task.is_none().then_some(Creation { order_id, line_id })
    }

    /// How many requests it takes, if every one succeeds: a task is made with one.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.task.as_ref().map_or(1, |_| parts::requests(&self.body, &self.steps))
    }
}

/// What is to be done for one task.
#[derive(Debug)]
enum Decision {
    Write {
        line_id: String,
        task: Option<String>,
        request: String,
        body: String,
        steps: Vec<Step>,
        values: BTreeMap<String, FieldValue>,
        notes: Vec<String>,
    },
    Unchanged(String),
    /// Whether the task was made before is known only from a listing that is begun after this time.
    Waits(Timestamp),
    Held(Held),
}

impl Planner<'_> {
    /// Plans a batch.
    #[must_use]
    pub fn plan(&self, batch: &[Moving]) -> Plan {
        let mut plan = Plan::default();
        let carriers = newest_per_record(batch, &mut plan.fates);
        let mut by_order: BTreeMap<String, Vec<&Moving>> = BTreeMap::new();
        let (marks, carriers): (Vec<&Moving>, Vec<&Moving>) =
            carriers.into_iter().partition(|moving| matches!(moving.record, Ok(Record::Task(_))));
        for moving in carriers {
            match self.orders_of(moving) {
                Ok(orders) => {
                    for order in orders {
                        by_order.entry(order).or_default().push(moving);
                    }
                }
                Err(fate) => plan.fates.push(fate),
            }
        }
        let mut results: HashMap<MovementId, Results> = HashMap::new();
        let mut decided = Vec::with_capacity(by_order.len());
        for (order_id, movings) in by_order {
            let mut decisions = self.decide(&order_id, &movings, &mut plan.links);
            if movings.iter().all(|moving| is_namesake(moving, &order_id)) {
                // it has a movement of its own for everything but what it loses to the one that moves
                decisions.retain(|decision| matches!(decision, Decision::Write { task: Some(_), .. }));
            }
            note(&decisions, &movings, &mut results);
            decided.push((order_id, movings, decisions));
        }
        for (order_id, movings, decisions) in decided {
            let number = self.world.orders.get(&order_id).map_or("", |order| &order.number);
            carry((&order_id, number), &movings, decisions, &mut results, &mut plan.writes);
        }
        plan.fates.extend(results.into_values().filter_map(|result| result.settled(self)));
        for moving in marks {
            self.mark(moving, &mut plan);
        }
        plan
    }

    /// The orders that a movement concerns, or what becomes of it when there is none.
    fn orders_of(&self, moving: &Moving) -> Result<Vec<String>, Fate> {
        let invoice = match &moving.record {
            Err(why) => return Err(held(moving, Held::new(Code::RecordUnreadable, why.clone()))),
            // an order that comes or changes may take over an invoice from one that shares its number
            Ok(Record::Order(order)) => {
                let namesakes = self.orders_numbered(&order.number).filter(|o| self.has_task(&o.id));
                let orders: BTreeSet<String> =
                    namesakes.map(|o| o.id.clone()).chain([order.id.clone()]).collect();
                return Ok(orders.into_iter().collect());
            }
            Ok(Record::Invoice(invoice)) => invoice,
            Ok(Record::Task(_)) => return Ok(Vec::new()),
        };
        let numbers = invoice.order_numbers();
        if numbers.is_empty() {
            return match self.settings.tasks.invoices_without_order {
                WithoutOrder::Task => Ok(vec![invoice_key(&invoice.id)]),
                WithoutOrder::Ignore => Err(ignored(moving, "the invoice names no order".to_owned())),
            };
        }
        let mut orders = BTreeSet::new();
        for number in &numbers {
            match self.named_order(invoice, number) {
                Ok(found) => orders.extend(found),
                Err(why) => return Err(held(moving, why)),
            }
        }
        if orders.is_empty() {
            let reason = format!(
                "no stored order has the number {}; when one comes, it brings the invoice",
                numbers.join(", ")
            );
            return Err(ignored(moving, reason));
        }
        Ok(orders.into_iter().collect())
    }

    fn has_task(&self, order_id: &str) -> bool {
        self.world.links_by_order.get(order_id).into_iter().flatten().any(|link| !link.gone)
    }

    /// The order that an invoice means by a number. Legal entity and business unit tell apart orders
    /// that share it.
    fn named_order(&self, invoice: &InvoiceFacts, number: &str) -> Result<Option<String>, Held> {
        let all: Vec<&OrderFacts> = self.orders_numbered(number).collect();
        let meant = self.meant_by(invoice, &all);
        match meant.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.id.clone())),
            several => Err(Held::new(
                Code::InvoiceAmbiguous,
                format!("order number {number} stands for {} orders", several.len()),
            )),
        }
    }

    fn meant_by<'w>(&self, invoice: &InvoiceFacts, orders: &[&'w OrderFacts]) -> Vec<&'w OrderFacts> {
        let narrow = |fits: &dyn Fn(&OrderFacts) -> bool, among: &[&'w OrderFacts]| -> Vec<&'w OrderFacts> {
            let fitting: Vec<&OrderFacts> = among.iter().copied().filter(|o| fits(o)).collect();
            if fitting.is_empty() { among.to_vec() } else { fitting }
        };
        let mut left = orders.to_vec();
        if left.len() > 1 && invoice.legal_entity.is_some() {
            left = narrow(&|o| o.legal_entity == invoice.legal_entity, &left);
        }
        if left.len() > 1
            && let Some(unit) = &invoice.business_unit
        {
            left = narrow(&|o| o.business_units.contains(unit), &left);
        }
        left
    }

    fn orders_numbered(&self, number: &str) -> impl Iterator<Item = &OrderFacts> {
        let ids = self.world.orders_by_number.get(number).into_iter().flatten();
        ids.filter_map(|id| self.world.orders.get(id))
    }

    fn decide(&self, order_id: &str, movings: &[&Moving], links: &mut Vec<NewLink>) -> Vec<Decision> {
        let own_task = movings.iter().find_map(|m| match &m.record {
            Ok(Record::Invoice(invoice)) if invoice_key(&invoice.id) == order_id => Some(invoice),
            _ => None,
        });
        if let Some(invoice) = own_task {
            let (order, invoice) = invoice_as_order(invoice);
            return self.decide_task(Subject { order: &order, line: None, invoices: &[invoice] }, links);
        }
        let Some(order) = self.world.orders.get(order_id) else {
            return vec![Decision::Held(Held::new(
                Code::RecordUnreadable,
                format!("order {order_id} cannot be read"),
            ))];
        };
        let invoices: Vec<InvoiceFacts> = self
            .world
            .invoices_by_number
            .get(&order.number)
            .into_iter()
            .flatten()
            .filter(|invoice| {
                let all: Vec<&OrderFacts> = self.orders_numbered(&order.number).collect();
                matches!(self.meant_by(invoice, &all).as_slice(), [one] if one.id == order.id)
            })
            .cloned()
            .collect();
        let subject = Subject { order, line: None, invoices: &invoices };
        match self.settings.tasks.per {
            TaskPer::Order => self.decide_task(subject, links),
            TaskPer::Line if order.lines.is_empty() => {
                vec![Decision::Held(Held::new(Code::NoLines, format!("order {} has no lines", order.number)))]
            }
            TaskPer::Line => order
                .lines
                .iter()
                .flat_map(|line| self.decide_task(Subject { line: Some(line), ..subject }, links))
                .collect(),
        }
    }

    /// Decides for one subject: the tasks it has, further ones that carry its number, or a new one.
    fn decide_task(&self, subject: Subject<'_>, links: &mut Vec<NewLink>) -> Vec<Decision> {
        let line_id = subject.line.map(|l| l.id.clone()).unwrap_or_default();
        let all = self.world.links_by_order.get(&subject.order.id).into_iter().flatten();
        let (gone, live): (Vec<_>, Vec<_>) =
            all.filter(|link| link.line_id == line_id).partition(|link| link.gone);
        let mut tasks: Vec<String> = live.into_iter().map(|link| link.task_gid.clone()).collect();
        let mut decisions = Vec::new();
        match self.find_existing(subject, &tasks) {
            Err(held) => decisions.push(Decision::Held(held)),
            Ok(found) => {
                links.extend(found.iter().map(|task| NewLink {
                    order_id: subject.order.id.clone(),
                    line_id: line_id.clone(),
                    task_gid: task.clone(),
                    origin: "found",
                }));
                tasks.extend(found);
            }
        }
        decisions.extend(tasks.into_iter().map(|task| self.update(subject, &line_id, task)));
        if !decisions.is_empty() {
            return decisions;
        }
        if let Some(link) = gone.first()
            && self.settings.tasks.deleted == WhenDeleted::Hold
        {
            let reason = format!("task {} was deleted in Asana", link.task_gid);
            return vec![Decision::Held(Held::new(Code::TaskGone, reason))];
        }
        let creation = Creation { order_id: subject.order.id.clone(), line_id };
        if let Some(doubted) = self.world.doubted.get(&creation)
            && let settled = *doubted + SETTLE
            && self.looked_up < settled
        {
            return vec![Decision::Waits(settled)];
        }
        vec![self.create(subject, creation.line_id).unwrap_or_else(Decision::Held)]
    }

    /// Tasks in the mapped projects that carry the order's key or, made by people, its number, besides
    /// those that are `linked` already.
    fn find_existing(&self, subject: Subject<'_>, linked: &[String]) -> Result<Vec<String>, Held> {
        let order = subject.order;
        let key = order_key(&order.id, subject.line.map(|l| l.id.as_str()));
        let is_new = |task: &&KnownTask| !linked.contains(&task.gid);
        let keyed = self.mapped(self.world.tasks_by_key.get(&key)).filter(is_new);
        let mut found: Vec<String> = keyed.map(|t| t.gid.clone()).collect();
        let one_task_per_order = subject.line.is_none() || order.lines.len() == 1;
        if !one_task_per_order || order.number.is_empty() {
            return Ok(found);
        }
        for task in self.mapped(self.world.tasks_by_number.get(&order.number)).filter(is_new) {
            let links = self.world.links_by_task.get(&task.gid).into_iter().flatten().filter(|l| !l.gone);
            let owners: BTreeSet<&str> = links.map(|l| l.order_id.as_str()).collect();
            let is_free = owners.iter().all(|owner| *owner == order.id);
            if task.order_key.is_none() && is_free && (!owners.is_empty() || self.is_meant(order, task)?) {
                found.push(task.gid.clone());
            }
        }
        Ok(found)
    }

    /// Whether a person's task with the order's number stands for this order. Of several orders with the
    /// number, those count that are routed to one of the task's projects, if there are any.
    fn is_meant(&self, order: &OrderFacts, task: &KnownTask) -> Result<bool, Held> {
        let all: Vec<&OrderFacts> = self.orders_numbered(&order.number).collect();
        let belongs = |o: &&&OrderFacts| {
            let place = self.settings.routing.place(o);
            place.is_some_and(|place| task.projects.contains(&place.project.0))
        };
        let here: Vec<&OrderFacts> = all.iter().filter(belongs).copied().collect();
        let candidates = if here.is_empty() { all } else { here };
        if !candidates.iter().any(|o| o.id == order.id) {
            return Ok(false);
        }
        if candidates.len() == 1 {
            return Ok(true);
        }
        let (count, number, gid) = (candidates.len(), &order.number, &task.gid);
        let reason = format!("{count} orders have the number {number}, and task {gid} carries it");
        Err(Held::new(Code::NumberAmbiguous, reason))
    }

    /// Of these tasks the ones in a mapped project.
    fn mapped<'s>(&'s self, gids: Option<&'s Vec<String>>) -> impl Iterator<Item = &'s KnownTask> {
        gids.into_iter()
            .flatten()
            .filter_map(|gid| self.world.tasks.get(gid))
            .filter(|task| task.projects.iter().any(|p| self.fields.contains_key(&p.as_str().into())))
    }

    fn update(&self, subject: Subject<'_>, line_id: &str, task: String) -> Decision {
        let known = self.world.tasks.get(&task);
        let fields = match self.fields_of(known) {
            Ok(fields) => fields,
            Err(held) => return Decision::Held(held),
        };
        let Desired { mut values, mut notes } = match self.desired(subject, &fields) {
            Ok(desired) => desired,
            Err(held) => return Decision::Held(held),
        };
        if let Some(known) = known {
            self.keep_section(&mut values, &known.projects, &mut notes);
        }
        if let Some(words) = self.world.journal_status.get(&task) {
            values.extend(journal_status(self.settings, words));
        }
        values.extend(self.unmarked(&fields, &values));
        let nothing = BTreeMap::new();
        let mut changed = differing(&values, known.map_or(&nothing, |k| &k.values));
        if changed.is_empty() {
            return Decision::Unchanged(task);
        }
        match self.judged(subject, &changed) {
            Ok(said) => notes.extend(said),
            Err(held) => return Decision::Held(held),
        }
        changed.extend(stamp(self.settings, &fields, self.now));
        let parts = Parts::of(&changed);
        let (request, body) = (parts.request(&task), parts.body());
        let (line_id, steps) = (line_id.to_owned(), parts.steps);
        Decision::Write { line_id, task: Some(task), request, body, steps, values: changed, notes }
    }

    /// Leaves the section out when the task is not in that section's project: putting it there would bring the task
    /// into the project.
    fn keep_section(
        &self,
        values: &mut BTreeMap<String, FieldValue>,
        projects: &[String],
        notes: &mut Vec<String>,
    ) {
        let Some(FieldValue::Text(section)) = values.get(SECTION) else { return };
        let project = self.sections.get(section);
        if !project.is_some_and(|project| projects.contains(&project.0)) {
            notes.push(format!("section {section} is of no project that the task is in, so the task stays"));
            values.remove(SECTION);
        }
    }

    fn create(&self, subject: Subject<'_>, line_id: String) -> Result<Decision, Held> {
        let order = subject.order;
        if !self.settings.tasks.create {
            return Err(Held::new(
                Code::NoTask,
                format!("no task carries the order number {}", order.number),
            ));
        }
        let place = self
            .settings
            .routing
            .place(order)
            .ok_or_else(|| Held::new(Code::NoRoute, format!("order {} matches no rule", order.number)))?;
        let nothing = Ok(FieldSet::new());
        let fields = self.fields.get(&place.project).unwrap_or(&nothing).as_ref().map_err(Held::clone)?;
        let Desired { mut values, mut notes } = self.desired(subject, fields)?;
        values.retain(|_, value| *value != FieldValue::Clear);
        notes.extend(self.judged(subject, &values)?);
        values.extend(stamp(self.settings, fields, self.now));
        self.keep_section(&mut values, std::slice::from_ref(&place.project.0), &mut notes);
        let (name, text) =
            self.templates.render(order, subject.line).map_err(|e| Held::new(e.code, e.message))?;
        let task = NewTask {
            name,
            notes: text,
            project: place.project.0,
            section: place.section,
            ..NewTask::default()
        };
        let body = Parts::of(&values).into_new(task).to_body();
        let request = format!("POST /tasks\n{body}");
        Ok(Decision::Write { line_id, task: None, request, body, steps: Vec::new(), values, notes })
    }

    /// The fields a task can have: those of its mapped projects, of all when the task was never listed.
    fn fields_of(&self, known: Option<&KnownTask>) -> Result<FieldSet, Held> {
        let sets: Vec<&Result<FieldSet, Held>> = match known {
            Some(known) => {
                known.projects.iter().filter_map(|p| self.fields.get(&p.as_str().into())).collect()
            }
            None => self.fields.values().collect(),
        };
        if let (true, Some(Err(held))) = (sets.iter().all(|set| set.is_err()), sets.first()) {
            return Err(held.clone());
        }
        let readable = sets.into_iter().filter_map(|set| set.as_ref().ok());
        Ok(readable.flatten().map(|(gid, field)| (gid.clone(), field.clone())).collect())
    }

    fn desired(&self, subject: Subject<'_>, fields: &FieldSet) -> Result<Desired, Held> {
        if let Some(mut tally) = self.tally.and_then(|tally| tally.lock().ok()) {
            tally.add(self.mapping, subject);
        }
        desired(subject, self.settings, self.mapping, fields).map_err(|problems| {
            Held::joined(problems).unwrap_or_else(|| Held::new(Code::FieldType, "no value"))
        })
    }
}

/// An invoice without order as a subject of its own.
fn invoice_as_order(invoice: &InvoiceFacts) -> (OrderFacts, InvoiceFacts) {
    let line = LineFacts {
        number: "1".to_owned(),
        description: invoice.number.clone(),
        ordered: invoice.amount.clone(),
        total: invoice.amount.clone(),
        ..LineFacts::default()
    };
    let order = OrderFacts {
        id: invoice_key(&invoice.id),
        supplier: invoice.supplier.clone(),
        currency: invoice.currency.clone(),
        total: invoice.amount.clone(),
        description: Some(format!("Invoice {}", invoice.number.as_deref().unwrap_or(&invoice.id))),
        business_units: invoice.business_unit.iter().cloned().collect(),
        legal_entity: invoice.legal_entity.clone(),
        lines: vec![line],
        ..OrderFacts::default()
    };
    let part = crate::record::InvoicePart { amount: invoice.amount.clone(), ..Default::default() };
    (order, InvoiceFacts { parts: vec![part], ..invoice.clone() })
}
