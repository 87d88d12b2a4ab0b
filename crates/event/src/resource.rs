//! The kinds that Kubernetes itself serves, and the names people use for them.

/// One built-in kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Plural resource name, as `objectRef.resource` has it.
    pub plural: &'static str,
    /// Kind, as bodies have it.
    pub kind: &'static str,
    /// Short names.
    pub short: &'static [&'static str],
    /// API groups that serve these objects: today's first, then those of older versions. The core group is empty.
    pub groups: &'static [&'static str],
    /// Whether the objects live in namespaces.
    pub namespaced: bool,
}

impl Resource {
    /// The built-in kind that `name` means: its plural, its kind, its singular or a short name, in any case.
    pub fn named(name: &str) -> Option<&'static Self> {
        RESOURCES.iter().find(|resource| resource.is_called(name))
    }

    /// The built-in kind with this plural name in this group.
    pub fn of(group: &str, plural: &str) -> Option<&'static Self> {
        RESOURCES.iter().find(|resource| resource.plural == plural && resource.groups.contains(&group))
    }

    /// Every built-in kind, by group.
    pub const fn all() -> &'static [Self] {
        RESOURCES
    }

    /// Singular name: the kind in lower case.
    pub fn singular(&self) -> String {
        self.kind.to_ascii_lowercase()
    }

    /// Whether `name` is one of its names. The singular differs from the kind in case alone, and case is ignored.
    fn is_called(&self, name: &str) -> bool {
        let mut names = [self.plural, self.kind].into_iter().chain(self.short.iter().copied());
        names.any(|own| own.eq_ignore_ascii_case(name))
    }
}

const CORE: &[&str] = &[""];
const APPS: &[&str] = &["apps"];
/// Workloads were in `extensions` up to Kubernetes 1.15, and logs of that time name either group for one object.
const APPS_OLD: &[&str] = &["apps", "extensions"];
const ADMISSION: &[&str] = &["admissionregistration.k8s.io"];
const AUTHENTICATION: &[&str] = &["authentication.k8s.io"];
const AUTHORIZATION: &[&str] = &["authorization.k8s.io"];
const CERTIFICATES: &[&str] = &["certificates.k8s.io"];
const COORDINATION: &[&str] = &["coordination.k8s.io"];
const DEVICES: &[&str] = &["resource.k8s.io"];
const FLOWCONTROL: &[&str] = &["flowcontrol.apiserver.k8s.io"];
const NETWORKING: &[&str] = &["networking.k8s.io"];
const NETWORKING_OLD: &[&str] = &["networking.k8s.io", "extensions"];
const RBAC: &[&str] = &["rbac.authorization.k8s.io"];
const SCHEDULING: &[&str] = &["scheduling.k8s.io"];
const STORAGE: &[&str] = &["storage.k8s.io"];

/// A kind whose objects live in namespaces.
const fn namespaced(
    plural: &'static str,
    kind: &'static str,
    short: &'static [&'static str],
    groups: &'static [&'static str],
) -> Resource {
    Resource { plural, kind, short, groups, namespaced: true }
}

/// A kind whose objects belong to the cluster.
const fn cluster(
    plural: &'static str,
    kind: &'static str,
    short: &'static [&'static str],
    groups: &'static [&'static str],
) -> Resource {
    Resource { plural, kind, short, groups, namespaced: false }
}

