"""Asks questions of large logs with audit-who and with its peers, side by side in one run.

Builds the release binaries, writes logs with the generator (once, below target/bench-logs), and reads them into the
page cache. Prints a table for each scenario, and below it which promises of speed and memory hold. A promise that falls
short is told, and changes nothing about the exit status: that is 0 if everything could be measured.
"""

import argparse
import pathlib
import subprocess
import sys

# The source tree stays as it is.
sys.dont_write_bytecode = True

import machine
import report
from logs import GivenLog, Logs
from peers import Peers
from scenario import SCENARIOS

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ["audit-who", "audit-who-testkit", "audit-who-benches"]
QUICK = {"bytes": "64M", "rounds": 2}
THOROUGH = {"bytes": "1G", "rounds": 7}


def main():
    args = arguments()
    folder = args.binaries or build()
    peers = Peers(folder)
    if args.log:
        logs = GivenLog(args.folder, args.log, args.pod)
    else:
        logs = Logs(args.folder, folder / "audit-who-generate", args.bytes, args.level)
    write = report.Markdown() if args.markdown else report.Text()
    print(write.head(machine.words(), f"{args.rounds} rounds after one to warm up", peers))
    promises = []
    for scenario in SCENARIOS:
        if args.log and not scenario.takes_any_log:
            print(write.left_out(f"{scenario.name}: it needs logs that are made for it"))
        elif args.only is None and scenario.is_asked_for and not args.linear:
            print(write.left_out(f"{scenario.name}: --linear runs it, with eight times --bytes of disk"))
        elif args.only is None or scenario.name in args.only:
            table = scenario.run(logs, peers, args.rounds)
            promises += table.promises
            print(write.table(table), flush=True)
    print(write.verdict(promises))


def arguments():
    names = [scenario.name for scenario in SCENARIOS]
    parser = argparse.ArgumentParser(prog="python3 benches/compare", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--quick", action="store_true", help="64M and two rounds: shows that it works, not how fast it is")
    add("--bytes", help="size of the log, such as 1G; others are multiples of it (1G)")
    add("--rounds", type=int, help="how often each command runs (7)")
    add("--level", default="metadata", help="audit level of the log: metadata, request or requestresponse")
    add("--log", type=pathlib.Path, help="a log of your own to ask, in the scenarios that take any")
    add("--pod", help="a pod of that log")
    add("--linear", action="store_true", help="grow a log to eight times --bytes too")
    add("--only", nargs="+", choices=names, metavar="SCENARIO", help=", ".join(names))
    add("--markdown", action="store_true", help="tables for docs/performance.md")
    add("--folder", type=pathlib.Path, default=ROOT / "target/bench-logs", help="where logs are kept")
    add("--binaries", type=pathlib.Path, help="folder of audit-who, audit-who-generate and audit-who-limit; "
        "built in release mode if not given")
    args = parser.parse_args()
    if (args.log is None) != (args.pod is None):
        parser.error("--log and --pod go together")
    for name, value in (QUICK if args.quick else THOROUGH).items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    return args


def build():
    packages = [word for package in PACKAGES for word in ("-p", package)]
    subprocess.run(["cargo", "build", "--quiet", "--release", "--bins", *packages], cwd=ROOT, check=True)
    return ROOT / "target/release"


if __name__ == "__main__":
    sys.exit(main())
