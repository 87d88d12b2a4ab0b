//! Questions about workloads: scaled, restarted.

use crate::case::autoscaler;
use crate::case::controllers::Component;
use crate::case::requests::{CHANGE, Request};
use crate::question::{Story, Told};

pub(crate) const SCALED: Request = Request {
    subresources: &["", "scale"],
    hidden_without_bodies: true,
    tell: scaled,
    behind: autoscaler::behind_scaling,
    ..CHANGE
};

pub(crate) const RESTARTED: Request = Request { tell: restarted, ..CHANGE };

fn scaled(story: &Story<'_, '_>) -> Option<Told> {
    let fact = story.fact;
    let after = fact.detail.replicas;
    let by_scale = fact.subresource == "scale";
    if after.is_none() && !by_scale && !fact.detail.replicas_asked {
        return None;
    }
    let earlier = story.earlier.iter().filter(|fact| fact.succeeded());
    let known = earlier.rev().find_map(|earlier| Some((earlier, earlier.detail.replicas?)));
    let before = known.map(|(_, before)| before);
    let changed = match (known, after) {
        (Some((earlier, before)), Some(after)) => {
            by_scale || before != after && fact.may_have_changed(fact.detail.replicas_asked, earlier)
        }
        _ => by_scale || fact.detail.replicas_asked,
    };
    // The deployment controller works a deployment's replica sets; on the deployment itself it only notes revisions.
    if !changed || fact.component == Some(Component::Deployment) && fact.key.resource == "deployments" {
        return None;
    }
    let amount = match (before, after) {
        (Some(before), Some(after)) => format!(" from {before} to {after}"),
        (None, Some(after)) => format!(" to {after}"),
        _ => String::new(),
    };
    let mut notes = match after {
        None => vec!["the level hides how many were asked for".to_owned()],
        Some(_) if before.is_none() => vec!["how many there were before is not recorded".to_owned()],
        Some(_) => Vec::new(),
    };
    if before.is_none() {
        notes.extend(story.inquiry.doubt_before());
    }
    let did = format!("scaled {}{amount}", fact.key);
    // An update carries the number, be it changed or not.
    let doubtful =
        fact.verb == "update" && !by_scale && known.is_none_or(|(earlier, _)| !fact.is_next_after(earlier));
    let mut told = if doubtful {
        Told::inferred(did, "others may have scaled it since the last recorded state [rule: state-before]")
    } else {
        Told::recorded(did)
    };
    told.notes.extend(notes);
    Some(told)
}

/// The annotation that `kubectl rollout restart` sets in the pod template; without bodies its field manager, which undo
/// and pause share ([source](https://github.com/kubernetes/kubectl/blob/master/pkg/polymorphichelpers/objectrestarter.go)).
fn restarted(story: &Story<'_, '_>) -> Option<Told> {
    let fact = story.fact;
    if fact.detail.restarts {
        return Some(Told::recorded(format!("restarted {}", fact.key)));
    }
    let by_rollout = !fact.body_recorded && fact.field_manager() == Some("kubectl-rollout");
    by_rollout.then(|| {
        let note = "told by kubectl's field manager; it may have been an undo, a pause or a resume [rule: field-manager]";
        Told::inferred(format!("restarted {}", fact.key), note)
    })
}
