#!/usr/bin/env python3
"""How the time of a question grows with how often the same was done: twice as often should take twice as long.

usage: benches/often.py [--times 10000]

Builds the release binary, and writes logs below target/bench-logs in which something is done over and over, as autoscalers and upgrades
do it and as somebody may to make questions slow: an object is made and deleted, an owner is changed and has pods, a node is tainted and
loses pods, a user drains one node or many; each with so many repetitions, and with twice as many. Each question is asked three times,
and the fastest answer counts.
"""
import argparse, datetime, json, pathlib, subprocess, sys, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOGS = ROOT / "target/bench-logs"
AUDIT_WHO = ROOT / "target/release/audit-who"
BEGIN = datetime.datetime(2026, 3, 2, 9)
OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d4f8c7b9", "uid": "owner", "controller": True}
SYSTEM = "system:serviceaccount:kube-system:"
CONTROLLER, DEPLOYMENTS, STATEFUL = (f"{SYSTEM}{name}-controller" for name in ("replicaset", "deployment", "statefulset"))

def entry(millis, verb, resource, name="", namespace="shop", user="maria", code=200, group="", subresource="", uid="", request=None, response=None):
    """An entry as the API server writes it."""
    of = {"resource": resource, "namespace": namespace, "name": name, "uid": uid, "apiGroup": group, "apiVersion": "v1", "subresource": subresource}
    received, answered = ((BEGIN + datetime.timedelta(milliseconds=at)).isoformat(timespec="microseconds") + "Z" for at in (millis, millis + 1))
    bodies = {key: body for key, body in (("requestObject", request), ("responseObject", response)) if body}
    event = {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse" if bodies else "Metadata",
        "auditID": f"{verb}-{name}-{millis}", "stage": "ResponseComplete", "requestURI": f"/apis/{resource}/{name}", "verb": verb,
        "user": {"username": user}, "objectRef": {key: value for key, value in of.items() if value}, "responseStatus": {"code": code},
        **bodies, "requestReceivedTimestamp": received, "stageTimestamp": answered,
    }
    return json.dumps(event, separators=(",", ":")) + "\n"

def made_and_deleted(number):
    yield entry(number * 4, "create", "configmaps", "x", uid=str(number), code=201)
    yield entry(number * 4 + 2, "delete", "configmaps", "x", uid=str(number))

def listed(number):
    removed = {"items": [{"metadata": {"name": "x", "namespace": "shop", "uid": str(number)}}]}
    yield entry(number * 4, "create", "configmaps", "x", uid=str(number), code=201)
    yield entry(number * 4 + 2, "deletecollection", "configmaps", response=removed)

def unnamed(number):
    removed = {"items": [{"metadata": {"name": "x", "namespace": "shop"}}]}
    yield entry(number * 4, "create", "configmaps", "x", uid=str(number), code=201)
    yield entry(number * 4 + 2, "deletecollection", "configmaps", response=removed)

def unlisted(number):
    yield entry(number * 4, "create", "configmaps", "x", uid=str(number), code=201)
    yield entry(number * 4 + 2, "deletecollection", "configmaps")

def owned(number):
    pod, name = {"namespace": "shop", "uid": str(number), "ownerReferences": [OWNER]}, f"web-5d4f8c7b9-{number}"
    scaled = {"metadata": {"name": OWNER["name"], "uid": OWNER["uid"]}, "spec": {"replicas": number % 2}}
    yield entry(number * 6, "create", "pods", name, user=CONTROLLER, uid=str(number), code=201, response={"metadata": {"name": name, **pod}})
    yield entry(number * 6 + 1, "update", "replicasets", OWNER["name"], group="apps", uid=OWNER["uid"], response=scaled)
    yield entry(number * 6 + 3, "delete", "pods", name, user=CONTROLLER, uid=str(number))