/// All kinds of Kubernetes 1.36, and those that 1.8 and later have dropped. No name means two of them.
const RESOURCES: &[Resource] = &[
    namespaced("bindings", "Binding", &[], CORE),
    cluster("componentstatuses", "ComponentStatus", &["cs"], CORE),
    namespaced("configmaps", "ConfigMap", &["cm"], CORE),
    namespaced("endpoints", "Endpoints", &["ep"], CORE),
    namespaced("events", "Event", &["ev"], &["", "events.k8s.io"]),
    namespaced("limitranges", "LimitRange", &["limits"], CORE),
    cluster("namespaces", "Namespace", &["ns"], CORE),
    cluster("nodes", "Node", &["no"], CORE),
    namespaced("persistentvolumeclaims", "PersistentVolumeClaim", &["pvc"], CORE),
    cluster("persistentvolumes", "PersistentVolume", &["pv"], CORE),
    namespaced("pods", "Pod", &["po"], CORE),
    namespaced("podtemplates", "PodTemplate", &[], CORE),
    namespaced("replicationcontrollers", "ReplicationController", &["rc"], &["", "extensions"]),
    namespaced("resourcequotas", "ResourceQuota", &["quota"], CORE),
    namespaced("secrets", "Secret", &[], CORE),
    namespaced("serviceaccounts", "ServiceAccount", &["sa"], CORE),
    namespaced("services", "Service", &["svc"], CORE),
    namespaced("controllerrevisions", "ControllerRevision", &[], APPS),
    namespaced("daemonsets", "DaemonSet", &["ds"], APPS_OLD),
    namespaced("deployments", "Deployment", &["deploy"], APPS_OLD),
    namespaced("replicasets", "ReplicaSet", &["rs"], APPS_OLD),
    namespaced("statefulsets", "StatefulSet", &["sts"], APPS),
    namespaced("cronjobs", "CronJob", &["cj"], &["batch"]),
    namespaced("jobs", "Job", &[], &["batch"]),
    namespaced("horizontalpodautoscalers", "HorizontalPodAutoscaler", &["hpa"], &["autoscaling"]),
    namespaced("poddisruptionbudgets", "PodDisruptionBudget", &["pdb"], &["policy"]),
    cluster("podsecuritypolicies", "PodSecurityPolicy", &["psp"], &["policy", "extensions"]),
    namespaced("ingresses", "Ingress", &["ing"], NETWORKING_OLD),
    namespaced("networkpolicies", "NetworkPolicy", &["netpol"], NETWORKING_OLD),
    cluster("ingressclasses", "IngressClass", &[], NETWORKING),
    cluster("ipaddresses", "IPAddress", &["ip"], NETWORKING),
    cluster("servicecidrs", "ServiceCIDR", &[], NETWORKING),
    namespaced("endpointslices", "EndpointSlice", &[], &["discovery.k8s.io"]),
    cluster("clusterrolebindings", "ClusterRoleBinding", &[], RBAC),
    cluster("clusterroles", "ClusterRole", &[], RBAC),
    namespaced("rolebindings", "RoleBinding", &[], RBAC),
    namespaced("roles", "Role", &[], RBAC),
    cluster("csidrivers", "CSIDriver", &[], STORAGE),
    cluster("csinodes", "CSINode", &[], STORAGE),
    namespaced("csistoragecapacities", "CSIStorageCapacity", &[], STORAGE),
    cluster("storageclasses", "StorageClass", &["sc"], STORAGE),
    cluster("volumeattachments", "VolumeAttachment", &[], STORAGE),
    cluster("volumeattributesclasses", "VolumeAttributesClass", &["vac"], STORAGE),
    cluster("storageversionmigrations", "StorageVersionMigration", &[], &["storagemigration.k8s.io"]),
    cluster("storageversions", "StorageVersion", &[], &["internal.apiserver.k8s.io"]),
    cluster("priorityclasses", "PriorityClass", &["pc"], SCHEDULING),
    namespaced("podgroups", "PodGroup", &[], SCHEDULING),
    namespaced("workloads", "Workload", &[], SCHEDULING),
    namespaced("leasecandidates", "LeaseCandidate", &[], COORDINATION),
    namespaced("leases", "Lease", &[], COORDINATION),
    cluster("certificatesigningrequests", "CertificateSigningRequest", &["csr"], CERTIFICATES),
    cluster("clustertrustbundles", "ClusterTrustBundle", &[], CERTIFICATES),
    namespaced("podcertificaterequests", "PodCertificateRequest", &[], CERTIFICATES),
    cluster(
        "customresourcedefinitions",
        "CustomResourceDefinition",
        &["crd", "crds"],
        &["apiextensions.k8s.io"],
    ),
    cluster("apiservices", "APIService", &[], &["apiregistration.k8s.io"]),
    cluster("mutatingadmissionpolicies", "MutatingAdmissionPolicy", &[], ADMISSION),
    cluster("mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", &[], ADMISSION),
    cluster("mutatingwebhookconfigurations", "MutatingWebhookConfiguration", &[], ADMISSION),
    cluster("validatingadmissionpolicies", "ValidatingAdmissionPolicy", &[], ADMISSION),
    cluster("validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", &[], ADMISSION),
    cluster("validatingwebhookconfigurations", "ValidatingWebhookConfiguration", &[], ADMISSION),
    cluster("flowschemas", "FlowSchema", &[], FLOWCONTROL),
    cluster("prioritylevelconfigurations", "PriorityLevelConfiguration", &[], FLOWCONTROL),
    cluster("runtimeclasses", "RuntimeClass", &[], &["node.k8s.io"]),
    cluster("selfsubjectreviews", "SelfSubjectReview", &[], AUTHENTICATION),
    cluster("tokenreviews", "TokenReview", &[], AUTHENTICATION),
    namespaced("localsubjectaccessreviews", "LocalSubjectAccessReview", &[], AUTHORIZATION),
    cluster("selfsubjectaccessreviews", "SelfSubjectAccessReview", &[], AUTHORIZATION),
    cluster("selfsubjectrulesreviews", "SelfSubjectRulesReview", &[], AUTHORIZATION),
    cluster("subjectaccessreviews", "SubjectAccessReview", &[], AUTHORIZATION),
    cluster("deviceclasses", "DeviceClass", &[], DEVICES),
    cluster("devicetaintrules", "DeviceTaintRule", &[], DEVICES),
    namespaced("podschedulingcontexts", "PodSchedulingContext", &[], DEVICES),
    cluster("resourceclasses", "ResourceClass", &[], DEVICES),
    namespaced("resourceclaims", "ResourceClaim", &[], DEVICES),
    namespaced("resourceclaimtemplates", "ResourceClaimTemplate", &[], DEVICES),
    cluster("resourceslices", "ResourceSlice", &[], DEVICES),
    cluster("auditsinks", "AuditSink", &[], &["auditregistration.k8s.io"]),
    namespaced("podpresets", "PodPreset", &[], &["settings.k8s.io"]),
];

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn every_spelling_finds_its_kind() {
        for (name, plural) in [
            ("pods", "pods"),
            ("Pod", "pods"),
            ("POD", "pods"),
            ("po", "pods"),
            ("deploy", "deployments"),
            ("sts", "statefulsets"),
            ("ds", "daemonsets"),
            ("rs", "replicasets"),
            ("rc", "replicationcontrollers"),
            ("cm", "configmaps"),
            ("ns", "namespaces"),
            ("no", "nodes"),
            ("svc", "services"),
            ("sa", "serviceaccounts"),
            ("pv", "persistentvolumes"),
            ("pvc", "persistentvolumeclaims"),
            ("hpa", "horizontalpodautoscalers"),
            ("pdb", "poddisruptionbudgets"),
            ("cj", "cronjobs"),
            ("ing", "ingresses"),
            ("ep", "endpoints"),
            ("ev", "events"),
            ("csr", "certificatesigningrequests"),
            ("crd", "customresourcedefinitions"),
            ("netpol", "networkpolicies"),
            ("networkpolicy", "networkpolicies"),
            ("sc", "storageclasses"),
            ("pc", "priorityclasses"),
            ("limits", "limitranges"),
            ("quota", "resourcequotas"),
        ] {
            assert_eq!(Resource::named(name).map(|resource| resource.plural), Some(plural), "{name}");
        }
        assert_eq!(Resource::named("whale"), None);
        assert_eq!(Resource::named(""), None);
    }

    #[test]
    fn no_name_means_two_kinds() {
        let mut owners = HashMap::new();
        for resource in RESOURCES {
            let names = [resource.plural, resource.kind].into_iter().chain(resource.short.iter().copied());
            for name in names.map(str::to_ascii_lowercase) {
                let owner = *owners.entry(name.clone()).or_insert(resource.plural);
                assert_eq!(owner, resource.plural, "{name}");
            }
        }
    }

    #[test]
    fn plurals_are_known_in_their_groups_alone() {
        assert!(
            Resource::of("extensions", "deployments").is_some_and(|resource| resource.kind == "Deployment")
        );
        assert!(Resource::of("events.k8s.io", "events").is_some_and(|resource| resource.namespaced));
        assert_eq!(Resource::of("metrics.k8s.io", "pods"), None);
        assert_eq!(Resource::named("deploy").map(Resource::singular).as_deref(), Some("deployment"));
        assert!(Resource::all().iter().all(|resource| !resource.groups.is_empty()));
    }
}
