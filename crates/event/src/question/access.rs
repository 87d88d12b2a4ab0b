//! Questions about access: into pods, to data, and to permissions.

use crate::case::Subject;
use crate::case::requests::{CHANGE, Collections, Request};
use crate::long_running::SWITCHING_PROTOCOLS;
use crate::question::object::asked;
use crate::question::{Story, Told};
use crate::uri;

/// A request that opens something: `get` over a WebSocket since kubectl 1.31, `create` over SPDY before.
const SESSION: Request = Request { verbs: &["get", "create"], reads: true, alone: true, ..CHANGE };

pub(crate) const EXECED: Request =
    Request { subresources: &["exec", "attach"], tell: |story| Some(execed(story)), ..SESSION };

pub(crate) const PORT_FORWARDED: Request = Request {
    subresources: &["portforward"],
    tell: |story| Some(session(story, "forwarded a port of")),
    ..SESSION
};

pub(crate) const DEBUGGED: Request = Request {
    subresources: &["ephemeralcontainers"],
    alone: true,
    tell: |story| Some(Told::recorded(format!("put an ephemeral container into {}", story.fact.key))),
    ..CHANGE
};

pub(crate) const READ: Request = Request {
    verbs: &["get", "list", "watch"],
    reads: true,
    collections: Collections::AroundObjects,
    tell: read,
    ..CHANGE
};

pub(crate) const BOUND: Request = Request { verbs: &["create", "update", "patch"], tell: bound, ..CHANGE };

pub(crate) const APPROVED: Request =
    Request { subresources: &["approval"], alone: true, tell: approved, ..CHANGE };

pub(crate) const TOKEN: Request = Request {
    verbs: &["create"],
    subresources: &["token"],
    alone: true,
    tell: |story| Some(minted(story)),
    ..CHANGE
};

pub(crate) const IMPERSONATED: Request = Request {
    verbs: &[],
    subresources: &[],
    reads: true,
    collections: Collections::All,
    tell: |story| is_impersonated(story).then(|| Told::recorded(asked(story.fact))),
    ..CHANGE
};

pub(crate) const DID: Request = Request {
    verbs: &[],
    subresources: &[],
    reads: true,
    collections: Collections::All,
    tell: |story| (is_by(story) || is_impersonated(story)).then(|| Told::recorded(asked(story.fact))),
    ..CHANGE
};

/// The condition that the request sets; without a body, approval and denial look alike.
fn approved(story: &Story<'_, '_>) -> Option<Told> {
    let fact = story.fact;
    if !fact.body_recorded {
        let note = "the level hides which of both [rule: approval-without-body]";
        return Some(Told::inferred(format!("approved or denied {}", fact.key), note));
    }
    fact.detail.approves.then(|| Told::recorded(format!("approved {}", fact.key)))
}

/// The commands stand in the query: one `command` parameter a word
/// ([source](https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.33/#execoptions-v1-core)).
fn execed(story: &Story<'_, '_>) -> Told {
    let fact = story.fact;
    let container =
        uri::param(&fact.uri, "container").map(|name| format!(" container {name} of")).unwrap_or_default();
    let words: Vec<String> = uri::params(&fact.uri, "command").map(|word| quoted(&word)).collect();
    match words.as_slice() {
        [] => session(story, &format!("attached to{container}")),
        words => session(story, &format!("ran `{}` in{container}", words.join(" "))),
    }
}

/// A word as a shell would need it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A session with its length, where both of its ends are recorded.
fn session(story: &Story<'_, '_>, did: &str) -> Told {
    let fact = story.fact;
    let mut told = Told::recorded(format!("{did} {}", fact.key));
    if fact.code == SWITCHING_PROTOCOLS {
        let start = story.stages.iter().find(|stage| stage.stage == "ResponseStarted");
        told.notes.push(match (fact.stage.as_ref(), start) {
            ("ResponseStarted", _) => "its end is not recorded: it may still be open".to_owned(),
            (_, Some(start)) => format!("it lasted {}", length(fact.time.since(start.time))),
            (_, None) => format!("it lasted {}", length(fact.time.since(fact.received))),
        });
    }
    told
}

/// A length of time as people say it: `0.240 s`, `3 min 4 s`, `2 h 5 min`.
fn length(micros: i64) -> String {
    let (seconds, millis) = (micros / 1_000_000, micros % 1_000_000 / 1_000);
    match seconds {
        0..60 => format!("{seconds}.{millis:03} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// By name, or by a list or watch of what holds it: they show every object without naming one.
fn read(story: &Story<'_, '_>) -> Option<Told> {
    let fact = story.fact;
    if !fact.key.name.is_empty() {
        return Some(Told::recorded(format!("read {}", fact.key)));
    }
    let target = story.subject.target()?;
    if !fact.key.namespace.is_empty() && !story.is_in(&fact.key.namespace) {
        return None;
    }
    let selected = ["labelSelector", "fieldSelector"]
        .iter()
        .any(|name| uri::param(&fact.uri, name).is_some_and(|value| !value.is_empty()));
    let named = uri::param(&fact.uri, "fieldSelector")
        .and_then(|selector| selector.strip_prefix("metadata.name=").map(str::to_owned));
    if named.is_some_and(|name| !target.name.matches(&name)) {
        return None;
    }
    let did = format!("{}ed {}", fact.verb, fact.key);
    let note = if selected {
        "it may be among what the selector picked [rule: exposed-by-list]"
    } else {
        "it was among them if it was there then [rule: exposed-by-list]"
    };
    Some(Told { beside: true, ..Told::inferred(did, note) })
}

fn bound(story: &Story<'_, '_>) -> Option<Told> {
    let fact = story.fact;
    if fact.key.group != "rbac.authorization.k8s.io" {
        return None;
    }
    let did = if fact.verb == "create" { "created" } else { "changed" };
    let grants = fact.detail.grants.as_ref();
    let to = grants.map(|(role, subjects)| format!(", which grants {role} to {}", subjects.join(", ")));
    let mut told = Told::recorded(format!("{did} {}{}", fact.key, to.unwrap_or_default()));
    told.notes.extend((!fact.body_recorded).then(|| "the level hides what it grants".to_owned()));
    Some(told)
}

fn minted(story: &Story<'_, '_>) -> Told {
    let fact = story.fact;
    let mut told = Told::recorded(format!("had a token of {} minted", fact.key));
    if let Some(credential) = &fact.issued {
        told.notes.push(format!("the token is {credential}"));
    }
    told
}

/// Whether the user that is asked about sent it. The case holds requests of others too, such as for the user's token.
fn is_by(story: &Story<'_, '_>) -> bool {
    matches!(story.subject, Subject::User(name) if name.matches(&story.fact.actor.username))
}

/// Whether somebody sent it in the name of the user that is asked about.
fn is_impersonated(story: &Story<'_, '_>) -> bool {
    let Some(impersonated) = &story.fact.actor.impersonated else { return false };
    matches!(story.subject, Subject::User(name) if name.matches(&impersonated.username))
}
