//! Faithful stand-ins for Oracle Fusion and Asana, with faults on demand.
//!
//! Used by the demo, the tests and the benchmarks; never by the engine.
//!
//! [`Sandbox::start`] listens on three addresses: the Oracle side (identity domain and REST
//! resources), the Asana side, and the control interface. Everything that the control interface can
//! do is also a method on the handles of [`Sandbox`].

mod amount_text;
pub mod asana;
pub mod board;
pub mod calls;
pub mod clock;
mod control;
pub mod faults;
mod gate;
pub mod oracle;
mod server;

pub use asana::{Asana, AsanaConfig};
pub use board::Board;
pub use calls::{Calls, Exchange};
pub use clock::VirtualClock;
pub use faults::{Fault, FaultRule, Faults, Side};
pub use oracle::{Edit, GenerateOptions, LedgerFacts, Oracle, OracleConfig, OracleSettings};
pub use server::{Sandbox, SandboxConfig, SandboxError};
