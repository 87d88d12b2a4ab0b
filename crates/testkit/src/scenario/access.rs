//! People who reach into pods.

use super::Scenario;
use super::eviction::web;
use super::object::Object;
use super::story::Story;
use crate::cast::Actor;
use crate::entry::Entry;
use crate::json::Json;
use crate::object_ref::ObjectRef;
use crate::{list, object};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "exec",
        about: "in `shop/web-1` maria follows a log for three minutes, `ops/ci` runs `env` with an old kubectl (`create`), lea \
                attaches, jonas opens a shell that is still open, mallory may not (403)",
        tell: exec,
    },
    Scenario {
        name: "port-forward",
        about: "maria forwards a port of `shop/web-1`: over a WebSocket (`get`) it fails (500), over SPDY (`create`) it lasts 25 \
                minutes",
        tell: port_forward,
    },
    Scenario {
        name: "debug",
        about: "maria puts the ephemeral container `debugger-q7xjm` into `shop/web-1` (kubectl debug) and attaches to it",
        tell: debug,
    },
];

/// A request that opens a session in a pod: no bodies, whatever the verb.
fn session(actor: &Actor, verb: &str, pod: &Object, sub: &str, query: &str) -> Entry {
    let entry = actor.call(verb, pod.at.clone().with_subresource(sub)).switched();
    if query.is_empty() { entry } else { entry.query(query) }
}

fn exec(story: &mut Story) {
    let pod = web(story, "web-1");
    let follow =
        "command=sh&command=-c&command=tail+-f+%2Fvar%2Flog%2Fapp.log&container=app&stderr=true&stdout=true";
    story.open(session(&Actor::maria(), "get", &pod, "exec", follow), Some(184_000));
    story.wait(20_000);
    let old = Actor::service_account("ops", "ci", "kubectl/v1.28.9 (linux/amd64) kubernetes/ad5b2b1");
    let env = "command=env&container=app&stderr=true&stdout=true";
    story.open(session(&old, "create", &pod, "exec", env), Some(240));
    story.wait(5000);
    let lea = Actor::person("lea", "system:masters");
    let attach = "container=app&stdin=true&stdout=true&tty=true";
    story.open(session(&lea, "get", &pod, "attach", attach), Some(41_000));
    story.wait(9000);
    let shell = "command=%2Fbin%2Fbash&container=app&stdin=true&stdout=true&tty=true";
    story.open(session(&Actor::jonas(), "get", &pod, "exec", shell), None);
    story.wait(300_000);
    let mallory = Actor::person("mallory", "shop-guests");
    let message = "pods \"web-1\" is forbidden: User \"mallory\" cannot get resource \"pods/exec\" in API group \"\" in \
                   the namespace \"shop\"";
    let details = object! { "name": "web-1", "kind": "pods" };
    let refused = session(&mallory, "get", &pod, "exec", shell);
    story.send(refused.fail(403, "Forbidden", message, Some(details)).decided("forbid", ""));
}

fn port_forward(story: &mut Story) {
    let pod = web(story, "web-1");
    let maria = Actor::maria();
    let failure = object! {
        "metadata": object! {}, "status": "Failure",
        "message": "error dialing backend: dial tcp 10.0.1.11:10250: connect: connection refused", "code": 500,
    };
    let refused = session(&maria, "get", &pod, "portforward", "");
    story.open(Entry { status: Some(failure), ..refused }, Some(1));
    story.open(session(&maria, "create", &pod, "portforward", ""), Some(1_512_000));
}

fn debug(story: &mut Story) {
    let mut pod = web(story, "web-1");
    let maria = Actor::maria();
    story.send(maria.call("get", pod.at.clone()));
    let name = "debugger-q7xjm";
    let container = object! {
        "image": "busybox:1.37",
        "imagePullPolicy": "IfNotPresent",
        "name": name,
        "resources": object! {},
        "stdin": true,
        "terminationMessagePolicy": "File",
        "tty": true,
    };
    let patch = object! {
        "spec": object! {
            "$setElementOrder/ephemeralContainers": list![object! { "name": name }],
            "ephemeralContainers": list![container.clone()],
        },
    };
    pod.spec.set(&["ephemeralContainers"], Json::List(vec![container]));
    story.patch(&maria, &mut pod, "ephemeralcontainers", "", patch);
    let watch = maria.call("watch", ObjectRef::pod("shop", "web-1").collection());
    let watch = watch.query("allowWatchBookmarks=true&fieldSelector=metadata.name%3Dweb-1&watch=true");
    story.open(Entry { object_ref: Some(pod.at.clone()), ..watch }, Some(2200));
    story.run(&mut pod);
    story.wait(1500);
    let attach = format!("container={name}&stdin=true&stdout=true&tty=true");
    story.open(session(&maria, "get", &pod, "attach", &attach), Some(95_000));
}
