//! Audit logs for tests and benches, written the way kube-apiserver writes them.
//!
//! - [`entry`] writes one entry, byte for byte in the API server's shape.
//! - [`scenario`] tells small stories, one for each way in which an object goes; `fixtures/` holds them as logs.
//! - [`generator`] makes logs of any size with a realistic mix.
//! - [`rotation`] writes, rotates, packs and prunes files as the API server does, and can stop at every step.
//! - [`context`] gives a test its temporary directory and finds the recordings.
//!
//! All of it is deterministic: no clock, no randomness but a seed.

mod cast;
pub mod context;
pub mod entry;
pub mod generator;

pub mod json;
pub mod object_ref;
pub mod random;
pub mod rotation;

pub mod scenario;
pub mod size;
pub mod time;

/// The program in the README is one.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod readme {}
