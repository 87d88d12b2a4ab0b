//! What a Kubernetes audit log says, and what is asked of it.

pub mod answer;
pub mod body;
pub mod case;
pub mod census;
pub mod client;
pub mod count;
pub mod coverage;
mod decode;
pub mod envelope;
pub mod event;
pub mod explain;
pub mod filter;
pub mod fold;
pub mod glob;
pub mod legacy;
pub mod literals;
pub mod peek;
pub mod policy;
pub mod question;
pub mod resource;
pub mod selection;
pub mod subject;
pub mod target;

pub mod time;
pub mod uri;
pub mod when;
mod wire;
pub mod zone;
