//! Evictions through the eviction API.

use super::Scenario;
use super::object::Object;
use super::story::Story;
use crate::cast::{Actor, KUBECTL};
use crate::entry::{Entry, User};
use crate::object;
use crate::object_ref::ObjectRef;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "eviction-api",
        about: "a service account evicts `shop/web-1`; the kubelet deletes it at the end",
        tell: eviction_api,
    },
    Scenario {
        name: "eviction-blocked",
        about: "budget `web` refuses maria's eviction of `shop/web-1` three times (429), then lets it happen",
        tell: eviction_blocked,
    },
    Scenario {
        name: "eviction-never",
        about: "budget `web` refuses every eviction of `shop/web-1`; the pod lives",
        tell: eviction_never,
    },
    Scenario {
        name: "eviction-denied",
        about: "jonas may not evict `shop/web-1` (403), nor may somebody without a login (401, one entry, user `{}`)",
        tell: eviction_denied,
    },
    Scenario {
        name: "eviction-failed",
        about: "maria evicts `shop/ghost`, which is not there (404)",
        tell: eviction_failed,
    },
    Scenario {
        name: "eviction-504",
        about: "maria hangs up while she evicts `shop/web-1` (504, context canceled): nothing comes of it, the pod lives",
        tell: eviction_504,
    },
    Scenario {
        name: "eviction-dry-run",
        about: "maria tries to evict `shop/web-1` (dry run in the query) and `shop/web-2` (dry run in the body); both live",
        tell: eviction_dry_run,
    },
    Scenario {
        name: "drain",
        about: "maria drains `worker-1`: cordon, list, evictions of `shop/web-1` and, after one 429, `shop/web-2`",
        tell: drain,
    },
    Scenario { name: "impersonation", about: "lea evicts `shop/web-1` acting as maria", tell: impersonation },
];

/// The pod of most stories, created by jonas.
pub(super) fn web(story: &mut Story, name: &str) -> Object {
    let mut pod = Object::pod(name);
    story.start(&Actor::jonas(), &mut pod);
    story.wait(60_000);
    pod
}

fn eviction_api(story: &mut Story) {
    let mut pod = web(story, "web-1");
    let rebalancer = Actor::service_account("ops", "rebalancer", "rebalancer/v0.33 (linux/amd64)");
    story.send(rebalancer.call("get", pod.at.clone()));
    story.evict(&rebalancer, &mut pod);
    story.last_words(&mut pod);
}

fn eviction_blocked(story: &mut Story) {
    let mut pod = web(story, "web-1");
    for _ in 0..3 {
        story.refuse(&Actor::maria(), &pod, "web");
        story.wait(5000);
    }
    story.hum();
    story.evict(&Actor::maria(), &mut pod);
    story.last_words(&mut pod);
}

fn eviction_never(story: &mut Story) {
    let mut pod = web(story, "web-1");
    for _ in 0..4 {
        story.refuse(&Actor::maria(), &pod, "web");
        story.wait(5000);
    }
    story.run(&mut pod);
}

fn eviction_denied(story: &mut Story) {
    let mut pod = web(story, "web-1");
    let jonas = Actor::jonas();
    let message = "pods \"web-1\" is forbidden: User \"jonas\" cannot create resource \"pods/eviction\" in API group \
                   \"\" in the namespace \"shop\"";
    let details = object! { "name": "web-1", "kind": "pods" };
    let entry =
        Story::eviction(&jonas, &pod).fail(403, "Forbidden", message, Some(details)).decided("forbid", "");
    // Nobody reads the body of a request that is not allowed.
    story.send(Entry { request_object: None, ..entry });
    story.wait(2000);
    let stranger = jonas.with_agent("curl/8.14.1");
    let entry = Story::eviction(&stranger, &pod);
    story.refuse_login(entry);
    story.run(&mut pod);
}

fn eviction_failed(story: &mut Story) {
    let pod = Object::pod("ghost");
    let details = object! { "name": "ghost", "kind": "pods" };
    let entry = Story::eviction(&Actor::maria(), &pod);
    story.send(entry.fail(404, "NotFound", "pods \"ghost\" not found", Some(details)));
    story.hum();
}

fn eviction_504(story: &mut Story) {
    let mut pod = web(story, "web-1");
    let entry = Story::eviction(&Actor::maria(), &pod).hung_up();
    story.send(entry);
    // A sign of life.
    story.wait(40_000);
    story.run(&mut pod);
}

fn eviction_dry_run(story: &mut Story) {
    let mut first = web(story, "web-1");
    let mut second = web(story, "web-2");
    let maria = Actor::maria();
    let entry = Story::eviction(&maria, &first).query("dryRun=All").succeed(201, None);
    story.send(entry);
    let body = object! {
        "kind": "Eviction",
        "apiVersion": "policy/v1",
        "metadata": object! { "name": &second.at.name, "namespace": &second.at.namespace },
        "deleteOptions": object! { "dryRun": vec!["All"] },
    };
    let entry = Story::eviction(&maria, &second).body(body).succeed(201, None);
    story.send(entry);
    story.wait(30_000);
    // Signs of life: neither pod was evicted.
    story.run(&mut first);
    story.run(&mut second);
}

fn drain(story: &mut Story) {
    let mut node = Object::node("worker-1");
    story.place(&mut node);
    let mut first = web(story, "web-1");
    let mut second = web(story, "web-2");
    let maria = Actor::maria();
    story.send(maria.call("get", node.at.clone()));
    node.spec = object! { "unschedulable": true };
    story.patch(&maria, &mut node, "", "", object! { "spec": object! { "unschedulable": true } });
    let pods = ObjectRef::core("pods", "", "");
    story.send(maria.call("list", pods).query("fieldSelector=spec.nodeName%3Dworker-1&limit=500"));
    story.evict(&maria, &mut first);
    story.refuse(&maria, &second, "web");
    story.send(maria.call("get", first.at.clone()));
    story.last_words(&mut first);
    story.wait(5000);
    story.evict(&maria, &mut second);
    story.last_words(&mut second);
    let details = object! { "name": "web-2", "kind": "pods" };
    let gone = maria.call("get", second.at.clone());
    story.send(gone.fail(404, "NotFound", "pods \"web-2\" not found", Some(details)));
}

fn impersonation(story: &mut Story) {
    let mut pod = web(story, "web-1");
    let maria = Actor::maria();
    let lea =
        Actor { reason: maria.reason.clone(), ..Actor::person("lea", "system:masters") }.with_agent(KUBECTL);
    let entry = Story::eviction(&lea, &pod).succeed(201, None);
    // The impersonated user has no credential of her own.
    let impersonated = Some(User { credential: String::new(), ..maria.user });
    story.accept(&mut pod);
    story.send(Entry { impersonated, ..entry });
    story.last_words(&mut pod);
}
