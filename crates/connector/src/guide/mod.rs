//! What a guide through setting a connection up decides: which question is next, what the answers mean, which settings
//! follow from them, and what both sides offer to choose from. It asks nobody: whoever holds the terminal does.
//!
//! A connection begins as a draft when both its sides are known. What was answered before is kept apart and without
//! secrets (`store::setup`); from the draft on, what is stored says what is next ([`stage`]).

pub mod address;
pub mod answers;
pub mod journal;
pub mod offers;
pub mod progress;
pub mod reach;
pub mod routes;
pub mod stage;
