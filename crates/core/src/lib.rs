//! Reads Kubernetes audit logs from anywhere and answers who did it.
//!
//! [`Inputs`] finds files, folders and streams, plain, gzip or zstd. A [`Scan`] reads them with several threads, hands the
//! events in them to a [`Fold`](event::fold::Fold), and accounts for every byte in a
//! [`Coverage`](event::coverage::Coverage). What an event is and what can be asked of it is in [`event`].
//!
//! ```
//! use audit_who_core::event::event::Event;
//! use audit_who_core::event::fold::{Address, Fold};
//! use audit_who_core::event::literals::Literals;
//! use audit_who_core::{Inputs, Scan};
//!
//! struct Count(u64);
//!
//! impl Fold for Count {
//!     fn event(&mut self, _: &Event<'_>, _: Address) {
//!         self.0 += 1;
//!     }
//!     fn merge(&mut self, other: Self) {
//!         self.0 += other.0;
//!     }
//! }
//!
//! // `Inputs::open(["/var/log/kubernetes/audit"])` for files and folders.
//! let inputs = Inputs::open_with_stdin(["-"], &b"{\"verb\":\"get\"}\n"[..]);
//! let web = Literals::any_of(["web-1".to_owned()]);
//! let (count, coverage) = Scan::new().run(&inputs, &web, || Count(0));
//! assert_eq!(count.0, 0);
//! assert_eq!((coverage.total.entries, coverage.total.skipped_bytes), (1, 14));
//! assert!(coverage.total.is_balanced());
//! ```

mod ask;
mod codec;
mod doctor;
mod error;
mod head;
mod input;
mod layout;
mod scan;
mod spool;

pub use audit_who_event as event;

pub use crate::ask::{Asked, ask};
pub use crate::doctor::doctor;
pub use crate::error::{Error, ErrorKind};
pub use crate::input::Inputs;
pub use crate::scan::Scan;
