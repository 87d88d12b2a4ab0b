//! Reports for tests.

use std::sync::Arc;

use audit_who_event::answer::{
    Actor, Answer, Attempts, Cause, Certainty, Evidence, Identity, Mechanism, Object, Outcome,
};
use audit_who_event::census::Seen;
use audit_who_event::coverage::{
    BadSpan, Coverage, Gap, Problem, ServerCoverage, SourceCoverage, Tally, Why,
};
use audit_who_event::time::Timestamp;

use crate::{Report, Style, Zone};

/// Every outcome there is.
pub(crate) const OUTCOMES: [Outcome; 7] = [
    Outcome::Succeeded,
    Outcome::Blocked,
    Outcome::Denied,
    Outcome::Failed,
    Outcome::DryRun,
    Outcome::Unconfirmed,
    Outcome::Unknown,
];

/// Every mechanism there is.
pub(crate) const MECHANISMS: [Mechanism; 14] = [
    Mechanism::EvictionApi,
    Mechanism::Preemption,
    Mechanism::Taint,
    Mechanism::NodePressure,
    Mechanism::Delete,
    Mechanism::DeleteCollection,
    Mechanism::ScaleDown,
    Mechanism::Rollout,
    Mechanism::OwnerGc,
    Mechanism::NamespaceDeletion,
    Mechanism::PodGc,
    Mechanism::JobTtl,
    Mechanism::CronjobHistory,
    Mechanism::Finalizer,
];

/// How tests write.
pub(crate) const PLAIN: Style = Style { color: false, zone: Zone::Utc, width: None };

/// A report that owns its parts.
pub(crate) struct Sample {
    pub(crate) answers: Vec<Answer>,
    pub(crate) related: Vec<Answer>,
    pub(crate) coverage: Coverage,
}

impl Sample {
    pub(crate) fn report(&self) -> Report<'_> {
        Report { answers: &self.answers, related: &self.related, coverage: &self.coverage }
    }

    /// A pod that went because somebody scaled its deployment.
    pub(crate) fn scaled_down() -> Self {
        Self { answers: vec![scaled_down()], related: Vec::new(), coverage: coverage() }
    }

    /// A pod that alice evicted, as `kubectl drain` does.
    pub(crate) fn evicted() -> Self {
        Self { answers: vec![evicted()], related: Vec::new(), coverage: coverage() }
    }

    /// `text` in every place that a log can fill.
    pub(crate) fn hostile(text: &str) -> Self {
        let mut answer = scaled_down();
        let fill = |field: &mut String| text.clone_into(field);
        let actor = Arc::new(Actor {
            username: text.into(),
            groups: vec![text.into()],
            impersonated: Some(Identity { username: text.into(), groups: vec![text.into()] }),
            client: Some(text.into()),
            user_agent: Some(text.into()),
            source_ips: vec![text.into(), text.into()],
            credential: Some(text.into()),
            pod: Some(text.into()),
            node: Some(text.into()),
            arn: Some(text.into()),
            session: Some(text.into()),
            field_manager: Some(text.into()),
        });
        answer.object = Object {
            api_group: text.into(),
            resource: text.into(),
            namespace: Some(text.into()),
            name: text.into(),
            uid: Some(text.into()),
        };
        fill(&mut answer.text);
        answer.notes = vec![text.into()];
        for proof in &mut answer.evidence {
            [&mut proof.source, &mut proof.audit_id, &mut proof.stage].into_iter().for_each(fill);
        }
        answer.token_minted = answer.cause.clone();
        let minted = answer.token_minted.iter_mut();
        for cause in minted.chain(answer.chain.iter_mut()).chain(answer.cause.as_mut()) {
            let cause = Arc::make_mut(cause);
            fill(&mut cause.action);
            cause.actor = Arc::clone(&actor);
        }
        answer.actor = Some(actor);
        let mut coverage = coverage();
        fill(&mut coverage.verdict);
        coverage.sources.iter_mut().for_each(|source| fill(&mut source.source));
        for span in &mut coverage.bad_spans {
            [&mut span.source, &mut span.reason].into_iter().for_each(fill);
        }
        for server in &mut coverage.servers {
            fill(&mut server.name);
            for gap in &mut server.gaps {
                [&mut gap.server, &mut gap.before, &mut gap.behind].into_iter().for_each(fill);
            }
        }
        for problem in &mut coverage.problems {
            [&mut problem.source, &mut problem.message].into_iter().for_each(fill);
        }
        Self { answers: vec![answer.clone()], related: vec![answer], coverage }
    }
}

pub(crate) fn at(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text)
}

pub(crate) fn proof(offset: u64, id: &str) -> Evidence {
    Evidence {
        source: "audit.log".into(),
        offset,
        length: 2210,
        audit_id: id.into(),
        stage: "ResponseComplete".into(),
        sha256: Some(format!("{offset:064x}")),
    }
}

