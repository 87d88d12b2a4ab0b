//! What the questions about creations and changes need.

use super::access::DEBUGGED;
use super::on::{PODS, ROLLED_OUT, SCALABLE};
use super::removal::{AUTOSCALER_AUTHORS, BINDINGS, EVICTIONS, SCALINGS, WORKLOAD_CHANGES};
use super::who::{BY_AUTOSCALER, BY_MAKERS};
use super::{ANY_REQUEST, CHANGES, Need, Purpose, WRITES, confirmation, detail};
use crate::policy::Level;

const CREATES: Need = Need { verbs: &["create"], shows: "creates, refused ones too", ..ANY_REQUEST };

pub(in crate::question) const CREATED: &[Need] = &[
    CREATES,
    Need { who: BY_MAKERS, shows: "what controllers create", ..CREATES },
    WORKLOAD_CHANGES,
    SCALINGS,
    AUTOSCALER_AUTHORS,
    confirmation(Need {
        on: PODS,
        level: Level::RequestResponse,
        shows: "names that the API server makes up, as it does for most pods",
        ..CREATES
    }),
    confirmation(Need {
        who: BY_MAKERS,
        on: PODS,
        level: Level::RequestResponse,
        shows: "names that the API server makes up for the pods of controllers",
        ..CREATES
    }),
];

pub(super) const CHANGED_BY: Need = Need { verbs: CHANGES, shows: "who changed it", ..ANY_REQUEST };

/// A change whose body says what the question is about.
pub(super) const CHANGED_WHAT: Need = Need { level: Level::Request, ..CHANGED_BY };

pub(in crate::question) const CHANGED: &[Need] = &[
    CHANGED_BY,
    Need { shows: "which fields were asked for", ..CHANGED_WHAT },
    detail(Need { level: Level::RequestResponse, shows: "the fields as they were before", ..CHANGED_BY }),
];

/// Who scaled through the subresource is known without the body.
const SCALED_BY: Need = Need {
    level: Level::Metadata,
    purpose: Purpose::Essential,
    shows: "who scaled it through its subresource, as kubectl scale does",
    ..SCALINGS
};

const SCALED_TO: Need = Need { purpose: Purpose::Essential, shows: "to how many it was scaled", ..SCALINGS };

pub(in crate::question) const SCALED: &[Need] = &[
    SCALED_BY,
    Need { who: BY_AUTOSCALER, shows: "that an autoscaler scaled it", ..SCALED_BY },
    SCALED_TO,
    Need { who: BY_AUTOSCALER, shows: "to how many an autoscaler scaled it", ..SCALED_TO },
    Need { on: SCALABLE, shows: "changes of the replicas in the workload itself", ..CHANGED_WHAT },
    AUTOSCALER_AUTHORS,
    detail(Need {
        on: SCALABLE,
        verbs: WRITES,
        level: Level::RequestResponse,
        shows: "how many replicas there were before",
        ..ANY_REQUEST
    }),
];

pub(in crate::question) const RESTARTED: &[Need] = &[
    Need { on: ROLLED_OUT, shows: "who restarted it, by kubectl's field manager", ..CHANGED_BY },
    confirmation(Need {
        on: ROLLED_OUT,
        shows: "the annotation that tells a restart from an undo or a pause",
        ..CHANGED_WHAT
    }),
];

pub(in crate::question) const MARKED: &[Need] = &[
    Need { shows: "who did it with kubectl, by its field manager", ..CHANGED_BY },
    Need { shows: "what was set, and by whom without kubectl", ..CHANGED_WHAT },
    detail(Need { level: Level::RequestResponse, shows: "what was set before", ..CHANGED_BY }),
];

pub(in crate::question) const HISTORY: &[Need] = &[
    Need {
        verbs: &["create", "update", "patch", "delete"],
        shows: "who changed it, and when",
        ..ANY_REQUEST
    },
    Need { verbs: CHANGES, shows: "which fields were asked for", ..CHANGED_WHAT },
    SCALED_BY,
    SCALED_TO,
    EVICTIONS,
    BINDINGS,
    Need { shows: "ephemeral containers that were put into the pod", ..DEBUGGED[0] },
    detail(Need { level: Level::RequestResponse, shows: "the fields as they were before", ..CHANGED_BY }),
];
