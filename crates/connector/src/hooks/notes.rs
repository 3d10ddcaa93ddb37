//! What is worth knowing of deliveries but not worth a statement each: when the last one came, how many were
//! refused. Kept in memory and written together every few seconds; a crash loses the last few seconds of it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::{Notify, watch};

use crate::ids::{ConnectionId, WebhookId};
use crate::node::chain;
use crate::store::hooks;

/// How often notes are written, when there are some.
const WRITE_EVERY: Duration = Duration::from_secs(5);

/// What was noted of one registration since it was last written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Note {
    /// Whether a delivery with a good signature came.
    pub delivered: bool,
    /// Deliveries whose signature was bad or missing.
    pub rejected: u32,
}

/// See the module. Bounded by the number of registrations: nothing is noted of others.
#[derive(Debug, Default)]
pub struct Notes {
    noted: Mutex<HashMap<(ConnectionId, WebhookId), Note>>,
    news: Notify,
}

impl Notes {
    /// A delivery with a good signature came.
    pub fn delivered(&self, connection: ConnectionId, webhook: WebhookId) {
        self.note(connection, webhook, |note| note.delivered = true);
    }

    /// A delivery with a bad signature, or none, was refused.
    pub fn rejected(&self, connection: ConnectionId, webhook: WebhookId) {
        self.note(connection, webhook, |note| note.rejected = note.rejected.saturating_add(1));
    }

    fn note(&self, connection: ConnectionId, webhook: WebhookId, change: impl FnOnce(&mut Note)) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let first = noted.is_empty();
        change(noted.entry((connection, webhook)).or_default());
        drop(noted);
        if first {
            self.news.notify_one();
        }
    }

    /// Writes what was noted; it is kept when the database does not take it.
    pub async fn write(&self, db: &PgPool) {
        let noted = std::mem::take(&mut *self.noted.lock().unwrap_or_else(PoisonError::into_inner));
        if noted.is_empty() {
            return;
        }
        if let Err(error) = hooks::add_notes(db, &noted).await {
            tracing::warn!(error = chain(&error), "what was noted of webhooks could not be written yet");
            for ((connection, webhook), old) in noted {
                self.note(connection, webhook, |note| {
                    note.delivered |= old.delivered;
                    note.rejected = note.rejected.saturating_add(old.rejected);
                });
            }
        }
    }

    /// Writes every few seconds while there is something, until `stop`; then once more.
    pub(crate) async fn keep_written(&self, db: &PgPool, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = self.news.notified() => {}
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = tokio::time::sleep(WRITE_EVERY) => {}
            }
            self.write(db).await;
        }
        self.write(db).await;
    }
}
