"""Who else is asked, how, and what of them is here. A further peer is a row of a table."""

import importlib.metadata
import importlib.util
import pathlib
import shlex
import shutil
import subprocess
import sys

from measure import Row
from question import FLAT, NESTED

FORMATS = pathlib.Path(__file__).resolve().parent / "lnav"
DUCKDB_COLUMNS = """{stage: 'VARCHAR', "user": 'STRUCT(username VARCHAR)', objectRef: 'STRUCT("resource" VARCHAR,
    subresource VARCHAR, "namespace" VARCHAR, "name" VARCHAR)', responseStatus: 'STRUCT(code INTEGER)',
    stageTimestamp: 'VARCHAR', sourceIPs: 'VARCHAR[]', userAgent: 'VARCHAR', auditID: 'VARCHAR'}"""
CLICKHOUSE_COLUMNS = """stage String, user Tuple(username String), objectRef Tuple(resource String, subresource String,
    namespace String, name String), responseStatus Tuple(code Int32), stageTimestamp String, sourceIPs Array(String),
    userAgent String, auditID String"""
CLICKHOUSE_SETTINGS = """SETTINGS input_format_skip_unknown_fields = 1,
    input_format_json_ignore_unknown_keys_in_named_tuple = 1,
    input_format_json_defaults_for_missing_elements_in_named_tuple = 1"""
# A progress bar would be among the rows.
RUN_DUCKDB = "import duckdb, sys\nduckdb.execute('SET enable_progress_bar = false')\nfor row in duckdb.sql(sys.argv[1]).fetchall(): print(*row, sep='\\t')"
RUN_CHDB = "import chdb, sys\nprint(chdb.query(sys.argv[1], 'TSV'), end='')"


def duckdb_sql(question, files):
    log = (f"read_json('{files}', format = 'newline_delimited', maximum_object_size = 16777216, "
        f"columns = {DUCKDB_COLUMNS})")
    return question.sql.format(log=log, **NESTED)


def clickhouse_sql(question, files):
    log = f"file('{files}', 'JSONEachRow', '{CLICKHOUSE_COLUMNS}')"
    return f"{question.sql.format(log=log, **NESTED)} {CLICKHOUSE_SETTINGS}"


def lnav_sql(question, _):
    return ";" + question.sql.format(log="kube_audit", **FLAT)


def jq_program(question, _):
    return question.jq


# Stands for the log.
FILE = object()
# Label; the command or Python module it needs; what comes before the query; what the query is; what follows it; which part
# of the log it reads. One that is here in two forms is asked in the first. Python modules are run by a Python of their own,
# whose start is in their time.
PEERS = [
    ("DuckDB", "module:duckdb", [sys.executable, "-c", RUN_DUCKDB], duckdb_sql, [], 1),
    ("DuckDB", "duckdb", ["duckdb", "-noheader", "-list", "-c"], duckdb_sql, [], 1),
    ("ClickHouse", "module:chdb", [sys.executable, "-c", RUN_CHDB], clickhouse_sql, [], 1),
    ("ClickHouse", "clickhouse-local", ["clickhouse-local", "--query"], clickhouse_sql, [], 1),
    ("jq", "jq", ["jq", "-r"], jq_program, [FILE], 10),
    ("jaq", "jaq", ["jaq", "-r"], jq_program, [FILE], 10),
    ("gojq", "gojq", ["gojq", "-r"], jq_program, [FILE], 10),
    ("lnav", "lnav", ["lnav", "-I", FORMATS, "-n", "-c"], lnav_sql, ["-c", ":write-jsonlines-to -", FILE], 10),
]
DATABASES = ["DuckDB", "ClickHouse"]
LIMIT = "audit-who-limit"


class Peers:
    """What is installed. Binaries of this repository are in `folder`."""

    def __init__(self, folder):
        self.audit_who = folder / "audit-who"
        self.limit = folder / LIMIT
        self.has_rg = shutil.which("rg") is not None
        here = {}
        for peer in PEERS:
            if is_here(peer[1]):
                here.setdefault(peer[0], peer)
        self.here = list(here.values())

    def absent(self):
        here = [label for label, *_ in self.here] + ["rg"] * self.has_rg + [LIMIT] * self.limit.exists()
        wanted = dict.fromkeys([*(label for label, *_ in PEERS), "rg", LIMIT])
        return [f"{label} is not installed" for label in wanted if label not in here]

    def versions(self):
        return [version(needs) for needs in ["rg"] * self.has_rg + [needs for _, needs, *_ in self.here]]

    def ours(self, label, words, size, answer=None):
        return Row(f"audit-who {label}", [self.audit_who, *words], size, answer=answer)

    def rg(self, name, log, flags=()):
        """Counts lines with a name: the least that a question has to do, so what the others are compared with."""
        if not self.has_rg:
            return []
        label = " ".join(["rg", *flags, "-c -F"])
        return [Row(label, ["rg", *flags, "-c", "-F", name, log], log.stat().st_size, answer=count)]

    def ask(self, question, log, size, tenth=None, answer=None):
        """A row for each peer. `log` may be a pattern, and `tenth` is for those that would take minutes."""
        rows = []
        for label, _, before, query, after, part in self.here:
            file = log if part == 1 else tenth
            if file is None:
                continue
            command = [*before, query(question, file), *(file if word is FILE else word for word in after)]
            if question.shell and query is jq_program:
                command = ["sh", "-c", f"{shlex.join(map(str, command))} | {question.shell}"]
            seen = size if part == 1 else tenth.stat().st_size
            rows.append(Row(label, command, seen, part, answer=answer))
        return rows


def is_here(needs):
    kind, _, module = needs.rpartition(":")
    return importlib.util.find_spec(module) is not None if kind else shutil.which(needs) is not None


def version(needs):
    kind, _, module = needs.rpartition(":")
    if kind:
        return f"{module} {importlib.metadata.version(module)}"
    said = subprocess.run([needs, "--version"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return (said.stdout or said.stderr).strip().split("\n")[0]


def count(output):
    """What rg counted; nothing is printed for none."""
    return f"lines: {output.strip() or 0}"
