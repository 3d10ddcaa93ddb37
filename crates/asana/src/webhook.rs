//! Webhooks: what Asana says of one, and what is sent to make one.
//!
//! Facts are from developers.asana.com, "Webhooks" and the reference of `createWebhook`.

use std::fmt;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use crate::record::{Reference, null_as_default};

/// A subscription as Asana keeps it.
///
/// A listing shows only those that the app behind the token registered for the token's user. One whose
/// deliveries failed for 24 hours is deleted by Asana without a word.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Webhook {
    /// Gid of the webhook.
    pub gid: String,
    /// Whether it sends events. Shown as false or true right after it was made, so only a later look says
    /// something.
    #[serde(default)]
    pub active: Option<bool>,
    /// What is watched.
    #[serde(default)]
    pub resource: Option<Reference>,
    /// Where deliveries go. Whoever knows the address may send to it: `Debug` does not show it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub target: String,
    /// When it was made.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// When a delivery was last accepted.
    #[serde(default)]
    pub last_success_at: Option<Timestamp>,
    /// When a delivery last failed.
    #[serde(default)]
    pub last_failure_at: Option<Timestamp>,
    /// What the target answered then.
    #[serde(default)]
    pub last_failure_content: Option<String>,
    /// How often the present delivery was tried again.
    #[serde(default)]
    pub delivery_retry_count: Option<u32>,
    /// Before this there is no further attempt.
    #[serde(default)]
    pub next_attempt_after: Option<Timestamp>,
    /// When Asana deletes the webhook unless a delivery succeeds before.
    #[serde(default)]
    pub failure_deletion_timestamp: Option<Timestamp>,
    /// An event that fits any of these is delivered.
    #[serde(default, deserialize_with = "null_as_default")]
    pub filters: Vec<WebhookFilter>,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("gid", &self.gid)
            .field("active", &self.active)
            .field("resource", &self.resource)
            .field("last_success_at", &self.last_success_at)
            .field("last_failure_at", &self.last_failure_at)
            .finish_non_exhaustive()
    }
}

/// Which events pass: every member that is given must fit.
///
/// Webhooks on a workspace, team or portfolio need at least one filter, take no `fields`, and never carry
/// events of tasks, subtasks or stories.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookFilter {
    /// Type of the resource that changed, such as `task`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// Subtype of that resource, such as `milestone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_subtype: Option<String>,
    /// `changed`, `added`, `removed`, `deleted` or `undeleted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Names of the properties that changed; only with `changed`.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_as_default")]
    pub fields: Vec<String>,
}

/// A webhook that was just made.
#[derive(Debug)]
pub struct CreatedWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// The secret that signs its deliveries: the very text, its characters are the key. Asana never shows it
    /// again. `None` when the answer has none, which the specification does not foresee.
    pub secret: Option<SecretString>,
}

/// The answer to `POST /webhooks`: the secret stands beside `data`.
#[derive(Deserialize)]
pub(crate) struct Created {
    pub(crate) data: Webhook,
    #[serde(default, rename = "X-Hook-Secret", deserialize_with = "secret")]
    pub(crate) secret: Option<SecretString>,
}

/// Something else than a text is no secret; and no message may repeat what stands there.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Offered {
        Text(String),
        Other(IgnoredAny),
    }
    Ok(match Offered::deserialize(deserializer)? {
        Offered::Text(text) if !text.is_empty() => Some(SecretString::from(text)),
        Offered::Text(_) | Offered::Other(IgnoredAny) => None,
    })
}

/// The body of `POST /webhooks`.
pub(crate) fn creation(resource: &str, target: &str, filters: &[WebhookFilter]) -> String {
    serde_json::json!({"data": {"resource": resource, "target": target, "filters": filters}}).to_string()
}

/// The body of `PUT /webhooks/{gid}`, which replaces all filters.
pub(crate) fn filters(filters: &[WebhookFilter]) -> String {
    serde_json::json!({"data": {"filters": filters}}).to_string()
}
