//! What the questions about nodes need.

use super::change::{CHANGED_BY, CHANGED_WHAT};
use super::on::NODES;
use super::removal::{DRY_EVICTIONS, EVICTIONS, KUBELETS_LAST_WORD};
use super::who::BY_NODE_CONTROLLER;
use super::{Need, Purpose, confirmation, detail};
use crate::policy::Level;

pub(in crate::question) const CORDONED: &[Need] = &[
    Need { on: NODES, shows: "a drain's cordon, told by the evictions that follow it", ..CHANGED_BY },
    CORDONS,
];

/// Whether a change of a node is a cordon stands in its body.
const CORDONS: Need = Need { on: NODES, shows: "whether a change of the node cordons it", ..CHANGED_WHAT };

pub(in crate::question) const UNCORDONED: &[Need] =
    &[Need { shows: "whether a change of the node uncordons it", ..CORDONS }];

pub(in crate::question) const DRAINED: &[Need] = &[
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

pub(in crate::question) const TAINTED: &[Need] = &[
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
