//! The rate budget of one token: how fast requests leave, and how many are under way.
//!
//! Asana counts per token, and a rejected request still counts, so the waiting happens here, before sending,
//! and is shared by all clients with the same token ([`registry`]).

pub(crate) mod registry;
mod slots;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use outbound::{Bucket, Pacer, Rate, Source};

use self::slots::{Slot, Slots};
use crate::config::{BudgetSettings, Kind};

/// Pause after a 429 that does not say how long to wait.
const DEFAULT_PAUSE: Duration = Duration::from_secs(5);

/// What a request counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// A GET.
    Read,
    /// A POST, PUT or DELETE.
    Write,
    /// A GET of the search, which has an allowance of its own besides.
    Search,
}

impl From<Kind> for Lane {
    fn from(kind: Kind) -> Lane {
        match kind {
            Kind::Read | Kind::Listing => Lane::Read,
            Kind::Search => Lane::Search,
            Kind::Write | Kind::Webhook => Lane::Write,
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Budget {
    pacer: Arc<Pacer>,
    searches: Mutex<Bucket>,
    settings: Mutex<BudgetSettings>,
    /// Among how many processes the limits are divided that cannot be counted together.
    parts: AtomicUsize,
    reads: Arc<Slots>,
    writes: Arc<Slots>,
    /// Who searches next: a search waits for its own, slower pace here, where it holds up no one else.
    search_turn: tokio::sync::Mutex<()>,
}

impl Budget {
    fn new(settings: &BudgetSettings) -> Budget {
        Budget {
            pacer: Pacer::new(settings.requests_per_minute),
            searches: Mutex::new(Bucket::new(Rate::within(settings.searches_per_minute))),
            settings: Mutex::new(*settings),
            parts: AtomicUsize::new(1),
            reads: Slots::new(settings.reads_at_once),
            writes: Slots::new(settings.writes_at_once),
            search_turn: tokio::sync::Mutex::new(()),
        }
    }

    /// Changes the allowance for every client on the token.
    pub(crate) fn set(&self, settings: &BudgetSettings) {
        self.pacer.set_allowance(settings.requests_per_minute);
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = *settings;
        self.divide(settings, self.parts.load(Ordering::Relaxed));
    }

    /// Takes places for its requests from a schedule that other processes share.
    pub(crate) fn share(&self, source: Arc<dyn Source>) {
        self.pacer.share(source);
    }

    /// What is counted at once, and searches, cannot be taken ahead: each process has its part.
    fn divide(&self, settings: &BudgetSettings, parts: usize) {
        self.reads.resize((settings.reads_at_once / parts).max(1));
        self.writes.resize((settings.writes_at_once / parts).max(1));
        let searches = settings.searches_per_minute / u32::try_from(parts).unwrap_or(u32::MAX);
        self.searches().set_rate(Rate::within(searches.max(1)));
    }

    fn divide_anew(&self) {
        let parts = usize::try_from(self.pacer.nodes()).unwrap_or(1).max(1);
        if self.parts.swap(parts, Ordering::Relaxed) != parts {
            let settings = *self.settings.lock().unwrap_or_else(PoisonError::into_inner);
            self.divide(&settings, parts);
        }
    }

    /// Waits until a request may be sent, which must then happen at once. The slot is to be held until the
    /// answer has been read.
    ///
    /// The place among the requests under way comes first: were it last, requests that wait for one would
    /// leave together, not at the pace.
    ///
    /// # Errors
    /// How long a pause lasts, when that is longer than until `latest`.
    pub(crate) async fn enter(&self, lane: Lane, latest: Option<Instant>) -> Result<Slot, Duration> {
        self.divide_anew();
        let search_turn = match lane {
            Lane::Search => {
                let turn = self.search_turn.lock().await;
                self.wait_for_search().await;
                Some(turn)
            }
            Lane::Read | Lane::Write => None,
        };
        let slot = match lane {
            Lane::Write => self.writes.take().await,
            Lane::Read | Lane::Search => self.reads.take().await,
        };
        match latest {
            Some(latest) => self.pacer.enter_until(latest).await?,
            None => self.pacer.enter().await,
        }
        if search_turn.is_some() {
            self.searches().take(Instant::now());
        }
        Ok(slot)
    }

    async fn wait_for_search(&self) {
        loop {
            let wait = self.searches().wait(Instant::now());
            if wait.is_zero() {
                return;
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Stops everything on this token after a 429.
    pub(crate) fn pause(&self, retry_after: Option<Duration>) {
        self.pacer.pause(retry_after.unwrap_or(DEFAULT_PAUSE));
    }

    /// Gives back the places that were taken ahead.
    pub(crate) async fn rest(&self) {
        self.pacer.rest().await;
    }

    /// How much of a pause is left; zero when there is none.
    pub(crate) fn paused(&self) -> Duration {
        self.pacer.paused()
    }

    /// Whether nothing that was sent or answered counts any more.
    fn is_idle(&self) -> bool {
        self.pacer.is_idle()
    }

    fn searches(&self) -> MutexGuard<'_, Bucket> {
        self.searches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
