"""The last ten minutes of a log of 2 GB."""

import datetime
import json

import promise
from logs import ABSENT, last_line
from measure import measure
from question import evicted
from report import Table, amount

name = "since"
is_asked_for = False
takes_any_log = False
# The log ends long before now, so `--since 10m` itself finds nothing in it.
LAST, NOTHING = "--since its last ten minutes", "--since 10m"
SPAN = datetime.timedelta(minutes=10)


def run(logs, peers, rounds):
    log = logs.long()
    size = log.stat().st_size
    since = began(log)
    ask = ["evicted", f"pod/{ABSENT}", log, "--since"]
    rows = peers.rg(ABSENT, log)
    rows += [
        peers.ours(LAST, [*ask, since], size),
        peers.ours(NOTHING, [*ask, "10m"], size),
        peers.ours("without --since", ask[:-1], size),
    ]
    rows += peers.ask(evicted(ABSENT, since), log, size)
    measure(rows, rounds)
    promises = [promise.within(rows, f"audit-who {label}", 0.030) for label in (LAST, NOTHING)]
    title = f"The last ten minutes, {amount(size)} of log"
    return Table(name, title, rows, [*promises, promise.memory(rows)])


def began(log):
    """Ten minutes before the last entry, as the log writes times."""
    last = json.loads(last_line(log))["stageTimestamp"]
    return (datetime.datetime.fromisoformat(last.replace("Z", "+00:00")) - SPAN).isoformat().replace("+00:00", "Z")
