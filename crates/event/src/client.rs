//! Which program a `User-Agent` tells of. It is the client's own word: anybody can send any.

/// The longest name that is given, in bytes.
const MAX_LEN: usize = 64;

/// What stands in the agents of programs whose first word does not name them, and what they are called here. The first
/// that fits is taken. All else names itself in its first word: `kubectl/v1.32.4 (linux/amd64) kubernetes/4cb5f07`.
const NAMES: &[(Place, &str, &str)] = &[
    (Place::Start, "kubectl-dispatcher/", "kubectl"),
    (Place::Start, "kubectl.exe/", "kubectl"),
    (Place::Start, "oc.exe/", "oc"),
    (Place::Start, "Helm/", "helm"),
    (Place::Anywhere, "OpenTofu/", "opentofu"),
    (Place::Anywhere, "Terraform/", "terraform"),
    (Place::Start, "pulumi-", "pulumi"),
    (Place::Start, "velero-", "velero"),
    (Place::Anywhere, "OpenLens/", "Lens"),
    (Place::Anywhere, "Lens/", "Lens"),
    (Place::Anywhere, "ansible", "ansible"),
    (Place::End, "/python", "Python client"),
    (Place::End, "/java", "Java client"),
    (Place::Start, "Kubernetes Java Client/", "Java client"),
    (Place::End, "/ruby", "Ruby client"),
    (Place::End, "/csharp", "C# client"),
    (Place::End, "/javascript", "JavaScript client"),
    (Place::Start, "Go-http-client/", "Go program"),
    (Place::Start, "Mozilla/", "browser"),
];

/// Programs that hold many controllers, by how their first word ends.
const MANY_IN_ONE: &[&str] = &["controller-manager", "k3s", "rke2", "k0s", "microk8s", "hyperkube"];

/// Where in an agent a text stands.
#[derive(Clone, Copy)]
enum Place {
    Start,
    End,
    Anywhere,
}

/// The program that a `User-Agent` tells of, such as `kubectl` or `kube-controller-manager/replicaset-controller`.
///
/// The name is at most 64 bytes of printable ASCII, spaces among it. `None` if the agent does not begin with such a character.
pub fn client(user_agent: &str) -> Option<String> {
    let mut name = String::new();
    write_client(user_agent, &mut name).then_some(name)
}

/// Writes the program that a `User-Agent` tells of behind what stands in `name`; says whether it tells of one.
pub(crate) fn write_client(user_agent: &str, name: &mut String) -> bool {
    let known = NAMES.iter().find(|(place, text, _)| match place {
        Place::Start => user_agent.starts_with(text),
        Place::End => user_agent.ends_with(text),
        Place::Anywhere => user_agent.contains(text),
    });
    if let Some((_, _, known)) = known {
        name.push_str(known);
        return true;
    }
    let start = name.len();
    let program = word(user_agent.split('/').next().unwrap_or_default());
    name.push_str(program);
    if let Some(controller) = controller(user_agent)
        && MANY_IN_ONE.iter().any(|end| program.ends_with(end))
    {
        name.push('/');
        name.push_str(controller);
    }
    // All of it is ASCII: it can be cut anywhere.
    name.truncate(start + MAX_LEN);
    name.len() > start
}

/// The controller in `kube-controller-manager/VERSION (OS/ARCH) kubernetes/COMMIT/CONTROLLER`. Where controllers have
/// service accounts of their own it stands as `system:serviceaccount:NAMESPACE:NAME`, of which the name is given.
fn controller(user_agent: &str) -> Option<&str> {
    let (_, build) = user_agent.split_once(" kubernetes/")?;
    let (_, suffix) = build.split_once('/')?;
    let last = suffix.rsplit(['/', ':']).next().map(word)?;
    (!last.is_empty()).then_some(last)
}

