"""An interval over time: where it lay and lies, against zero and against the margin that is accepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isfinite

from widgets.binning import Bin
from widgets.glyphs import glyphs, is_ascii
from widgets.line_widget import LineWidget, Span
from widgets.raster import braille_cells, point_cells

LABELS = 9
"""Cells left of the plot for its figures."""
MIN_WIDTH = 30
MIN_HEIGHT = 5


@dataclass(frozen=True, slots=True)
class IntervalPoint:
    """The interval at one moment.

    Args:
        lower, estimate, upper: in the same unit; a bound may be infinite.
        mark: whether something changed here (a step), drawn as a line.
    """

    lower: float
    estimate: float
    upper: float
    mark: bool = False


@dataclass(frozen=True, slots=True)
class IntervalData:
    """What is drawn.

    Args:
        points: oldest first.
        margin: how far below zero is accepted; drawn as a line of its own.
        left, right: what stands under the plot's ends: times, round numbers.
    """

    points: tuple[IntervalPoint, ...] = ()
    margin: float = 0.0
    left: str = ""
    right: str = ""


Cell = tuple[str, str]


class IntervalPlot(LineWidget):
    """The interval as a band, the estimate as a line in it, zero and the margin across.

    Args:
        empty: what to say while there is nothing to draw: why, and what to do.
    """

    DEFAULT_CSS = """
    IntervalPlot { height: 1fr; width: 1fr; }
    """

    def __init__(self, *, empty: str = "Nothing to draw yet.", id: str | None = None) -> None:
        super().__init__(id=id)
        self._data = IntervalData()
        self._empty = empty
        self._drawn: list[list[Span]] = []
        self._drawn_for: tuple[int, int] = (0, 0)

    @property
    def data(self) -> IntervalData:
        """What is drawn."""
        return self._data

    def show(self, data: IntervalData, empty: str = "") -> None:
        """Draw this, if it differs."""
        if data != self._data or (empty and empty != self._empty):
            self._data, self._empty = data, empty or self._empty
            self._drawn_for = (0, 0)
            self.refresh()

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        height = self.content_size.height
        if self._drawn_for != (width, height):
            self._drawn, self._drawn_for = self._draw(width, height), (width, height)
        return (self._drawn[y], "") if y < len(self._drawn) else ((), "")

    def _draw(self, width: int, height: int) -> list[list[Span]]:
        if not self._data.points:
            return [[(f" {line}", "dim")] for line in self._empty.split("\n")]
        if width < MIN_WIDTH or height < MIN_HEIGHT:
            return [[(f" The interval needs {MIN_WIDTH}×{MIN_HEIGHT} cells.", "dim")]]
        return interval_lines(self._data, width, height)


def interval_lines(data: IntervalData, width: int, height: int) -> list[list[Span]]:
    """The plot's lines, top first; the last one holds what stands under it."""
    signs, ascii_only = glyphs(), is_ascii()
    columns, rows = width - LABELS - 1, height - 1
    low, high = _range(data)
    shown = [data.points[at * len(data.points) // columns] for at in range(columns)]
    canvas: list[list[Cell]] = [[(" ", "")] * columns for _ in range(rows)]

    def row_of(value: float) -> int:
        return min(rows - 1, max(0, round((high - value) / (high - low) * (rows - 1))))

    for x, point in enumerate(shown):
        for y in range(row_of(min(point.upper, high)), row_of(max(point.lower, low)) + 1):
            canvas[y][x] = (":" if ascii_only else "░", "info")
    labels = {row_of(-data.margin): (f"{-data.margin:+.3g}", "warn")} if data.margin else {}
    labels[row_of(0.0)] = ("0", "dim")
    for y, (_label, tone) in labels.items():
        sign = signs.rule if tone == "dim" else "=" if ascii_only else "┄"
        canvas[y] = [(sign, tone)] * columns
    last: IntervalPoint | None = None
    for x, point in enumerate(shown):
        if point.mark and point is not last:
            for y in range(rows):
                canvas[y][x] = (signs.mark, "dim")
        last = point
    before = shown[0].estimate
    estimates: list[Bin | None] = []
    for point in shown:
        low_end, high_end = sorted((before, point.estimate))
        estimates += [Bin(low_end, high_end), Bin(point.estimate, point.estimate)]
        before = point.estimate
    cells = point_cells(estimates, low, high, rows, "o") if ascii_only else braille_cells(estimates, low, high, rows)
    for x, up, char in cells:
        if x < columns and up < rows:
            canvas[rows - 1 - up][x] = (char, "accent bold")
    edges = {0: (f"{high:+.3g}", "dim"), rows - 1: (f"{low:+.3g}", "dim"), **labels}
    lines: list[list[Span]] = []
    for y, cells_of_row in enumerate(canvas):
        label, tone = edges.get(y, ("", ""))
        spans: list[Span] = [(f"{label:>{LABELS - 1}} ", tone), ("|" if ascii_only else "│", "dim")]
        spans += [("".join(char for char, _ in run), tone) for tone, run in groupby(cells_of_row, lambda cell: cell[1])]
        lines.append(spans)
    gap = max(1, columns - len(data.left) - len(data.right))
    lines.append([(" " * (LABELS + 1) + data.left + " " * gap + data.right, "dim")])
    return lines


def _range(data: IntervalData) -> tuple[float, float]:
    """What is shown: zero, the margin, and the later half of the interval; earlier bounds are wider and cut off."""
    late = data.points[len(data.points) // 2 :]
    bounds = [value for point in late for value in (point.lower, point.upper, point.estimate) if isfinite(value)]
    low, high = min([-1.4 * data.margin, *bounds]), max([0.6 * data.margin, *bounds])
    if high - low < 1e-12:
        low, high = low - 1.0, high + 1.0
    pad = (high - low) * 0.04
    return low - pad, high + pad
