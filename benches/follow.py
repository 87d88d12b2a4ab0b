#!/usr/bin/env python3
"""How long an answer takes from the log to standard output while audit-who follows, and what following costs when idle.

usage: benches/follow.py [--bytes 100M] [--appends 200] [--idle 20] [--binary FILE]

Builds the release binary, and copies a generated log (written once, below target/) into a temporary folder. A pod's
creation, its eviction and its kubelet's delete are appended for each sample, the eviction alone being timed: from the
moment before the write to the moment at which its line was read from the program's standard output. Half of the log's
time lies within the hour that is the context of an answer. Then 200 files are followed that nobody writes to, each in a
folder of its own, and all in one. With --appends 0 or --idle 0 that part is left out; --binary measures another build.
"""
import argparse, datetime, json, os, pathlib, queue, random, shutil, signal, statistics, subprocess, tempfile, threading, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
GENERATE = ROOT / "target/release/audit-who-generate"
FILES = 200

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bytes", default="100M")
    parser.add_argument("--appends", type=int, default=200)
    parser.add_argument("--idle", type=int, default=20, help="seconds")
    parser.add_argument("--binary", type=pathlib.Path)
    args = parser.parse_args()
    if args.binary is None:
        args.binary = ROOT / "target/release/audit-who"
        subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "audit-who", "-p", "audit-who-testkit"], cwd=ROOT, check=True)
    if args.appends:
        follow(args)
    for folders in (FILES, 1) if args.idle else ():
        with tempfile.TemporaryDirectory() as folder:
            idle(pathlib.Path(folder), folders, args)

def follow(args):
    print(f"{args.bytes} of log, {args.appends} appends, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    print(f"{'milliseconds from append to line':44} {'p50':>7} {'p99':>7} {'max':>7}")
    for label, command in commands():
        for how, options in (("inotify", []), ("--poll", ["--poll"])):
            with tempfile.TemporaryDirectory() as folder:
                times = latency(pathlib.Path(folder) / "audit.log", args, command, options)
            report(f"{label}, {how}", times)

def commands():
    evicted = ["evicted", "pod/*", "--follow", "--quiet", "--output", "json"]
    return [("audit-who evicted 'pod/*' -f", evicted), ("audit-who tail", ["tail", "--output", "json"])]

def report(label, times):
    times.sort()
    p99 = times[min(len(times) - 1, len(times) * 99 // 100)]
    print(f"{label:44} {statistics.median(times):7.1f} {p99:7.1f} {times[-1]:7.1f}", flush=True)

def latency(log, args, command, options):
    begin = time.time()
    with log.open("wb") as out:
        end = recent(generated(args.bytes), out, begin)
    child = subprocess.Popen([args.binary, *command, *options, log], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    lines = queue.Queue()
    threading.Thread(target=read, args=(child.stdout, lines), daemon=True).start()
    out = os.open(log, os.O_WRONLY | os.O_APPEND)
    warm_up(out, lines)
    times = []
    for number in range(args.appends):
        pod = f"probe-{number}"
        os.write(out, line(pod, "create", "", 201))
        pause()
        entry = line(pod, "create", "eviction", 201)
        start = time.monotonic()
        os.write(out, entry)
        times.append((wait_for(lines, pod, "eviction") - start) * 1000)
        os.write(out, line(pod, "delete", "", 200))
        pause()
    child.send_signal(signal.SIGTERM)
    child.wait()
    return times

def pause():
    """No sample begins at the same point of an interval as the one before."""
    time.sleep(random.uniform(0.02, 0.12))

def warm_up(out, lines):
    """What is there is read, and new lines come."""
    for number in range(10_000):
        os.write(out, line(f"warm-{number}", "create", "eviction", 201))
        try:
            while "warm-" not in lines.get(timeout=0.5)[1]:
                pass
        except queue.Empty:
            continue
        time.sleep(1)
        while not lines.empty():
            lines.get()
        return

def read(pipe, lines):
    for text in pipe:
        lines.put((time.monotonic(), text.decode()))

def wait_for(lines, pod, what):
    while True:
        at, text = lines.get(timeout=60)
        if f'"{pod}"' in text and what in text:
            return at

def line(pod, verb, subresource, code):
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    name = f"/{subresource}" if subresource else ""
    event = {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": f"{pod}-{verb}",
        "stage": "ResponseComplete", "requestURI": f"/api/v1/namespaces/shop/pods/{pod}{name}", "verb": verb,
        "user": {"username": "maria", "groups": ["platform"]}, "sourceIPs": ["192.0.2.17"],
        "userAgent": "kubectl/v1.36.2", "objectRef": {"resource": "pods", "namespace": "shop", "name": pod,
        "apiVersion": "v1"} | ({"subresource": subresource} if subresource else {}),
        "responseStatus": {"metadata": {}, "code": code}, "requestObject": {"kind": "Eviction"},
        "requestReceivedTimestamp": now, "stageTimestamp": now, "annotations": {},
    }
    return (json.dumps(event, separators=(",", ":")) + "\n").encode()

def recent(source, out, end):
    """Copies a log so that its entries come evenly within the two hours before `end`."""
    lines = source.read_bytes().splitlines(keepends=True)
    for number, text in enumerate(lines):
        at = datetime.datetime.fromtimestamp(end - 7200 * (1 - number / len(lines)), datetime.timezone.utc)
        stamp = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()
        for key in (b'"requestReceivedTimestamp":"', b'"stageTimestamp":"'):
            place = text.rfind(key) + len(key)
            text = text[:place] + stamp + text[place + 27:]
        out.write(text)

def generated(size):
    folder = ROOT / "target/bench-logs"
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"follow-{size}.log"
    if not log.exists():
        part = log.with_suffix(".part")
        with part.open("wb") as out:
            subprocess.run([GENERATE, "--seed", "1", "--bytes", size, "--hits", "common=1000"], stdout=out, check=True)
        part.rename(log)
    return log

def idle(folder, folders, args):
    for number in range(FILES):
        place = folder / f"{number % folders}"
        place.mkdir(exist_ok=True)
        for _ in range(3):
            with (place / f"{number // folders}.log").open("ab") as out:
                out.write(line(f"idle-{number}", "create", "", 201))
    for how, options in (("inotify", []), ("--poll", ["--poll"])):
        command = ["evicted", "pod/*", "--follow", *options]
        child = subprocess.Popen([args.binary, *command, folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(5)
        before = used(child.pid)
        time.sleep(args.idle)
        after = used(child.pid)
        processor, wakes = ((b - a) / args.idle for a, b in zip(before, after))
        resident = int(status(child.pid, "VmRSS")) / 1000
        print(f"idle, {FILES} files in {folders} folder{'s'[:folders > 1]}, {how}: {processor:.3%} of a processor, {wakes:.1f} wake-ups a second, {resident:.1f} MB resident", flush=True)
        child.send_signal(signal.SIGTERM)
        child.wait()

def used(pid):
    """Seconds of processor time, and how often a thread was woken up."""
    # Its clock ticks are too coarse: these are nanoseconds.
    tasks = [f"{pid}/task/{task}" for task in os.listdir(f"/proc/{pid}/task")]
    nanoseconds = sum(int(pathlib.Path(f"/proc/{task}/schedstat").read_text().split()[0]) for task in tasks)
    return nanoseconds / 1e9, sum(int(status(task, "voluntary_ctxt_switches")) for task in tasks)

def status(process, key):
    text = pathlib.Path(f"/proc/{process}/status").read_text()
    return next(row.split()[1] for row in text.splitlines() if row.startswith(f"{key}:"))

main()
