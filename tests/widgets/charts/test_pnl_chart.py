"""Sparklines and the chart draw what is there, lose no peak, and never fail on a figure."""

from __future__ import annotations

from itertools import pairwise
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from themes.builtin import THEMES, VARIABLES
from widgets.charts.binning import Bin, bins_of, signed, time_ticks, value_ticks
from widgets.charts.plot import Plotter
from widgets.charts.pnl_chart import ChartData, Mark, PnlChart, Series, chart_lines, legend
from widgets.charts.raster import block_cells, braille_cells, point_cells
from widgets.charts.sparkline import spark

figures = st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=80)


@given(figures, st.integers(0, 50), st.booleans())
def test_a_sparkline_is_as_wide_as_asked_whatever_the_values_are(values: list[float], width: int, ascii: bool) -> None:
    assert len(spark(values, width, ascii)) == width


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([], "    "),
        ([nan, inf], "    "),
        ([5, 5, 5, 5], "▄▄▄▄"),
        ([0, 0], "  ▄▄"),
        ([1, nan, 8, 0], "▂ █▁"),
        ([-2, -1, 0, 2], "▁▃▅█"),
        ([100, 101, 102, 107], "▁▂▃█"),
        ([1, 2, 3, 4], "▃▅▆█"),
    ],
)
def test_a_sparkline_shows_gaps_as_gaps_flat_as_flat_and_zero_where_it_is(values: list[float], drawn: str) -> None:
    assert spark(values, 4) == drawn


def test_a_long_series_is_averaged_by_column() -> None:
    assert spark([0, 0, 1, 1], 2) == "▁█"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), st.integers(1, 60))
def test_bins_keep_every_peak_and_touch_each_other(values: list[float], columns: int) -> None:
    times = list(range(len(values)))
    bins = bins_of(times, values, 0, max(1, len(values) - 1), columns)
    known = [one for one in bins if one is not None]
    assert max(one.high for one in known) == max(values)
    assert min(one.low for one in known) == min(values)
    for one, other in pairwise(bins):
        if one is not None and other is not None:
            assert one.low <= other.high and other.low <= one.high


def test_between_points_a_running_total_holds_and_outside_there_is_nothing() -> None:
    assert bins_of([2, 8], [1.0, 3.0], 0, 10, 5) == [None, Bin(1, 1), Bin(1, 1), Bin(1, 1), Bin(1, 3)]


def test_values_that_are_not_finite_are_left_out() -> None:
    assert bins_of([0, 1, 2], [1.0, nan, inf], 0, 2, 1) == [Bin(1, 1)]


@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9), st.integers(1, 12))
def test_ticks_are_round_rising_and_inside(low: float, span: float, most: int) -> None:
    ticks = value_ticks(low, low + span, most)
    assert len(ticks) <= most + 1
    assert all(low - span * 1e-6 <= value <= low + span * (1 + 1e-6) for value, _ in ticks)
    assert all(one < other for (one, _), (other, _) in pairwise(ticks))


def test_figures_carry_their_sign_and_times_are_round_and_utc() -> None:
    assert [signed(value) for value in (1204.5, -18.02, 0.0, -0.001)] == ["+1,204.50", "−18.02", "0.00", "0.00"]
    assert [label for _, label in value_ticks(-25, 160, 4)] == ["0", "+50", "+100", "+150"]
    assert [label for _, label in time_ticks(1_700_000_000, 1_700_080_000, 5)] == ["00:00", "06:00", "12:00", "18:00"]


def test_the_two_series_are_told_apart_by_their_signs() -> None:
    bins = [Bin(float(i), float(i)) for i in range(40)]
    fine = {char for _, _, char in braille_cells(bins, 0, 39, 10)}
    blocks = {char for _, _, char in block_cells(bins, 0, 39, 10)}
    assert all(0x2800 < ord(char) <= 0x28FF for char in fine)
    assert blocks <= set("▖▘▌▗▄▚▙▝▞▀▛▐▟▜█")
    assert {char for _, _, char in point_cells(bins, 0, 39, 10, "x")} == {"x"}


DATA = ChartData(
    (
        Series("blue", "blue", range(0, 86_400, 600), [i * 1.5 - 20 for i in range(144)]),
        Series("green", "green", range(43_200, 86_400, 600), [-i * 0.5 for i in range(72)]),
    ),
    (Mark(43_200, "canary"), Mark(60_000, "crash_target"), Mark(-5, "before")),
    "USD",
)


