//! Secrets, permissions, certificates and tokens.

use super::Scenario;
use super::object::{Object, kubectl_options};
use super::story::Story;
use crate::cast::Actor;
use crate::entry::{Entry, Level, User};
use crate::json::Json;
use crate::object_ref::ObjectRef;
use crate::random::SplitMix64;
use crate::{list, object};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "secret-read",
        about: "jonas reads the secret `shop/db-login`, maria lists those of `shop`, `ops/secret-sync` watches all, lea lists \
                those of `lab`, mallory may not read it (403)",
        tell: secret_read,
    },
    Scenario {
        name: "rbac",
        about: "maria binds jonas and `ops/ci` to `cluster-admin`; jonas adds secrets to role `shop/deployer`, and may not bind \
                himself to more (403)",
        tell: rbac,
    },
    Scenario {
        name: "csr",
        about: "maria approves the certificate signing request `jonas-laptop` and denies `mallory-admin`",
        tell: csr,
    },
    Scenario {
        name: "token",
        about: "maria mints a token for `ops/ci`, which deletes the config map `shop/settings` with it; `shop/web` changes \
                `shop/flags` with the token of pod `shop/web-1`, which the kubelet got",
        tell: token,
    },
];

const KUBECTL_CREATE: &str = "fieldManager=kubectl-create&fieldValidation=Strict";

/// The authorizer says no.
fn forbid(entry: Entry, message: &str, name: &str, kind: &str) -> Entry {
    let details = object! { "name": name, "kind": kind };
    entry.fail(403, "Forbidden", message, Some(details)).decided("forbid", "")
}

