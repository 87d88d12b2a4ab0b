//! Which events are kept where not all of them are, and which questions can be answered from these.

use serde::{Serialize, Serializer};

use crate::body::Body;
use crate::case::{self, Ask};
use crate::event::Event;
use crate::question::Question;

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
    Rule {
        keeps: "writes (but for leases, Events and what kubelets report of their nodes), reads that show an object is gone",
        is_met: is_change,
    },
    Rule { keeps: "refused requests", is_met: is_refused },
    Rule {
        keeps: "requests in the name of another",
        is_met: |event| event.impersonated_user.is_some() && is_answered(event),
    },
    Rule {
        keeps: "sessions in pods and through proxies",
        is_met: |event| is_session(event) && is_answered(event),
    },
    Rule { keeps: "reads of secrets", is_met: |event| is_about(event, SECRETS) && is_answered(event) },
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

    /// Whether everything is kept that may answer `question`.
    pub fn suffices(self, question: &Question) -> bool {
        self == Self::All || !READING.contains(&question.name)
    }

    /// Whether everything is kept that may answer what is asked.
    pub fn suffices_for(self, ask: &Ask) -> bool {
        match ask.subject.target().map(|target| target.resource.as_str()) {
            Some(SECRETS) => true,
            Some(resource) if UNNOTED.contains(&resource) => self == Self::All,
            _ => self.suffices(ask.question),
        }
    }
}

impl Serialize for Keep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Questions that reads of any kind answer.
const READING: &[&str] = &["read", "touched", "did", "top", "deprecated"];

const SECRETS: &str = "secrets";

/// Resources that components write all the time, and that no rule looks at.
const UNNOTED: &[&str] = &["leases", "events"];

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
            let is_note =
                object.resource == "events" && !event.verb.starts_with("delete") && !is_preemption(event);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::question::{QUESTIONS, Rule};

    /// Of these requests all are kept, reads among them.
    const KEPT: &[&str] = &["denied", "impersonated", "execed", "port-forwarded"];

    #[test]
    fn every_question_that_reads_answer_is_known() {
        for question in QUESTIONS {
            let reads = question.rule.wants_reads() || matches!(question.rule, Rule::Count(_));
            assert_eq!(
                reads,
                READING.contains(&question.name) || KEPT.contains(&question.name),
                "{}",
                question.name
            );
        }
    }

    #[test]
    fn names_lead_back() {
        for keep in [Keep::Notable, Keep::All] {
            assert_eq!(Keep::named(keep.name()), Some(keep));
        }
        assert_eq!(Keep::named("some"), None);
        assert!(Keep::All.told().is_none() && Keep::Notable.told().is_some());
    }
}
