//! Faithful stand-ins for Oracle Fusion and Asana, with faults on demand.
//!
//! Used by the demo, the tests and the benchmarks; never by the engine.

pub mod clock;
