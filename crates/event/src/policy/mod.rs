//! Audit policies: whether what an API server records is enough for a question, and which policy would be.
//!
//! A [`Policy`] is what `--audit-policy-file` names. [`review()`] holds it against what the questions need
//! ([`needs`](crate::question::needs)), [`smallest`] writes one that is enough and no more. Nothing here reads files or
//! YAML: a policy comes through serde from whatever reads it, and is then [checked](Policy::check).
//!
//! What a rule matches follows the API server's own code
//! ([checker.go](https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/audit/policy/checker.go)):
//! the first rule that matches decides, and without one nothing is recorded. The user that rules look at is the
//! authenticated one, not whom it acts as.

mod change;
mod draft;
mod excess;
mod matching;
mod model;
mod review;
mod shape;
mod yaml;

pub use draft::{Draft, smallest};
pub use excess::Excess;
pub use matching::{Decision, Request, User};
pub use model::{GroupResources, Level, Policy, Rule, Stage};
pub use review::{Deciding, NeedReview, QuestionReview, Review, Verdict, review};
pub use shape::Limits;

#[cfg(test)]
mod tests;
