//! Requests that last as long as the client wants.

use crate::share::Kind;

/// Subresources whose requests last as long as somebody wants them to
/// ([source](https://github.com/kubernetes/kubernetes/blob/master/pkg/controlplane/apiserver/config.go)).
pub(crate) const LONG_RUNNING: &[&str] = &["attach", "exec", "proxy", "log", "portforward"];

/// The status with which the API server lets a session in: its connection is no longer one of HTTP.
pub const SWITCHING_PROTOCOLS: u16 = 101;

/// Whether a request of some kind may be answered with [`SWITCHING_PROTOCOLS`].
///
/// Kubernetes itself does so for these subresources and for watches over a WebSocket
/// ([source](https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/endpoints/handlers/watch.go)).
/// API servers of others behind it may do so for whatever they serve, as `KubeVirt` does for consoles.
pub fn may_switch_protocols(kind: &Kind<'_>) -> bool {
    let is_own = !kind.group.contains('.') || kind.group.ends_with(".k8s.io");
    !is_own || kind.verb == "watch" || LONG_RUNNING.contains(&kind.subresource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_of_few_kinds() {
        let kind = |group, verb, subresource| Kind { group, subresource, verb, ..Kind::default() };
        for (kind, expected) in [
            (kind("", "get", ""), false),
            (kind("", "get", "exec"), true),
            (kind("", "create", "eviction"), false),
            (kind("", "watch", ""), true),
            (kind("metrics.k8s.io", "list", ""), false),
            (kind("apps", "get", "scale"), false),
            (kind("subresources.kubevirt.io", "get", "vnc"), true),
        ] {
            assert_eq!(may_switch_protocols(&kind), expected, "{kind:?}");
        }
    }
}
