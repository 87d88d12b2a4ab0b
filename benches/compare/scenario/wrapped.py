"""What collectors write around entries."""

import promise
from logs import ABSENT, WRAPPED
from measure import Row, measure
from report import Table, amount
from scenario.counting import first
from scenario.names import answers

name = "wrapped"
is_asked_for = False
takes_any_log = False


def run(logs, peers, rounds):
    rows = []
    for form in WRAPPED:
        log = logs.wrapped(form)
        size = log.stat().st_size
        rows += [Row(f"{row.label}, {form}", row.command, size) for row in peers.rg(ABSENT, log)[:1]]
        rows.append(peers.ours(f"evicted, {form}", ["evicted", f"pod/{ABSENT}", log], size, answers))
        rows.append(peers.ours(f"top users, {form}", ["top", "users", log], size, first))
    measure(rows, rounds)
    promises = [promise.at_most(rows, f"audit-who evicted, {form}", 2, f"rg -c -F, {form}") for form in WRAPPED]
    title = f"Entries in something else, {amount(logs.tenth().stat().st_size)} of entries"
    return Table(name, title, rows, [*promises, promise.memory(rows)])
