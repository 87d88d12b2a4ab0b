//! Logs that mislead whoever reads them carelessly.

use super::Scenario;
use super::eviction::web;
use super::object::{Object, kubectl_options};
use super::story::Story;
use crate::cast::Actor;
use crate::entry::Entry;
use crate::object;
use crate::object_ref::ObjectRef;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "other-group",
        about: "maria deletes `web-1` of `pods.whales.example`; the core pod `shop/web-1` lives",
        tell: other_group,
    },
    Scenario {
        name: "generate-name",
        about: "jonas creates a pod by generateName, `shop/task-x7k2p`, and deletes it; its name is in the answer alone",
        tell: generate_name,
    },
    Scenario {
        name: "forged-audit-id",
        about: "jonas and maria chose the same audit id: he got `shop/web-1`, she deleted it",
        tell: forged_audit_id,
    },
    Scenario {
        name: "hostile",
        about: "users with terminal escapes and a spreadsheet formula in their names delete `shop/web-1` and `shop/web-2`",
        tell: hostile,
    },
];

fn other_group(story: &mut Story) {
    let mut pod = web(story, "web-1");
    let at = ObjectRef::of_group("whales.example", "v1", "pods", "shop", "web-1");
    let mut whale = Object::new(at, "Pod", object! { "length": 30 });
    story.create(&Actor::maria(), &mut whale, "fieldManager=kubectl-create&fieldValidation=Strict");
    story.wait(9000);
    story.delete_at_once(&Actor::maria(), &whale, kubectl_options());
    story.run(&mut pod);
}

fn generate_name(story: &mut Story) {
    let mut pod = Object::pod("task-x7k2p");
    "task-".clone_into(&mut pod.generate_name);
    story.start(&Actor::jonas(), &mut pod);
    story.wait(30_000);
    story.delete(&Actor::jonas(), &mut pod, kubectl_options(), 30);
    story.last_words(&mut pod);
}

fn forged_audit_id(story: &mut Story) {
    const FORGED: &str = "not-a-uuid;\"<b>chosen by the client</b>";
    let mut pod = web(story, "web-1");
    story.send_as(Actor::jonas().call("get", pod.at.clone()), FORGED.to_owned());
    story.doom(&mut pod, 30);
    let entry = Actor::maria().call("delete", pod.at.clone()).body(kubectl_options()).answer(200, pod.body());
    story.send_as(entry, FORGED.to_owned());
    story.last_words(&mut pod);
}

fn hostile(story: &mut Story) {
    let mut first = web(story, "web-1");
    let mut second = web(story, "web-2");
    let eve = Actor::person("eve\u{1b}[31m\r\nroot\u{202e}nimda\tok", "shop-devs")
        .with_agent("kubectl \"v1.34\" <script>alert('&')</script> \\ end");
    story.delete(&eve, &mut first, kubectl_options(), 30);
    story.last_words(&mut first);
    let formula = Actor::person("=cmd|' /C calc'!A0", "shop-devs").with_agent("@SUM(1+1)*cmd,\"quoted\"");
    let entry = Story::eviction(&formula, &second).succeed(201, None);
    story.accept(&mut second);
    // The client invented all addresses but the last.
    let source_ips = vec!["203.0.113.9".to_owned(), "::1".to_owned(), "192.0.2.66".to_owned()];
    story.send(Entry { source_ips, ..entry });
    story.last_words(&mut second);
}
