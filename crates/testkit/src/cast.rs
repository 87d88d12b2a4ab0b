//! Who sends requests.

use crate::entry::{Entry, User};
use crate::object_ref::ObjectRef;
use crate::random::SplitMix64;

/// A client of the API server.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    pub(crate) user: User,
    pub(crate) agent: String,
    /// Why the authorizer lets it.
    pub(crate) reason: String,
    pub(crate) address: String,
}

/// What kubectl calls itself.
pub(crate) const KUBECTL: &str = "kubectl/v1.34.1 (linux/amd64) kubernetes/93248f9";

impl Actor {
    /// A person of one group, with a client certificate and kubectl.
    pub(crate) fn person(name: &str, group: &str) -> Self {
        Self {
            user: user(name, &[group, "system:authenticated"], "X509SHA256"),
            agent: KUBECTL.to_owned(),
            reason: rbac(group, group, &format!("Group \"{group}\"")),
            address: "192.0.2.17".to_owned(),
        }
    }

    /// Whoever runs the cluster.
    pub(crate) fn maria() -> Self {
        Self::person("maria", "platform")
    }

    /// Whoever runs the shop in it.
    pub(crate) fn jonas() -> Self {
        Self { address: "192.0.2.44".to_owned(), ..Self::person("jonas", "shop-devs") }
    }

    /// A service account with a token and a client of its own.
    pub(crate) fn service_account(namespace: &str, name: &str, agent: &str) -> Self {
        let username = format!("system:serviceaccount:{namespace}:{name}");
        let groups = [
            "system:serviceaccounts",
            &format!("system:serviceaccounts:{namespace}"),
            "system:authenticated",
        ];
        let mut user = user(&username, &groups, "JTI");
        user.uid = SplitMix64::from_text(&format!("uid of {username}")).text(SplitMix64::uuid);
        Self {
            user,
            agent: agent.to_owned(),
            reason: rbac(name, name, &format!("ServiceAccount \"{name}/{namespace}\"")),
            address: "10.0.9.8".to_owned(),
        }
    }

    /// A controller of kube-controller-manager, with its own service account.
    pub(crate) fn controller(name: &str) -> Self {
        let agent = "kube-controller-manager/v1.36.2 (linux/amd64) kubernetes/1f5c7a2";
        let actor = Self::service_account("kube-system", name, "");
        let role = format!("system:controller:{name}");
        Self {
            agent: format!("{agent}/{}", actor.user.username),
            reason: rbac(&role, &role, &format!("ServiceAccount \"{name}/kube-system\"")),
            address: "10.0.0.1".to_owned(),
            ..actor
        }
    }

    /// The scheduler.
    pub(crate) fn scheduler() -> Self {
        let name = "system:kube-scheduler";
        Self {
            user: user(name, &["system:authenticated"], "X509SHA256"),
            agent: "kube-scheduler/v1.36.2 (linux/amd64) kubernetes/1f5c7a2/scheduler".to_owned(),
            reason: rbac(name, name, &format!("User \"{name}\"")),
            address: "10.0.0.1".to_owned(),
        }
    }

    /// The kubelet of a node. The node authorizer gives no reason.
    pub(crate) fn kubelet(node: &str) -> Self {
        Self {
            user: user(
                &format!("system:node:{node}"),
                &["system:nodes", "system:authenticated"],
                "X509SHA256",
            ),
            agent: "kubelet/v1.36.2 (linux/amd64) kubernetes/1f5c7a2".to_owned(),
            reason: String::new(),
            address: "10.0.1.11".to_owned(),
        }
    }

    /// The same client under another `User-Agent`.
    pub(crate) fn with_agent(self, agent: &str) -> Self {
        Self { agent: agent.to_owned(), ..self }
    }

    /// The same client with another credential, such as a token that was minted for it.
    pub(crate) fn with_credential(mut self, credential: &str) -> Self {
        credential.clone_into(&mut self.user.credential);
        self
    }

    /// A request of this actor, allowed.
    pub(crate) fn call(&self, verb: &str, object: ObjectRef) -> Entry {
        let entry = Entry::new(self.user.clone(), verb, object).decided("allow", &self.reason);
        Entry { source_ips: vec![self.address.clone()], user_agent: self.agent.clone(), ..entry }
    }
}

/// A user whose credential follows from the name.
fn user(name: &str, groups: &[&str], credential: &str) -> User {
    let mut random = SplitMix64::from_text(&format!("credential of {name}"));
    let id = match credential {
        "JTI" => random.text(SplitMix64::uuid),
        _ => random.text(|random, out| random.hex(64, out)),
    };
    User {
        username: name.to_owned(),
        uid: String::new(),
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
        credential: format!("{credential}={id}"),
        extra: Vec::new(),
    }
}

fn rbac(binding: &str, role: &str, subject: &str) -> String {
    format!("RBAC: allowed by ClusterRoleBinding \"{binding}\" of ClusterRole \"{role}\" to {subject}")
}
