"""What the figures were measured on."""

import os
import pathlib
import platform


def words():
    """The processors, memory, kernel, and how many processes ran before this: above zero, times are too long."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{os.cpu_count()} × {processor()}, {memory / 2**30:.0f} GiB, {platform.system()} {platform.release()}, " \
        f"load {os.getloadavg()[0]:.1f} at the beginning"


def processor():
    information = pathlib.Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
