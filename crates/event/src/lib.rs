//! What a Kubernetes audit log says, and what is asked of it.

pub mod answer;
pub mod client;
pub mod coverage;
pub mod envelope;
pub mod event;
pub mod fold;
pub mod glob;
pub mod legacy;
pub mod literals;
pub mod resource;
pub mod target;
pub mod time;
pub mod uri;
pub mod when;
pub mod zone;
