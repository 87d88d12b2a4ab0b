#!/usr/bin/env python3
"""How long questions of a large store take, from the start of the process to its end.

usage: benches/store.py [--bytes 10G] [--rounds 3] [--db FILE]

Builds the release binaries, and collects a generated log at level Metadata, all of it kept, into a store below
target/bench-logs, once (10G are ten million events in fourteen hours; it takes 16 GB of disk meanwhile, and some ten minutes).
Then each question is asked some times, and the fastest answer counts: all that it needs is in the page cache. A question
is given up after 20 seconds.
"""
import argparse, pathlib, sqlite3, subprocess, sys, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOGS = ROOT / "target/bench-logs"
AUDIT_WHO = ROOT / "target/release/audit-who"
GENERATE = ROOT / "target/release/audit-who-generate"
PATIENCE = 20
# Questions of one object, by the kind of it; {} stands for its name, and its namespace is given.
OF_OBJECTS = [
    ("pods", ["evicted", "deleted", "created", "changed", "labeled", "annotated", "execed", "port-forwarded", "debugged",
        "denied", "read", "touched", "history"]),
    ("deployments", ["changed", "scaled", "restarted", "deleted"]),
    ("nodes", ["cordoned", "uncordoned", "drained", "tainted", "untainted"]),
    ("secrets", ["read", "deleted"]),
]
MINUTE = ["--since", "2026-03-02T10:00:00Z", "--until", "2026-03-02T10:01:00Z"]
# Begins and ends within an hour, and a minute.
WITHIN_HOURS = ["--since", "2026-03-02T10:20:30Z", "--until", "2026-03-02T20:40:30Z"]
OTHERS = [
    ["evicted", "pod/no-such-pod"], ["deleted", "ns/shop"], ["bound", "clusterrolebinding/x"], ["approved", "csr/x"],
    ["token", "sa/default", "-n", "shop"], ["impersonated", "maria"], ["did", "no-such-user"], ["did", "maria", *MINUTE],
    ["evicted", "pod", "-n", "shop", *MINUTE], ["top", "users", *MINUTE], ["top", "users", *WITHIN_HOURS],
    ["evicted", "pod/common*"], ["execed", "pod"], ["denied", "pod"], ["evicted", "pod"], ["top", "users"], ["deprecated"],
]

def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bytes", default="10G")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--db", type=pathlib.Path, help="a store that is there")
    args = parser.parse_args()
    subprocess.run(["cargo", "build", "--quiet", "--release", "--bins", "-p", "audit-who", "-p", "audit-who-testkit"], cwd=ROOT, check=True)
    db = args.db or collected(args.bytes)
    store = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
    events, = store.execute("SELECT count(*) FROM records").fetchone()
    print(f"{events:,} events, {db.stat().st_size / 1e9:.1f} GB")
    print(f"{'ms':>9} {'kB of answer':>12}  question")
    for words in questions(store):
        milliseconds, size = asked([*words, "--db", db], args.rounds)
        print(f"{milliseconds:>9} {size / 1000:12.1f}  {' '.join(words)}", flush=True)

def questions(store):
    for resource, names in OF_OBJECTS:
        for name, namespace in objects(store, resource):
            place = ["-n", namespace] if namespace else []
            yield from ([question, f"{resource}/{name}", *place] for question in names)
    yield from OTHERS

def objects(store, resource):
    """The first object that something was done to, and one that much was done to."""
    first = "SELECT name, namespace FROM events WHERE resource = ? AND verb <> 'list' AND name IS NOT NULL AND name <> '' LIMIT 1"
    return store.execute(first, [resource]).fetchall()

def asked(words, rounds):
    """Milliseconds of the fastest round, and bytes of what it said."""
    best, size = None, 0
    for _ in range(rounds):
        start = time.monotonic()
        try:
            said = subprocess.run([AUDIT_WHO, *words], capture_output=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            return f"> {PATIENCE}000", 0
        if said.returncode not in (0, 1):
            raise SystemExit(said.stderr.decode())
        seconds = time.monotonic() - start
        best, size = min(best or seconds, seconds), len(said.stdout)
        if seconds > 1:
            break
    return f"{best * 1000:.1f}", size

def collected(size):
    LOGS.mkdir(parents=True, exist_ok=True)
    db, part, log = (LOGS / f"store-{size}{suffix}" for suffix in (".db", ".part", ".log"))
    if not db.exists():
        with log.open("wb") as out:
            generate = [GENERATE, "--seed", "9", "--bytes", size, "--hits", "rare=3", "--hits", "common=2000"]
            subprocess.run(generate, stdout=out, check=True)
        subprocess.run([AUDIT_WHO, "collect", "--quiet", "--once", "--keep", "all", "--db", part, log], check=True)
        log.unlink()
        part.rename(db)
    return db

sys.exit(main())
