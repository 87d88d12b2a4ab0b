//! Where API servers log when nobody says otherwise.

use std::path::PathBuf;

/// Paths that distributions and installers use, with whose they are.
const PLACES: &[&str] = &[
    "/var/log/kubernetes/audit", // kubeadm, as its documentation has it
    "/var/log/kubernetes/kube-apiserver-audit.log", // kind, as its documentation has it
    "/var/log/audit/kube-apiserver-audit.log", // kubespray
    "/var/log/kube-apiserver",   // OpenShift, MicroShift
    "/var/log/kube-apiserver-audit.log", // kops
    "/var/log/kube-audit",       // RKE
    "/var/log/audit/kube",       // Talos
    "/var/lib/rancher/rke2/server/logs", // RKE2
    "/var/lib/rancher/k3s/server/logs", // k3s
];

/// The places that exist on this machine.
pub(crate) fn existing() -> Vec<PathBuf> {
    PLACES.iter().map(PathBuf::from).filter(|place| place.exists()).collect()
}

/// All of them, for a message.
pub(crate) fn all() -> String {
    PLACES.join("\n  ")
}
