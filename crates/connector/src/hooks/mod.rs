//! Asana's webhooks: registering them, judging what arrives, storing it, and watching over them.
//!
//! A delivery is answered with success only after it was committed ([`ingest`]), and nothing else happens before
//! the answer. An event is only a hint to look: nothing here decides anything from an event's content.
//!
//! It knows nothing of HTTP: `console` reads requests, calls this, and answers.

pub mod arrivals;
pub mod by_hand;
pub mod event;
pub mod handshake;
pub mod ingest;
pub mod notes;
pub mod reconcile;
pub mod register;
pub mod registry;
pub mod resource;
pub mod signature;
pub mod token;
pub mod wake;
pub mod watch;
