#!/usr/bin/env python3
"""Whether every event of a log that is rotated as the API server rotates it is kept, and once, whoever is killed.

usage: benches/anchor.py [--seconds 20] [--kills 0,8,100] [--seed N] [--only audit-who|fluent-bit]

Builds the release binary, and a writer that writes 60,000 events in 20 seconds through 54 rotations (audit-who-bench-rotate).
`audit-who collect` follows the path, and is killed with SIGKILL at random moments, so many times, and started again at
once. When the writer is done and nothing new comes, the events in the store are counted by their audit IDs: those that are
not there are lost, those that are there more than once are repeated. Fluent Bit does the same if it is installed, with its
safest settings: `db.sync full`, `storage.type filesystem`.
"""
import argparse, os, pathlib, random, re, shutil, signal, sqlite3, subprocess, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = ROOT / "target/release/audit-who"
WRITER = ROOT / "target/release/audit-who-bench-rotate"
EVENTS = 60_000
ROTATIONS = 54
QUIET = 3  # seconds without anything new, after which nothing more comes
PATIENCE = 120  # seconds

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--kills", default="0,8,100")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", choices=["audit-who", "fluent-bit"])
    args = parser.parse_args()
    subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "audit-who", "-p", "audit-who-benches"], cwd=ROOT, check=True)
    random.seed(args.seed)
    print(f"{EVENTS:,} events, {ROTATIONS} rotations, {args.seconds} seconds, seed {args.seed}")
    print(f"{'':48} {'kills':>5} {'lost':>7} {'repeated':>8}")
    failed = False
    for name, reader in (("audit-who", AuditWho), ("fluent-bit", FluentBit)):
        if args.only not in (None, name):
            continue
        if name == "fluent-bit" and not shutil.which(name):
            print("fluent-bit is not on PATH: left out")
            continue
        for pattern in ("audit.log", "audit*.log"):
            for compress in (False, True):
                for kills in map(int, args.kills.split(",")):
                    with tempfile.TemporaryDirectory() as folder:
                        lost, repeated = run(pathlib.Path(folder), reader, pattern, compress, kills, args.seconds)
                    label = f"{name}, {pattern}{', packed' if compress else ''}"
                    print(f"{label:48} {kills:5} {lost:7,} {repeated:8,}", flush=True)
                    failed |= name == "audit-who" and lost + repeated > 0
    raise SystemExit(1 if failed else 0)

def run(folder, reader, pattern, compress, kills, seconds):
    logs = folder / "logs"
    logs.mkdir()
    reader = reader(folder, logs / pattern)
    reader.start()
    options = ["--events", EVENTS, "--seconds", seconds, "--rotations", ROTATIONS, "--compress", "yes" if compress else "no"]
    begun = time.monotonic()
    writer = subprocess.Popen([WRITER, "--dir", logs, *map(str, options)])
    for moment in sorted(random.uniform(0, seconds) for _ in range(kills)):
        time.sleep(max(0, moment - (time.monotonic() - begun)))
        reader.kill()
        reader.start()
    if writer.wait() != 0:
        raise SystemExit("the writer failed")
    rotated = sum(1 for path in logs.iterdir() if path.name != "audit.log")
    if rotated != ROTATIONS:
        raise SystemExit(f"{rotated} rotations, not {ROTATIONS}")
    settle(reader)
    reader.stop()
    counts = reader.events()
    lost = sum(1 for number in range(EVENTS) if number not in counts)
    return lost, sum(count - 1 for count in counts.values())

def settle(reader):
    """Waits until nothing new came for a while."""
    last, since, begun = None, time.monotonic(), time.monotonic()
    while time.monotonic() - since < QUIET and time.monotonic() - begun < PATIENCE:
        time.sleep(0.5)
        now = reader.progress()
        if now != last:
            last, since = now, time.monotonic()

def number(audit_id):
    return int(audit_id.rsplit("-", 1)[1])

class Reader:
    """A program that is started and killed."""

    def __init__(self, folder, path):
        self.folder, self.path, self.child = folder, path, None

    def start(self):
        with (self.folder / "log").open("ab") as log:
            self.child = subprocess.Popen(self.command(), stdout=log, stderr=log)

    def kill(self):
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        self.child.wait()

class AuditWho(Reader):
    def command(self):
        return [BINARY, "collect", "--keep", "all", "--db", self.folder / "audit.db", self.path]

    def progress(self):
        with sqlite3.connect(self.folder / "audit.db") as store:
            return store.execute("SELECT count(*) FROM records").fetchone()

    def events(self):
        with sqlite3.connect(self.folder / "audit.db") as store:
            if store.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise SystemExit("the store is damaged")
            return {number(id): count for id, count in store.execute("SELECT audit_id, count(*) FROM events GROUP BY 1")}

class FluentBit(Reader):
    def command(self):
        settings = self.folder / "fluent-bit.conf"
        settings.write_text(f"""[SERVICE]
    flush 1
    grace 5
    log_level warn
    storage.path {self.folder}/chunks
    storage.sync full
[INPUT]
    name tail
    path {self.path}
    tag audit
    db {self.folder}/offsets.db
    db.sync full
    storage.type filesystem
    read_from_head true
    refresh_interval 1
    buffer_max_size 1M
[OUTPUT]
    name file
    match *
    path {self.folder}
    file out
    format plain
""")
        return ["fluent-bit", "-c", settings]

    def progress(self):
        out = self.folder / "out"
        return out.stat().st_size if out.exists() else 0

    def events(self):
        counts = {}
        out = self.folder / "out"
        for id in re.findall(rb"auditID\W+(00000000-0000-4000-8000-[0-9]{12})", out.read_bytes() if out.exists() else b""):
            counts[number(id.decode())] = counts.get(number(id.decode()), 0) + 1
        return counts

main()
