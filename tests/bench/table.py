"""The result as a table of plain text."""

from __future__ import annotations

from tests.bench.line import Line

_WIDTHS = (56, 14, 44, 8, 20)


def header() -> str:
    """The titles, and a rule under them."""
    titles = _joined("what", "ours", "floor or peer", "ratio", "budget") + "holds"
    return f"{titles}\n{'─' * (sum(_WIDTHS) + 11)}"


def row(line: Line) -> str:
    """One line."""
    ours = "-" if line.ours is None else f"{figure(line.ours)} {line.unit}"
    floor = line.floor_name if line.floor is None else f"{line.floor_name} {figure(line.floor)}"
    ratio = "" if line.ratio is None else f"{line.ratio:.2f}"
    holds = {True: "yes", False: "NO", None: ""}[line.holds]
    note = f"\n    {line.note}" if line.note else ""
    return f"{_joined(line.name, ours, floor, ratio, line.budget)}{holds}{note}".rstrip()


def figure(value: float) -> str:
    """Three figures that say something."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _joined(*cells: str) -> str:
    return "".join(f"{cell:<{width}} " for cell, width in zip(cells, _WIDTHS, strict=True))
