//! Sends: handshakes while a registration is open, and what is due from a task of its own.
//!
//! The task wakes on changes, when the virtual clock gets to the next due instant or is moved there, and when an
//! attempt ends. It holds nothing but what is under way; the queues are in the store. It never follows a redirect and
//! never waits for the store while a target is asked.

use std::future::pending;
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::redirect::Policy;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};
use url::Url;

use super::config::HandshakeBody;
use super::log::{Attempt, Purpose};
use super::queue::{Delivery, HEARTBEAT};
use super::{Secret, Webhook};
use crate::asana::call::Call;
use crate::asana::error::Fail;
use crate::asana::ops::webhooks::{self, Confirmed};
use crate::asana::world::Gid;
use crate::asana::{Asana, Identity, Inner, lock};
use crate::clock::VirtualClock;

/// The most of an answer that is kept as `last_failure_content`, in bytes.
const MAX_CONTENT_BYTES: usize = 1024;

/// The sending side of the stand-in.
#[derive(Debug, Default)]
pub(crate) struct Sender {
    client: OnceLock<Option<reqwest::Client>>,
    wake: Arc<Notify>,
    progress: Notify,
    running: Mutex<Option<AbortHandle>>,
}

impl Drop for Sender {
    fn drop(&mut self) {
        if let Some(task) = lock(&self.running).take() {
            task.abort();
        }
    }
}

/// A delivery on its way.
#[derive(Debug)]
struct Outgoing {
    webhook: Gid,
    target: Url,
    secret: Secret,
    delivery: Delivery,
}

/// What a target answered.
#[derive(Debug, Default)]
struct Answer {
    status: Option<u16>,
    /// Value of `X-Hook-Secret`.
    secret: Option<String>,
    content: String,
    error: Option<String>,
}

impl Answer {
    fn failed(error: String) -> Self {
        Self { error: Some(error), ..Self::default() }
    }

    fn is_success(&self) -> bool {
        matches!(self.status, Some(200 | 204))
    }
}

impl Asana {
    /// Wakes the sending task, and starts it where there is none. Outside a runtime nothing is sent.
    pub(crate) fn wake_sender(&self) {
        let sender = &self.0.sender;
        let mut running = lock(&sender.running);
        if running.as_ref().is_none_or(AbortHandle::is_finished)
            && let Ok(runtime) = Handle::try_current()
        {
            let task = run(Arc::downgrade(&self.0), sender.wake.clone(), self.0.clock.clone());
            *running = Some(runtime.spawn(task).abort_handle());
        }
        sender.wake.notify_one();
    }

    /// Returns once every delivery that is due by the virtual clock has been tried and none is under way.
    ///
    /// What is held back, delayed or waits for its next attempt is not due.
    pub async fn deliveries_settled(&self) {
        loop {
            let progress = self.0.sender.progress.notified();
            tokio::pin!(progress);
            progress.as_mut().enable();
            if self.is_settled() {
                return;
            }
            self.wake_sender();
            progress.await;
        }
    }

    fn is_settled(&self) -> bool {
        let now = self.0.clock.now();
        let mut world = lock(&self.0.world);
        world.hooks.expire(now);
        let hooks = &world.hooks;
        hooks.webhooks.values().all(|w| !w.active || w.queue.is_settled(now, &hooks.cfg))
    }

    /// Starts what is due; says when to look again.
    fn start_due(&self, under_way: &mut JoinSet<()>) -> Option<Timestamp> {
        let now = self.0.clock.now();
        let mut world = lock(&self.0.world);
        world.hooks.expire(now);
        let hooks = &mut world.hooks;
        let mut next: Option<Timestamp> = None;
        for (gid, webhook) in hooks.webhooks.iter_mut().filter(|(_, w)| w.active) {
            while let Some(delivery) = webhook.queue.take(now, &hooks.cfg) {
                let (target, secret) = (webhook.target.clone(), webhook.secret.clone());
                let outgoing = Outgoing { webhook: *gid, target, secret, delivery };
                under_way.spawn(attempt(self.clone(), outgoing));
            }
            next = next.into_iter().chain(webhook.queue.wakes_at(now, &hooks.cfg)).min();
        }
        drop(world);
        self.0.sender.progress.notify_waiters();
        next
    }

