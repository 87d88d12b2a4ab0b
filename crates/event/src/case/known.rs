//! What is found out of an object once, for all that ask of it. Many pods have one owner, whose facts may be many, too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::case::autoscaler::Autoscalers;
use crate::case::changes::Changes;
use crate::case::evictions::Evictions;
use crate::case::growth::Growths;
use crate::case::life::Life;
use crate::case::node::Taints;
use crate::case::removal::Decided;
use crate::subject::Key;

/// What all threads that judge know of objects.
#[derive(Debug, Default)]
pub(super) struct Known<'l> {
    /// When the replica sets of deployments grew.
    pub(super) growths: Once<Growths>,
    /// Changes of workloads.
    pub(super) changes: Once<Changes<'l>>,
    /// Incarnations of objects that many facts are about.
    pub(super) lives: Once<Vec<Life<'l>>>,
    pub(super) autoscalers: Once<Autoscalers<'l>>,
    pub(super) taints: Once<Taints<'l>>,
    /// How owners, namespaces and nodes were removed.
    pub(super) removals: Once<Vec<Arc<Removed<'l>>>>,
    pub(super) evictions: OnceLock<Evictions<'l>>,
}

/// One incarnation of an object, and how it was removed.
#[derive(Debug)]
pub(super) struct Removed<'l> {
    pub(super) life: Life<'l>,
    pub(super) decided: Decided<'l>,
}

/// Something that is found out once for each object. A thread that asks for what another one is finding out waits for it.
#[derive(Debug)]
pub(super) struct Once<T>(Mutex<HashMap<Key, Arc<OnceLock<Arc<T>>>>>);

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Once<T> {
    pub(super) fn of(&self, object: &Key, find: impl FnOnce() -> T) -> Arc<T> {
        let known = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match all.get(object) {
                Some(known) => Arc::clone(known),
                None => Arc::clone(all.entry(object.clone()).or_default()),
            }
        };
        Arc::clone(known.get_or_init(|| Arc::new(find())))
    }
}
