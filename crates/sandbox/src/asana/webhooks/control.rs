//! Webhooks as a test or a person looks at them from outside: the registrations, what was sent, and the switches.
//!
//! | request | what it does |
//! |---|---|
//! | `GET /asana/webhooks` | all registrations, whoever made them, without secrets, and counts |
//! | `GET`, `PATCH /asana/webhooks/settings` | the switches; absent ones stay |
//! | `GET`, `DELETE /asana/deliveries` | what was sent, oldest first |
//! | `POST /asana/deliveries/settle` | answers once nothing that is due is left, or with `settled: false` after 30 s |

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Secret;
use super::config::WebhookConfig;
use super::log::{Attempt, DeliveryCounts};
use crate::asana::{Asana, lock};

/// The longest that a request waits for deliveries, in seconds: three of the documented deadlines.
const MAX_SETTLE_SECONDS: u64 = 30;

/// A registration as the control interface shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WebhookState {
    /// Its gid.
    pub gid: String,
    /// Gid of the project, task or workspace that it listens to.
    pub resource: String,
    /// Where it delivers.
    pub target: String,
    /// Email of the user who registered it.
    pub user: String,
    /// Whether it hears of events.
    pub active: bool,
    /// Events and deliveries that the target has not taken yet.
    pub pending: usize,
    /// Retries since the last success.
    pub retries: u32,
}

impl Asana {
    /// All registrations in order of creation, whoever made them.
    #[must_use]
    pub fn webhooks(&self) -> Vec<WebhookState> {
        let now = self.0.clock.now();
        let mut world = lock(&self.0.world);
        world.hooks.expire(now);
        let email = |gid| world.users.get(&gid).map_or(String::new(), |u| u.email.clone());
        let state = world.hooks.webhooks.iter().map(|(gid, w)| WebhookState {
            gid: gid.to_string(),
            resource: w.resource.to_string(),
            target: w.target.to_string(),
            user: email(w.owner.0),
            active: w.active,
            pending: w.queue.pending(),
            retries: w.queue.failing().map_or(0, |f| f.retries),
        });
        state.collect()
    }

    /// The handshakes, deliveries and heartbeats that were sent, oldest first; at most the newest 10,000.
    #[must_use]
    pub fn delivery_attempts(&self) -> Vec<Attempt> {
        lock(&self.0.world).hooks.log.attempts()
    }

    /// Forgets what was sent; the counts stay.
    pub fn clear_delivery_attempts(&self) {
        lock(&self.0.world).hooks.log.clear();
    }

    /// What was sent so far, counted.
    #[must_use]
    pub fn delivery_counts(&self) -> DeliveryCounts {
        lock(&self.0.world).hooks.log.counts
    }

    pub(crate) fn delete_webhooks_of(&self, token: &str) {
        lock(&self.0.world).hooks.delete_of_token(&Secret::of(token));
    }

    /// Changes how webhooks and event streams behave, from now on.
    pub fn change_webhooks(&self, change: impl FnOnce(&mut WebhookConfig)) {
        let mut config = (*self.config()).clone();
        change(&mut config.webhooks);
        self.reconfigure(config);
    }
}

pub(crate) fn router(asana: Asana) -> Router {
    Router::new()
        .route("/asana/webhooks", get(webhooks))
        .route("/asana/webhooks/settings", get(settings).patch(change_settings))
        .route("/asana/deliveries", get(deliveries).delete(clear))
        .route("/asana/deliveries/settle", post(settle))
        .with_state(asana)
}

async fn webhooks(State(asana): State<Asana>) -> Json<Value> {
    Json(json!({ "webhooks": asana.webhooks(), "counts": asana.delivery_counts() }))
}

async fn settings(State(asana): State<Asana>) -> Json<Value> {
    Json(json!(asana.config().webhooks))
}

async fn change_settings(State(asana): State<Asana>, body: String) -> Response {
    let merged = serde_json::from_str::<Map<String, Value>>(&body).and_then(|changes| {
        let mut merged = json!(asana.config().webhooks);
        for (name, value) in changes {
            merged[name] = value;
        }
        serde_json::from_value::<WebhookConfig>(merged)
    });
    match merged {
        Ok(merged) => {
            asana.change_webhooks(|config| *config = merged);
            settings(State(asana)).await.into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({ "error": error.to_string() }))).into_response(),
    }
}

async fn deliveries(State(asana): State<Asana>) -> Json<Vec<Attempt>> {
    Json(asana.delivery_attempts())
}

async fn clear(State(asana): State<Asana>) -> StatusCode {
    asana.clear_delivery_attempts();
    StatusCode::NO_CONTENT
}

async fn settle(State(asana): State<Asana>) -> Json<Value> {
    let longest = Duration::from_secs(MAX_SETTLE_SECONDS);
    let settled = tokio::time::timeout(longest, asana.deliveries_settled()).await.is_ok();
    Json(json!({ "settled": settled }))
}
