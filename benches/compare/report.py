"""Tables as text, or as Markdown for docs/performance.md."""

from dataclasses import dataclass, field

from measure import least_peak


@dataclass
class Table:
    """One scenario measured. Ratios are to the first row."""

    name: str
    title: str
    rows: list
    promises: list = field(default_factory=list)


HEADINGS = ["command", "median s", "CPU s", "ratio", "GB/s", "peak MB", "answer"]


class Text:
    """For a terminal."""

    bullet = "  "

    def head(self, machine, method, peers):
        lines = [f"machine: {machine}", f"method: {method}", f"peers: {', '.join(peers.versions())}"]
        return "\n".join(lines + [f"left out: {peer}" for peer in peers.absent()])

    def left_out(self, words):
        return f"\nleft out: {words}"

    def table(self, table):
        cells = [HEADINGS, *body(table.rows)]
        widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS))]
        lines = [f"\n== {table.name}: {table.title}"]
        for row in cells if table.rows else []:
            first, *figures, last = row
            figures = [cell.rjust(width) for cell, width in zip(figures, widths[1:])]
            lines.append("  ".join([first.ljust(widths[0]), *figures, last]).rstrip())
        return "\n".join(lines + [f"{self.bullet}{promise}" for promise in table.promises])

    def verdict(self, promises):
        return "\n" + verdict(promises)


class Markdown(Text):
    """For docs/performance.md."""

    bullet = "- "

    def table(self, table):
        lines = [f"\n### {table.title}\n"]
        for row in [HEADINGS, rule(), *body(table.rows)] if table.rows else []:
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |")
        lines.append("")
        return "\n".join(lines + [f"{self.bullet}{promise}" for promise in table.promises])


def rule():
    return ["---", *["--:"] * 5, "---"]


def body(rows):
    """The cells of each row."""
    least = least_peak()
    return [cells(row, rows[0].median, least) for row in rows]


def cells(row, base, least):
    times = f" (a part, times {row.part})" if row.part > 1 else ""
    rate = f"{row.rate:.2f}" if row.bytes else "-"
    peak = f"{row.peak / 1e6:.0f}"
    return [
        row.label + times,
        f"{row.median:.4f}",
        # What it did besides is not in its own time either.
        "-" if row.own_clock else f"{row.processor:.3f}",
        f"{row.median / base:.2f}",
        rate,
        # Whatever is smaller can't be told apart.
        f"< {peak}" if row.peak <= least * 1.05 else peak,
        row.answered,
    ]


def amount(size):
    """Bytes in words."""
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"


def verdict(promises):
    counts = [sum(promise.holds is holds for promise in promises) for holds in (True, False, None)]
    return "{} promises: {} hold, {} fall short, {} not measured".format(len(promises), *counts)
