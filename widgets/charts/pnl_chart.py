"""The one large chart: profit and loss of both slots over time, with marks where something was switched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from time import monotonic
from typing import TYPE_CHECKING

from textual.timer import Timer

from widgets.charts.binning import SMALLEST, Bin, at_least, bins_of, digits_of, signed, time_ticks
from widgets.charts.raster import Cell, block_cells, braille_cells, point_cells
from widgets.text.glyphs import glyphs, is_ascii
from widgets.text.line_widget import LineWidget, Span
from widgets.text.plain import plain, width_of
from widgets.text.wrap import wrap_words

if TYPE_CHECKING:
    from widgets.charts.plot import Plotter


@dataclass(frozen=True, slots=True)
class Series:
    """One line of the chart.

    Args:
        name: in the legend.
        tone: "blue" or "green".
        times: epoch seconds, rising.
        values: as many as times.
    """

    name: str
    tone: str
    times: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened.

    Args:
        time: epoch seconds.
        label: a word, e.g. "switch".
        tone: its tone.
        at: the time in words, for the line below the chart.
        who: did it; empty where nobody in particular did.
    """

    time: float
    label: str
    tone: str = "mark"
    at: str = ""
    who: str = ""

    @property
    def words(self) -> str:
        """What it was, when, and who did it."""
        return " ".join(part for part in (self.at, plain(self.label), plain(self.who)) if part)


@dataclass(frozen=True, slots=True)
class ChartData:
    """What the chart draws.

    Args:
        series: at most two are told apart by glyph.
        marks: in any order.
        unit: of the values, e.g. "USD".
        others: units that there are beside it, of which nothing is drawn.
    """

    series: tuple[Series, ...] = ()
    marks: tuple[Mark, ...] = ()
    unit: str = ""
    others: tuple[str, ...] = ()


MIN_INTERVAL_S = 1.0
"""The least time between two drawings."""

MIN_WIDTH, MIN_HEIGHT = 24, 6
"""Below this the chart says that it needs room."""

LABEL_WIDTH = 9
"""Cells left of the canvas; wider labels take more."""

MAX_MARKS = 50
"""Marks drawn; of more, the newest. Of these the newest have numbers, as many as the line below has words for."""

LEAST_LABELS = 4
"""Figures beside the canvas, where it has the rows for them: two would leave one guessing between."""
MARKED_LINES = 10
"""From this height on there is a line below for what the marks are; lower, their words stand at their tops."""


