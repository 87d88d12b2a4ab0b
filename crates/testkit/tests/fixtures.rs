//! The committed logs are those of the scenarios, and have the shape of an audit log.

use std::collections::BTreeSet;

use audit_who_testkit::context::fixtures;
use audit_who_testkit::entry::Level;
use audit_who_testkit::scenario;
use serde_json::Value;

const REGENERATE: &str = "run `cargo run -p audit-who-testkit --bin audit-who-fixtures`";

#[test]
fn committed_logs_are_what_the_scenarios_tell() {
    for scenario in scenario::all() {
        for (path, level) in [("audit.log", Level::RequestResponse), ("metadata/audit.log", Level::Metadata)]
        {
            let file = fixtures().join(scenario.name).join(path);
            let committed = std::fs::read_to_string(&file).unwrap_or_default();
            assert!(committed == scenario.log(level), "{} is out of date: {REGENERATE}", file.display());
        }
    }
}

#[test]
fn the_readme_names_every_scenario() {
    let readme = std::fs::read_to_string(fixtures().join("README.md")).unwrap();
    for scenario in scenario::all() {
        let row = format!("| `{}` | {} |", scenario.name, scenario.about);
        assert!(readme.contains(&row), "fixtures/README.md lacks the row {row}");
    }
}

#[test]
fn names_are_unique_and_found() {
    let names: BTreeSet<_> = scenario::all().map(|scenario| scenario.name).collect();
    assert_eq!(names.len(), scenario::all().count());
    assert!(names.iter().all(|name| scenario::find(name).is_some_and(|found| found.name == *name)));
    assert!(scenario::find("no-such-story").is_none());
}

#[test]
fn every_line_is_an_entry_and_every_log_is_small() {
    for scenario in scenario::all() {
        let log = scenario.log(Level::RequestResponse);
        assert!((10..=60).contains(&log.lines().count()), "{}: {} lines", scenario.name, log.lines().count());
        let mut previous = String::new();
        for line in log.lines() {
            let entry: Value = serde_json::from_str(line).unwrap();
            assert_eq!(entry["apiVersion"], "audit.k8s.io/v1");
            let stage_time = entry["stageTimestamp"].as_str().unwrap().to_owned();
            assert_eq!(stage_time.len(), 27);
            assert!(stage_time >= previous, "{}: completion order is broken", scenario.name);
            assert!(entry["requestReceivedTimestamp"].as_str().unwrap() <= stage_time.as_str());
            previous = stage_time;
        }
    }
}

#[test]
fn no_audit_id_is_used_twice_but_the_forged_one() {
    for scenario in scenario::all().filter(|scenario| scenario.name != "forged-audit-id") {
        let mut seen = BTreeSet::new();
        for entry in scenario.entries() {
            assert!(seen.insert((entry.audit_id.clone(), entry.stage.as_str())), "{}", scenario.name);
        }
    }
}

#[test]
fn metadata_level_holds_no_body() {
    for scenario in scenario::all() {
        let log = scenario.log(Level::Metadata);
        for absent in
            ["\"requestObject\"", "\"responseObject\"", "\"RequestReceived\"", "\"level\":\"Request"]
        {
            assert!(!log.contains(absent), "{} has {absent}", scenario.name);
        }
    }
}

