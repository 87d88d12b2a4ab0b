"""A folder of compressed files, as rotation leaves them."""

import gzip
import shlex
import shutil

import promise
from logs import ABSENT, BLOCK
from measure import Row, measure
from question import evicted
from report import Table, amount
from scenario.names import answers

name = "gz"
is_asked_for = False
takes_any_log = False
EVICTED, ONE_POD, ZCAT = "audit-who evicted", "audit-who evicted, one pod", "zcat | rg -c -F"


def run(logs, peers, rounds):
    folder = logs.archive()
    files = sorted(folder.glob("*.gz"))
    size = sum(inflated(file) for file in files)
    rows = []
    if peers.has_rg and shutil.which("zcat"):
        command = f"zcat {shlex.join(map(str, files))} | rg -c -F {ABSENT}"
        rows.append(Row(ZCAT, ["sh", "-c", command], size))
    rows.append(peers.ours("evicted", ["evicted", f"pod/{ABSENT}", folder], size, answers))
    rare = ["evicted", f"pod/{logs.rare_pod()}", folder]
    rows.append(peers.ours("evicted, one pod", rare, size, answers))
    rows += peers.ask(evicted(ABSENT), folder / "*.gz", size)
    measure(rows, rounds)
    title = f"{len(files)} compressed files of {amount(size / len(files))} of log each"
    faster = [promise.faster(rows, label, 3, ZCAT) for label in [EVICTED, ONE_POD]]
    return Table(name, title, rows, [*faster, promise.memory(rows)])


def inflated(file):
    with gzip.open(file) as log:
        return sum(len(block) for block in iter(lambda: log.read(BLOCK), b""))
