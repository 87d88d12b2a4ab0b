//! The command as people run it: real files in, standard output, standard error and exit status out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "all of this is tests")]

mod checkpoint;
mod child;
mod collect;
mod collect_failures;
mod collect_metrics;
mod collector;
mod completeness;
mod count;
mod crash;
mod doctor;
mod errors;
mod examples;
mod explain;
mod filters;
mod follow;
mod forms;
mod hostile;
mod links;
mod pages;
mod policy;
mod program;
mod recordings;
mod scarcity;
mod show;
mod store;
mod store_versions;
mod tail;
mod truth;
