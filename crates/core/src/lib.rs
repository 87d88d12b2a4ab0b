//! Reads Kubernetes audit logs from anywhere and answers who did it.
//!
//! [`Inputs`] finds files, folders and streams, plain, gzip or zstd. A [`Scan`] reads them with several threads, hands the
//! events in them to a [`Fold`](event::fold::Fold), and accounts for every byte in a
//! [`Coverage`](event::coverage::Coverage). [`ask`] lets it look as often as a question needs to. What an event is and what
//! can be asked of it is in [`event`].
//!
//! ```
//! use audit_who_core::event::answer::Outcome;
//! use audit_who_core::event::case::{Ask, Case, Subject};
//! use audit_who_core::event::glob::Glob;
//! use audit_who_core::event::{question, target::Target};
//! use audit_who_core::{Files, Inputs, Scan, ask};
//!
//! let question = question::named("evicted").ok_or("no such question")?;
//! let pod = Target::parse("pod/web-1")?.in_namespace(Some(Glob::new("shop")));
//! let case = Case::new(Ask::new(question, Subject::Target(pod)));
//! let inputs = Inputs::open([concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/drain/audit.log")]);
//! let asked = ask(&Files::new(&Scan::new(), &inputs), case);
//!
//! let answer = &asked.findings.answers[0];
//! assert_eq!(answer.outcome, Outcome::Succeeded);
//! assert_eq!(answer.actor.as_ref().map(|actor| actor.username.as_str()), Some("maria"));
//! // Every byte was looked at, and nothing stood in the way.
//! assert_eq!(asked.coverage.total.bytes, std::fs::metadata(inputs.source_name(0))?.len());
//! assert!(asked.coverage.problems.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`tail`] follows files while they grow and are rotated, and hands out what is new with the guarantee that nothing is
//! skipped or doubled; [`follow`] asks a question of what is followed. A [`Batch`](tail::Batch) is committed in the same
//! transaction as what is written about it, as `examples/deletions.rs` does.
//!
//! Nothing here prints, asks the clock or the environment (but for `TMPDIR`, where streams are kept for further looks), or
//! stops at an input that can't be read: that is a [`Problem`](event::coverage::Problem) of the coverage, and the rest is
//! read. Memory grows with what is found, not with what is read, up to [a limit](event::case::Case::memory_limit) if one is set; a
//! line may be 256 MiB long, see [`Scan::max_line`].

mod ask;
mod codec;
mod container;
mod count;
mod dated;
mod doctor;
mod error;
pub mod evidence;
#[cfg(feature = "cel")]
mod expression;
pub mod follow;
mod frames;
mod head;
mod input;
mod layout;
mod logs;
mod scan;
mod spool;
pub mod store;
pub mod tail;

pub use audit_who_event as event;
/// What [`Batch::commit_with`](tail::Batch::commit_with) hands out a transaction of: with this one, types fit.
pub use rusqlite;

pub use crate::ask::{Asked, ask, investigate};
pub use crate::count::{Counted, count};
pub use crate::doctor::doctor;
pub use crate::error::{Error, ErrorKind};
#[cfg(feature = "cel")]
pub use crate::expression::{Expression, ExpressionError, Failures};
pub use crate::input::Inputs;
pub use crate::logs::{Files, Logs};
pub use crate::scan::{Scan, Searched, Stretches};
