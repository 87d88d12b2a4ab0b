//! What the questions about access need, and those about requests of every kind.

use super::change::{CHANGED_BY, CHANGED_WHAT};
use super::on::{CSR, PODS, ROLES};
use super::who::BY_ANONYMOUS;
use super::{ANY_PART, ANY_REQUEST, Need, OPENS, On, SESSIONS, WRITES, Who, confirmation};
use crate::policy::{Level, Stage};

const SESSION: Need = Need { verbs: OPENS, on: PODS, ..ANY_REQUEST };

const OPEN_SESSION: Need = confirmation(Need {
    stage: Stage::ResponseStarted,
    shows: "sessions that are still open, and how long they last",
    ..SESSION
});

pub(in crate::question) const EXECED: &[Need] = &[
    Need { subresources: SESSIONS, shows: "who entered the pod, and with which commands", ..SESSION },
    Need { subresources: SESSIONS, ..OPEN_SESSION },
];

pub(in crate::question) const PORT_FORWARDED: &[Need] = &[
    Need { subresources: &["portforward"], shows: "who forwarded ports", ..SESSION },
    Need { subresources: &["portforward"], ..OPEN_SESSION },
];

pub(in crate::question) const DEBUGGED: &[Need] = &[Need {
    on: PODS,
    subresources: &["ephemeralcontainers"],
    shows: "who put a container into the pod",
    ..CHANGED_BY
}];

pub(in crate::question) const READ: &[Need] = &[
    Need { verbs: &["get", "list", "watch"], shows: "who read it, also in a list or watch", ..ANY_REQUEST },
    confirmation(Need {
        verbs: &["watch"],
        stage: Stage::ResponseStarted,
        shows: "watches that are still open",
        ..ANY_REQUEST
    }),
];

pub(in crate::question) const BOUND: &[Need] = &[
    Need { verbs: WRITES, on: ROLES, shows: "who created or changed it", ..ANY_REQUEST },
    Need {
        verbs: WRITES,
        on: ROLES,
        level: Level::Request,
        shows: "what it grants, and to whom",
        ..ANY_REQUEST
    },
];

pub(in crate::question) const APPROVED: &[Need] = &[
    Need { on: CSR, subresources: &["approval"], shows: "who approved or denied it", ..CHANGED_BY },
    confirmation(Need {
        on: CSR,
        subresources: &["approval"],
        shows: "whether it was approved or denied",
        ..CHANGED_WHAT
    }),
];

pub(in crate::question) const TOKEN: &[Need] = &[Need {
    verbs: &["create"],
    on: On::Kinds(&[("", "serviceaccounts")]),
    subresources: &["token"],
    shows: "who had a token minted, and which",
    ..ANY_REQUEST
}];

const EVERYTHING: Need = Need { subresources: ANY_PART, ..ANY_REQUEST };

pub(in crate::question) const DENIED: &[Need] = &[
    Need { shows: "requests that were refused", ..EVERYTHING },
    Need { who: BY_ANONYMOUS, shows: "anonymous requests that were refused", ..EVERYTHING },
    Need {
        who: Who::Nobody,
        stage: Stage::ResponseStarted,
        shows: "failed authentications, which make one entry of this stage and no other",
        ..EVERYTHING
    },
];

pub(in crate::question) const TOUCHED: &[Need] = &[
    EVERYTHING,
    confirmation(Need {
        verbs: &["get", "create", "watch"],
        stage: Stage::ResponseStarted,
        shows: "watches and sessions that are still open",
        ..EVERYTHING
    }),
];

/// What deprecated APIs are counted by: the last entry of each request.
pub(in crate::question) const COUNTED: &[Need] = &[EVERYTHING];
