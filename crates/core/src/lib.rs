//! Reads Kubernetes audit logs from anywhere and answers who did it.
//!
//! [`Inputs`] finds files, folders and streams, plain, gzip or zstd. A [`Scan`] reads them with several threads, hands the
//! events in them to a [`Fold`](event::fold::Fold), and accounts for every byte in a
//! [`Coverage`](event::coverage::Coverage). What an event is and what can be asked of it is in [`event`].

mod ask;
mod codec;
mod error;
mod head;
mod input;
mod layout;
mod scan;
mod spool;

pub use audit_who_event as event;

pub use crate::ask::{Asked, ask};
pub use crate::error::{Error, ErrorKind};
pub use crate::input::Inputs;
pub use crate::scan::Scan;
