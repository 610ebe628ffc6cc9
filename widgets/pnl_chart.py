"""The one large chart: profit and loss of both slots over time, with marks where something was switched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from widgets.glyphs import glyphs
from widgets.line_widget import LineWidget, Span
from widgets.wrap import wrap_words


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
    """

    time: float
    label: str
    tone: str = "mark"


@dataclass(frozen=True, slots=True)
class ChartData:
    """What the chart draws.

    Args:
        series: at most two are told apart by glyph.
        marks: in any order.
        unit: of the values, e.g. "USD".
    """

    series: tuple[Series, ...] = ()
    marks: tuple[Mark, ...] = ()
    unit: str = ""


class PnlChart(LineWidget):
    """Profit and loss over time."""

    DEFAULT_CSS = """
    PnlChart { height: 1fr; width: 1fr; }
    """

    def __init__(self, *, empty: str = "No PnL yet.", id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._data = ChartData()
        self._empty = empty
        self._stale = False

    @property
    def stale(self) -> bool:
        """Whether the data is old and drawn grey."""
        return self._stale

    @stale.setter
    def stale(self, value: bool) -> None:
        if value != self._stale:
            self._stale = value
            self.refresh()

    @property
    def empty(self) -> str:
        """What is said while there is nothing to draw."""
        return self._empty

    @empty.setter
    def empty(self, value: str) -> None:
        self._empty = value
        self.refresh()

    def show(self, data: ChartData) -> None:
        """Draw this, at most once a second."""
        self._data = data
        self.refresh()

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        lines = wrap_words(self._empty, max(1, width - 2))
        _ = glyphs()
        return (((" " + lines[y], "dim"),), "") if y < len(lines) else ((), "")