/// The printable ASCII, spaces not counted, that a text begins with.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_graphic()).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn programs_are_told_from_their_agents() {
        for (agent, name) in [
            ("kubectl/v1.32.4 (linux/amd64) kubernetes/4cb5f07", "kubectl"),
            ("kubectl-dispatcher/v1.0 (linux/amd64)", "kubectl"),
            ("kubectl.exe/v1.28.0 (windows/amd64) kubernetes/855e7c4", "kubectl"),
            ("oc/4.12.0 (linux/amd64) kubernetes/31aa3e8", "oc"),
            ("Helm/3.14.0", "helm"),
            (
                "argocd-application-controller/v0.0.0 (linux/amd64) kubernetes/$Format",
                "argocd-application-controller",
            ),
            ("kustomize-controller/v0.0.0 (linux/amd64) kubernetes/$Format", "kustomize-controller"),
            ("helm-controller/v0.0.0 (linux/amd64) kubernetes/$Format", "helm-controller"),
            ("HashiCorp/1.0 Terraform/1.5.7", "terraform"),
            ("HashiCorp/1.0 OpenTofu/1.8.0", "opentofu"),
            ("k9s/v0.32.5 (linux/amd64) kubernetes/1440643", "k9s"),
            ("Mozilla/5.0 (X11; Linux) OpenLens/6.2.5 Chrome/100 Electron/18", "Lens"),
            ("kubelet/v1.36.2 (linux/amd64) kubernetes/play", "kubelet"),
            ("kube-scheduler/v1.25.8+27e744f (linux/amd64) kubernetes/df8a1b9/scheduler", "kube-scheduler"),
            (
                "kube-controller-manager/v1.17.3 (linux/amd64) kubernetes/06ad960/tokens-controller",
                "kube-controller-manager/tokens-controller",
            ),
            (
                "kube-controller-manager/v1.36.2 (linux/amd64) kubernetes/8e16b12/system:serviceaccount:kube-system:\
                 replicaset-controller",
                "kube-controller-manager/replicaset-controller",
            ),
            (
                "k3s/v1.36.1+k3s1 (linux/amd64) kubernetes/a966326/system:serviceaccount:kube-system:\
                 generic-garbage-collector",
                "k3s/generic-garbage-collector",
            ),
            ("kube-controller-manager/v1.28.0", "kube-controller-manager"),
            ("cluster-autoscaler/v1.30.0 (linux/amd64) kubernetes/abc", "cluster-autoscaler"),
            ("karpenter/v1.0.1 (linux/amd64) kubernetes/abc", "karpenter"),
            ("velero-server/v1.13 (linux/amd64) 01234567", "velero"),
            ("OpenAPI-Generator/29.0.0/python", "Python client"),
            ("Swagger-Codegen/10.0.0/python", "Python client"),
            ("Kubernetes Java Client/18.0.0-SNAPSHOT", "Java client"),
            ("python-requests/2.31.0", "python-requests"),
            ("Go-http-client/2.0", "Go program"),
            ("Mozilla/5.0 (X11; Linux x86_64)", "browser"),
            ("pulumi-kubernetes/v4.0.0", "pulumi"),
            ("curl/7.88.1", "curl"),
            ("v2.6.0", "v2.6.0"),
            ("evil\u{1b}[2J/1", "evil"),
        ] {
            assert_eq!(client(agent).as_deref(), Some(name), "{agent}");
        }
        for agent in ["", " x", "/1.0", "\u{1b}[2J", "\u{202e}x"] {
            assert_eq!(client(agent), None, "{agent:?}");
        }
    }

    proptest! {
        #[test]
        fn names_are_short_and_printable(agent in any::<String>(), suffix in "\\PC{0,100}") {
            let managed = format!("k3s/v1 (linux/amd64) kubernetes/a{suffix}");
            for name in [client(&agent), client(&managed), client(&"x".repeat(100))].into_iter().flatten() {
                prop_assert!(!name.is_empty() && name.len() <= MAX_LEN);
                prop_assert!(name.chars().all(|c| c.is_ascii_graphic() || c == ' '), "{}", name);
            }
        }
    }
}
