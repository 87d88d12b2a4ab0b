//! The command as people run it: real files in, standard output, standard error and exit status out.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod errors;
mod examples;
mod explain;
mod filters;
mod forms;
mod hostile;
mod links;
mod pages;
mod program;
mod recordings;
mod truth;
