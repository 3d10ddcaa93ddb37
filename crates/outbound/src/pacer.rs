//! One rate budget: every request waits here before it leaves.
//!
//! Alone, a process keeps the pace by its own schedule. With a [`Source`] it takes places of a schedule that all
//! processes share, about a second's worth at a time and ahead of their use, so that no request waits for the source
//! once requests flow. When the source cannot be asked, it goes on alone, with its part of the allowance by the number
//! of processes that were seen last.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::rate::{Bucket, Rate};
use crate::schedule::{Schedule, Taken};
use crate::shared::{Grant, Source, Want};

/// Places taken from the source at once: those of this time.
const AHEAD: Duration = Duration::from_secs(1);
/// How long the source may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// While the source cannot be asked, it is asked again this often.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Longest pause that is taken over, so that one absurd answer cannot stop everything for good.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

/// See the module.
#[derive(Debug)]
pub struct Pacer {
    state: Mutex<State>,
    /// Who is next. Only its holder waits for the pace, so that requests leave in order of arrival and one
    /// timer runs however many wait.
    turn: tokio::sync::Mutex<()>,
    waiting: AtomicU32,
    heard: Notify,
}

#[derive(Debug)]
struct State {
    allowance: u32,
    rate: Rate,
    /// The pace of this process alone; counts what left by the shared schedule, too.
    alone: Bucket,
    schedule: Schedule,
    source: Option<Arc<dyn Source>>,
    paused_until: Option<Instant>,
    nodes: u32,
    /// Places of the last grant, and requests that left since.
    granted: u32,
    used: u32,
    asking: bool,
    asked_at: Option<Instant>,
    /// The source could not be asked.
    blind: bool,
}

/// What a request does next.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Go,
    Wait(Duration),
    WaitForGrant,
}

impl Pacer {
    /// A budget of this many requests a minute.
    #[must_use]
    pub fn new(per_minute: u32) -> Arc<Pacer> {
        let rate = Rate::within(per_minute);
        let state = State {
            allowance: per_minute,
            rate,
            alone: Bucket::new(rate),
            schedule: Schedule::default(),
            source: None,
            paused_until: None,
            nodes: 1,
            granted: 0,
            used: 0,
            asking: false,
            asked_at: None,
            blind: false,
        };
        Arc::new(Pacer {
            state: Mutex::new(state),
            turn: tokio::sync::Mutex::default(),
            waiting: AtomicU32::new(0),
            heard: Notify::new(),
        })
    }

    /// Changes the allowance; what was used stays used.
    pub fn set_allowance(&self, per_minute: u32) {
        let mut state = self.state();
        state.allowance = per_minute;
        state.rate = Rate::within(per_minute);
        let rate = if state.blind { state.part() } else { state.rate };
        state.alone.set_rate(rate);
    }

    /// Takes places from this source from now on.
    pub fn share(&self, source: Arc<dyn Source>) {
        self.state().source = Some(source);
    }

    /// Waits until a request may be sent, which must then happen at once.
    pub async fn enter(self: &Arc<Self>) {
        // there is no pause that lasts longer than any time
        let _ = self.enter_within(None).await;
    }

    /// As [`Pacer::enter`], unless a pause lasts longer than until then.
    ///
    /// # Errors
    /// How long the pause lasts.
    pub async fn enter_until(self: &Arc<Self>, latest: Instant) -> Result<(), Duration> {
        self.enter_within(Some(latest)).await
    }

    /// Waits until a pause is over, unless it lasts longer than until then. Takes no place.
    ///
    /// # Errors
    /// How long the pause lasts.
    pub async fn wait_out(&self, latest: Instant) -> Result<(), Duration> {
        loop {
            let left = self.paused();
            if left.is_zero() {
                return Ok(());
            }
            if Instant::now() + left > latest {
                return Err(left);
            }
            tokio::time::sleep(left).await;
        }
    }

