#!/usr/bin/env python3
"""Asks questions of one large log with audit-who and with its peers, side by side in one run, and prints the ratios.

usage: benches/compare.py [--bytes 1G] [--rounds 7] [--log FILE]

Builds the release binary, writes a log with the generator (once, below target/), and reads it into the page cache.
Rounds are interleaved, so that a busy moment of the machine hits all peers alike; medians of wall times are compared.
Peers that are not installed are left out, and this is said. jq is run on a tenth of the log, and its time taken tenfold.
"""
import argparse, os, pathlib, shutil, statistics, subprocess, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = ROOT / "target/release/audit-who"
GENERATE = ROOT / "target/release/audit-who-generate"
ABSENT, RARE, COMMON = "no-such-pod", "rare", "common"

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bytes", default="1G")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--log", type=pathlib.Path)
    args = parser.parse_args()
    subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "audit-who", "-p", "audit-who-testkit"], cwd=ROOT, check=True)
    log = args.log or generated(args.bytes)
    tenth = log.with_suffix(".tenth")
    if not tenth.exists():
        head(log, tenth)
    for file in (log, tenth):
        file.read_bytes() if file.stat().st_size < 1 << 26 else subprocess.run(["cat", file], stdout=subprocess.DEVNULL)
    rows = [row for row in peers(log, tenth) if available(row)]
    times = {label: [] for label, *_ in rows}
    memory = {label: 0 for label, *_ in rows}
    for _ in range(args.rounds + 1):
        for label, command, factor in rows:
            seconds, peak = run(command)
            times[label].append(seconds * factor)
            memory[label] = max(memory[label], peak)
    base = statistics.median(times[rows[0][0]][1:])
    print(f"{log.stat().st_size / 1e9:.2f} GB, {args.rounds} rounds after one to warm up, {os.cpu_count()} processors")
    print(f"{'command':44} {'median s':>9} {'ratio':>7} {'GB/s':>6} {'peak MB':>8}")
    for label, *_ in rows:
        median = statistics.median(times[label][1:])
        rate = log.stat().st_size / median / 1e9
        print(f"{label:44} {median:9.3f} {median / base:7.2f} {rate:6.2f} {memory[label] / 1e3:8.1f}")

def peers(log, tenth):
    """Label, command, and by what its time is taken: the first one is what the others are compared with."""
    jq = 'select(.stage=="ResponseComplete" and .objectRef.subresource=="eviction" and .objectRef.name=="no-such-pod")'
    return [
        ("rg --no-mmap -c -F, absent name", ["rg", "--no-mmap", "-c", "-F", ABSENT, log], 1),
        ("rg -c -F, absent name", ["rg", "-c", "-F", ABSENT, log], 1),
        ("audit-who evicted, absent name", [BINARY, "evicted", f"pod/{ABSENT}", log], 1),
        ("audit-who evicted, one pod and its cause", [BINARY, "evicted", f"pod/{RARE}*", log], 1),
        ("audit-who evicted, 10,000 pods", [BINARY, "evicted", f"pod/{COMMON}*", log], 1),
        ("jq, absent name (a tenth, times ten)", ["jq", "-c", jq, tenth], 10),
    ]

def available(row):
    found = shutil.which(str(row[1][0])) is not None
    if not found:
        print(f"left out: {row[0]}: {row[1][0]} is not installed")
    return found

def generated(size):
    folder = ROOT / "target/bench-logs"
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"compare-{size}.log"
    if not log.exists():
        part = log.with_suffix(".part")
        with part.open("wb") as out:
            hits = ["--hits", f"{RARE}=1", "--hits", f"{COMMON}=10000"]
            subprocess.run([GENERATE, "--seed", "1", "--bytes", size, *hits], stdout=out, check=True)
        part.rename(log)
    return log

def head(log, tenth):
    with log.open("rb") as source, tenth.open("wb") as out:
        left = log.stat().st_size // 10
        while left > 0 and (block := source.read(min(left, 1 << 20))):
            out.write(block)
            left -= len(block)
        out.write(source.readline())

def run(command):
    start = time.monotonic()
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(child.pid, 0)
    return time.monotonic() - start, usage.ru_maxrss

main()
