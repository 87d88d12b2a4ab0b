//! What is true of a recording, and whether an answer says so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{Run, run};

/// A recording and what is true of it.
pub(crate) struct Recording {
    folder: PathBuf,
    truths: Vec<Truth>,
    /// Every actor that the truth names, by object.
    actors: BTreeMap<Subject, BTreeSet<String>>,
}

/// Kind, namespace and name.
type Subject = (String, String, String);

/// One record of `truth.jsonl`.
pub(crate) struct Truth {
    id: String,
    question: String,
    subject: Subject,
    outcome: String,
    actor: String,
    /// Any of these; any at all if empty.
    mechanisms: Vec<String>,
    cause: String,
    /// Whether the level hides what would have to be known.
    may_be_unknown: bool,
    cause_may_be_unknown: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Correct,
    Unknown,
    Wrong(String),
}

/// Outcome, actor, mechanism and root cause of an answer; empty where null.
#[derive(Debug)]
struct Claim {
    outcome: String,
    actor: String,
    mechanism: String,
    cause: Option<String>,
}

impl Recording {
    pub(crate) fn read(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join("truth.jsonl")).expect("truth.jsonl");
        let records: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("a record")).collect();
        let mut actors: BTreeMap<Subject, BTreeSet<String>> = BTreeMap::new();
        for record in &records {
            let actor = word(&record["expect"]["actor"]);
            actors.entry(subject(record)).or_default().insert(actor);
        }
        let truths = records.iter().map(Truth::of).collect();
        Self { folder: folder.to_owned(), truths, actors }
    }

    pub(crate) fn truths(&self) -> &[Truth] {
        &self.truths
    }

    /// The folders of the API servers.
    pub(crate) fn servers(&self) -> Vec<PathBuf> {
        let folders = std::fs::read_dir(&self.folder).expect("the recording");
        let mut folders: Vec<PathBuf> =
            folders.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir()).collect();
        folders
            .retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("audit-")));
        folders.sort();
        folders
    }

    /// Whether the answers from all servers are as they should be.
    pub(crate) fn judge(&self, truth: &Truth) -> Verdict {
        let (run, claims) = truth.ask(&self.servers());
        if !matches!(run.status, 0 | 1) {
            return Verdict::Wrong(format!("exit status {}: {}", run.status, run.stderr));
        }
        if let Some(stranger) = self.stranger(truth, &claims) {
            return Verdict::Wrong(stranger);
        }
        truth.judge(&claims)
    }

    /// What the answers from some of the servers claim that is not so.
    pub(crate) fn falsehood(&self, truth: &Truth, servers: &[PathBuf]) -> Option<String> {
        let (_, claims) = truth.ask(servers);
        let claimed = || claims.iter().filter(|claim| claim.outcome == "succeeded");
        let invented = claimed().find(|_| truth.outcome == "none");
        let miscaused = claimed().find(|claim| {
            let cause =
                claim.cause.as_ref().filter(|_| claim.actor == truth.actor && !truth.cause.is_empty());
            cause.is_some_and(|cause| *cause != truth.cause)
        });
        let false_claim = invented.or(miscaused).map(|claim| format!("{claim:?}"));
        self.stranger(truth, &claims).or(false_claim)
    }

    /// An answer that names somebody who did nothing to the object.
    fn stranger(&self, truth: &Truth, claims: &[Claim]) -> Option<String> {
        let known = &self.actors[&truth.subject];
        let mut claims = claims.iter().filter(|claim| claim.outcome == "succeeded");
        claims.find(|claim| !known.contains(&claim.actor)).map(|claim| format!("a stranger: {claim:?}"))
    }
}

impl Truth {
    fn of(record: &Value) -> Self {
        let expected = &record["expect"];
        let mechanisms = word(&expected["mechanism"]);
        Self {
            id: word(&record["id"]),
            question: word(&record["question"]),
            subject: subject(record),
            outcome: word(&expected["outcome"]),
            actor: word(&expected["actor"]),
            mechanisms: mechanisms.split('|').filter(|word| !word.is_empty()).map(str::to_owned).collect(),
            cause: word(&expected["cause"]),
            may_be_unknown: record["may_be_unknown"] == true,
            cause_may_be_unknown: record["cause_may_be_unknown"] == true,
        }
    }

    pub(crate) fn name(&self) -> String {
        let (kind, namespace, name) = &self.subject;
        format!("{} ({} {kind}/{namespace}/{name})", self.id, self.question)
    }

    /// The arguments that ask for it as JSON.
    pub(crate) fn question(&self) -> Vec<String> {
        let (kind, namespace, name) = &self.subject;
        let mut arguments = vec![self.question.clone(), format!("{kind}/{name}")];
        if !namespace.is_empty() {
            arguments.extend(["-n".to_owned(), namespace.clone()]);
        }
        arguments.extend(["-o", "json"].map(str::to_owned));
        arguments
    }

    fn ask(&self, servers: &[PathBuf]) -> (Run, Vec<Claim>) {
        let paths = servers.iter().map(|path| path.to_str().expect("UTF-8").to_owned());
        let run = run(self.question().into_iter().chain(paths));
        let answers = run.objects().into_iter().filter(|object| object["kind"] == "Answer");
        let claims = answers.map(|answer| Claim::of(&answer)).collect();
        (run, claims)
    }

    fn judge(&self, claims: &[Claim]) -> Verdict {
        let claimed = claims.iter().any(|claim| claim.outcome == "succeeded");
        if self.outcome == "none" {
            return if claimed { Verdict::Wrong(format!("claims {claims:?}")) } else { Verdict::Correct };
        }
        let hits: Vec<&Claim> = claims.iter().filter(|claim| self.is_met_by(claim)).collect();
        let cause = Some(&self.cause);
        let root = self.cause.is_empty() || self.cause == self.actor;
        if !hits.is_empty() && (root || hits.iter().any(|hit| hit.cause.as_ref() == cause)) {
            return Verdict::Correct;
        }
        let silent = hits.iter().all(|hit| hit.cause.is_none() || hit.cause.as_ref() == cause);
        if self.may_be_unknown && !claimed || self.cause_may_be_unknown && !hits.is_empty() && silent {
            return Verdict::Unknown;
        }
        Verdict::Wrong(format!("answers {claims:?}"))
    }

    fn is_met_by(&self, claim: &Claim) -> bool {
        claim.outcome == self.outcome
            && (self.actor.is_empty() || claim.actor == self.actor)
            && (self.mechanisms.is_empty() || self.mechanisms.contains(&claim.mechanism))
    }
}

impl Claim {
    fn of(answer: &Value) -> Self {
        Self {
            outcome: word(&answer["outcome"]),
            actor: word(&answer["actor"]["username"]),
            mechanism: word(&answer["mechanism"]),
            cause: answer["cause"]["actor"]["username"].as_str().map(str::to_owned),
        }
    }
}

fn subject(record: &Value) -> Subject {
    (word(&record["kind"]), word(&record["namespace"]), word(&record["name"]))
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
