"""An interval over time: where it lay and lies, against zero and against the margin that is accepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import isfinite

from widgets.charts.binning import Bin, bins_of, time_ticks, value_ticks
from widgets.charts.raster import runs_of
from widgets.text.glyphs import glyphs, is_ascii
from widgets.text.line_widget import LineWidget, Span
from widgets.text.plain import fit, plain, width_of
from widgets.text.wrap import wrap_words

LABELS = 8
"""Cells left of the plot for its figures."""
WORDS = 10
"""Cells right of it for what its lines are; none where it is narrow."""
WORDY = 56
"""From this width on there is room for them."""
AXIS_LINES = 2
MIN_WIDTH, MIN_HEIGHT = 30, 6
"""Below this it says that it needs room."""
LATEST_S = 2e11
"""Times after this (the year 8307) are left out, and those before 1970."""
MAX_MARKS = 50
"""Marks drawn; of more, the newest."""


@dataclass(frozen=True, slots=True)
class IntervalPoint:
    """The interval at one moment.

    Args:
        time: epoch seconds.
        lower, estimate, upper: in the same unit; a bound may be infinite.
    """

    time: float
    lower: float
    estimate: float
    upper: float


@dataclass(frozen=True, slots=True)
class IntervalMark:
    """Something that changed: a step.

    Args:
        time: epoch seconds.
        label: e.g. "20 %".
    """

    time: float
    label: str


@dataclass(frozen=True, slots=True)
class IntervalData:
    """What is drawn.

    Args:
        points: oldest first.
        marks: in any order.
        margin: how far below zero is accepted, drawn as a line of its own; 0 for none.
    """

    points: tuple[IntervalPoint, ...] = ()
    marks: tuple[IntervalMark, ...] = ()
    margin: float = 0.0


Cell = tuple[str, str]
"""A character and its tone."""


class IntervalPlot(LineWidget):
    """The interval by its two bounds, the estimate as a line between them, zero and the margin across.

    Args:
        empty: what to say while there is nothing to draw: why, and what to do.
    """

    DEFAULT_CSS = """
    IntervalPlot { height: 1fr; width: 1fr; }
    """

    def __init__(
        self, *, empty: str = "Nothing to draw yet.", id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._data = IntervalData()
        self._empty = empty
        self._lines: list[list[Span]] = []

    @property
    def data(self) -> IntervalData:
        """What is drawn."""
        return self._data

    def show(self, data: IntervalData, empty: str = "") -> None:
        """Draw this; only the lines that differ are repainted.

        Args:
            data: what is drawn.
            empty: what to say where there is nothing to draw; the old words where it is empty.
        """
        if data != self._data or (empty and empty != self._empty):
            self._data, self._empty = data, empty or self._empty
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width, height = self.content_size
        before, self._lines = self._lines, self._plot(width, height)
        for y in range(height):
            old = before[y] if y < len(before) else None
            new = self._lines[y] if y < len(self._lines) else None
            if old != new:
                self.refresh_line(y)

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        spans = self._lines[y] if y < len(self._lines) else []
        grey = [(text, "stale" if tone != "frame" else tone) for text, tone in spans] if self._stale else spans
        return grey, ""

    def _plot(self, width: int, height: int) -> list[list[Span]]:
        if not any(isfinite(point.estimate) for point in self._data.points):
            return [[(f" {line}", "dim")] for line in wrap_words(self._empty, max(1, width - 2))]
        if width < MIN_WIDTH or height < MIN_HEIGHT:
            return [[(f" The interval needs {MIN_WIDTH}×{MIN_HEIGHT} cells.", "dim")]]
        return interval_lines(self._data, width, height)


@dataclass(frozen=True, slots=True)
class _Frame:
    """What a place on the canvas stands for."""

    start: float
    end: float
    low: float
    high: float
    columns: int
    rows: int

    def pixel(self, value: float) -> int:
        """The height of a value in dots, four to a row; outside the canvas it lies below 0 or above the top."""
        scaled = (value - self.low) / (self.high - self.low) * (self.rows * 4 - 1)
        return round(min(max(scaled, -1.0), self.rows * 4.0))

    def row(self, value: float) -> int:
        """The row of a value, counted from below."""
        return min(max(self.pixel(value), 0), self.rows * 4 - 1) // 4

    def column(self, time: float) -> int:
        """The column of a time."""
        return round((time - self.start) / (self.end - self.start) * (self.columns - 1))


def interval_lines(data: IntervalData, width: int, height: int) -> list[list[Span]]:
    """The plot's lines, top first; the last two are the axis of time.

    Args:
        data: at least one point has a finite estimate.
        width, height: in cells, at least 30×6.
    """
    words = WORDS if width >= WORDY else 0
    data = replace(data, points=_in_order(data.points))
    low, high = _range(data)
    start, end = data.points[0].time, data.points[-1].time
    end = end if end > start else start + 1.0
    frame = _Frame(start, end, low, high, width - LABELS - 1 - words, height - AXIS_LINES)
    canvas: dict[tuple[int, int], Cell] = {}
    edges, estimate = _layers(data, frame)
    _draw_marks(canvas, data.marks, frame)
    lines = _rules(data, frame)
    for row, (sign, tone) in lines.items():
        canvas.update({(column, row): (sign, tone) for column in range(frame.columns)})
    canvas.update({at: _cell(bits, "edge") for at, bits in edges.items()})
    canvas.update({at: _cell(bits, "estimate") for at, bits in estimate.items()})
    _label_marks(canvas, data.marks, frame)
    figures, names = _figures(data, frame), _words(data, frame) if words else {}
    shown: list[list[Span]] = []
    for row in range(frame.rows - 1, -1, -1):
        label, tone = figures.get(row, ("", ""))
        spans: list[Span] = [(f"{label:>{LABELS - 1}} ", tone), (glyphs().box[5], "frame")]
        cells = [canvas.get((column, row), (" ", "")) for column in range(frame.columns)]
        spans += [("".join(char for char, _ in run), tone) for tone, run in groupby(cells, lambda cell: cell[1])]
        word, tone = names.get(row, ("", ""))
        shown.append([*spans, (" ", "frame"), (word, tone)] if word else spans)
    return [*shown, *_time_axis(frame)]


def _in_order(points: Sequence[IntervalPoint]) -> tuple[IntervalPoint, ...]:
    """The points by time, without those that stand at no time anybody could read."""
    sound = [point for point in points if 0.0 <= point.time <= LATEST_S]
    return tuple(sorted(sound, key=lambda point: point.time)) or (IntervalPoint(0.0, 0.0, 0.0, 0.0),)


def _range(data: IntervalData) -> tuple[float, float]:
    """What is shown: zero, the margin, and the later half of the interval; earlier bounds are wider and run out."""
    late = data.points[len(data.points) // 2 :]
    bounds = [value for point in late for value in (point.lower, point.upper, point.estimate) if isfinite(value)]
    known = [max(-1e15, min(value, 1e15)) for value in bounds]
    low, high = min([-1.4 * data.margin, 0.0, *known]), max([0.6 * data.margin, 0.0, *known])
    if high - low < 1e-12:
        return low - 1.0, high + 1.0
    pad = (high - low) * 0.06
    return low - pad, high + pad


Layer = dict[tuple[int, int], int]
"""Cells, and which of their eight dots are set."""


def _layers(data: IntervalData, frame: _Frame) -> tuple[Layer, Layer]:
    """The bounds and the estimate, in dots: what lies between them stays clear for the lines across."""
    times = [point.time for point in data.points]

    def bins(values: list[float]) -> list[Bin | None]:
        return bins_of(times, values, frame.start, frame.end, frame.columns * 2)

    lower, upper = bins([point.lower for point in data.points]), bins([point.upper for point in data.points])
    middle = bins([point.estimate for point in data.points])
    edges: Layer = {}
    estimate: Layer = {}
    top = frame.rows * 4 - 1
    for x in range(frame.columns * 2):
        below, above, between = lower[x], upper[x], middle[x]
        for bound in (below, above):
            if bound is not None:
                runs_of(edges, x, max(0, frame.pixel(bound.low)), min(top, frame.pixel(bound.high)))
        if between is not None:
            at = frame.pixel(between.low), frame.pixel(between.high)
            runs_of(estimate, x, max(0, at[0]), min(top, at[1]))
    return edges, estimate


_TONES = {"edge": "dim", "estimate": "strong"}
_ASCII = {"edge": "+", "estimate": "*"}


def _cell(bits: int, kind: str) -> Cell:
    return _ASCII[kind] if is_ascii() else chr(0x2800 + bits), _TONES[kind]


def _rules(data: IntervalData, frame: _Frame) -> dict[int, Cell]:
    """Zero and the margin, by row; where both fall into one, the margin is drawn."""
    rules = {frame.row(0.0): (glyphs().rule, "dim")}
    if data.margin:
        rules[frame.row(-data.margin)] = ("┄", "warn")
    return rules


def _figures(data: IntervalData, frame: _Frame) -> dict[int, Cell]:
    """What stands left of each row."""
    labels: dict[int, Cell] = {}
    zero, margin = frame.row(0.0), frame.row(-data.margin)
    for value, label in value_ticks(frame.low, frame.high, max(2, frame.rows // 4)):
        if min(abs(frame.row(value) - zero), abs(frame.row(value) - margin)) > 1:
            labels[frame.row(value)] = label[: LABELS - 1], "dim"
    labels[zero] = "0", "dim"
    if data.margin:
        labels[margin] = f"−{data.margin:.3g}"[: LABELS - 1], "warn"
    return labels


def _words(data: IntervalData, frame: _Frame) -> dict[int, Cell]:
    """What the lines are, at their right ends; where two would stand in one row, the more important."""
    last = data.points[-1]
    named = [("margin", -data.margin, "warn")] if data.margin else []
    named += [("estimate", last.estimate, "strong"), ("equal", 0.0, "dim")]
    named += [("upper", last.upper, "dim"), ("lower", last.lower, "dim")]
    words: dict[int, Cell] = {}
    for word, value, tone in named:
        if isfinite(value) and 0 <= frame.pixel(value) < frame.rows * 4:
            words.setdefault(frame.row(value), (word, tone))
    return words


def _shown_marks(marks: Sequence[IntervalMark], frame: _Frame) -> list[IntervalMark]:
    within = [mark for mark in marks if frame.start <= mark.time <= frame.end]
    return sorted(within, key=lambda mark: mark.time)[-MAX_MARKS:]


def _draw_marks(canvas: dict[tuple[int, int], Cell], marks: Sequence[IntervalMark], frame: _Frame) -> None:
    for mark in _shown_marks(marks, frame):
        canvas.update({(frame.column(mark.time), row): (glyphs().mark, "mark") for row in range(frame.rows)})


def _label_marks(canvas: dict[tuple[int, int], Cell], marks: Sequence[IntervalMark], frame: _Frame) -> None:
    free = 0
    for mark in _shown_marks(marks, frame):
        column, label = frame.column(mark.time) + 1, f" {plain(mark.label)} "
        if free <= column and column + len(label) <= frame.columns and len(label) == width_of(label):
            canvas.update({(column + at, frame.rows - 1): (char, "mark") for at, char in enumerate(label)})
            free = column + len(label)


def _time_axis(frame: _Frame) -> list[list[Span]]:
    box = glyphs().box
    rule: list[Span] = [(f"{' ' * LABELS}{box[2]}{box[4] * frame.columns}", "frame")]
    text = ""
    for time, label in time_ticks(frame.start, frame.end, max(2, frame.columns // 16)):
        at = LABELS + 1 + frame.column(time) - len(label) // 2
        if at > len(text) and at + len(label) <= LABELS + 1 + frame.columns:
            text = fit(text, at) + label
    return [rule, [(text, "dim")]]
