//! Who owns an object: from a body, or from its name.

use crate::case::controllers::Component;
use crate::case::detail::Owner;
use crate::case::inquiry::{Inquiry, key};
use crate::case::life::Life;
use crate::glob::Glob;
use crate::resource::Resource;
use crate::subject::Key;
use crate::time::Timestamp;

/// An object's managing owner.
#[derive(Clone, Debug)]
pub(crate) struct Owned {
    pub(crate) key: Key,
    pub(crate) uid: Option<String>,
    /// Whether a body states it; otherwise the object's name tells it.
    pub(crate) recorded: bool,
}

/// Which component makes which kind, and how it names what it makes: `OWNER-SUFFIX`.
///
/// Suffixes of pods are five random letters, of replica sets the hash of the template, of a stateful set's pods their
/// number, of a cron job's jobs minutes since the epoch.
const MAKERS: &[(Component, &str, &str)] = &[
    (Component::ReplicaSet, "pods", "replicasets"),
    (Component::StatefulSet, "pods", "statefulsets"),
    (Component::DaemonSet, "pods", "daemonsets"),
    (Component::Job, "pods", "jobs"),
    (Component::Deployment, "replicasets", "deployments"),
    (Component::CronJob, "jobs", "cronjobs"),
];

/// The managing owner of an object that `by` made or removed (if that is known), at the time of `effect`.
pub(crate) fn owner_of(
    inquiry: &Inquiry<'_>,
    life: &Life<'_>,
    by: Option<Component>,
    effect: Timestamp,
) -> Option<Owned> {
    let own = &life.key;
    if let Some(stated) = life.owners().and_then(<[Owner]>::first) {
        // The owners further up have names that this one's begins with: ask for all of them at once.
        inquiry.need_names(
            &own.namespace,
            ancestors(&own.name).chain([stated.name.as_str()]).map(Glob::new).collect(),
            effect,
        );
        let key = inquiry.owner_key(&own.namespace, stated, effect)?;
        return Some(Owned { key, uid: Some(stated.uid.clone()), recorded: true });
    }
    let name = ancestors(&own.name).next()?;
    inquiry.need_names(&own.namespace, ancestors(&own.name).map(Glob::new).collect(), effect);
    let candidates = MAKERS.iter().filter(|(_, made, _)| *made == own.resource);
    let keys = candidates.map(|(component, _, resource)| {
        let group =
            Resource::named(resource).and_then(|known| known.groups.first().copied()).unwrap_or_default();
        (*component, key(group, resource, &own.namespace, name))
    });
    let mut keys: Vec<(Component, Key)> = keys.collect();
    if keys.iter().any(|(component, _)| Some(*component) == by) {
        keys.retain(|(component, _)| Some(*component) == by);
    }
    let only = keys.len() == 1;
    let known = keys.into_iter().find(|(_, key)| only || inquiry.ledger.of(key).next().is_some());
    known.map(|(_, key)| Owned { key, uid: None, recorded: false })
}

/// The names that `name` may have grown from: one, two and three parts shorter.
fn ancestors(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(shorter(name), |name| shorter(name)).take(3)
}

fn shorter(name: &str) -> Option<&str> {
    name.rsplit_once('-').map(|(head, _)| head).filter(|head| !head.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_shrink_by_their_parts() {
        let all = |name| ancestors(name).collect::<Vec<_>>();
        assert_eq!(all("web-98957df87-nnl94"), ["web-98957df87", "web"]);
        assert_eq!(all("a-b-c-d-e"), ["a-b-c-d", "a-b-c", "a-b"]);
        assert_eq!(all("web"), [""; 0]);
    }
}
