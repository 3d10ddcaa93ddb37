//! How tasks are made and named.

use serde::{Deserialize, Serialize};

/// What one task stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskPer {
    /// One task per purchase order.
    Order,
    /// One task per purchase order line.
    Line,
}

/// Which line attribute is the line-item amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineAmount {
    /// `Ordered`, without exclusive tax.
    Ordered,
    /// `Total`, with tax.
    Total,
}

/// What happens when a task was deleted in Asana.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenDeleted {
    /// The movement is held until a person decides.
    Hold,
    /// A new task is made.
    Recreate,
}

/// What happens with an invoice that names no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithoutOrder {
    /// It is stored and logged, but no task shows it.
    Ignore,
    /// It gets a task of its own in the default project.
    Task,
}

/// How tasks are made and named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TaskSettings {
    /// What one task stands for.
    pub per: TaskPer,
    /// Whether a task is created when none carries the order number.
    pub create: bool,
    /// What happens when a task was deleted.
    pub deleted: WhenDeleted,
    /// What happens with an invoice without order.
    pub invoices_without_order: WithoutOrder,
    /// Which attribute is the line-item amount.
    pub line_amount: LineAmount,
    /// MiniJinja template of a new task's name.
    pub name: String,
    /// MiniJinja template of a new task's notes; the order's key is always added.
    pub notes: String,
}

impl Default for TaskSettings {
    fn default() -> Self {
        TaskSettings {
            per: TaskPer::Order,
            create: true,
            deleted: WhenDeleted::Hold,
            invoices_without_order: WithoutOrder::Ignore,
            line_amount: LineAmount::Ordered,
            name: crate::template::DEFAULT_NAME.to_owned(),
            notes: crate::template::DEFAULT_NOTES.to_owned(),
        }
    }
}
