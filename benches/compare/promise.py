"""What is promised of a scenario's rows, and whether it holds."""

from dataclasses import dataclass
from typing import Optional


@dataclass
class Promise:
    text: str
    # What was measured.
    figure: str
    # None if it could not be measured.
    holds: Optional[bool]

    def __str__(self):
        words = {True: "holds", False: "falls short", None: "not measured"}
        return f"{self.text}: {self.figure} {words[self.holds]}".replace("  ", " ")


def at_most(rows, what, factor, of):
    """A row takes at most `factor` times as long as another."""
    return compared(rows, f"{what} ≤ {factor:g} × {of}", [what, of], lambda a, b: (a / b, a <= factor * b))


def faster(rows, what, factor, than):
    """A row is at least `factor` times as fast as another."""
    text = f"{what} ≥ {factor:g} × as fast as {than}"
    return compared(rows, text, [what, than], lambda a, b: (b / a, a * factor <= b))


def faster_than_all(rows, what, factor, than):
    """A row is at least `factor` times as fast as the fastest of several."""
    there = [row for row in rows if row.label in than]
    if not there:
        return Promise(f"{what} ≥ {factor:g} × as fast as {' and '.join(than)}", "", None)
    return faster(rows, what, factor, min(there, key=lambda row: row.median).label)


def within(rows, what, seconds):
    """A row takes less than this."""
    text = f"{what} < {seconds * 1e3:g} ms"
    taken = {row.label: row for row in rows}[what].median
    return Promise(text, f"{taken * 1e3:.1f} ms", taken < seconds)


def memory(rows, megabytes=64):
    """No row of audit-who holds more than this."""
    peak = max(row.peak for row in rows if row.label.startswith("audit-who")) / 1e6
    return Promise(f"audit-who holds < {megabytes} MB", f"{peak:.0f} MB", peak < megabytes)


def compared(rows, text, labels, judge):
    found = {row.label: row.median for row in rows}
    if not all(label in found for label in labels):
        return Promise(text, "", None)
    figure, holds = judge(*(found[label] for label in labels))
    return Promise(text, f"{figure:.3g}", holds)