class PnlChart(LineWidget):
    """Profit and loss over time: the first series in braille, the second in dots, with the zero line and the marks.

    Args:
        empty: what to say while there is nothing to draw: why, and what to do.
    """

    DEFAULT_CSS = """
    PnlChart { height: 1fr; width: 1fr; }
    """

    def __init__(self, *, empty: str = "No PnL yet.", id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._data = ChartData()
        self._empty = empty
        self._lines: list[list[Span]] = []
        self._plotter: Plotter | None = None
        self._drawn_at = 0.0
        self._timer: Timer | None = None

    @property
    def empty(self) -> str:
        """What is said while there is nothing to draw."""
        return self._empty

    @empty.setter
    def empty(self, value: str) -> None:
        if value != self._empty:
            self._empty = value
            self._draw()

    def show(self, data: ChartData) -> None:
        """Draw this; at most once a second, and only the lines that differ."""
        if data == self._data:
            return
        self._data = data
        if self._timer is None and self.is_attached:
            wait = 0.0 if not self._drawn_at else self._drawn_at + MIN_INTERVAL_S - monotonic()
            if wait > 0:
                self._timer = self.set_timer(wait, self._draw)
            else:
                self.call_after_refresh(self._draw)

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        width, height = self.content_size
        before, self._lines = self._lines, self._chart(width, height)
        for y in range(height):
            old = before[y] if y < len(before) else None
            new = self._lines[y] if y < len(self._lines) else None
            if old != new:
                self.refresh_line(y)

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        spans = self._lines[y] if y < len(self._lines) else []
        return ([(text, "stale") for text, _ in spans] if self._stale else spans), ""

    def _chart(self, width: int, height: int) -> list[list[Span]]:
        span = _time_span(self._data)
        if span is None:
            return [[(f" {line}", "dim")] for line in wrap_words(self._empty, max(1, width - 2))]
        if width < MIN_WIDTH or height < MIN_HEIGHT:
            return [[(f" The chart needs {MIN_WIDTH}×{MIN_HEIGHT}; `z` zooms.", "dim")]]
        if self._plotter is None:
            from widgets.charts.plot import Plotter

            self._plotter = Plotter()
        self._drawn_at = monotonic()
        numbered = numbered_marks(self._data.marks, span, width) if height >= MARKED_LINES else ()
        below = 1 if numbered else 0
        lines = chart_lines(self._plotter, self._data, span, width, height - 1 - below, numbered)
        return [legend(self._data, width), *lines, *([mark_line(numbered)] if numbered else [])]


def chart_lines(
    plotter: Plotter,
    data: ChartData,
    span: tuple[float, float],
    width: int,
    height: int,
    numbered: Sequence[Mark] = (),
) -> list[list[Span]]:
    """The chart without its legend.

    Args:
        plotter: draws the canvas and the axes.
        data: what is drawn; at least one series has a finite value.
        span: the first and the last time shown, epoch seconds.
        width, height: in cells.
        numbered: marks that stand as a number, counted from 1; the others as their word.
    """
    from widgets.charts.plot import AXIS_LINES, Axes, Layer

    rows = height - AXIS_LINES
    margin = LABEL_WIDTH
    while True:
        columns = width - margin
        all_bins = [bins_of(series.times, series.values, *span, columns * 2) for series in data.series]
        low, high = _value_span(all_bins)
        least = LEAST_LABELS if rows >= 6 else 2
        ticks = at_least(low, high, least, max(least, rows * 2 // 3))
        needed = max((len(label) for _, label in ticks), default=0) + 2
        if needed <= margin or needed > width // 2:
            break
        margin = needed
    start, end = span
    axes = Axes(
        x=[
            (round((time - start) / (end - start) * (columns - 1)), label)
            for time, label in time_ticks(start, end, max(2, columns // 16))
        ],
        y=[(round((value - low) / (high - low) * (rows - 1)), label) for value, label in ticks],
        margin=margin,
    )
    lines, labels = _mark_layers(data.marks, span, columns, rows, numbered)
    layers = []
    if low <= 0 <= high:
        zero = round(-low / (high - low) * (rows - 1))
        layers.append(Layer("frame", [(column, zero, glyphs().rule) for column in range(columns)]))
    layers += [Layer(tone, cells) for tone, cells in lines]
    layers += [
        Layer(series.tone, series_cells(index, all_bins[index], low, high, rows))
        for index, series in reversed(tuple(enumerate(data.series)))
    ]
    layers += [Layer(tone, cells) for tone, cells in labels]
    return plotter.draw(width, height, axes, layers)


def series_cells(index: int, bins: Sequence[Bin | None], low: float, high: float, rows: int) -> list[Cell]:
    """A series' cells; which signs it has depends on its place, so that two lines are told apart without colour."""
    if is_ascii():
        return point_cells(bins, low, high, rows, glyphs().series[index % 2][0])
    return block_cells(bins, low, high, rows) if index % 2 else braille_cells(bins, low, high, rows)


def legend(data: ChartData, width: int) -> list[Span]:
    """Which sign is which series, and where each stands now."""
    spans: list[Span] = []
    for index, series in enumerate(data.series):
        sign = glyphs().series[index % 2]
        last = next((value for value in reversed(series.values) if isfinite(value)), None)
        tone = "dim" if last is None else "gain" if last > 0 else "loss" if last < 0 else ""
        text = "no values" if last is None else f"{signed(last, digits_of(last))} {data.unit}".rstrip()
        spans += [(f" {sign} {series.name} ", series.tone), (f"{text}   ", tone)]
    if data.others:
        told = f"not drawn: {', '.join(data.others)}   "
        spans.append((told if sum(width_of(text) for text, _ in (*spans, (told, ""))) <= width else "", "warn"))
        if not spans[-1][0]:
            spans[-1] = (f"+{len(data.others)} not drawn   ", "warn")
    return spans


def numbered_marks(marks: Sequence[Mark], span: tuple[float, float], width: int) -> tuple[Mark, ...]:
    """The newest marks within the time shown, oldest first: as many as one line has words for."""
    shown = _within(marks, span)
    while shown and sum(width_of(text) for text, _ in mark_line(shown)) > width:
        shown = shown[1:]
    return tuple(shown)


def mark_line(numbered: Sequence[Mark]) -> list[Span]:
    """What each number on the chart stands for."""
    spans: list[Span] = []
    for number, mark in enumerate(numbered, 1):
        spans += [(f"  {number} ", f"{mark.tone} bold"), (mark.words, "dim")]
    return spans


def _within(marks: Sequence[Mark], span: tuple[float, float]) -> list[Mark]:
    return sorted((mark for mark in marks if span[0] <= mark.time <= span[1]), key=lambda mark: mark.time)[-MAX_MARKS:]


def _time_span(data: ChartData) -> tuple[float, float] | None:
    """The first and the last time of any series; None where no series has a finite value."""
    known = [series for series in data.series if any(map(isfinite, series.values))]
    if not known:
        return None
    start = min(series.times[0] for series in known)
    end = max(series.times[min(len(series.times), len(series.values)) - 1] for series in known)
    if not (isfinite(start) and isfinite(end)):
        return None
    return start, end if end > start else start + 1.0


def _value_span(all_bins: Sequence[Sequence[Bin | None]]) -> tuple[float, float]:
    """The lowest and the highest value; zero is taken in where it is near, and there is always some height."""
    bins_drawn = [one for series in all_bins for one in series if one is not None]
    low, high = min(one.low for one in bins_drawn), max(one.high for one in bins_drawn)
    if low > 0 and low <= 2 * (high - low):
        low = 0.0
    if high < 0 and -high <= 2 * (high - low):
        high = 0.0
    if high - low <= max(abs(high) * 1e-9, SMALLEST):
        half = abs(high) / 10 if abs(high) > SMALLEST else 1.0
        return low - half, high + half
    return low, high


def _mark_layers(
    marks: Sequence[Mark], span: tuple[float, float], columns: int, rows: int, numbered: Sequence[Mark] = ()
) -> tuple[list[tuple[str, list[Cell]]], list[tuple[str, list[Cell]]]]:
    """A vertical line for each mark, and at its top its number, or its word where there is room for it."""
    start, end = span
    lines, labels = [], []
    free = 0
    shown = _within(marks, span)
    first = len(shown) - len(numbered)
    for place, mark in enumerate(shown):
        column = round((mark.time - start) / (end - start) * (columns - 1))
        lines.append((mark.tone, [(column, row, glyphs().mark) for row in range(rows)]))
        if numbered and place < first:
            continue
        label = str(place - first + 1) if numbered else plain(mark.label)
        at = column if numbered else column + 1
        if at >= free and at + len(label) <= columns and len(label) == width_of(label):
            labels.append((f"{mark.tone} bold", [(at + index, rows - 1, char) for index, char in enumerate(label)]))
            free = at + 1 + len(label)
    return lines, labels
