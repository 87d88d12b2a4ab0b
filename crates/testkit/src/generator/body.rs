//! Bodies with holes, of the sizes that real ones have.

use crate::json::Json;
use crate::{list, object};

/// The `DeleteOptions` of kubectl.
pub(super) fn options() -> Json {
    object! {
        "kind": "DeleteOptions", "apiVersion": "meta.k8s.io/__internal", "propagationPolicy": "Background",
    }
}

/// A deployment of three pods.
pub(super) fn deployment() -> Json {
    let template = object! { "metadata": object! { "labels": object! { "app": "web" } }, "spec": pod_spec() };
    object! {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": metadata("web"),
        "spec": object! { "replicas": 3, "template": template },
        "status": object! { "replicas": 3, "readyReplicas": 3, "conditions": conditions(&["Available"]) },
    }
}

/// A patch that scales a deployment.
pub(super) fn scaled() -> Json {
    object! { "spec": object! { "replicas": 3 } }
}

/// A config map of any size.
pub(super) fn config() -> Json {
    object! {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": metadata("settings"),
        "data": object! { "settings.yaml": "@FILLER@" },
    }
}

fn metadata(name: &str) -> Json {
    object! {
        "name": name,
        "namespace": "@NAMESPACE@",
        "uid": "@UID@",
        "resourceVersion": "@VERSION@",
        "creationTimestamp": "@SECOND@",
        "labels": object! { "app": "web", "team": "shop" },
    }
}

/// Conditions that all are met.
pub(super) fn conditions(kinds: &[&str]) -> Vec<Json> {
    let condition = |&kind: &&str| {
        object! {
            "type": kind, "status": "True", "lastProbeTime": Json::Null, "lastTransitionTime": "@SECOND@",
        }
    };
    kinds.iter().map(condition).collect()
}

/// A node with its images.
pub(super) fn node_body() -> Json {
    let amounts = object! { "cpu": "16", "ephemeral-storage": "200Gi", "memory": "64Gi", "pods": "110" };
    let images: Vec<Json> = (0..16)
        .map(|i| object! { "names": vec![format!("registry.example/shop/image-{i}:1.4.{i}")], "sizeBytes": 51_000_000 })
        .collect();
    object! {
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": object! { "name": "@NODE@", "resourceVersion": "@VERSION@" },
        "status": object! {
            "capacity": amounts.clone(),
            "allocatable": amounts,
            "conditions": conditions(&["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"]),
            "images": images,
        },
    }
}

/// An event of the scheduler, as sent or as stored.
pub(super) fn event(stored: bool) -> Json {
    let name = "@POD@.18a3f0c2d41b7001";
    let metadata = if stored {
        let fields = ["action", "eventTime", "note", "reason", "regarding", "reportingController", "type"]
            .iter()
            .fold(object! {}, |json, field| json.with(&format!("f:{field}"), object! {}));
        metadata(name).with("managedFields", list![managed("kube-scheduler", fields)])
    } else {
        object! { "name": name, "namespace": "@NAMESPACE@" }
    };
    object! {
        "kind": "Event",
        "apiVersion": "events.k8s.io/v1",
        "metadata": metadata,
        "eventTime": "@SECOND@",
        "reportingController": "default-scheduler",
        "reportingInstance": "default-scheduler-control-1",
        "action": "Binding",
        "reason": "Scheduled",
        "regarding": object! {
            "kind": "Pod", "namespace": "@NAMESPACE@", "name": "@POD@", "uid": "@UID@", "apiVersion": "v1",
            "resourceVersion": "@VERSION@",
        },
        "note": "Successfully assigned @NAMESPACE@/@POD@ to @NODE@",
        "type": "Normal",
    }
}

/// The status of a pod that runs.
pub(super) fn pod_status() -> Json {
    object! {
        "phase": "Running",
        "conditions": conditions(&["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"]),
        "hostIP": "10.0.1.11",
        "podIP": "10.2.0.11",
        "startTime": "@SECOND@",
        "containerStatuses": list![object! {
            "name": "app", "ready": true, "restartCount": 0, "image": "registry.example/shop/web:1.4.2",
            "containerID": "containerd://@HEX@@HEX@@HEX@@HEX@",
        }],
    }
}