/// A scenario is worth nothing if the fact that it is named for is not in it.
#[test]
fn logs_hold_what_their_names_promise() {
    let facts = [
        (
            "eviction-blocked",
            r#""message":"The disruption budget web needs 2 healthy pods and has 2 currently""#,
        ),
        (
            "eviction-denied",
            r#""stage":"ResponseStarted","requestURI":"/api/v1/namespaces/shop/pods/web-1/eviction","verb":"create","user":{},"#,
        ),
        ("eviction-504", r#"context canceled","reason":"Timeout","details":{},"code":504}"#),
        ("eviction-dry-run", r#"/eviction?dryRun=All","verb":"create""#),
        ("eviction-dry-run", r#""deleteOptions":{"dryRun":["All"]}"#),
        ("drain", r"/api/v1/pods?fieldSelector=spec.nodeName%3Dworker-1\u0026limit=500"),
        ("impersonation", r#""impersonatedUser":{"username":"maria""#),
        ("preemption", r#""note":"Preempted by pod "#),
        (
            "preemption",
            r#""reason":"Unschedulable","status":"False","type":"PodScheduled"}],"nominatedNodeName":"worker-1""#,
        ),
        (
            "preemption-by-deployment",
            r#"/deployments/urgent/scale","verb":"patch","user":{"username":"jonas""#,
        ),
        ("taint", r#""taints":[{"effect":"NoExecute","key":"maintenance"}]"#),
        ("node-silent", r#""key":"node.kubernetes.io/unreachable""#),
        ("node-pressure", r#""phase":"Failed","reason":"Evicted""#),
        ("delete-504", "context canceled"),
        ("delete-dry-run", r#""dryRun":["All"]"#),
        ("delete-collection", r#""kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"#),
        ("delete-collection", r#""items":[{"metadata":{"name":"web-1""#),
        ("owner-collection", r#""kind":"DeploymentList","apiVersion":"apps/v1""#),
        ("scale-down", r#""requestObject":{"spec":{"replicas":1}}"#),
        ("rollout", "kubectl.kubernetes.io/restartedAt"),
        ("rollout-image", "fieldManager=kubectl-set"),
        ("rollback", r#""requestObject":[{"op":"replace","path":"/spec/template","#),
        (
            "rollback",
            r#""deployment.kubernetes.io/revision":"3","deployment.kubernetes.io/revision-history":"1""#,
        ),
        ("job-suspend", r#""requestObject":{"spec":{"suspend":true}}"#),
        ("pod-gc", "DeletionByPodGC"),
        ("finalizer", r#""finalizers":null"#),
        ("other-group", r#""apiGroup":"whales.example""#),
        (
            "generate-name",
            r#""objectRef":{"resource":"pods","namespace":"shop","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":201}"#,
        ),
        ("forged-audit-id", r#""auditID":"not-a-uuid;\"\u003cb\u003echosen by the client\u003c/b\u003e""#),
        ("hostile", "eve\\u001b[31m\\r\\nroot\u{202e}nimda\\tok"),
        ("hostile", "=cmd|' /C calc'!A0"),
        ("exec", r"/exec?command=%2Fbin%2Fbash\u0026container=app"),
        ("exec", "command=tail+-f+%2Fvar%2Flog%2Fapp.log"),
        ("port-forward", r#"/portforward","verb":"create","user":{"username":"maria""#),
        ("debug", r#""subresource":"ephemeralcontainers""#),
        ("secret-read", "/api/v1/secrets?allowWatchBookmarks=true"),
        (
            "rbac",
            r#""roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"cluster-admin"}"#,
        ),
        ("csr", r#""type":"Denied","status":"True","reason":"KubectlDeny""#),
        ("token", r#""authentication.kubernetes.io/issued-credential-id":"JTI="#),
        ("token", r#""authentication.kubernetes.io/pod-name":["web-1"]"#),
        ("labels", r#""requestObject":{"metadata":{"labels":{"tier":null}}}"#),
        ("node-taints", r#""requestObject":{"spec":{"taints":null}}"#),
        ("node-taints", r#""requestObject":{"spec":{"unschedulable":null}}"#),
        ("changes", "fieldManager=kubectl-client-side-apply"),
        ("changes", "fieldManager=argocd-controller\\u0026force=true"),
        ("changes", r#""reason":"Conflict""#),
        ("deprecated", r#""k8s.io/deprecated":"true","k8s.io/removed-release":"1.25""#),
    ];
    for (name, fact) in facts {
        let log = scenario::find(name).unwrap().log(Level::RequestResponse);
        assert!(log.contains(fact), "{name} lacks {fact}");
    }
}
