//! What a Kubernetes audit log says, and what is asked of it.

pub mod answer;
pub mod coverage;
pub mod envelope;
pub mod event;
pub mod fold;
pub mod literals;
pub mod peek;
pub mod time;
