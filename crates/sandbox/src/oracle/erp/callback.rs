//! Callbacks: one `POST` when a job and all below it have ended.
//!
//! A hint without authentication, as Oracle documents none ("Verify Receipt from Oracle ERP Cloud"). It is sent
//! once, in the background; what becomes of it is nobody's concern.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::oracle::{Oracle, Pod};

/// Callbacks that may wait at once; further ones are not made.
const MOST_AT_ONCE: usize = 64;
/// How long the end of a job is waited for, in real time.
const PATIENCE: Duration = Duration::from_mins(15);
/// How often the virtual clock is looked at, since anyone may move it.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long the receiver may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Places for callbacks that wait.
#[derive(Debug)]
pub(in crate::oracle) struct Callbacks(Arc<Semaphore>);

impl Default for Callbacks {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST_AT_ONCE)))
    }
}

/// Sends the callbacks of jobs submitted since the last call, each when its job has ended.
pub(in crate::oracle) fn deliver(oracle: &Oracle, callbacks: &Callbacks) {
    for (request, url) in oracle.data_mut().erp.take_callbacks() {
        let Ok(place) = Arc::clone(&callbacks.0).try_acquire_owned() else {
            tracing::debug!(request, "too many callbacks wait");
            continue;
        };
        let pod = Arc::downgrade(&oracle.0);
        tokio::spawn(async move {
            if let Some(payload) = wait(&pod, request).await {
                send(&url, payload).await;
            }
            drop(place);
        });
    }
}

/// What to send once the job has ended; nothing when the pod is gone or patience ends.
async fn wait(pod: &Weak<Pod>, request: i64) -> Option<serde_json::Value> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let oracle = Oracle(pod.upgrade()?);
        oracle.settle();
        let payload = oracle.data().erp.callback_payload(request);
        if payload.is_some() {
            return payload;
        }
        drop(oracle);
        tokio::time::sleep(LOOK_EVERY).await;
    }
    None
}

async fn send(url: &str, payload: serde_json::Value) {
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build();
    let sent = match client {
        Ok(client) => client.post(url).json(&payload).send().await.map(|answer| answer.status()),
        Err(error) => Err(error),
    };
    // The URL may carry a secret.
    match sent {
        Ok(status) => tracing::debug!(%status, "callback sent"),
        Err(error) => tracing::debug!(error = %error.without_url(), "callback failed"),
    }
}