    async fn enter_within(self: &Arc<Self>, latest: Option<Instant>) -> Result<(), Duration> {
        let waits = Waits::begin(&self.waiting);
        let _turn = self.turn.lock().await;
        loop {
            if let Some(latest) = latest {
                let left = self.paused();
                if !left.is_zero() && Instant::now() + left > latest {
                    return Err(left);
                }
            }
            let step = self.state().step(Instant::now());
            if step == Step::Go {
                drop(waits);
                self.ask_ahead();
                return Ok(());
            }
            self.ask_ahead();
            match step {
                Step::Wait(wait) => tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = self.heard.notified() => {}
                },
                _ if self.state().asking => self.heard.notified().await,
                // the question has just ended, or a pause has just begun: look again
                _ => {}
            }
        }
    }

    /// Stops everything for so long, an hour at most, here and wherever the source is shared. A pause is never
    /// shortened.
    pub fn pause(&self, wait: Duration) {
        let wait = wait.min(LONGEST_PAUSE);
        let source = {
            let mut state = self.state();
            state.pause_until(Instant::now() + wait);
            state.source.clone()
        };
        if let (Some(source), Ok(runtime)) = (source, tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                // what is not told in time is not told: the others meet the same answer by themselves
                let _ = tokio::time::timeout(PATIENCE, source.pause(wait)).await;
            });
        }
    }

    /// Gives back the places that were taken ahead, for a process that needs no more: the next one need not wait until
    /// they have passed.
    pub async fn rest(self: &Arc<Self>) {
        let (source, unused) = {
            let mut state = self.state();
            let Some(source) = state.source.clone().filter(|_| !state.asking) else { return };
            let unused = state.schedule.give_back(Instant::now());
            if unused.is_zero() {
                return;
            }
            // nothing may be taken meanwhile: what is given back is the end of what was taken last
            state.asking = true;
            (source, unused)
        };
        let _asking = Asking(Arc::clone(self));
        // what is not given back in time is lost, like all places that nobody used
        let _ = tokio::time::timeout(PATIENCE, source.give_back(unused)).await;
    }

    /// How much of a pause is left; zero when there is none.
    #[must_use]
    pub fn paused(&self) -> Duration {
        self.state().paused(Instant::now())
    }

    /// Processes that shared the budget when the source was last asked, this one included.
    #[must_use]
    pub fn nodes(&self) -> u32 {
        self.state().nodes
    }

    /// Whether nothing that was sent or answered counts any more.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let (now, state) = (Instant::now(), self.state());
        state.alone.is_forgotten(now) && state.paused(now).is_zero()
    }

    /// Asks the source for more places, without anybody's waiting, when those that are left will not last.
    fn ask_ahead(self: &Arc<Self>) {
        let waiting = self.waiting.load(Ordering::Relaxed);
        let Some((source, want)) = self.state().asks(waiting, Instant::now()) else { return };
        let asking = Asking(Arc::clone(self));
        tokio::spawn(async move {
            let answer = tokio::time::timeout(PATIENCE, source.reserve(want)).await.ok().flatten();
            asking.0.state().heard(want, answer, Instant::now());
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The question that is under way; however it ends, another may follow.
struct Asking(Arc<Pacer>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.state().asking = false;
        self.0.heard.notify_one();
    }
}

/// Counts as waiting until dropped.
struct Waits<'a>(&'a AtomicU32);

impl Waits<'_> {
    fn begin(count: &AtomicU32) -> Waits<'_> {
        count.fetch_add(1, Ordering::Relaxed);
        Waits(count)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl State {
    fn step(&mut self, now: Instant) -> Step {
        let paused = self.paused(now);
        if !paused.is_zero() {
            return Step::Wait(paused);
        }
        if self.source.is_none() || self.blind {
            let wait = self.alone.wait(now);
            if !wait.is_zero() {
                return Step::Wait(wait);
            }
        } else {
            match self.schedule.take(now, self.rate.lateness()) {
                Taken::Now => {}
                Taken::In(wait) => return Step::Wait(wait),
                Taken::Nothing => return Step::WaitForGrant,
            }
        }
        self.used = self.used.saturating_add(1);
        self.alone.take(now);
        Step::Go
    }

    /// What to ask the source now, if anything; then the question counts as under way.
    fn asks(&mut self, waiting: u32, now: Instant) -> Option<(Arc<dyn Source>, Want)> {
        let source = self.source.clone()?;
        if self.asking {
            return None;
        }
        let left = self.schedule.left(now, self.rate.lateness());
        let wanted = if self.blind {
            self.asked_at.is_none_or(|at| now.saturating_duration_since(at) >= ASK_AGAIN)
        } else {
            let flows = self.used.saturating_mul(2) >= self.granted;
            left.saturating_mul(2) <= self.granted && (waiting > left || (flows && self.granted > 0))
        };
        // in a pause nothing is used, so nothing is taken
        if !wanted || !self.paused(now).is_zero() {
            return None;
        }
        self.asking = true;
        self.asked_at = Some(now);
        let places = self.places(waiting);
        Some((source, Want { places, interval: self.rate.interval(), depth: self.rate.depth() }))
    }

    /// How many places to ask for: as many as a second has, unless others need theirs; then as many as were used,
    /// and more while all are.
    fn places(&self, waiting: u32) -> u32 {
        let interval = self.rate.interval().as_nanos().max(1);
        let all = u32::try_from(AHEAD.as_nanos() / interval).unwrap_or(u32::MAX).max(1);
        if self.nodes <= 1 {
            return all;
        }
        let used = if self.used >= self.granted { self.used.saturating_mul(2) } else { self.used };
        waiting.max(used).clamp(1, all.div_ceil(self.nodes))
    }

    fn heard(&mut self, want: Want, answer: Option<Grant>, now: Instant) {
        let Some(grant) = answer else {
            self.blind = true;
            let part = self.part();
            self.alone.set_rate(part);
            return;
        };
        self.nodes = grant.nodes.max(1);
        self.schedule.add(now + grant.first_in, want.places, want.interval);
        (self.granted, self.used) = (want.places, 0);
        if !grant.paused_for.is_zero() {
            self.pause_until(now + grant.paused_for.min(LONGEST_PAUSE));
        }
        if std::mem::take(&mut self.blind) {
            let rate = self.rate;
            self.alone.set_rate(rate);
        }
    }

    /// The part of the allowance that is this process's own, as far as is known.
    fn part(&self) -> Rate {
        Rate::within((self.allowance / self.nodes).max(1))
    }

    fn pause_until(&mut self, until: Instant) {
        self.paused_until = Some(self.paused_until.map_or(until, |earlier| earlier.max(until)));
    }

    fn paused(&self, now: Instant) -> Duration {
        self.paused_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests;
