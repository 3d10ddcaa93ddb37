//! The Oracle side.

mod access;
mod children;
mod data;
mod describe;
mod edits;
mod errors;
mod gl;
mod pages;
mod paging;
mod queries;
mod shape;
mod suppliers;
mod token;