fn alice() -> Actor {
    Actor {
        username: "alice".into(),
        groups: vec!["sre".into()],
        client: Some("kubectl".into()),
        user_agent: Some("kubectl/v1.32.4 (linux/amd64)".into()),
        source_ips: vec!["203.0.113.7".into()],
        credential: Some("X509SHA256=5f2c".into()),
        ..Actor::default()
    }
}

fn pod(namespace: &str) -> Object {
    Object {
        api_group: String::new(),
        resource: "pods".into(),
        namespace: Some(namespace.into()),
        name: "web-1".into(),
        uid: Some("0c5e7d1a".into()),
    }
}

pub(crate) fn evicted() -> Answer {
    Answer {
        question: "evicted",
        object: pod("drain"),
        outcome: Outcome::Succeeded,
        mechanism: Some(Mechanism::EvictionApi),
        certainty: Certainty::Recorded,
        time: at("2026-11-23T05:45:10.504068Z"),
        actor: Some(Arc::new(alice())),
        cause: None,
        chain: Vec::new(),
        token_minted: None,
        attempts: Attempts::default(),
        text: "alice evicted pod drain/web-1 through the eviction API (kubectl), draining node n2.".into(),
        notes: Vec::new(),
        evidence: vec![proof(1234, "7d7e")],
    }
}

pub(crate) fn scaled_down() -> Answer {
    let service_account = |name: &str| Actor {
        username: format!("system:serviceaccount:kube-system:{name}"),
        source_ips: vec!["10.0.0.2".into()],
        client: Some("kube-controller-manager".into()),
        ..Actor::default()
    };
    let link = |actor, action: &str, time, offset, id| {
        Arc::new(Cause {
            actor: Arc::new(actor),
            action: action.into(),
            time: at(time),
            certainty: Certainty::Inferred,
            evidence: vec![proof(offset, id)],
            cause: None,
        })
    };
    let root =
        link(alice(), "scaled deployment apps/web from 3 to 1", "2026-11-23T05:45:09.1Z", 8400, "2b1c");
    let controller = service_account("deployment-controller");
    let near = link(
        controller,
        "scaled replicaset apps/web-5d8f from 3 to 1",
        "2026-11-23T05:45:09.8Z",
        10610,
        "9a0e",
    );
    Answer {
        question: "deleted",
        object: pod("shop"),
        outcome: Outcome::Succeeded,
        mechanism: Some(Mechanism::ScaleDown),
        certainty: Certainty::Inferred,
        time: at("2026-11-23T05:45:10.504068Z"),
        actor: Some(Arc::new(service_account("replicaset-controller"))),
        cause: Some(Arc::clone(&root)),
        chain: vec![near, root],
        token_minted: None,
        attempts: Attempts { denied: 1, ..Attempts::default() },
        text: "alice scaled down deployment shop/web, so the replicaset controller deleted pod shop/web-1."
            .into(),
        notes: vec!["2 other pods of replicaset web-5d8f went in the same second.".into()],
        evidence: vec![proof(123_456, "7d7e")],
    }
}

pub(crate) fn coverage() -> Coverage {
    let tally = Tally {
        bytes: 6_100_000,
        entries: 4512,
        decoded_bytes: 40_000,
        skipped_bytes: 6_059_000,
        bad_bytes: 630,
        blank_bytes: 370,
        bad_lines: 1,
        outside_bytes: 0,
        from: at("2026-11-23T05:44:57Z"),
        until: at("2026-11-23T05:48:10.25Z"),
    };
    let source = SourceCoverage { source: "audit.log".into(), encoding: "plain", tally: tally.clone() };
    let rotated = "logs/audit-2026-11-23T05-47-40.000.log";
    let time = |text| Timestamp::parse(text).unwrap();
    let gap = Gap {
        server: "logs".into(),
        from: time("2026-11-23T05:46:00Z"),
        until: time("2026-11-23T05:47:37Z"),
        why: Why::NoEntries,
        before: rotated.into(),
        behind: rotated.into(),
    };
    let server = ServerCoverage {
        name: "logs".into(),
        from: time("2026-11-23T05:44:57Z"),
        until: time("2026-11-23T05:48:10.25Z"),
        files: 2,
        entries: 4512,
        longest_pause: Some(60),
        gaps: vec![gap],
        gap_count: 1,
    };
    let seen = Seen {
        api_group: String::new(),
        resource: "pods".into(),
        subresource: "eviction".into(),
        verb: "create".into(),
        level: "Metadata".into(),
        stages: vec!["ResponseComplete".into()],
        entries: 3,
    };
    Coverage {
        sources: vec![source],
        total: tally,
        servers: vec![server],
        bad_spans: vec![BadSpan {
            source: "audit.log".into(),
            offset: 12345,
            length: 630,
            reason: "torn JSON: the line ends inside a string".into(),
        }],
        problems: vec![Problem {
            source: "old/audit.log.gz".into(),
            message: "permission denied; read it as root".into(),
            fatal: true,
        }],
        seen: vec![seen],
        kept: None,
        truncated: 0,
        context_from: None,
        incomplete: vec!["1 time without entries".into(), "1 bad line".into()],
        verdict: "1 pod was found".into(),
    }
}