    async fn post(&self, target: &Url, headers: &[(&'static str, &str)], body: String) -> Answer {
        let Some(client) = self.0.sender.client.get_or_init(client) else {
            return Answer::failed("no HTTP client can be made".to_owned());
        };
        let mut request = client.post(target.clone()).header("Content-Type", "application/json").body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let deadline = Duration::from_millis(self.config().webhooks.deadline_ms);
        match tokio::time::timeout(deadline, answer(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Answer::failed(format!("no answer: {}", error.without_url())),
            Err(_) => Answer::failed(format!("no answer within {} ms", deadline.as_millis())),
        }
    }

    /// Notes how an attempt ended and decides what becomes of the webhook.
    fn finish(&self, outgoing: Outgoing, signature: String, answer: Answer) {
        let now = self.0.clock.now();
        let Outgoing { webhook: gid, target, delivery, .. } = outgoing;
        let mut world = lock(&self.0.world);
        let hooks = &mut world.hooks;
        hooks.log.add(Attempt {
            webhook: Some(gid.to_string()),
            target: target.into(),
            purpose: if delivery.events == 0 { Purpose::Heartbeat } else { Purpose::Events },
            delivery: delivery.number,
            attempt: delivery.attempts,
            at: now,
            events: delivery.events,
            body: delivery.body.clone(),
            signature: Some(signature),
            status: answer.status,
            error: answer.error.clone(),
        });
        let gone = answer.status == Some(410) && hooks.cfg.gone_deletes;
        match hooks.webhooks.get_mut(&gid) {
            Some(webhook) if answer.is_success() => {
                webhook.queue.succeeded();
                webhook.last_success_at = Some(now);
            }
            Some(webhook) => {
                webhook.queue.failed(delivery, now, &hooks.cfg);
                note_failure(webhook, answer, now);
            }
            // Deleted while it was under way.
            None => {}
        }
        if gone {
            hooks.delete_by_asana(gid);
        }
        drop(world);
        self.0.sender.progress.notify_waiters();
    }
}

fn note_failure(webhook: &mut Webhook, answer: Answer, now: Timestamp) {
    webhook.last_failure_at = Some(now);
    webhook.last_failure_content = answer.error.unwrap_or(answer.content);
}

/// A client that goes straight to the target and nowhere else.
fn client() -> Option<reqwest::Client> {
    let built = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build();
    built.inspect_err(|error| tracing::warn!(%error, "webhooks cannot be sent")).ok()
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
    let mut response = request.send().await?;
    let secret = response.headers().get("X-Hook-Secret").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let status = Some(response.status().as_u16());
    let mut content = Vec::new();
    while content.len() < MAX_CONTENT_BYTES {
        let Some(chunk) = response.chunk().await? else { break };
        content.extend_from_slice(&chunk);
    }
    content.truncate(MAX_CONTENT_BYTES);
    let content = String::from_utf8_lossy(&content).into_owned();
    Ok(Answer { status, secret, content, error: None })
}

/// The sending task; ends when the stand-in is gone.
async fn run(inner: Weak<Inner>, wake: Arc<Notify>, clock: VirtualClock) {
    let mut under_way = JoinSet::new();
    loop {
        let Some(asana) = inner.upgrade().map(Asana) else { return };
        let next = asana.start_due(&mut under_way);
        drop(asana);
        let due = async {
            match next {
                Some(at) => clock.reached(at).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = wake.notified() => {}
            () = due => {}
            Some(ended) = under_way.join_next(), if !under_way.is_empty() => {
                if let Err(error) = ended {
                    tracing::warn!(%error, "a delivery ended badly");
                }
            }
        }
    }
}

async fn attempt(asana: Asana, outgoing: Outgoing) {
    let body = outgoing.delivery.body.clone();
    let signature = outgoing.secret.sign(&body);
    let mut headers = vec![("X-Hook-Signature", signature.as_str())];
    if asana.config().webhooks.request_signature {
        headers.push(("X-Asana-Request-Signature", &signature));
    }
    let answer = asana.post(&outgoing.target, &headers, body).await;
    asana.finish(outgoing, signature, answer);
}

/// Checks a registration and does its handshake; what came of it goes with the call.
pub(in crate::asana) async fn confirm(asana: &Asana, who: &Identity, base: &str, call: &mut Call) {
    call.confirmed = Some(shake(asana, who, base, call).await);
}

async fn shake(asana: &Asana, who: &Identity, base: &str, call: &Call) -> Result<Confirmed, Fail> {
    let request =
        asana.with_ctx(who.user, who.app.as_deref(), base, |ctx| webhooks::read(ctx, &call.data))?;
    let secret = Secret::random();
    let cfg = asana.config();
    let body = match cfg.webhooks.handshake_body {
        HandshakeBody::Empty => String::new(),
        HandshakeBody::Heartbeat => HEARTBEAT.to_owned(),
    };
    let answer = asana.post(&request.target, &[("X-Hook-Secret", secret.text())], body.clone()).await;
    let at = asana.0.clock.now();
    let echoed = answer.is_success() && answer.secret.as_deref() == Some(secret.text());
    lock(&asana.0.world).hooks.log.add(Attempt {
        webhook: None,
        target: request.target.to_string(),
        purpose: Purpose::Handshake,
        delivery: 0,
        attempt: 1,
        at,
        events: 0,
        body,
        signature: None,
        status: answer.status,
        error: answer.error,
    });
    if !echoed {
        return Err(Fail::new(cfg.webhooks.handshake_failed_status, &cfg.webhooks.handshake_failed_message));
    }
    Ok(Confirmed { request, secret, token: Secret::of(&who.token), at })
}