fn secret_read(story: &mut Story) {
    let mut secret = Object::new(ObjectRef::core("secrets", "shop", "db-login"), "Secret", Json::Null);
    story.create(&Actor::jonas(), &mut secret, KUBECTL_CREATE);
    story.wait(30_000);
    let all = ObjectRef::core("secrets", "", "");
    let sync = Actor::service_account("ops", "secret-sync", "secret-sync/v2.4 (linux/amd64)");
    let watch = "allowWatchBookmarks=true&resourceVersion=4001&timeoutSeconds=512&watch=true";
    story.open(sync.call("watch", all).query(watch), Some(512_000));
    story.wait(60_000);
    story.send(Actor::jonas().call("get", secret.at.clone()));
    story.wait(45_000);
    story.send(Actor::maria().call("list", secret.at.clone().collection()).query("limit=500"));
    story.wait(7000);
    let lea = Actor::person("lea", "system:masters");
    story.send(lea.call("list", ObjectRef::core("secrets", "lab", "")).query("limit=500"));
    story.wait(21_000);
    let mallory = Actor::person("mallory", "shop-guests");
    let message = "secrets \"db-login\" is forbidden: User \"mallory\" cannot get resource \"secrets\" in API group \
                   \"\" in the namespace \"shop\"";
    for _ in 0..2 {
        story.send(forbid(mallory.call("get", secret.at.clone()), message, "db-login", "secrets"));
        story.wait(3000);
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";

fn binding(name: &str, role: &str, subjects: Json) -> Object {
    let role = object! { "apiGroup": RBAC, "kind": "ClusterRole", "name": role };
    let at = ObjectRef::of_group(RBAC, "v1", "clusterrolebindings", "", name);
    Object::new(at, "ClusterRoleBinding", object! { "subjects": subjects, "roleRef": role })
}

fn user_subject(name: &str) -> Json {
    object! { "kind": "User", "apiGroup": RBAC, "name": name }
}

fn rule(groups: Json, resources: Json, verbs: Json) -> Json {
    object! { "verbs": verbs, "apiGroups": groups, "resources": resources }
}

fn rbac(story: &mut Story) {
    let rules = list![rule(list!["apps"], list!["deployments"], list!["get", "list", "patch"])];
    let at = ObjectRef::of_group(RBAC, "v1", "roles", "shop", "deployer");
    let mut deployer = Object::new(at, "Role", object! { "rules": rules.clone() });
    story.create(&Actor::maria(), &mut deployer, KUBECTL_CREATE);
    story.wait(60_000);
    let account = object! { "kind": "ServiceAccount", "name": "ci", "namespace": "ops" };
    let subjects = list![user_subject("jonas"), account];
    let mut admins = binding("shop-admins", "cluster-admin", subjects);
    story.create(&Actor::maria(), &mut admins, KUBECTL_CREATE);
    story.wait(60_000);
    let Json::List(mut rules) = rules else { return };
    rules.push(rule(list![""], list!["secrets"], list!["get"]));
    deployer.spec.set(&["rules"], rules.clone());
    let query = "fieldManager=kubectl-edit&fieldValidation=Strict";
    story.patch(&Actor::jonas(), &mut deployer, "", query, object! { "rules": rules });
    story.wait(9000);
    let more = binding("jonas-root", "cluster-admin", list![user_subject("jonas")]);
    let entry = Actor::jonas().call("create", more.at.clone()).query(KUBECTL_CREATE).body(more.draft());
    let message = "clusterrolebindings.rbac.authorization.k8s.io \"jonas-root\" is forbidden: user \"jonas\" \
                   (groups=[\"shop-devs\" \"system:authenticated\"]) is attempting to grant RBAC permissions not \
                   currently held";
    let details = object! { "name": "jonas-root", "group": RBAC, "kind": "clusterrolebindings" };
    story.send(entry.fail(403, "Forbidden", message, Some(details)));
}

const CERTIFICATES: &str = "certificates.k8s.io";

/// Somebody asks for a client certificate; the API server notes who it was.
fn ask_for_certificate(story: &mut Story, actor: &Actor, name: &str) -> Object {
    let at = ObjectRef::of_group(CERTIFICATES, "v1", "certificatesigningrequests", "", name);
    let spec = object! {
        "request": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K",
        "signerName": "kubernetes.io/kube-apiserver-client",
        "usages": list!["client auth"],
    };
    let mut request = Object::new(at, "CertificateSigningRequest", spec);
    story.create(actor, &mut request, KUBECTL_CREATE);
    request.spec.set(&["username"], &actor.user.username);
    request.spec.set(&["groups"], actor.user.groups.iter().collect::<Vec<_>>());
    story.wait(120_000);
    request
}

/// `kubectl certificate approve` or `deny`: the whole object with one more condition, as an update of `approval`.
fn decide(story: &mut Story, request: &mut Object, kind: &str, reason: &str, message: &str) {
    story.send(Actor::maria().call("get", request.at.clone()));
    let condition = object! {
        "type": kind, "status": "True", "reason": reason, "message": message,
        "lastUpdateTime": story.seconds(), "lastTransitionTime": story.seconds(),
    };
    request.status = object! { "conditions": list![condition] };
    story.update(&Actor::maria(), request, "approval");
}

fn csr(story: &mut Story) {
    let mut laptop = ask_for_certificate(story, &Actor::jonas(), "jonas-laptop");
    let message = "This CSR was approved by kubectl certificate approve.";
    decide(story, &mut laptop, "Approved", "KubectlApprove", message);
    laptop.status.set(&["certificate"], "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==");
    story.update(&Actor::controller("certificate-controller"), &mut laptop, "status");
    let mallory = Actor::person("mallory", "shop-guests");
    let mut admin = ask_for_certificate(story, &mallory, "mallory-admin");
    let message = "This CSR was denied by kubectl certificate deny.";
    decide(story, &mut admin, "Denied", "KubectlDeny", message);
}

/// A token of a service account, which the log knows by its id alone. Policies record no bodies here.
fn mint(story: &mut Story, actor: &Actor, namespace: &str, account: &str) -> String {
    let credential = format!("JTI={}", story.uid());
    let at = ObjectRef::core("serviceaccounts", namespace, account).with_subresource("token");
    let entry = actor.call("create", at).answer(201, Json::Null);
    let entry = entry.annotation("authentication.kubernetes.io/issued-credential-id", &credential);
    story.send(Entry { level: Level::Metadata, ..entry });
    credential
}

fn token(story: &mut Story) {
    let config =
        |name: &str, data: Json| Object::new(ObjectRef::core("configmaps", "shop", name), "ConfigMap", data);
    let mut settings = config("settings", object! { "mode": "live" });
    story.create(&Actor::jonas(), &mut settings, KUBECTL_CREATE);
    let mut flags = config("flags", object! { "checkout": "old" });
    story.create(&Actor::jonas(), &mut flags, KUBECTL_CREATE);
    story.wait(60_000);
    let credential = mint(story, &Actor::maria(), "ops", "ci");
    story.wait(600_000);
    let ci = Actor::service_account("ops", "ci", crate::cast::KUBECTL).with_credential(&credential);
    story.delete_at_once(&ci, &settings, kubectl_options());
    story.wait(30_000);
    let credential = mint(story, &Actor::kubelet("worker-1"), "shop", "web");
    story.wait(15_000);
    let web = Actor::service_account("shop", "web", "web/1.4.2").with_credential(&credential);
    let uid = |of: &str| SplitMix64::from_text(of).text(SplitMix64::uuid);
    let extra = [
        ("node-name", "worker-1".to_owned()),
        ("node-uid", uid("worker-1")),
        ("pod-name", "web-1".to_owned()),
        ("pod-uid", uid("web-1")),
    ];
    let extra = extra.map(|(key, value)| (format!("authentication.kubernetes.io/{key}"), value));
    let web = Actor { user: User { extra: extra.to_vec(), ..web.user.clone() }, ..web };
    flags.spec.set(&["checkout"], "new");
    story.patch(&web, &mut flags, "", "", object! { "data": object! { "checkout": "new" } });
}