def test_the_chart_has_axes_a_zero_line_marks_and_both_series() -> None:
    lines = chart_lines(Plotter(), DATA, (0, 86_400), 100, 20)
    text = ["".join(part for part, _ in line) for line in lines]
    assert [len(line) for line in text] == [100] * 20
    assert "06:00" in text[-1]
    assert any(line.strip().startswith("+100 ┤") for line in text)
    assert any(line.strip().startswith("0 ┤") for line in text)
    assert "canary" in text[0] and "crash_target" in text[0] and "before" not in "".join(text)
    assert sum(line.count("┊") for line in text) >= 20
    tones = {tone for line in lines for _, tone in line}
    assert {"blue", "green", "mark", "frame", "dim"} <= tones


def test_the_legend_says_where_each_series_stands() -> None:
    said = "".join(text for text, _ in legend(DATA, 100))
    assert "blue +194.50 USD" in said
    assert "green −35.50 USD" in said


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=30),
    st.integers(24, 120),
    st.integers(6, 40),
)
def test_any_figures_at_any_size_are_drawn_or_left_out_but_never_fail(
    values: list[float], width: int, height: int
) -> None:
    chart = PnlChart()
    chart._data = ChartData((Series("[/x]", "blue", range(len(values)), values),), (Mark(1, "[b]"),))
    lines = chart._chart(width, height)
    assert len(lines) in (1, height)


class Host(App[None]):
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, chart: PnlChart) -> None:
        super().__init__()
        self.chart = chart
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "dark"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(VARIABLES)

    def compose(self) -> ComposeResult:
        yield self.chart


def drawn(chart: PnlChart) -> str:
    return "\n".join("".join(segment.text for segment in chart.render_line(y)) for y in range(chart.size.height))


async def test_an_empty_chart_says_why_and_a_drawn_one_comes_with_the_first_data() -> None:
    chart = PnlChart(empty="No PnL: records carry none at output.pnl.")
    async with Host(chart).run_test(size=(90, 20)) as pilot:
        assert "No PnL: records carry none" in drawn(chart)
        chart.show(DATA)
        await pilot.pause()
        assert "blue +194.50 USD" in drawn(chart)
        chart.show(ChartData())
        await pilot.pause(1.3)
        assert "No PnL: records carry none" in drawn(chart)


async def test_two_drawings_are_at_least_a_second_apart_and_the_last_data_wins() -> None:
    chart = PnlChart()
    async with Host(chart).run_test(size=(90, 20)) as pilot:
        chart.show(DATA)
        await pilot.pause()
        for last in (1.0, 2.0, 3.0):
            chart.show(ChartData((Series("blue", "blue", (0, 60), (0.0, last)),), (), "USD"))
            await pilot.pause()
            assert "+194.50" in drawn(chart)
        await pilot.pause(1.3)
        assert "blue +3.00 USD" in drawn(chart)


async def test_a_chart_without_room_says_so() -> None:
    chart = PnlChart()
    async with Host(chart).run_test(size=(90, 4)) as pilot:
        chart.show(DATA)
        await pilot.pause()
        assert "needs 24×6" in drawn(chart)


@pytest.mark.parametrize("values", [[0.0, 5e-324], [0.0, 1.7e308], [-1.7e308, 1.7e308], [1e300, 1e300]])
def test_the_smallest_and_the_largest_figures_are_drawn_too(values: list[float]) -> None:
    assert len(spark(values, 10)) == 10
    chart = PnlChart()
    chart._data = ChartData((Series("a", "blue", (0, 1), values),))
    assert len(chart._chart(60, 12)) == 12


def test_the_legend_shows_small_totals_and_names_what_is_not_drawn() -> None:
    data = ChartData((Series("blue", "blue", (0.0, 1.0), (0.0, -0.0000012)),), unit="BTC", others=("KRW", "USD dry"))
    told = "".join(text for text, _ in legend(data, 100))
    assert "−0.0000012 BTC" in told
    assert "not drawn: KRW, USD dry" in told
    assert "+2 not drawn" in "".join(text for text, _ in legend(data, 44))
