//! The engine against the stand-ins, over HTTP, on a real PostgreSQL.

mod fixture;
mod first_sync;
