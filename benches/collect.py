#!/usr/bin/env python3
"""How fast a backlog is collected into a store, and how much memory that takes.

usage: benches/collect.py [--bytes 400M] [--rounds 5] [--folder FOLDER]

Builds the release binaries, and writes logs with the generator (once, below target/bench-logs). Each is collected with
`audit-who collect --once` into a new store in FOLDER, which should be on a disk: from the start of the process to its
end, when all of it is parsed, filtered, stored, and synced to the disk. One log has a line of nearly 64 MiB, which is
held, and one of 100 MiB, which is not, close to its end.
"""
import argparse, json, os, pathlib, sqlite3, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGES = ["audit-who", "audit-who-testkit"]
LOGS = ROOT / "target/bench-logs"
MIB = 1 << 20
# What is collected: label, audit level, whether it has long lines and is packed, options.
ROWS = [
    ("default, bodies", "request", False, False, []),
    ("default, metadata", "metadata", False, False, []),
    ("--keep all, bodies", "request", False, False, ["--keep", "all"]),
    ("--keep all, metadata", "metadata", False, False, ["--keep", "all"]),
    ("default, long lines", "request", True, False, []),
    ("--keep all, long lines", "request", True, False, ["--keep", "all"]),
    ("default, long, gzip", "request", True, True, []),
]

def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bytes", default="400M")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=pathlib.Path, default=LOGS, help="where stores are made")
    args = parser.parse_args()
    packages = [word for package in PACKAGES for word in ("-p", package)]
    subprocess.run(["cargo", "build", "--quiet", "--release", "--bins", *packages], cwd=ROOT, check=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {args.rounds} rounds, medians")
    print(f"{'what':22} {'log MB':>7} {'kept':>8} {'s':>6} {'CPU s':>6} {'MB/s':>6} {'peak MB':>8} {'store MB':>8}")
    for label, level, long_lines, is_packed, options in ROWS:
        plain = generated(args.bytes, level, long_lines)
        log = packed(plain) if is_packed else plain
        runs = [collect(log, options, args.folder) for _ in range(args.rounds)]
        seconds, work, peak = (statistics.median(run[column] for run in runs) for column in range(3))
        size, (kept, store) = plain.stat().st_size, runs[0][3:]
        print(f"{label:22} {size / 1e6:7.0f} {kept:8} {seconds:6.2f} {work:6.2f} {size / seconds / 1e6:6.0f} "
            f"{peak / 1e6:8.0f} {store / 1e6:8.0f}", flush=True)

def collect(log, options, folder):
    """Seconds, seconds of processors, peak of resident memory; how many events are kept, and the size of the store."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        db = pathlib.Path(place) / "store.db"
        command = [ROOT / "target/release/audit-who", "collect", "--quiet", "--once", "--db", db, *options, log]
        start = time.monotonic()
        child = subprocess.Popen(command)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - start
        if os.waitstatus_to_exitcode(status):
            raise SystemExit("the collector failed")
        kept, = sqlite3.connect(db).execute("SELECT sum(kept) FROM generations").fetchone()
        return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, kept, db.stat().st_size

def generated(size, level, long_lines):
    log = LOGS / f"collect-{size}-{level}.log"
    if not log.exists():
        written(log, lambda out: subprocess.run([ROOT / "target/release/audit-who-generate", "--seed", "7", "--bytes", size,
            "--level", level], stdout=out, check=True))
    if not long_lines:
        return warm(log)
    long = LOGS / f"collect-{size}-{level}-long.log"
    if not long.exists():
        written(long, lambda out: lengthen(log, out))
    return warm(long)

def packed(log):
    # Beside the log it would be a copy of it, and compared with it.
    gz = log.parent / "packed" / f"{log.name}.gz"
    gz.parent.mkdir(exist_ok=True)
    if not gz.exists():
        written(gz, lambda out: subprocess.run(["gzip", "-c", log], stdout=out, check=True))
    return warm(gz)

def lengthen(log, out):
    """Copies a log, with two long lines at nineteen twentieths of it. Block by block: a child's peak of memory is never
    below what this script held."""
    with log.open("rb") as lines:
        while lines.tell() < log.stat().st_size * 19 // 20:
            out.write(lines.readline())
        for length in (64 * MIB - 1000, 100 * MIB):
            write_line(out, length)
        for block in iter(lambda: lines.read(MIB), b""):
            out.write(block)

def written(path, write):
    part = path.with_suffix(".part")
    with part.open("wb") as out:
        write(out)
    part.rename(path)

def write_line(out, length):
    """An entry of so many bytes, nearly all of them in its body."""
    event = {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": f"long-{length}",
        "stage": "ResponseComplete", "requestURI": "/api/v1/namespaces/shop/configmaps/long", "verb": "update",
        "user": {"username": "maria", "groups": ["platform"]}, "sourceIPs": ["192.0.2.17"], "userAgent": "kubectl/v1.36.2",
        "objectRef": {"resource": "configmaps", "namespace": "shop", "name": "long", "apiVersion": "v1"},
        "responseStatus": {"metadata": {}, "code": 200}, "requestObject": {"data": {"text": "…"}},
        "requestReceivedTimestamp": "2026-03-02T09:00:00.000000Z", "stageTimestamp": "2026-03-02T09:00:00.000000Z",
    }
    before, behind = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode().split("…".encode())
    out.write(before)
    for _ in range((length - len(before) - len(behind)) // 1024):
        out.write(b"0123456789abcdef" * 64)
    out.write(behind + b"\n")

def warm(log):
    buffer = bytearray(MIB)
    with log.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass
    return log

sys.exit(main())
