"""Every entry counts."""

import json

import promise
from measure import measure
from peers import DATABASES
from question import top_users
from report import Table, amount

name = "top"
is_asked_for = False
takes_any_log = True
TOP = "audit-who top users"


def run(logs, peers, rounds):
    log = logs.whole()
    size = log.stat().st_size
    rows = peers.rg("ResponseComplete", log)
    rows.append(peers.ours("top users", ["top", "users", log], size, first))
    rows += peers.ask(top_users(), log, size, logs.tenth(), answer=first)
    measure(rows, rounds)
    promises = [promise.faster_than_all(rows, TOP, 3, DATABASES), promise.faster(rows, TOP, 20, "jq")]
    title = f"The users with most requests, {amount(size)} of log"
    return Table(name, title, rows, [*promises, promise.memory(rows)])


def first(output):
    """The first user and its requests, without the commas of thousands."""
    line = next(line for line in output.splitlines() if not line.startswith("USER "))
    # uniq puts the number first, lnav writes JSON.
    user, number, *_ = json.loads(line).values() if line.startswith("{") else line.split()
    if user.isdigit():
        user, number = number, user
    return f"{user} {number}".replace(",", "")
