//! A client for the Asana REST API, as far as keeping tasks in agreement with another system needs it:
//! users, workspaces, projects, sections, tags, custom field definitions, tasks with their custom field values,
//! section, due date, assignee and tags, and webhooks.
//!
//! What it takes care of:
//! - **Exact numbers.** A number custom field is read from and written to raw JSON text as an exact decimal.
//! - **Explicit `opt_fields`** on every call, writes too, so that an answer always carries what is compared.
//! - **One rate budget per token** ([`BudgetSettings`]): clients with the same token and address share it in a
//!   process, and all processes that have one [`Config::shared`]. After a 429 all of them wait.
//! - **A time limit for each kind of call** ([`Timeouts`]).
//! - **Errors by kind** ([`Error`]), with [`Error::may_have_happened`] for writes whose answer was lost.
//!
//! What it never does: it never sends a write again, nor a read unless it is told to wait after a 429
//! ([`Config::patience`]; a listing that lost its page token starts again once),
//! never follows a redirect, and never shows the token in an error, a log line or a `Debug` output.

mod address;
mod attributes;
mod body;
mod budget;
mod client;
mod config;
mod custom_field;
mod definition;
mod enum_option;
mod error;
mod listing;
mod number;
mod opt_fields;
mod record;
mod refusal;
mod task;
mod transport;
mod value;
mod webhook;

pub use attributes::Acknowledged;
pub use body::{NewTask, TaskUpdate, section_body, tag_body};
pub use client::{Answer, Asana, TaskPage};
pub use config::{BudgetSettings, Config, DEFAULT_BASE, Timeouts};
pub use custom_field::{CustomField, EnumOption};
pub use definition::{FIELDS_PER_PROJECT, FieldType, NewCustomField};
pub use error::{BadRequest, Error};
pub use number::Number;
pub use record::{Project, Reference, Section, Tag, User, Workspace};
pub use refusal::Refusal;
pub use task::{Assignee, DateValue, Task, TaskField};
pub use transport::MAX_RESPONSE_BYTES;
pub use value::FieldValue;
pub use webhook::{CreatedWebhook, Webhook, WebhookFilter};
