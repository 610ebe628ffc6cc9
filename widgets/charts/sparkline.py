"""A sparkline that tells the truth: gaps stay gaps, a flat series is flat, and the zero line is where zero is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite

from widgets.charts.binning import LARGEST
from widgets.text.glyphs import ASCII, UNICODE, glyphs
from widgets.text.line_widget import LineWidget, Span


def spark(values: Sequence[float], width: int, ascii: bool | None = None) -> str:
    """The values as one line of exactly `width` characters, oldest left, newest right.

    The scale always takes in zero where the values come near it (the span from zero is at most twice the span of the
    values), so that a small loss doesn't look like a collapse. Values that are not finite are skipped; where a column
    has none, it stays empty. A series without movement is drawn flat at mid height.

    Args:
        values: oldest first; more than `width` of them are averaged by column.
        width: characters, 0 or more.
        ascii: which signs to draw; None for the set in use.
    """
    signs = glyphs() if ascii is None else ASCII if ascii else UNICODE
    if width <= 0:
        return ""
    columns = _columns(values, width)
    known = [value for value in columns if value is not None]
    if not known:
        return signs.gap * width
    low, high = min(known), max(known)
    if low == high:
        return "".join(signs.gap if value is None else signs.mid for value in columns)
    low, high = _with_zero(low, high)
    top = len(signs.levels) - 1
    scale = top / (high - low) if high - low > TINIEST else 0.0
    return "".join(
        signs.gap if value is None else signs.levels[min(top, max(0, round((value - low) * scale)))]
        for value in columns
    )


TINIEST = 1e-300
"""A span below this can't be divided by."""


def _columns(values: Sequence[float], width: int) -> list[float | None]:
    count = len(values)
    if count <= width:
        return [None] * (width - count) + [_clamped(value) if isfinite(value) else None for value in values]
    edges = [column * count // width for column in range(width + 1)]
    columns: list[float | None] = []
    for start, end in pairwise(edges):
        known = [_clamped(value) for value in values[start:end] if isfinite(value)]
        columns.append(sum(value / len(known) for value in known) if known else None)
    return columns


def _clamped(value: float) -> float:
    return max(-LARGEST, min(value, LARGEST))


def _with_zero(low: float, high: float) -> tuple[float, float]:
    span = high - low
    if low > 0 and high <= 2 * span:
        return 0.0, high
    if high < 0 and -low <= 2 * span:
        return low, 0.0
    return low, high


class Sparkline(LineWidget):
    """One line of values."""

    DEFAULT_CSS = """
    Sparkline { height: 1; width: 1fr; }
    """

    def __init__(
        self, values: Sequence[float] = (), *, tone: str = "", id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._values: tuple[float, ...] = tuple(values)
        self._tone = tone

    def show(self, values: Sequence[float], tone: str = "") -> None:
        """Draw these values, if they differ from those on screen."""
        if (shown := tuple(values)) != self._values or tone != self._tone:
            self._values, self._tone = shown, tone
            self.refresh()

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        return ((spark(self._values, width), self._tone),) if y == 0 else (), ""
