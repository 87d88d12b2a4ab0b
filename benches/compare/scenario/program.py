"""The program itself: how soon it is there, and how large it is. A peer's start is part of its time elsewhere."""

from measure import Row, measure
from peers import DATABASES
from promise import Promise, within
from report import Table

name = "start"
is_asked_for = False
takes_any_log = True
VERSION = "audit-who --version"


def run(logs, peers, rounds):
    rows = [Row("rg --version", ["rg", "--version"])] * peers.has_rg
    rows.append(Row(VERSION, [peers.audit_who, "--version"]))
    for label, _, before, *_ in peers.here:
        if label in DATABASES:
            rows.append(Row(f"{label}, SELECT 1", [*before, "SELECT 1"]))
    measure(rows, rounds)
    size = peers.audit_who.stat().st_size / 1e6
    promises = [within(rows, VERSION, 0.005), Promise("audit-who < 15 MB on disk", f"{size:.1f} MB", size < 15)]
    return Table(name, "Start and size", rows, promises)
