//! What a Kubernetes audit log says, and what is asked of it.

pub mod answer;
pub mod coverage;
mod decode;
pub mod envelope;
pub mod event;
pub mod fold;
pub mod glob;
pub mod literals;
pub mod resource;
pub mod target;
pub mod time;
mod wire;
pub mod uri;
