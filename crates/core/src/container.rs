//! Which container printed a file, where the path tells.
//!
//! Whoever may run a container can let it print what looks like an audit entry. Who asks about all of `/var/log` means the logs of
//! API servers.

use std::ffi::OsStr;
use std::path::Path;

use audit_who_event::envelope;

/// The name of the container that printed the file at `path`, if that is no API server.
///
/// Kubelets keep `pods/NAMESPACE_POD_UID/CONTAINER/0.log` (`BuildContainerLogsDirectory` in
/// [helpers.go](https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/kuberuntime/helpers.go)), `oc adm inspect` writes
/// `pods/POD/CONTAINER/CONTAINER/logs/current.log`. A link counts as what it names, as those in `/var/log/containers` do.
pub(crate) fn other_container(path: &Path) -> Option<String> {
    let is_linked = path.parent().is_some_and(|folder| folder.ends_with("containers"));
    let target = is_linked.then(|| path.read_link().ok()).flatten();
    let parts: Vec<&OsStr> = target.as_deref().unwrap_or(path).iter().collect();
    // A container may be called `pods`, too.
    let folders = parts.iter().enumerate().filter(|(_, part)| **part == "pods");
    folders.map(|(at, _)| &parts[at + 1..]).find_map(container_below)
}

/// The container by what follows the folder `pods`, if that is no API server.
fn container_below(parts: &[&OsStr]) -> Option<String> {
    let [pod, container, deeper @ .., _] = parts else { return None };
    let is_of_kubelet = deeper.is_empty() && pod.to_string_lossy().matches('_').count() == 2;
    let is_inspected = deeper.last().is_some_and(|folder| *folder == "logs");
    let name = container.to_string_lossy();
    ((is_of_kubelet || is_inspected) && !envelope::is_api_server(&name)).then(|| name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_told_by_their_folders() {
        for (path, container) in [
            ("/var/log/pods/shop_web-1_0a1b/web/0.log", Some("web")),
            ("/var/log/pods/shop_web-1_0a1b/web/0.log.20261123-054500.gz", Some("web")),
            ("/var/log/pods/shop_web-1_0a1b/pods/0.log", Some("pods")),
            ("/srv/pods/copy/var/log/pods/shop_web-1_0a1b/web/0.log", Some("web")),
            ("/var/log/pods/kube-system_kube-apiserver-cp_0a1b/kube-apiserver/0.log", None),
            ("must-gather/namespaces/shop/pods/web-1/web/web/logs/current.log", Some("web")),
            ("inspect/pods/kube-apiserver-0/kube-apiserver/kube-apiserver/logs/current.log", None),
            ("pods/cluster-1/server-a/audit.log", None),
            ("/var/log/kubernetes/audit/audit.log", None),
            ("pods/audit.log", None),
            ("pods", None),
        ] {
            assert_eq!(other_container(Path::new(path)).as_deref(), container, "{path}");
        }
    }
}