def bare(number):
    name = f"web-5d4f8c7b9-{number}"
    yield entry(number * 8, "patch", "deployments", "web", group="apps")
    yield entry(number * 8 + 1, "update", "replicasets", OWNER["name"], group="apps", user=DEPLOYMENTS)
    yield entry(number * 8 + 2, "create", "pods", name, subresource="binding", user="system:kube-scheduler", code=201)
    yield entry(number * 8 + 5, "delete", "pods", name, user=CONTROLLER)

def numbered(number):
    scaled, name, uid = {"spec": {"replicas": number % 3}}, f"db-{number % 3}", str(number)
    yield entry(number * 8, "update", "statefulsets", "db", group="apps", subresource="scale", request=scaled, response=scaled)
    yield entry(number * 8 + 2, "create", "pods", name, uid=uid, user=STATEFUL, code=201, response={"metadata": {"name": name, "uid": uid}})
    yield entry(number * 8 + 5, "delete", "pods", name, uid=uid, user=STATEFUL)

def autoscaled(number):
    name, scaled = f"web-{number}", {"spec": {"replicas": number % 3}}
    scaler = {"metadata": {"name": name}, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": name}}}
    yield entry(number * 4, "create", "horizontalpodautoscalers", name, group="autoscaling", code=201, response=scaler)
    user = f"{SYSTEM}horizontal-pod-autoscaler"
    yield entry(number * 4 + 1, "update", "deployments", name, group="apps", subresource="scale", user=user, request=scaled, response=scaled)

def bound(millis, name, node):
    request = {"target": {"name": node}}
    return entry(millis, "create", "pods", name, subresource="binding", user="system:kube-scheduler", code=201, request=request)

def patched(millis, node, spec):
    return entry(millis, "patch", "nodes", node, namespace="", request={"spec": spec}, response={"metadata": {"name": node}, "spec": spec})

def tainted(number):
    yield patched(number * 8, "n1", {"taints": [{"key": "k", "effect": "NoExecute", "value": str(number)}]})
    yield bound(number * 8 + 1, f"web-{number}", "n1")
    yield entry(number * 8 + 5, "delete", "pods", f"web-{number}", user=f"{SYSTEM}taint-eviction-controller")

def drained(number, node="n1"):
    yield patched(number * 8, node, {"unschedulable": True})
    yield bound(number * 8 + 1, f"web-{number}", node)
    yield entry(number * 8 + 2, "create", "pods", f"web-{number}", subresource="eviction", code=201)
    yield patched(number * 8 + 3, node, {"unschedulable": False})

def each_drained(number):
    yield from drained(number, f"n{number}")

CASES = [
    (made_and_deleted, ["deleted", "cm/x", "-n", "shop"]), (listed, ["deleted", "cm/x", "-n", "shop"]),
    (unnamed, ["deleted", "cm/x", "-n", "shop"]), (unlisted, ["deleted", "cm/x", "-n", "shop"]),
    (owned, ["deleted", "pod"]), (bare, ["deleted", "pod"]), (numbered, ["created", "pod"]), (autoscaled, ["scaled", "deploy"]),
    (tainted, ["evicted", "pod"]), (drained, ["drained", "node/n1"]), (each_drained, ["drained", "node"]),
]

def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--times", type=int, default=10_000)
    times = parser.parse_args().times
    subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "audit-who"], cwd=ROOT, check=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    print(f"{'done over and over':<20} {times:>10} {2 * times:>10}  growth, seconds")
    for tell, question in CASES:
        once, twice = (asked(tell, question, count) for count in (times, 2 * times))
        print(f"{tell.__name__:<20} {once:10.3f} {twice:10.3f}  {twice / once:.1f}", flush=True)

def asked(tell, question, count):
    """Seconds of the fastest round."""
    log = LOGS / "often.log"
    with log.open("w") as out:
        for number in range(count):
            out.writelines(tell(number))
    best = None
    for _ in range(3):
        start = time.monotonic()
        said = subprocess.run([AUDIT_WHO, *question, log], capture_output=True)
        if said.returncode not in (0, 1):
            raise SystemExit(said.stderr.decode())
        best = min(best or sys.float_info.max, time.monotonic() - start)
    log.unlink()
    return best

sys.exit(main())
