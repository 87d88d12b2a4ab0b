#!/usr/bin/env python3
"""Whether a collector loses or repeats events while a log is written, rotated and packed, and the collector is killed.

usage: benches/anchor.py [--events 60000] [--seconds 20] [--kills 0 8 100] [--seed N] [--binaries FOLDER]

Builds the release binaries, unless --binaries names a folder of them. A writer rotates as the API server does, every 1 MiB;
`audit-who collect` follows, once by the path audit.log and once by the pattern audit*.log, with and without compression,
and is killed with SIGKILL at random moments and started again. At the end it is told to finish, and what is in the store is
held against what was written. Exit status: 0 if nothing was lost or repeated, 1 otherwise.
"""
import argparse, collections, os, pathlib, random, signal, sqlite3, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGES = ["audit-who", "audit-who-benches"]
SIZE = "1M"

def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--kills", type=int, nargs="+", default=[0, 8, 100])
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--binaries", type=pathlib.Path)
    args = parser.parse_args()
    binaries = args.binaries or build()
    print(f"{args.events} events in {args.seconds} s, {os.cpu_count()} processors, --seed {args.seed}", flush=True)
    print(f"{'path':12} {'packed':>6} {'kills':>5} {'rotations':>9} {'lost':>6} {'repeated':>8}", flush=True)
    whole = True
    for pattern in ("audit.log", "audit*.log"):
        for compress in (False, True):
            for kills in args.kills:
                with tempfile.TemporaryDirectory() as folder:
                    run = Run(binaries, pathlib.Path(folder), pattern, random.Random(args.seed + kills))
                    rotations, lost, repeated = run.run(args, compress, kills)
                whole &= lost == repeated == 0
                packed = "yes" if compress else "no"
                print(f"{pattern:12} {packed:>6} {kills:>5} {rotations:>9} {lost:>6} {repeated:>8}", flush=True)
    return 0 if whole else 1

def build():
    packages = [word for package in PACKAGES for word in ("-p", package)]
    subprocess.run(["cargo", "build", "--quiet", "--release", "--bins", *packages], cwd=ROOT, check=True)
    return ROOT / "target/release"

class Run:
    """One log, and whoever follows it."""

    def __init__(self, binaries, folder, pattern, moments):
        self.binaries, self.moments = binaries, moments
        self.logs, self.db = folder / "logs", folder / "store.db"
        self.logs.mkdir()
        self.path = self.logs / pattern

    def run(self, args, compress, kills):
        """How often the log was rotated, how many events are missing in the store, and how many are there too often."""
        command = [self.binaries / "audit-who-bench-writer", "--dir", self.logs, "--size", SIZE,
            "--events", str(args.events), "--seconds", str(args.seconds), *["--compress"] * compress]
        collector = self.collector()
        start = time.monotonic()
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for moment in sorted(self.moments.uniform(0, args.seconds) for _ in range(kills)):
            time.sleep(max(0, start + moment - time.monotonic()))
            collector.kill()
            collector.wait()
            collector = self.collector()
        told, _ = writer.communicate()
        if writer.returncode:
            raise SystemExit("the writer failed")
        collector.send_signal(signal.SIGTERM)
        # One that has just begun does not heed the signal yet.
        if collector.wait() not in (0, -signal.SIGTERM):
            raise SystemExit("the collector failed")
        # What was written since, and what it was about to read.
        subprocess.run(self.command("--once"), check=True)
        return int(told.split(", ")[1].split()[0]), *self.compare(args.events)

    def collector(self):
        return subprocess.Popen(self.command())

    def command(self, *more):
        return [self.binaries / "audit-who", "collect", "-q", "--keep", "all", "--db", self.db, *more, self.path]

    def compare(self, events):
        ids = sqlite3.connect(self.db).execute("SELECT audit_id FROM events")
        stored = collections.Counter(int(id.rsplit("-", 1)[1]) for id, in ids)
        return sum(number not in stored for number in range(events)), sum(times - 1 for times in stored.values())

sys.exit(main())
