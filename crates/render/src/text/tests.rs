//! Sentences as they are written.

use audit_who_event::answer::Identity;
use proptest::prelude::*;

use super::*;
use crate::hostile;
use crate::sample::{self, PLAIN, Sample};
use crate::terminal::is_hidden;

fn written(sample: &Sample, style: &Style) -> String {
    let mut out = Vec::new();
    write(&sample.report(), style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_plain_answer_is_short() {
    assert_eq!(
        written(&Sample::evicted(), &PLAIN),
        "\
2026-11-23 05:45:10 UTC  alice evicted pod drain/web-1 through the eviction API (kubectl), draining node n2.
  from      203.0.113.7
  evidence  audit.log:1234  ResponseComplete  auditID 7d7e
"
    );
}

#[test]
fn causes_stand_above_the_evidence() {
    assert_eq!(
        written(&Sample::scaled_down(), &PLAIN),
        "\
2026-11-23 05:45:10 UTC  alice scaled down deployment shop/web, so the replicaset controller deleted pod shop/web-1.
  outcome   succeeded, inferred
  because   system:serviceaccount:kube-system:deployment-controller scaled replicaset apps/web-5d8f from 3 to 1 (2026-11-23 05:45:09 UTC, inferred)
  because   alice scaled deployment apps/web from 3 to 1 (2026-11-23 05:45:09 UTC, inferred)
  from      10.0.0.2
  attempts  1 denied
  note      2 other pods of replicaset web-5d8f went in the same second.
  evidence  audit.log:123456  ResponseComplete  auditID 7d7e
  evidence  audit.log:10610   ResponseComplete  auditID 9a0e
  evidence  audit.log:8400    ResponseComplete  auditID 2b1c
"
    );
}

#[test]
fn a_related_answer_is_introduced() {
    let mut sample = Sample::evicted();
    sample.answers.clear();
    let mut removed = sample::evicted();
    removed.text = "alice deleted pod drain/web-1.".into();
    removed.time = None;
    removed.mechanism = Some(Mechanism::Delete);
    removed.evidence.clear();
    sample.related = vec![removed.clone(), removed];
    assert_eq!(
        written(&sample, &PLAIN),
        "\
pod drain/web-1 was not evicted. It was removed:

time unknown  alice deleted pod drain/web-1.
  from      203.0.113.7

time unknown  alice deleted pod drain/web-1.
  from      203.0.113.7
"
    );
}

#[test]
fn what_may_have_shown_it_stands_behind_that_nobody_did() {
    let mut sample = Sample::evicted();
    sample.answers.clear();
    sample.coverage.verdict = "nobody read it".into();
    let listed = Answer {
        text: "maria listed secrets".into(),
        time: None,
        mechanism: None,
        actor: None,
        evidence: Vec::new(),
        ..sample::evicted()
    };
    sample.related = vec![listed];
    assert_eq!(
        written(&sample, &PLAIN),
        "\
nobody read it

It may also have been seen here:

time unknown  maria listed secrets
"
    );
}

#[test]
fn sentences_wrap_under_their_field() {
    let mut sample = Sample::scaled_down();
    sample.answers[0].chain.clear();
    sample.answers[0].evidence = (0..8).map(|n| sample::proof(n, "7d7e")).collect();
    sample.answers[0].actor = None;
    assert_eq!(
        written(&sample, &Style { width: Some(72), ..PLAIN }),
        "\
2026-11-23 05:45:10 UTC  alice scaled down deployment shop/web, so the
            replicaset controller deleted pod shop/web-1.
  outcome   succeeded, inferred
  because   alice scaled deployment apps/web from 3 to 1 (2026-11-23
            05:45:09 UTC, inferred)
  attempts  1 denied
  note      2 other pods of replicaset web-5d8f went in the same second.
  evidence  audit.log:0  ResponseComplete  auditID 7d7e
  evidence  audit.log:1  ResponseComplete  auditID 7d7e
  evidence  audit.log:2  ResponseComplete  auditID 7d7e
  evidence  audit.log:3  ResponseComplete  auditID 7d7e
  evidence  audit.log:4  ResponseComplete  auditID 7d7e
  evidence  … and 4 more in the JSON output
"
    );
}

#[test]
fn colours_mark_who_and_how_it_ended() {
    let mut sample = Sample::evicted();
    let answer = &mut sample.answers[0];
    answer.outcome = Outcome::Denied;
    answer.text = "malice and alice".into();
    let actor = Arc::make_mut(answer.actor.as_mut().unwrap());
    actor.impersonated = Some(Identity { username: "ro\u{1b}ot".into(), groups: Vec::new() });
    assert_eq!(
        written(&sample, &Style { color: true, ..PLAIN }),
        "2026-11-23 05:45:10 UTC  malice and \u{1b}[1malice\u{1b}[0m\n  \
         outcome   \u{1b}[1m\u{1b}[31mdenied\u{1b}[0m\n  \
         as        ro\\x1bot (impersonated)\n  \
         from      203.0.113.7\n  \
         \u{1b}[2mevidence  audit.log:1234  ResponseComplete  auditID 7d7e\u{1b}[0m\n"
    );
}

#[test]
fn an_entry_without_an_id_is_a_place() {
    let mut sample = Sample::evicted();
    let answer = &mut sample.answers[0];
    answer.actor = None;
    answer.evidence.push(answer.evidence[0].clone());
    answer.evidence[0].audit_id.clear();
    answer.evidence[0].stage.clear();
    answer.evidence[0].offset = 9;
    let text = written(&sample, &PLAIN);
    let (_, evidence) = text.split_once('\n').unwrap();
    assert_eq!(
        evidence,
        "  evidence  audit.log:9\n  evidence  audit.log:1234  ResponseComplete  auditID 7d7e\n"
    );
}

#[test]
fn nothing_found_is_the_verdict() {
    let mut sample = Sample::evicted();
    sample.answers.clear();
    sample.coverage.verdict = "nobody evicted pod drain/web-2\u{7}".into();
    assert_eq!(written(&sample, &PLAIN), "nobody evicted pod drain/web-2\\x07\n");
}

proptest! {
    #[test]
    fn nothing_hidden_is_written(text in hostile::text(), width in prop::option::of(40..90_usize)) {
        let sample = Sample::hostile(&text);
        let plain = written(&sample, &Style { width, ..PLAIN });
        prop_assert!(!plain.lines().any(|line| line.contains(is_hidden)));
        let mut colored = written(&sample, &Style { width, color: true, ..PLAIN });
        for ours in ["\u{1b}[1m", "\u{1b}[2m", "\u{1b}[32m", "\u{1b}[0m"] {
            colored = colored.replace(ours, "");
        }
        prop_assert_eq!(colored, plain);
    }
}
