//! Settings of webhooks and event streams; each one that stands for an unknown of the real service says so.

use serde::{Deserialize, Serialize};

/// How webhooks and event streams behave. Every field has a default, so that `{}` is a valid value.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookConfig {
    /// The most webhooks and event streams on one resource, all apps together.
    pub per_resource: usize,
    /// The most webhooks of one user through one app.
    pub per_user: usize,
    /// Status of the refusal when one of these limits is reached (unknown of the real service).
    pub limit_status: u16,
    /// What a target on this machine or in a private network is answered with. Asana refuses it with 403; here it is
    /// accepted unless told otherwise, since whoever uses the stand-in listens on this machine.
    pub local_targets: LocalTargets,
    /// Body of the handshake: Asana's description allows either.
    pub handshake_body: HandshakeBody,
    /// Whether a signed heartbeat follows the handshake at once, so that it may come before the registration's answer.
    /// Asana speaks of a heartbeat at the handshake and leaves open whether that is the handshake itself.
    pub heartbeat_after_handshake: bool,
    /// Status of the answer to a registration whose handshake failed (Asana only says "an error").
    pub handshake_failed_status: u16,
    /// Message of that answer (seen in public code, not documented).
    pub handshake_failed_message: String,
    /// `active` in the answer to a registration: the documentation's example says false, a real answer said true.
    /// With false the webhook is active from right after that answer on.
    pub active_in_answer: bool,
    /// Whether `is_workspace_webhook` is answered, which real answers carry and the documentation does not know.
    pub undocumented_members: bool,
    /// Whether deliveries carry `X-Asana-Request-Signature` too, with the value of `X-Hook-Signature`, as seen on the
    /// real service.
    pub request_signature: bool,
    /// Whether the order of an event's members varies, as seen on the real service.
    pub vary_member_order: bool,
    /// Whether completing and reopening also write a story (inferred from Asana's documentation of propagation).
    pub completion_stories: bool,
    /// Real milliseconds that a target has for its answer, to the handshake too (10 s are documented for deliveries).
    pub deadline_ms: u64,
    /// Seconds, on the virtual clock, until a failed delivery is tried again; doubled with each failure.
    ///
    /// Asana publishes no schedule, only that it is exponential.
    pub retry_first_seconds: u32,
    /// The longest such wait in seconds: "deliveries resume within about an hour".
    pub retry_most_seconds: u32,
    /// Seconds, on the virtual clock, without success from the first failure on, after which a webhook is deleted.
    pub delete_after_seconds: u32,
    /// Whether the answer 410 deletes a webhook at once (told by others, not by Asana's documentation).
    pub gone_deletes: bool,
    /// Seconds, on the virtual clock, from one heartbeat to the next.
    pub heartbeat_seconds: u32,
    /// Milliseconds, on the virtual clock, from an event to its delivery.
    pub delay_ms: u64,
    /// The most events of one delivery; 0: all that are due, up to 1,000.
    pub events_per_delivery: usize,
    /// How many deliveries of one webhook may be under way at once.
    pub at_once: usize,
    /// How often each delivery of events is sent.
    pub copies: u32,
    /// Whether the newest event, and the newest delivery, goes first.
    pub reordered: bool,
    /// What becomes of deliveries.
    pub sending: Sending,
    /// What becomes of a webhook whose token is revoked (unknown of the real service).
    pub revoked_token: RevokedToken,
    /// Seconds, on the virtual clock, that a sync token of an event stream lives, and that its events are kept.
    pub sync_token_seconds: u32,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self {
            per_resource: 1000,
            per_user: 10_000,
            limit_status: 403,
            local_targets: LocalTargets::Accept,
            handshake_body: HandshakeBody::Heartbeat,
            heartbeat_after_handshake: false,
            handshake_failed_status: 400,
            handshake_failed_message: "The remote server did not respond with the handshake secret."
                .to_owned(),
            active_in_answer: true,
            undocumented_members: false,
            request_signature: true,
            vary_member_order: true,
            completion_stories: true,
            deadline_ms: 10_000,
            retry_first_seconds: 10,
            retry_most_seconds: 3600,
            delete_after_seconds: 24 * 3600,
            gone_deletes: true,
            heartbeat_seconds: 8 * 3600,
            delay_ms: 0,
            events_per_delivery: 0,
            at_once: 1,
            copies: 1,
            reordered: false,
            sending: Sending::Send,
            revoked_token: RevokedToken::Keep,
            sync_token_seconds: 24 * 3600,
        }
    }
}

/// What a target that only this machine can reach is answered with.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum LocalTargets {
    /// It is a target like any other.
    Accept,
    /// 403, as on the real service.
    Refuse,
}

/// What the handshake carries beside its header.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum HandshakeBody {
    /// Nothing.
    Empty,
    /// `{"events":[]}`.
    Heartbeat,
}

/// What becomes of deliveries.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Sending {
    /// They are sent when they are due.
    Send,
    /// Nothing is sent until this is changed; then everything that was held back is.
    Hold,
    /// Events that happen meanwhile are lost for every webhook; heartbeats are sent.
    Lose,
}

/// What becomes of a webhook whose token is revoked.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum RevokedToken {
    /// It goes on.
    Keep,
    /// It is deleted.
    Delete,
}
