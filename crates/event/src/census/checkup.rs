//! A look at every entry, for what is odd about the log as a whole.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::doctor::{Example, Pair};
use super::record::{Compared, Records};
use super::rows::{Rows, Seen};
use crate::event::Event;
use crate::fold::{Address, Fold};

/// Names of API servers that are kept of one source.
const MAX_NAMES: usize = 16;

/// Takes every entry of all sources.
#[derive(Clone, Debug, Default)]
pub struct Checkup {
    records: Records,
    rows: Rows,
    truncated: u64,
    salvaged: u64,
    /// By source: the API servers that renew their lease in it.
    names: BTreeMap<usize, BTreeSet<String>>,
}

/// What a checkup found.
#[derive(Clone, Debug)]
pub struct Checked {
    pub(super) compared: Compared,
    pub(super) seen: Vec<Seen>,
    pub(super) truncated: u64,
    pub(super) salvaged: u64,
    pub(super) names: BTreeMap<usize, BTreeSet<String>>,
}

impl Checkup {
    /// Puts everything together; `servers` tells which server each source is of, by number.
    pub fn conclude(self, servers: &[usize]) -> Checked {
        Checked {
            compared: self.records.compare(servers),
            seen: self.rows.into_seen(),
            truncated: self.truncated,
            salvaged: self.salvaged,
            names: self.names,
        }
    }
}

impl Checked {
    /// The entries that the report shows: to be looked up with [`Lookup`].
    pub fn examples(&self) -> HashSet<Address> {
        let Compared { conflicts, endless, startless, .. } = &self.compared;
        let pairs = conflicts.iter().flat_map(|(one, other)| [one, other]);
        pairs.chain(endless).chain(startless).copied().collect()
    }
}

impl Fold for Checkup {
    fn event(&mut self, event: &Event<'_>, address: Address) {
        self.records.add(event, address);
        self.rows.count(event);
        self.truncated += u64::from(event.is_truncated());
        self.salvaged += u64::from(event.salvaged);
        if let Some(name) = own_lease(event) {
            let names = self.names.entry(address.source).or_default();
            names.insert(name.to_owned());
            if names.len() > MAX_NAMES {
                names.pop_last();
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.records.merge(other.records);
        self.rows.merge(other.rows);
        self.truncated += other.truncated;
        self.salvaged += other.salvaged;
        for (source, more) in other.names {
            let names = self.names.entry(source).or_default();
            names.extend(more);
            while names.len() > MAX_NAMES {
                names.pop_last();
            }
        }
    }
}

/// The lease that an API server holds in its own name, told where it renews it: at itself
/// ([source](https://github.com/kubernetes/kubernetes/blob/master/pkg/controlplane/apiserver/server.go)).
fn own_lease<'e>(event: &'e Event<'_>) -> Option<&'e str> {
    let object = event.object_ref.as_ref()?;
    let is_own = event.user.username == "system:apiserver"
        && object.resource == "leases"
        && object.namespace == "kube-system"
        && object.name.starts_with("apiserver-")
        && event.verb == "update";
    is_own.then(|| object.name.as_ref()).filter(|name| name.len() < 254)
}

/// Looks entries up by where they stand.
#[derive(Clone, Debug)]
pub struct Lookup {
    wanted: HashSet<Address>,
    found: Vec<(Address, Example)>,
}

impl Lookup {
    /// Looks for these.
    pub fn new(wanted: HashSet<Address>) -> Self {
        Self { wanted, found: Vec::new() }
    }

    /// The entry that stands there; `sources` are the names of the sources by number.
    pub(super) fn example(&self, address: Address, sources: &[String]) -> Example {
        let found = self.found.iter().find(|(at, _)| *at == address);
        let example = found.map_or_else(Example::default, |(_, example)| example.clone());
        Example { source: sources.get(address.source).cloned().unwrap_or_default(), ..example }
    }

    pub(super) fn pair(&self, pair: (Address, Address), sources: &[String]) -> Pair {
        Pair { one: self.example(pair.0, sources), other: self.example(pair.1, sources) }
    }
}

impl Fold for Lookup {
    fn event(&mut self, event: &Event<'_>, address: Address) {
        if self.wanted.contains(&address) {
            self.found.push((address, Example::of(event, address)));
        }
    }

    fn merge(&mut self, other: Self) {
        self.found.extend(other.found);
    }
}
