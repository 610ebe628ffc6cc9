"""A chart's canvas and axes by plotext, reached through textual-plotext, read back cell by cell.

The data is reduced to the pixels of the canvas before plotext sees it, and plotext's matrix is read instead of its
escape sequences: 100,000 points cost a hundredth of a second instead of most of a whole one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from widgets.charts.raster import Cell
from widgets.text.line_widget import Span


@dataclass(frozen=True, slots=True)
class Layer:
    """Cells of one tone, laid over those before it."""

    tone: str
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Axes:
    """Where the axes' figures stand.

    Args:
        x, y: place on the canvas in cells, and label.
        margin: the cells left of the canvas: labels, a blank, the axis.
    """

    x: Sequence[tuple[int, str]]
    y: Sequence[tuple[int, str]]
    margin: int


_NONE = "default"
"""plotext's word for a cell without a colour of its own."""

AXIS_LINES = 2
"""The lines under the canvas: the axis and its labels."""


class Plotter:
    """One plotext figure, used again for every drawing. Importing plotext takes some 50 ms: make it when needed."""

    def __init__(self) -> None:
        from plotext._matrix import matrix_class
        from textual_plotext.plot import Plot

        class Matrix(matrix_class):  # type: ignore[misc]
            """plotext's matrix, without asking of every cell which background it has: ours have none."""

            def set_matrices(self) -> None:
                self.marker = [[" "] * self.cols for _ in self.Rows]
                self.fullground, self.background, self.style = (
                    [[_NONE] * self.cols for _ in self.Rows] for _ in range(3)
                )

        self._plot: Any = Plot()
        self._new_matrix: Callable[[], Any] = Matrix

    def draw(self, width: int, height: int, axes: Axes, layers: Sequence[Layer]) -> list[list[Span]]:
        """The chart's lines, top first.

        Args:
            width, height: of the whole chart in cells.
            axes: their figures.
            layers: what is drawn, undermost first.
        """
        plot = self._plot
        columns, rows = width - axes.margin, height - AXIS_LINES
        plot.clear_figure()
        plot.xaxes(True, False)
        plot.yaxes(True, False)
        plot.xlim(0, columns - 1)
        plot.ylim(0, rows - 1)
        plot.xticks([x for x, _ in axes.x], [label for _, label in axes.x])
        plot.yticks([y for y, _ in axes.y], [f"{label:>{axes.margin - 2}} " for _, label in axes.y])
        tones = [""]
        for layer in layers:
            if layer.cells:
                plot.scatter(
                    [cell[0] for cell in layer.cells],
                    [cell[1] for cell in layer.cells],
                    marker=[cell[2] for cell in layer.cells],
                    color=(0, 0, len(tones)),
                )
                tones.append(layer.tone)
        monitor = plot.monitor
        monitor.matrix = self._new_matrix()
        monitor.set_size([width, height])
        monitor.build_plot()
        return [
            _spans(markers, colors, tones)
            for markers, colors in zip(
                reversed(monitor.matrix.marker), reversed(monitor.matrix.fullground), strict=True
            )
        ]


def _spans(markers: Sequence[str], colors: Sequence[object], tones: Sequence[str]) -> list[Span]:
    spans: list[Span] = []
    at = 0
    for color, run in groupby(colors):
        size = sum(1 for _ in run)
        tone = tones[color[2]] if isinstance(color, tuple) and color[2] < len(tones) else "dim"
        spans.append(("".join(markers[at : at + size]), tone))
        at += size
    return spans
