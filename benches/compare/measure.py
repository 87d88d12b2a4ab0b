"""Runs commands by turns, and takes their time and memory."""

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from typing import Callable, Optional


@dataclass
class Row:
    """One command and what is measured of it."""

    label: str
    command: list
    # What it reads; 0 where this says nothing.
    bytes: int = 0
    # It reads this part of the log (10: a tenth), and its time is taken so many times.
    part: int = 1
    # What its output answers, in a word that can be compared with the other rows'.
    answer: Optional[Callable[[str], str]] = None
    # It says itself how many seconds what matters took.
    own_clock: bool = False
    seconds: list = field(default_factory=list)
    work: list = field(default_factory=list)
    peak: int = 0
    answered: str = ""

    @property
    def median(self):
        """Seconds for the whole log."""
        return statistics.median(self.seconds) * self.part

    @property
    def processor(self):
        """Seconds of processors, user's and kernel's, for the whole log. A busy machine changes them less."""
        return statistics.median(self.work) * self.part

    @property
    def rate(self):
        """GB/s of the log."""
        return self.bytes / self.median * self.part / 1e9


# GNU time tells the peak of a command by itself. Without it a child's peak is never below what this script holds, as it
# begins as a copy of it.
TIME = shutil.which("time")


def measure(rows, rounds):
    """Runs all rows once to warm up and then `rounds` times, by turns: a busy moment of the machine hits all alike."""
    for row in rows:
        row.peak, output = peak(row.command)
        row.answered = row.answer(output) if row.answer else ""
    for _ in range(rounds):
        for row in rows:
            seconds, usage, output = run(row.command)
            row.seconds.append(float(output) if row.own_clock else seconds)
            row.work.append(usage.ru_utime + usage.ru_stime)
    return rows


def peak(command):
    """Peak resident memory in bytes, of the largest process if there are several, and standard output of a command."""
    if TIME is None:
        _, usage, output = run(command)
        return usage.ru_maxrss * 1024, output
    with tempfile.NamedTemporaryFile() as told:
        _, _, output = run([TIME, "--quiet", "-f", "%M", "-o", told.name, *command])
        return int(told.read()) * 1024, output


def least_peak():
    """Bytes below which a peak can't be told."""
    return peak(["true"])[0]


def run(command):
    """Seconds, resources used, and standard output of a command."""
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.monotonic()
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        # 1 is "found nothing", for rg as for audit-who.
        if child.returncode not in (0, 1):
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip()
            raise SystemExit(f"{' '.join(words)}\nended with status {child.returncode}: {said}")
        output.seek(0)
        return seconds, usage, output.read().decode(errors="replace")
