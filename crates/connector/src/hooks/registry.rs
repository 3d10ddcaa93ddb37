//! What is known of registrations, kept for a short while, so that a delivery costs no look-up of its own.
//!
//! Only genuine tokens are looked up, so nobody can fill it. What another node changes is seen within
//! [`ACTIVE_FRESH`] or [`OTHER_FRESH`]: a registration that became active at once enough, and one that ended a
//! little later, which does no harm, since its deliveries are genuine and only hints.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::code::Code;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::hooks::resource::ResourceKind;
use crate::hooks::signature::Verifier;
use crate::hooks::token::TokenDigest;
use crate::ids::{ConnectionId, WebhookId};
use crate::store::hooks::{self, State};
use crate::vault::{self, CredentialName};

/// How long an active registration is believed to be one.
const ACTIVE_FRESH: Duration = Duration::from_secs(30);
/// How long any other answer is believed.
const OTHER_FRESH: Duration = Duration::from_millis(500);
/// Most registrations kept; an entry has a few hundred bytes.
const MOST_KNOWN: usize = 10_000;
/// Longest wait for the database's answer, including that for others' look-ups.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(3);

/// Where the registration of a genuine token stands.
#[derive(Debug, Clone)]
pub enum Standing {
    /// Deliveries are taken.
    Active(Active),
    /// Its handshake is awaited, or just done.
    Pending,
    /// It ended, or there never was one.
    Ended,
}

/// What is needed to judge a delivery.
#[derive(Debug, Clone)]
pub struct Active {
    /// The registration.
    pub webhook: WebhookId,
    /// What it watches.
    pub kind: ResourceKind,
    /// Checks its signatures.
    pub verifier: Verifier,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Registry {
    known: Mutex<HashMap<TokenDigest, (Instant, Arc<Standing>)>>,
    /// Who looks up; the others wait and mostly find what they need when it is their turn.
    turn: tokio::sync::Mutex<()>,
    look_ups: AtomicU64,
}

impl Registry {
    /// Where a registration stands.
    ///
    /// # Errors
    /// When the database does not answer in time.
    pub async fn standing(
        &self,
        engine: &Engine,
        connection: ConnectionId,
        digest: TokenDigest,
    ) -> Result<Arc<Standing>> {
        if let Some(known) = self.fresh(&digest) {
            return Ok(known);
        }
        let look_up = async {
            let _turn = self.turn.lock().await;
            if let Some(known) = self.fresh(&digest) {
                return Ok(known);
            }
            self.look_ups.fetch_add(1, Ordering::Relaxed);
            let standing = Arc::new(load(engine, connection, &digest).await?);
            self.keep(digest, standing.clone());
            Ok(standing)
        };
        tokio::time::timeout(LOOK_UP_WITHIN, look_up)
            .await
            .unwrap_or_else(|_| Err(Error::new(Code::Database, "the database did not answer in time")))
    }

    /// Forgets what was known of a registration, since it just changed.
    pub fn forget(&self, digest: &TokenDigest) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(digest);
    }

    /// How often the database was asked.
    #[must_use]
    pub fn look_ups(&self) -> u64 {
        self.look_ups.load(Ordering::Relaxed)
    }

    /// How many registrations are kept.
    #[must_use]
    pub fn size(&self) -> usize {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn fresh(&self, digest: &TokenDigest) -> Option<Arc<Standing>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(digest)
            .filter(|(at, standing)| is_fresh(*at, standing))
            .map(|(_, standing)| standing.clone())
    }

    fn keep(&self, digest: TokenDigest, standing: Arc<Standing>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.retain(|_, (at, standing)| is_fresh(*at, standing));
        }
        // still full: begin anew rather than choose
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(digest, (Instant::now(), standing));
    }
}

fn is_fresh(at: Instant, standing: &Standing) -> bool {
    let fresh = if matches!(standing, Standing::Active(_)) { ACTIVE_FRESH } else { OTHER_FRESH };
    at.elapsed() < fresh
}

async fn load(engine: &Engine, connection: ConnectionId, digest: &TokenDigest) -> Result<Standing> {
    let mut db = engine.db.acquire().await?;
    let Some(found) = hooks::find(&mut db, connection, digest).await? else {
        return Ok(Standing::Ended);
    };
    Ok(match found.state {
        State::Pending => Standing::Pending,
        State::Lost | State::Removed | State::Failed => Standing::Ended,
        State::Active => {
            let name = CredentialName::WebhookSecret(found.webhook);
            let secret = vault::get(&mut db, &engine.master, connection, name).await?;
            let verifier = Verifier::new(&secret);
            Standing::Active(Active { webhook: found.webhook, kind: found.kind, verifier })
        }
    })
}
