//! The rate budget of one token: how fast requests leave, and how many are under way.
//!
//! Asana counts per token, and a rejected request still counts, so the waiting happens here, before sending,
//! and is shared by all clients with the same token ([`registry`]).

pub(crate) mod pace;
pub(crate) mod registry;
mod slots;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::pace::{Lane, Pace};
use self::slots::{Slot, Slots};
use crate::config::BudgetSettings;

/// Pause after a 429 that does not say how long to wait.
const DEFAULT_PAUSE: Duration = Duration::from_secs(5);

/// Longest pause taken over from an answer, so that one absurd header cannot stop a token for good.
const MAX_PAUSE: Duration = Duration::from_secs(3_600);

/// See the module.
#[derive(Debug)]
pub(crate) struct Budget {
    pace: Mutex<Pace>,
    reads: Arc<Slots>,
    writes: Arc<Slots>,
    /// Who is next. Only its holder waits for the pace, so that requests leave in order of arrival and one
    /// timer runs however many wait.
    turn: tokio::sync::Mutex<()>,
    /// Who searches next: a search waits for its own, slower pace here, where it holds up no one else.
    search_turn: tokio::sync::Mutex<()>,
}

impl Budget {
    fn new(settings: &BudgetSettings) -> Budget {
        Budget {
            pace: Mutex::new(Pace::new(settings.requests_per_minute, settings.searches_per_minute)),
            reads: Slots::new(settings.reads_at_once),
            writes: Slots::new(settings.writes_at_once),
            turn: tokio::sync::Mutex::new(()),
            search_turn: tokio::sync::Mutex::new(()),
        }
    }

    /// Changes the allowance for every client on the token.
    pub(crate) fn set(&self, settings: &BudgetSettings) {
        self.pace().set_allowances(settings.requests_per_minute, settings.searches_per_minute);
        self.reads.resize(settings.reads_at_once);
        self.writes.resize(settings.writes_at_once);
    }

    /// Waits until a request may be sent, which must then happen at once. The slot is to be held until the
    /// answer has been read.
    ///
    /// The place among the requests under way comes first: were it last, requests that wait for one would
    /// leave together, not at the pace.
    pub(crate) async fn enter(&self, lane: Lane) -> Slot {
        let _search_turn = match lane {
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
        let _turn = self.turn.lock().await;
        loop {
            let admitted = self.pace().admit(lane, Instant::now());
            match admitted {
                Ok(()) => return slot,
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    async fn wait_for_search(&self) {
        loop {
            let wait = self.pace().search_wait(Instant::now());
            if wait.is_zero() {
                return;
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Stops everything on this token after a 429.
    pub(crate) fn pause(&self, retry_after: Option<Duration>) {
        let pause = retry_after.unwrap_or(DEFAULT_PAUSE).min(MAX_PAUSE);
        self.pace().pause_until(Instant::now() + pause);
    }

    /// How much of a pause is left; zero when there is none.
    pub(crate) fn paused(&self) -> Duration {
        self.pace().paused(Instant::now())
    }

    /// Whether nothing that was sent or answered counts any more.
    fn is_idle(&self) -> bool {
        self.pace().is_idle(Instant::now())
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
