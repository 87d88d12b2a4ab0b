"""Somebody asks about a pod by its name: one that was never there, one that was, ten thousand."""

from dataclasses import dataclass
from typing import Callable

import promise
from logs import ABSENT, COMMON
from measure import Row, measure
from peers import DATABASES
from question import evicted
from report import Table, amount

EVICTED, CAUSE = "audit-who evicted", "audit-who deleted, with its cause"
ONE_POD = "audit-who evicted, one pod"
LIMITS = [
    ("limit: read, 2 threads", "read", 2, False),
    ("limit: read, 1 thread", "read", 1, False),
    ("limit: read and memmem, 2 threads", "find", 2, False),
    ("limit: read and memmem, 1 thread", "find", 1, False),
    ("limit: memmem in memory, 2 threads", "memory", 2, True),
    ("limit: memmem in memory, 1 thread", "memory", 1, True),
]


@dataclass
class Names:
    name: str
    title: str
    # The pod that is asked for, given the logs; `*` at its end stands for anything.
    pod: Callable
    # Rows beside those of `evicted`: label and question, of this pod or of the rare one.
    more: list
    promises: Callable
    has_limits: bool = False
    takes_any_log: bool = True
    is_asked_for = False

    def run(self, logs, peers, rounds):
        log, pod = logs.whole(), self.pod(logs)
        size = log.stat().st_size
        needle = pod.removesuffix("*")
        rows = peers.rg(needle, log) + peers.rg(needle, log, ["--no-mmap"])
        rows.append(peers.ours("evicted", ["evicted", f"pod/{pod}", log], size, answers))
        for label, question, other in self.more:
            rows.append(peers.ours(label, [question, f"pod/{(other or self.pod)(logs)}", log], size, answers))
        rows += peers.ask(evicted(pod), log, size, logs.tenth(), answer=lines)
        if self.has_limits and peers.limit.exists():
            for label, mode, threads, own_clock in LIMITS:
                command = [peers.limit, mode, str(threads), needle, log]
                rows.append(Row(label, command, size, own_clock=own_clock))
        measure(rows, rounds)
        title = f"{self.title}, {amount(size)} of log"
        return Table(self.name, title, rows, [*self.promises(rows), promise.memory(rows)])


def one_pod(labels):
    """What is promised of a question about one pod."""
    def promises(rows):
        return [
            *(promise.at_most(rows, label, 1.3, "rg -c -F") for label in labels),
            *(promise.faster(rows, EVICTED, 10, name) for name in DATABASES),
            promise.faster(rows, EVICTED, 100, "jq"),
        ]
    return promises


def many_pods(rows):
    return [promise.at_most(rows, EVICTED, 3, ONE_POD)]


def answers(output):
    """How many sentences: each begins with a time."""
    return f"pods: {sum(line[:1].isdigit() for line in output.splitlines())}"


def lines(output):
    return f"pods: {len(output.splitlines())}"


SCENARIOS = [
    Names("absent", "A name that is in no entry", lambda _: ABSENT, [], one_pod([EVICTED]), has_limits=True),
    Names("rare", "A name that one pod has", lambda logs: logs.rare_pod(),
        [("deleted, with its cause", "deleted", None)], one_pod([EVICTED, CAUSE])),
    Names("common", "Names that begin alike, of many pods", lambda _: f"{COMMON}-*",
        [("evicted, one pod", "evicted", lambda logs: logs.rare_pod())], many_pods, takes_any_log=False),
]
