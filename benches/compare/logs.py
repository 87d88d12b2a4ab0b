"""The logs that questions are asked of: written once, kept for the next run."""

import gzip
import json
import pathlib
import shutil
import subprocess

# Pods of the log: one is called rare-…, many are called common-…, and none is called the third.
RARE, COMMON, ABSENT = "rare", "common", "no-such-pod"
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
BLOCK = 1 << 20
# What stands around an entry, by who writes it.
WRAPPED = {
    "as it is": lambda entry: entry,
    "Docker": lambda entry: json.dumps({"log": entry + "\n", "stream": "stdout", "time": "2026-01-02T03:04:05.1Z"}),
    "CRI": lambda entry: f"2026-01-02T03:04:05.123456789Z stdout F {entry}",
    "Azure": lambda entry: json.dumps({"category": "kube-audit", "properties": {"log": entry, "stream": "stdout"}}),
    "CSV": lambda entry: "stream,2026-01-02 03:04:05.123," + '"' + entry.replace('"', '""') + '"',
}


class Logs:
    """Logs of `size` (`64M`, `1G`) and its multiples, below `folder`."""

    def __init__(self, folder, generate, size, level):
        self.folder = folder / f"{size}-{level}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.generate = generate
        self.bytes = int(size[:-1]) * UNITS[size[-1]] if size[-1] in UNITS else int(size)
        self.level = level
        # 10,000 in 1 GB, and as dense in less.
        self.commons = max(10, min(10_000, self.bytes // 100_000))

    def whole(self):
        """One file."""
        return warm(self.written("whole.log", self.bytes))

    def tenth(self):
        """The first tenth of it, for peers that would take minutes. It ends with a whole line."""
        tenth = self.folder / "tenth.log"
        if not tenth.exists():
            with replacing(tenth) as part:
                shutil.copyfile(self.whole(), part)
                shorten(part, self.bytes // 10)
        return warm(tenth)

    def long(self):
        """Twice as large."""
        return warm(self.written("long.log", 2 * self.bytes))

    def growing(self):
        """Eight times as large. The caller shortens it, and removes it."""
        return warm(self.written("growing.log", 8 * self.bytes))

    def archive(self):
        """A folder of some ten compressed files, as rotation leaves them."""
        archive = self.folder / "archive"
        if not archive.exists():
            part = archive.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            rotate = ["--rotate", str(self.bytes // 10), "--dir", part]
            self.run_generator(self.bytes, rotate)
            for file in sorted(part.glob("*.log")):
                compress(file)
            part.rename(archive)
        for file in archive.iterdir():
            warm(file)
        return archive

    def wrapped(self, form):
        """The first tenth, with what somebody writes around each entry."""
        path = self.folder / f"wrapped-{form.replace(' ', '-').lower()}.log"
        if not path.exists():
            with replacing(path) as part, self.tenth().open() as log, part.open("w") as out:
                out.writelines(WRAPPED[form](line.rstrip("\n")) + "\n" for line in log)
        return warm(path)

    def rare_pod(self):
        """The name of the one pod that is called rare-…"""
        with self.whole().open("rb") as log:
            line = next(line for line in log if b'"name":"rare-' in line)
        return line.split(b'"name":"', 1)[1].split(b'"', 1)[0].decode()

    def written(self, name, size):
        path = self.folder / name
        if not path.exists():
            with replacing(path) as part, part.open("wb") as out:
                self.run_generator(size, [], stdout=out)
        return path

    def run_generator(self, size, more, **kwargs):
        free = shutil.disk_usage(self.folder).free
        if free < size:
            raise SystemExit(f"cannot write {size} bytes of log below {self.folder}: {free} are free there; give --folder")
        hits = ["--hits", f"{RARE}=1", "--hits", f"{COMMON}={self.commons}"]
        command = [self.generate, "--seed", "1", "--bytes", str(size), "--level", self.level, *hits, *more]
        subprocess.run(command, check=True, **kwargs)


class GivenLog:
    """A log that somebody has: one file of plain lines, in which there is something about a pod."""

    def __init__(self, folder, log, pod):
        self.folder, self.log, self.pod = folder, log, pod
        self.folder.mkdir(parents=True, exist_ok=True)

    def whole(self):
        return warm(self.log)

    def tenth(self):
        """The first tenth of it, made anew: the log may have changed."""
        tenth = self.folder / "tenth-of-given.log"
        shutil.copyfile(self.log, tenth)
        shorten(tenth, self.log.stat().st_size // 10)
        return warm(tenth)

    def rare_pod(self):
        return self.pod


class replacing:
    """A file that gets its name when it is complete."""

    def __init__(self, path):
        self.path, self.part = path, path.with_suffix(".part")

    def __enter__(self):
        return self.part

    def __exit__(self, kind, *_):
        if kind is None:
            self.part.rename(self.path)
        else:
            self.part.unlink(missing_ok=True)


def shorten(path, size):
    """Cuts a file to about `size` bytes, after the end of a line: peers fail at a torn one."""
    with path.open("r+b") as log:
        log.seek(size)
        log.readline()
        log.truncate()


def last_line(path):
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - BLOCK))
        return log.read().splitlines()[-1]


def compress(path):
    if shutil.which("gzip"):
        subprocess.run(["gzip", path], check=True)
        return
    with path.open("rb") as log, gzip.open(f"{path}.gz", "wb", compresslevel=6) as out:
        shutil.copyfileobj(log, out, BLOCK)
    path.unlink()


def warm(path):
    """Reads a file, so that it is in the page cache."""
    buffer = bytearray(BLOCK)
    with path.open("rb", buffering=0) as log:
        while log.readinto(buffer):
            pass
    return pathlib.Path(path)