/// A pod of some 700 bytes as sent, 2 KB as stored: the API server adds defaults, volumes and managed fields.
pub(super) fn pod_body(stored: bool) -> Json {
    let spec = pod_spec();
    let head = object! { "kind": "Pod", "apiVersion": "v1" };
    if stored {
        head.with("metadata", metadata("@POD@").with("managedFields", managed_fields()))
            .with("spec", spec.with("nodeName", "@NODE@").with("volumes", volumes()))
            .with("status", pod_status())
    } else {
        let metadata = object! { "name": "@POD@", "namespace": "@NAMESPACE@" };
        head.with("metadata", metadata.with("labels", object! { "app": "web" })).with("spec", spec)
    }
}

fn pod_spec() -> Json {
    let container = object! {
        "name": "app",
        "image": "registry.example/shop/web:1.4.2",
        "ports": list![object! { "containerPort": 8080, "protocol": "TCP" }],
        "env": list![object! { "name": "MODE", "value": "live" }, object! { "name": "REGION", "value": "eu" }],
        "resources": object! { "requests": object! { "cpu": "100m", "memory": "64Mi" } },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
    };
    object! {
        "containers": list![container],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": object! {},
        "schedulerName": "default-scheduler",
        "enableServiceLinks": true,
    }
}

fn volumes() -> Json {
    let token = object! { "serviceAccountToken": object! { "expirationSeconds": 3607, "path": "token" } };
    let authority = object! { "configMap": object! { "name": "kube-root-ca.crt" } };
    list![object! {
        "name": "kube-api-access-x7k2p",
        "projected": object! { "sources": list![token, authority], "defaultMode": 420 },
    }]
}

fn managed_fields() -> Json {
    let container = object! {
        ".": object! {}, "f:image": object! {}, "f:imagePullPolicy": object! {}, "f:name": object! {},
        "f:resources": object! {}, "f:terminationMessagePath": object! {}, "f:terminationMessagePolicy": object! {},
    };
    let fields = object! {
        "f:metadata": object! { "f:labels": object! { ".": object! {}, "f:app": object! {}, "f:team": object! {} } },
        "f:spec": object! {
            "f:containers": object! { "k:{\"name\":\"app\"}": container },
            "f:dnsPolicy": object! {}, "f:enableServiceLinks": object! {}, "f:restartPolicy": object! {},
            "f:schedulerName": object! {}, "f:securityContext": object! {},
            "f:terminationGracePeriodSeconds": object! {},
        },
    };
    let condition = object! {
        ".": object! {}, "f:lastProbeTime": object! {}, "f:lastTransitionTime": object! {}, "f:status": object! {},
        "f:type": object! {},
    };
    let kinds = ["ContainersReady", "Initialized", "PodReadyToStartContainers", "Ready"];
    let conditions = kinds.iter().fold(object! { ".": object! {} }, |json, kind| {
        json.with(&format!("k:{{\"type\":\"{kind}\"}}"), condition.clone())
    });
    let status = object! {
        "f:status": object! {
            "f:conditions": conditions, "f:containerStatuses": object! {}, "f:hostIP": object! {},
            "f:phase": object! {}, "f:podIP": object! {}, "f:startTime": object! {},
        },
    };
    list![managed("kubectl-create", fields), managed("kubelet", status).with("subresource", "status")]
}

fn managed(manager: &str, fields: Json) -> Json {
    object! {
        "manager": manager, "operation": "Update", "apiVersion": "v1", "time": "@SECOND@", "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
}

/// A list of three pods.
pub(super) fn pod_list() -> Json {
    let pods = vec![pod_body(true); 3];
    object! { "kind": "PodList", "apiVersion": "v1", "metadata": object! { "resourceVersion": "@VERSION@" }, "items": pods }
}
