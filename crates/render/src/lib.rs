//! Writes what a question got back, for people and for programs.
//!
//! Names, user agents and paths come from whoever sent the requests. Every format makes them harmless: what could
//! move a cursor, reorder or hide text, or start a spreadsheet formula, is written as a visible escape.

pub mod terminal;
mod zone;

#[cfg(test)]
mod hostile;

pub use crate::zone::{UnknownZone, Zone};
