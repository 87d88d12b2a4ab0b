//! What the questions about removals need: which requests, and what is behind them.

use super::on::{AUTOSCALERS, EVENTS, JOBS, NODES, PODS, REPLICA_SETS, SCALABLE, WORKLOADS};
use super::who::{
    BY_AUTOSCALER, BY_DEPLOYMENT, BY_NODE_CONTROLLER, BY_NODES, BY_POD_GC, BY_REMOVERS, BY_SCHEDULER,
};
use super::{
    ANY_REQUEST, CHANGES, DELETES, Need, Purpose, SCALE, STATUS, WRITES, cause, confirmation, detail,
};
use crate::policy::Level;

pub(super) const EVICTIONS: Need = Need {
    verbs: &["create"],
    on: PODS,
    subresources: &["eviction"],
    shows: "evictions through the API, refused ones too",
    ..ANY_REQUEST
};

pub(super) const DRY_EVICTIONS: Need = confirmation(Need {
    level: Level::Request,
    shows: "whether an eviction was a dry run: that may stand in its body alone",
    ..EVICTIONS
});

const STATUS_PATCHES: Need = Need {
    verbs: &["patch"],
    on: PODS,
    subresources: STATUS,
    level: Level::Request,
    shows: "why a component removes a pod: a condition that it sets before",
    purpose: Purpose::Confirmation,
    ..ANY_REQUEST
};

const POD_DELETES: Need = Need { verbs: &["delete"], on: PODS, ..ANY_REQUEST };

pub(super) const KUBELETS_LAST_WORD: Need = confirmation(Need {
    who: BY_NODES,
    shows: "that a pod has gone: the kubelet's last request about it",
    ..POD_DELETES
});

pub(super) const BINDINGS: Need = confirmation(Need {
    who: BY_SCHEDULER,
    verbs: &["create"],
    on: PODS,
    subresources: &["binding"],
    shows: "which incarnation of a pod it was, by its uid",
    ..ANY_REQUEST
});

const NODE_CHANGES: Need = cause(Need {
    verbs: CHANGES,
    on: NODES,
    level: Level::Request,
    shows: "who drained or tainted the node",
    ..ANY_REQUEST
});

const SILENT_NODES: Need = cause(Need {
    who: BY_NODE_CONTROLLER,
    verbs: &["patch"],
    shows: "that the node had gone silent",
    ..NODE_CHANGES
});

const PREEMPTIONS_NOTE: Need = cause(Need {
    who: BY_SCHEDULER,
    verbs: &["create"],
    on: EVENTS,
    level: Level::Request,
    shows: "for which pod the scheduler made room",
    ..ANY_REQUEST
});

const PREEMPTORS: Need = detail(Need {
    verbs: &["create"],
    on: PODS,
    level: Level::RequestResponse,
    shows: "who created the pod that the scheduler made room for",
    ..ANY_REQUEST
});

pub(super) const WORKLOAD_CHANGES: Need = cause(Need {
    verbs: CHANGES,
    on: WORKLOADS,
    level: Level::Request,
    shows: "who scaled, rolled out or suspended the workload",
    ..ANY_REQUEST
});

pub(super) const SCALINGS: Need = cause(Need {
    verbs: CHANGES,
    on: SCALABLE,
    subresources: SCALE,
    level: Level::Request,
    shows: "who scaled the workload",
    ..ANY_REQUEST
});

const REPLICA_SET_CHANGES: Need = cause(Need {
    who: BY_DEPLOYMENT,
    verbs: &["create", "update"],
    on: REPLICA_SETS,
    level: Level::Request,
    shows: "whether a replica set was scaled down or replaced",
    ..ANY_REQUEST
});

pub(super) const AUTOSCALER_AUTHORS: Need = cause(Need {
    verbs: WRITES,
    on: AUTOSCALERS,
    level: Level::Request,
    shows: "who set up the autoscaler",
    ..ANY_REQUEST
});

/// What happens when controllers act on behalf of somebody's change of a workload.
const AUTOSCALINGS: Need =
    Need { who: BY_AUTOSCALER, shows: "that an autoscaler scaled the workload", ..SCALINGS };

pub(in crate::question) const EVICTED: &[Need] = &[
    EVICTIONS,
    Need {
        who: BY_NODES,
        purpose: Purpose::Essential,
        shows: "evictions by a kubelet that ran short of memory, disk or PIDs: nothing else shows them",
        ..STATUS_PATCHES
    },
    Need { who: BY_SCHEDULER, shows: "preemptions", ..POD_DELETES },
    Need { who: BY_NODE_CONTROLLER, shows: "evictions by a taint", ..POD_DELETES },
    NODE_CHANGES,
    SILENT_NODES,
    PREEMPTIONS_NOTE,
    DRY_EVICTIONS,
    Need { who: BY_SCHEDULER, ..STATUS_PATCHES },
    Need { who: BY_NODE_CONTROLLER, ..STATUS_PATCHES },
    KUBELETS_LAST_WORD,
    BINDINGS,
    PREEMPTORS,
];

const DELETED_BY_ANYONE: Need = Need { verbs: DELETES, shows: "deletes, refused ones too", ..ANY_REQUEST };

pub(in crate::question) const DELETED: &[Need] = &[
    DELETED_BY_ANYONE,
    Need { who: BY_REMOVERS, shows: "deletes by controllers", ..DELETED_BY_ANYONE },
    Need { who: BY_SCHEDULER, shows: "preemptions", ..POD_DELETES },
    EVICTIONS,
    NODE_CHANGES,
    SILENT_NODES,
    PREEMPTIONS_NOTE,
    WORKLOAD_CHANGES,
    SCALINGS,
    AUTOSCALINGS,
    REPLICA_SET_CHANGES,
    AUTOSCALER_AUTHORS,
    cause(Need { verbs: &["create"], on: JOBS, shows: "who created the job or cron job", ..ANY_REQUEST }),
    confirmation(Need {
        verbs: &["deletecollection"],
        level: Level::RequestResponse,
        shows: "which objects went with a collection",
        ..ANY_REQUEST
    }),
    confirmation(Need {
        verbs: &["delete"],
        level: Level::Request,
        shows: "whether a delete was a dry run: that may stand in its body alone",
        ..ANY_REQUEST
    }),
    DRY_EVICTIONS,
    Need { who: BY_SCHEDULER, ..STATUS_PATCHES },
    Need { who: BY_NODE_CONTROLLER, ..STATUS_PATCHES },
    Need { who: BY_POD_GC, ..STATUS_PATCHES },
    KUBELETS_LAST_WORD,
    BINDINGS,
    detail(Need {
        verbs: &["delete"],
        level: Level::RequestResponse,
        shows: "which finalizers a delete waited for",
        ..ANY_REQUEST
    }),
    detail(Need {
        verbs: CHANGES,
        level: Level::Request,
        shows: "who removed the last finalizer",
        ..ANY_REQUEST
    }),
    PREEMPTORS,
];
