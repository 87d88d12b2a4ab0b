//! Which events a store keeps.

use audit_who_event::body::Body;
use audit_who_event::case;
use audit_who_event::event::Event;

/// Which of the events that are read are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Those that a rule of [`NOTABLE`] names.
    #[default]
    Notable,
    /// Every event.
    All,
}

/// A kind of event that is kept.
#[derive(Debug)]
pub struct Rule {
    /// What it keeps, in words.
    pub keeps: &'static str,
    is_met: fn(&Event<'_>) -> bool,
}

/// What [`Keep::Notable`] keeps: what changes something, what reveals something, and what was refused. An event is kept
/// if it meets one of these.
///
/// Each asks for the end of a request, or for its beginning where it goes on for long. Reads of other things than
/// secrets, leases, and what components report on themselves all the time are left out.
pub const NOTABLE: &[Rule] = &[
    Rule { keeps: "writes, and reads that show an object is gone", is_met: is_change },
    Rule { keeps: "refused requests", is_met: is_refused },
    Rule {
        keeps: "requests in the name of another",
        is_met: |event| event.impersonated_user.is_some() && is_answered(event),
    },
    Rule {
        keeps: "sessions in pods and through proxies",
        is_met: |event| is_session(event) && is_answered(event),
    },
    Rule { keeps: "reads of secrets", is_met: |event| is_about(event, "secrets") && is_answered(event) },
];

impl Keep {
    const ALL: [(Self, &str); 2] = [(Self::Notable, "notable"), (Self::All, "all")];

    /// As it is stored.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(keep, _)| *keep == self).map_or("", |(_, name)| name)
    }

    /// By its name; `None` for what is none.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == name).map(|(keep, _)| *keep)
    }

    /// Whether `event` is kept.
    pub fn keeps(self, event: &Event<'_>) -> bool {
        self == Self::All || NOTABLE.iter().any(|rule| (rule.is_met)(event))
    }

    /// What is kept, in words; `None` if that is everything.
    pub fn told(self) -> Option<String> {
        let kept: Vec<&str> = NOTABLE.iter().map(|rule| rule.keeps).collect();
        (self == Self::Notable).then(|| kept.join(", "))
    }
}

fn is_answered(event: &Event<'_>) -> bool {
    matches!(event.stage.as_ref(), "ResponseStarted" | "ResponseComplete" | "Panic")
}

fn is_refused(event: &Event<'_>) -> bool {
    matches!(event.code(), 401 | 403) && is_answered(event)
}

fn is_about(event: &Event<'_>, resource: &str) -> bool {
    event.object_ref.as_ref().is_some_and(|object| object.resource == resource)
}

fn is_session(event: &Event<'_>) -> bool {
    let Some(object) = &event.object_ref else { return false };
    matches!(object.subresource.as_ref(), "exec" | "attach" | "portforward" | "proxy")
}

/// What rules look at as a change, and writes to what is no resource.
fn is_change(event: &Event<'_>) -> bool {
    match &event.object_ref {
        Some(object) => {
            let is_note = object.resource == "events" && !is_preemption(event);
            // Each kubelet reports on its own node.
            let is_report = object.resource == "nodes"
                && object.subresource == "status"
                && event.user.username.starts_with("system:node:");
            case::matters(event, false) && !is_note && !is_report
        }
        None => matches!(event.verb.as_ref(), "post" | "put" | "patch" | "delete") && is_answered(event),
    }
}

/// Of Kubernetes Events rules look at one reason alone.
fn is_preemption(event: &Event<'_>) -> bool {
    event.request_object.and_then(Body::parse).is_some_and(|note| note.reason == "Preempted")
}
