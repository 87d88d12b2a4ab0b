//! What each question needs an audit log to hold: which requests, of whom, at which level.
//!
//! The rules of the questions say what they look at; here stands the same as data, for audit policies to be held
//! against.

use serde::{Serialize, Serializer};

use crate::policy::{Level, Stage};

/// Requests that must be recorded for a question.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// Whose requests.
    pub who: Who,
    /// Verbs; none means all.
    pub verbs: &'static [&'static str],
    /// On which resources.
    pub on: On,
    /// On which of their subresources, the object itself being the empty one.
    pub subresources: &'static [&'static str],
    /// How much of the request, at the least. Of secrets never more than `Metadata` is asked for.
    pub level: Level,
    /// The stage whose entry is needed.
    pub stage: Stage,
    /// What it is for.
    pub purpose: Purpose,
    /// What it shows, in words.
    pub shows: &'static str,
}

/// Whose requests.
#[derive(Clone, Copy, Debug)]
pub enum Who {
    /// Anybody's.
    Anyone,
    /// Those of clients whose authentication failed: they have no user.
    Nobody,
    /// Those of parts of Kubernetes.
    Known(&'static [Known]),
}

/// A user that is the same in every cluster, but for a `*` at the end of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known {
    /// Name of the user.
    pub name: &'static str,
    /// Its groups.
    pub groups: &'static [&'static str],
}

/// On which resources.
#[derive(Clone, Copy, Debug)]
pub enum On {
    /// Objects of every kind that questions are asked about, those of custom resources among them. Kubernetes Events
    /// and leases are not: they are written all the time, and who wrote them is nobody's question.
    Every,
    /// API group and plural name.
    Kinds(&'static [(&'static str, &'static str)]),
}

/// What a need is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// There is no answer without it.
    Essential,
    /// Names who was behind it.
    Cause,
    /// Tells what was done from what was only asked for, or what is known from what is guessed.
    Confirmation,
    /// Shows more than was asked.
    Detail,
}

impl Purpose {
    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Essential => "essential",
            Self::Cause => "cause",
            Self::Confirmation => "confirmation",
            Self::Detail => "detail",
        }
    }
}

