"""Whether twice the log takes twice the time: one log, shortened from eight times --bytes to that."""

import statistics

from logs import ABSENT, shorten
from measure import measure
from promise import Promise, memory
from report import Table, amount

name = "linear"
is_asked_for = True
takes_any_log = False
TIMES = [8, 4, 2, 1]


def run(logs, peers, rounds):
    log = logs.growing()
    rows = []
    try:
        for times in TIMES:
            if times != TIMES[0]:
                shorten(log, times * logs.bytes)
            size = log.stat().st_size
            pair = peers.rg(ABSENT, log) + [peers.ours("evicted", ["evicted", f"pod/{ABSENT}", log], size)]
            for row in pair:
                row.label += f", {amount(size)}"
            rows += measure(pair, rounds)
    finally:
        log.unlink()
    rows.reverse()
    rows.sort(key=lambda row: row.label.startswith("audit-who"))
    return Table(name, "Growth of the log", rows, [straight(rows), memory(rows)])


def straight(rows):
    """Seconds per GB of each size, against the line through zero that is nearest to all."""
    costs = [1 / row.rate for row in rows if row.label.startswith("audit-who")]
    middle = statistics.mean(costs)
    worst = max(abs(cost / middle - 1) for cost in costs)
    told = ", ".join(f"{cost:.3f}" for cost in costs)
    return Promise("audit-who evicted within 10 % of a line", f"{worst:.1%} ({told} s per GB)", worst <= 0.1)
