//! The kinds of events that a store has met, and those of them that a look wants.

use std::collections::BTreeMap;

use audit_who_event::filter::Filter;
use audit_who_event::long_running::{SWITCHING_PROTOCOLS, may_switch_protocols};
use audit_who_event::share::{Kind, Share};
use rusqlite::Connection;

/// All kinds, kept or not.
#[derive(Clone, Debug, Default)]
pub(super) struct Kinds {
    all: Vec<(i64, [String; 6])>,
}

/// Kinds of which the same share is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) share: Share,
    /// Their numbers.
    pub(super) ids: Vec<i64>,
    /// Whether there are no others.
    pub(super) all: bool,
}

impl Kinds {
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare_cached(
            "SELECT id, api_group, resource, subresource, verb, stage, level FROM kinds ORDER BY id",
        )?;
        let mut rows = statement.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let of = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?];
            all.push((row.get(0)?, of));
        }
        Ok(Self { all })
    }

    /// The kinds of which a filter wants some, by what `share` wants of each.
    pub(super) fn wanted(&self, filter: &Filter, share: impl Fn(&Kind<'_>) -> Share) -> Vec<Wanted> {
        let mut shares: BTreeMap<Share, Vec<i64>> = BTreeMap::new();
        for (id, kind) in self.of(filter) {
            shares.entry(share(&kind)).or_default().push(id);
        }
        shares.remove(&Share::None);
        let wanted =
            |(share, ids): (Share, Vec<i64>)| Wanted { share, all: ids.len() == self.all.len(), ids };
        shares.into_iter().map(wanted).collect()
    }

    /// The kinds of which there may be events that meet a filter.
    pub(super) fn of(&self, filter: &Filter) -> impl Iterator<Item = (i64, Kind<'_>)> {
        let kinds = self.all.iter().map(|(id, [group, resource, subresource, verb, stage, level])| {
            (*id, Kind { group, resource, subresource, verb, stage, level })
        });
        kinds.filter(move |(_, kind)| {
            filter.resource.as_ref().is_none_or(|resource| resource == kind.resource)
                && (filter.verbs.is_empty() || filter.verbs.contains(&kind.verb))
                && (filter.groups.is_empty() || filter.groups.iter().any(|group| group == kind.group))
                && (filter.subresources.is_empty() || filter.subresources.contains(&kind.subresource))
                && (filter.codes != [SWITCHING_PROTOCOLS] || may_switch_protocols(kind))
        })
    }
}
