//! What must be known to decide about a batch of completions: orders, links, and which cost is borne already.

use std::collections::HashMap;

use jiff::Timestamp;
use oracle_fusion::{PurchaseOrder, RawValue};
use sqlx::PgConnection;

use crate::error::Result;
use crate::feed::Feed;
use crate::ids::ConnectionId;
use crate::journal::cost::{self, Cost, CostBasis, OwnCost, Sought, TaskFacts};
use crate::journal::{JournalSettings, NoJournal};
use crate::posting::elsewhere::Borne;
use crate::settings::LineAmount;
use crate::store::completions::Completion;
use crate::store::journals::Bearer;
use crate::store::{connections, documents, links};

/// What bears a cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// An order, an order line, or a task with a cost of its own.
    pub name: String,
    /// Itself, and what contains its cost or a part of it: an order and its lines are never both posted.
    pub overlaps: Vec<String>,
}

impl Subject {
    fn new(cost: &Cost, completion: &Completion) -> Subject {
        match cost.posted_once_for() {
            Some(name) => Subject { name, overlaps: cost.overlaps() },
            None => {
                let name = format!("task {}", completion.task_gid);
                Subject { overlaps: vec![name.clone()], name }
            }
        }
    }

    /// Why it cannot be posted: the journal of a completion bears the cost of `bearer` already.
    #[must_use]
    pub fn posted_already(&self, bearer: &Bearer) -> NoJournal {
        NoJournal::AlreadyPosted { what: self.of(bearer), by: bearer.completion() }
    }

    /// The same, when another connection bears the cost.
    #[must_use]
    pub fn borne_elsewhere(&self, borne: &Borne) -> NoJournal {
        let (what, by) = (self.of(&borne.by), borne.by.completion());
        if borne.is_posted { NoJournal::AlreadyPosted { what, by } } else { NoJournal::OnItsWay { what, by } }
    }

    fn of(&self, bearer: &Bearer) -> String {
        let (own, other) = (&self.name, &bearer.subject);
        if own == other || own.starts_with("task ") || other.starts_with("task ") {
            other.clone()
        } else if own.starts_with("line ") {
            format!("{other}, which includes {own},")
        } else if bearer.elsewhere.is_some() && other.starts_with("order ") {
            // the task had another order then
            other.clone()
        } else {
            format!("{other}, which is part of {own},")
        }
    }
}

/// What surrounds a batch of completions.
#[derive(Debug)]
pub struct Around {
    /// Orders by id.
    orders: HashMap<String, CostBasis>,
    /// Order ids by number.
    by_number: HashMap<String, Vec<String>>,
    /// Each task's orders: pairs of order and line; the line is empty for a whole order.
    links: HashMap<String, Vec<(String, String)>>,
    since: Option<Timestamp>,
}

impl Around {
    /// Loads what surrounds these completions, with a handful of queries.
    pub async fn load(
        db: &mut PgConnection,
        connection: ConnectionId,
        held: &[Completion],
    ) -> Result<Around> {
        let tasks: Vec<String> = held.iter().map(|c| c.task_gid.clone()).collect();
        let mut around = Around {
            orders: HashMap::new(),
            by_number: HashMap::new(),
            links: HashMap::new(),
            since: connections::journals_since(&mut *db, connection).await?,
        };
        for link in links::of_orders_and_tasks(db, connection, &[], &tasks).await? {
            if !link.gone {
                around.links.entry(link.task_gid).or_default().push((link.order_id, link.line_id));
            }
        }
        let ids: Vec<String> = around.links.values().flatten().map(|(order, _)| order.clone()).collect();
        let numbers: Vec<String> = held.iter().filter_map(|c| c.order_number.clone()).collect();
        let mut found = documents::by_ids(db, connection, Feed::PurchaseOrders, &ids).await?;
        found.extend(documents::by_order_number(db, connection, Feed::PurchaseOrders, &numbers).await?);
        for stored in found {
            let raw = serde_json::from_str::<&RawValue>(&stored.body).ok();
            if let Some(Ok(order)) = raw.map(PurchaseOrder::parse) {
                around.add(CostBasis::of(order));
            }
        }
        Ok(around)
    }

    fn add(&mut self, order: CostBasis) {
        let ids = self.by_number.entry(order.order_number().to_owned()).or_default();
        if !ids.iter().any(|id| id == order.order_id()) {
            ids.push(order.order_id().to_owned());
        }
        self.orders.insert(order.order_id().to_owned(), order);
    }

    /// The order, or the line of it, whose cost a completion is. A link says it, unless the task carries
    /// another order's number by now: then somebody must say which is meant.
    fn sought<'a>(&'a self, completion: &'a Completion) -> std::result::Result<Sought<'a>, NoJournal> {
        let number = completion.order_number.as_deref();
        if let Some(links) = self.links.get(&completion.task_gid) {
            let [(order_id, line_id)] = links.as_slice() else {
                return Ok(Sought::Ambiguous(number.unwrap_or("its links")));
            };
            let Some(order) = self.orders.get(order_id) else {
                return Ok(Sought::Unknown(number.unwrap_or(order_id)));
            };
            if let Some(shown) = number.filter(|shown| *shown != order.order_number()) {
                return Err(NoJournal::OrderMismatch {
                    linked: order.order_number().to_owned(),
                    shown: shown.to_owned(),
                });
            }
            let whole = line_id.is_empty();
            return Ok(if whole { Sought::Order(order) } else { Sought::Line(order, line_id) });
        }
        let Some(number) = number else {
            return if completion.elsewhere { Err(NoJournal::Elsewhere) } else { Ok(Sought::NoNumber) };
        };
        let orders = self.by_number.get(number).map(Vec::as_slice).unwrap_or_default();
        Ok(match orders {
            [] => Sought::Unknown(number),
            [one] => self.orders.get(one).map_or(Sought::Unknown(number), Sought::Order),
            _ => Sought::Ambiguous(number),
        })
    }

    /// The order whose tasks show what became of a completion.
    #[must_use]
    pub fn order_of(&self, completion: &Completion) -> Option<String> {
        if let Some(links) = self.links.get(&completion.task_gid) {
            return links.first().map(|(order, _)| order.clone());
        }
        match self.by_number.get(completion.order_number.as_deref()?)?.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        }
    }

    /// The cost of a completion and what bears it.
    pub fn cost(
        &self,
        completion: &Completion,
        settings: &JournalSettings,
        line_amount: LineAmount,
    ) -> std::result::Result<(Cost, Subject), NoJournal> {
        if self.since.is_some_and(|since| completion.completed_at < since) {
            return Err(NoJournal::BeforeStart { completed_at: completion.completed_at });
        }
        let task = TaskFacts {
            approval_status: completion.approval_status.clone(),
            own_cost: completion
                .own_cost
                .clone()
                .map(|amount| OwnCost { amount, currency: completion.own_currency.clone() }),
        };
        let cost = cost::cost(&task, self.sought(completion)?, settings, line_amount)?;
        let subject = Subject::new(&cost, completion);
        Ok((cost, subject))
    }
}
