//! What a budget that many processes share must be able to do.
//!
//! It is one schedule of places, one each interval. A process takes a stretch of it ahead and may then send at those
//! times, and at no others; so all of them together keep to the pace of one.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

/// What a source answers with, later.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The places that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// How many.
    pub places: u32,
    /// From one to the next.
    pub interval: Duration,
    /// How far in the past the first may lie: so late a place may still be used.
    pub depth: Duration,
}

/// The places that were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// How long until the first; the others follow, one each interval.
    pub first_in: Duration,
    /// For how long nothing may be sent, since somebody was told to slow down.
    pub paused_for: Duration,
    /// Processes that took places lately, this one included.
    pub nodes: u32,
}

/// Where the places come from.
pub trait Source: fmt::Debug + Send + Sync {
    /// Takes the next places of the schedule; `None` when it cannot be asked.
    fn reserve(&self, want: Want) -> Answer<'_, Option<Grant>>;

    /// Gives back so much of the end of what was taken last, unless others took places after it.
    fn give_back(&self, unused: Duration) -> Answer<'_, ()>;

    /// Tells all others that nothing may be sent for so long.
    fn pause(&self, wait: Duration) -> Answer<'_, ()>;
}
