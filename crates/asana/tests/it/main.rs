//! The client against a server that answers over HTTP.
#![cfg(test)]

mod attributes;
mod budget;
mod errors;
mod faults;
mod log;
mod money;
mod reads;
mod search;
mod support;
mod webhooks;
mod writes;