impl Serialize for Purpose {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

const AUTHENTICATED: &[&str] = &["system:authenticated"];
const SERVICE_ACCOUNT: &[&str] =
    &["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"];

const ANONYMOUS: Known = Known { name: "system:anonymous", groups: &["system:unauthenticated"] };
const NODE: Known = Known { name: "system:node:*", groups: &["system:nodes", "system:authenticated"] };
const SCHEDULER: Known = Known { name: "system:kube-scheduler", groups: AUTHENTICATED };

/// All controllers where the controller manager runs them with one credential.
const MANAGER: Known = Known { name: "system:kube-controller-manager", groups: AUTHENTICATED };

/// The service accounts of controllers, and [`MANAGER`] in their stead.
macro_rules! controllers {
    ($($name:literal),* $(,)?) => {
        &[$(Known { name: concat!("system:serviceaccount:kube-system:", $name), groups: SERVICE_ACCOUNT },)* MANAGER]
    };
}

const BY_NODES: Who = Who::Known(&[NODE]);
const BY_SCHEDULER: Who = Who::Known(&[SCHEDULER]);
const BY_ANONYMOUS: Who = Who::Known(&[ANONYMOUS]);
const BY_NODE_CONTROLLER: Who = Who::Known(controllers!["node-controller", "taint-eviction-controller"]);
const BY_POD_GC: Who = Who::Known(controllers!["pod-garbage-collector"]);
const BY_DEPLOYMENT: Who = Who::Known(controllers!["deployment-controller"]);
const BY_AUTOSCALER: Who = Who::Known(controllers!["horizontal-pod-autoscaler"]);

/// Controllers that make objects for their owners.
const BY_MAKERS: Who = Who::Known(controllers![
    "replicaset-controller",
    "replication-controller",
    "statefulset-controller",
    "daemon-set-controller",
    "deployment-controller",
    "job-controller",
    "cronjob-controller",
]);

/// Controllers that delete what they find superfluous.
const BY_REMOVERS: Who = Who::Known(controllers![
    "node-controller",
    "taint-eviction-controller",
    "pod-garbage-collector",
    "replicaset-controller",
    "replication-controller",
    "statefulset-controller",
    "daemon-set-controller",
    "deployment-controller",
    "job-controller",
    "cronjob-controller",
    "ttl-after-finished-controller",
    "generic-garbage-collector",
    "namespace-controller",
]);

const PODS: On = On::Kinds(&[("", "pods")]);
const NODES: On = On::Kinds(&[("", "nodes")]);
const EVENTS: On = On::Kinds(&[("", "events"), ("events.k8s.io", "events")]);
const AUTOSCALERS: On = On::Kinds(&[("autoscaling", "horizontalpodautoscalers")]);
const REPLICA_SETS: On = On::Kinds(&[("apps", "replicasets")]);
const JOBS: On = On::Kinds(&[("batch", "jobs"), ("batch", "cronjobs")]);
const ROLES: On = On::Kinds(&[
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("rbac.authorization.k8s.io", "roles"),
]);
/// What has replicas, and a subresource `scale`.
const SCALABLE: On = On::Kinds(&[
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("", "replicationcontrollers"),
]);
/// What has a pod template that can be rolled out.
const ROLLED_OUT: On =
    On::Kinds(&[("apps", "daemonsets"), ("apps", "deployments"), ("apps", "statefulsets")]);
/// What controllers make and remove pods for.
const WORKLOADS: On = On::Kinds(&[
    ("apps", "daemonsets"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("batch", "jobs"),
]);

const ITSELF: &[&str] = &[""];
const STATUS: &[&str] = &["status"];
const SCALE: &[&str] = &["scale"];
/// The object and any subresource. Rules can't tell subresources of every kind apart, so that one stands for all.
const ANY_PART: &[&str] = &["", "status"];
const SESSIONS: &[&str] = &["exec", "attach"];

const ALL: &[&str] = &[];
const CHANGES: &[&str] = &["update", "patch"];
const WRITES: &[&str] = &["create", "update", "patch"];
const DELETES: &[&str] = &["delete", "deletecollection"];
const OPENS: &[&str] = &["get", "create"];

/// What most needs have in common.
const ANY_REQUEST: Need = Need {
    who: Who::Anyone,
    verbs: ALL,
    on: On::Every,
    subresources: ITSELF,
    level: Level::Metadata,
    stage: Stage::ResponseComplete,
    purpose: Purpose::Essential,
    shows: "who asked for what",
};

const fn cause(need: Need) -> Need {
    Need { purpose: Purpose::Cause, ..need }
}

const fn confirmation(need: Need) -> Need {
    Need { purpose: Purpose::Confirmation, ..need }
}

const fn detail(need: Need) -> Need {
    Need { purpose: Purpose::Detail, ..need }
}

const EVICTIONS: Need = Need {
    verbs: &["create"],
    on: PODS,
    subresources: &["eviction"],
    shows: "evictions through the API, refused ones too",
    ..ANY_REQUEST
};

const DRY_EVICTIONS: Need = confirmation(Need {
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

const KUBELETS_LAST_WORD: Need = confirmation(Need {
    who: BY_NODES,
    shows: "that a pod has gone: the kubelet's last request about it",
    ..POD_DELETES
});

const BINDINGS: Need = confirmation(Need {
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

const WORKLOAD_CHANGES: Need = cause(Need {
    verbs: CHANGES,
    on: WORKLOADS,
    level: Level::Request,
    shows: "who scaled, rolled out or suspended the workload",
    ..ANY_REQUEST
});

const SCALINGS: Need = cause(Need {
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

const AUTOSCALER_AUTHORS: Need = cause(Need {
    verbs: WRITES,
    on: AUTOSCALERS,
    level: Level::Request,
    shows: "who set up the autoscaler",
    ..ANY_REQUEST
});

/// What happens when controllers act on behalf of somebody's change of a workload.
const AUTOSCALINGS: Need =
    Need { who: BY_AUTOSCALER, shows: "that an autoscaler scaled the workload", ..SCALINGS };

pub(super) const EVICTED: &[Need] = &[
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

pub(super) const DELETED: &[Need] = &[
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

const CREATES: Need = Need { verbs: &["create"], shows: "creates, refused ones too", ..ANY_REQUEST };

pub(super) const CREATED: &[Need] = &[
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

const CHANGED_BY: Need = Need { verbs: CHANGES, shows: "who changed it", ..ANY_REQUEST };

/// A change whose body says what the question is about.
const CHANGED_WHAT: Need = Need { level: Level::Request, ..CHANGED_BY };

pub(super) const CHANGED: &[Need] = &[
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

pub(super) const SCALED: &[Need] = &[
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

pub(super) const RESTARTED: &[Need] = &[
    Need { on: ROLLED_OUT, shows: "who restarted it, by kubectl's field manager", ..CHANGED_BY },
    confirmation(Need {
        on: ROLLED_OUT,
        shows: "the annotation that tells a restart from an undo or a pause",
        ..CHANGED_WHAT
    }),
];

pub(super) const CORDONED: &[Need] = &[
    Need { on: NODES, shows: "a drain's cordon, told by the evictions that follow it", ..CHANGED_BY },
    CORDONS,
];

/// Whether a change of a node is a cordon stands in its body.
const CORDONS: Need = Need { on: NODES, shows: "whether a change of the node cordons it", ..CHANGED_WHAT };

pub(super) const UNCORDONED: &[Need] =
    &[Need { shows: "whether a change of the node uncordons it", ..CORDONS }];

pub(super) const DRAINED: &[Need] = &[
    Need { on: NODES, shows: "who changed the node before the evictions", ..CHANGED_BY },
    EVICTIONS,
    Need {
        purpose: Purpose::Essential,
        shows: "on which node a pod ran: its kubelet's last request about it",
        ..KUBELETS_LAST_WORD
    },
    confirmation(CORDONS),
    DRY_EVICTIONS,
];

pub(super) const TAINTED: &[Need] = &[
    Need { on: NODES, shows: "which taints a change of the node sets", ..CHANGED_WHAT },
    Need {
        who: BY_NODE_CONTROLLER,
        on: NODES,
        verbs: &["patch"],
        shows: "taints on nodes that went silent",
        ..CHANGED_WHAT
    },
    detail(Need {
        on: NODES,
        level: Level::RequestResponse,
        shows: "the taints as they were before",
        ..CHANGED_BY
    }),
];

pub(super) const MARKED: &[Need] = &[
    Need { shows: "who did it with kubectl, by its field manager", ..CHANGED_BY },
    Need { shows: "what was set, and by whom without kubectl", ..CHANGED_WHAT },
    detail(Need { level: Level::RequestResponse, shows: "what was set before", ..CHANGED_BY }),
];

const SESSION: Need = Need { verbs: OPENS, on: PODS, ..ANY_REQUEST };

const OPEN_SESSION: Need = confirmation(Need {
    stage: Stage::ResponseStarted,
    shows: "sessions that are still open, and how long they last",
    ..SESSION
});

pub(super) const EXECED: &[Need] = &[
    Need { subresources: SESSIONS, shows: "who entered the pod, and with which commands", ..SESSION },
    Need { subresources: SESSIONS, ..OPEN_SESSION },
];

pub(super) const PORT_FORWARDED: &[Need] = &[
    Need { subresources: &["portforward"], shows: "who forwarded ports", ..SESSION },
    Need { subresources: &["portforward"], ..OPEN_SESSION },
];

pub(super) const DEBUGGED: &[Need] = &[Need {
    on: PODS,
    subresources: &["ephemeralcontainers"],
    shows: "who put a container into the pod",
    ..CHANGED_BY
}];

pub(super) const READ: &[Need] = &[
    Need { verbs: &["get", "list", "watch"], shows: "who read it, also in a list or watch", ..ANY_REQUEST },
    confirmation(Need {
        verbs: &["watch"],
        stage: Stage::ResponseStarted,
        shows: "watches that are still open",
        ..ANY_REQUEST
    }),
];

pub(super) const BOUND: &[Need] = &[
    Need { verbs: WRITES, on: ROLES, shows: "who created or changed it", ..ANY_REQUEST },
    Need {
        verbs: WRITES,
        on: ROLES,
        level: Level::Request,
        shows: "what it grants, and to whom",
        ..ANY_REQUEST
    },
];

const CSR: On = On::Kinds(&[("certificates.k8s.io", "certificatesigningrequests")]);

pub(super) const APPROVED: &[Need] = &[
    Need { on: CSR, subresources: &["approval"], shows: "who approved or denied it", ..CHANGED_BY },
    confirmation(Need {
        on: CSR,
        subresources: &["approval"],
        shows: "whether it was approved or denied",
        ..CHANGED_WHAT
    }),
];

pub(super) const TOKEN: &[Need] = &[Need {
    verbs: &["create"],
    on: On::Kinds(&[("", "serviceaccounts")]),
    subresources: &["token"],
    shows: "who had a token minted, and which",
    ..ANY_REQUEST
}];

const EVERYTHING: Need = Need { subresources: ANY_PART, ..ANY_REQUEST };

pub(super) const DENIED: &[Need] = &[
    Need { shows: "requests that were refused", ..EVERYTHING },
    Need { who: BY_ANONYMOUS, shows: "anonymous requests that were refused", ..EVERYTHING },
    Need {
        who: Who::Nobody,
        stage: Stage::ResponseStarted,
        shows: "failed authentications, which make one entry of this stage and no other",
        ..EVERYTHING
    },
];

pub(super) const TOUCHED: &[Need] = &[
    EVERYTHING,
    confirmation(Need {
        verbs: &["get", "create", "watch"],
        stage: Stage::ResponseStarted,
        shows: "watches and sessions that are still open",
        ..EVERYTHING
    }),
];

/// What deprecated APIs are counted by: the last entry of each request.
pub(super) const COUNTED: &[Need] = &[EVERYTHING];

pub(super) const HISTORY: &[Need] = &[
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Actor;
    use crate::case::controllers::Component;
    use crate::question::QUESTIONS;
    use crate::resource::Resource;

    fn needs() -> impl Iterator<Item = &'static Need> {
        QUESTIONS.iter().flat_map(|question| question.needs)
    }

    #[test]
    fn every_question_has_something_essential() {
        for question in QUESTIONS {
            assert!(
                question.needs.iter().any(|need| need.purpose == Purpose::Essential),
                "{} has no essential need",
                question.name
            );
        }
    }

    #[test]
    fn the_named_kinds_are_served() {
        for need in needs() {
            let On::Kinds(kinds) = need.on else { continue };
            for (group, plural) in kinds {
                assert!(Resource::of(group, plural).is_some(), "{group}/{plural}");
            }
        }
    }

    #[test]
    fn the_named_users_are_those_that_rules_know() {
        let known = needs().filter_map(|need| match need.who {
            Who::Known(users) => Some(users),
            Who::Anyone | Who::Nobody => None,
        });
        for user in known.flatten().filter(|user| **user != ANONYMOUS) {
            let actor = Actor { username: user.name.replace('*', "n1"), ..Actor::default() };
            assert!(Component::of(&actor).is_some(), "{}", user.name);
        }
    }
}
