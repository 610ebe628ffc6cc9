"""The chart of 100,000 points on 160 by 40 cells, beside plotext alone; and how often it is drawn."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Iterator

from tests.bench.figures import median
from tests.bench.line import Line, at_most
from tests.bench.stage import Stage
from widgets.charts.plot import Plotter
from widgets.charts.pnl_chart import ChartData, PnlChart, Series, chart_lines, legend

POINTS, WIDTH, HEIGHT = 100_000, 160, 40


def measure(stage: Stage) -> Iterator[Line]:
    """Ours and the peer in turn; medians of processor time."""
    data = _walk(POINTS)
    span = (data.series[0].times[0], data.series[0].times[-1])
    plotter = Plotter()
    ours: list[float] = []
    theirs: list[float] = []
    for turn in range(stage.few(30, 9)):
        began = time.process_time()
        legend(data, WIDTH)
        chart_lines(plotter, data, span, WIDTH, HEIGHT - 1)
        ours.append(time.process_time() - began)
        if turn < stage.few(5, 2):
            theirs.append(_plotext(data))
    name = f"PnL chart of {POINTS:,} points, {WIDTH}×{HEIGHT}"
    yield at_most(name, 1000 * median(ours), "ms", 20.0, "plotext alone", 1000 * median(theirs))
    times, shown_rate = asyncio.run(_drawings(stage.few(8, 4)))
    rate = (len(times) - 1) / (times[-1] - times[0])
    yield at_most("PnL chart: drawings a second while data keep coming", rate, "1/s", 1.0, "data shown", shown_rate)


def _walk(points: int) -> ChartData:
    chance = random.Random(3)
    total, values = 0.0, []
    for _ in range(points):
        total += chance.gauss(0.002, 1.0)
        values.append(total)
    times = [1_760_000_000.0 + 0.864 * index for index in range(points)]
    return ChartData((Series("blue", "blue", times, values),), (), "USD")


def _plotext(data: ChartData) -> float:
    import plotext

    began = time.process_time()
    plotext.clear_figure()
    plotext.plotsize(WIDTH, HEIGHT)
    plotext.plot(data.series[0].times, data.series[0].values, marker="braille")
    plotext.build()
    return time.process_time() - began


class _Counted(PnlChart):
    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def _chart(self, width: int, height: int) -> list[list[tuple[str, str]]]:
        self.times.append(time.monotonic())
        return super()._chart(width, height)


async def _drawings(seconds: int) -> tuple[list[float], float]:
    """When the chart was drawn, and how often a second new data were shown meanwhile."""
    from textual.app import App, ComposeResult

    from themes.builtin import THEMES, VARIABLES

    class Charted(App[None]):
        def get_theme_variable_defaults(self) -> dict[str, str]:
            return dict(VARIABLES)

        def compose(self) -> ComposeResult:
            self.register_theme(THEMES[0])
            self.theme = THEMES[0].name
            yield _Counted()

    app = Charted()
    async with app.run_test(size=(WIDTH, HEIGHT)):
        chart = app.query_one(_Counted)
        times = list(range(200))
        chart.show(ChartData((Series("blue", "blue", times, [math.sin(t) for t in times]),)))
        await asyncio.sleep(1.5)
        chart.times, shown = [], 0
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            shown += 1
            chart.show(ChartData((Series("blue", "blue", times, [math.sin(t) + shown for t in times]),)))
            await asyncio.sleep(0.1)
        return chart.times, shown / (time.perf_counter() - began)
