"""The widgets of the proving screens: they draw what is there, at any size, and never fail on a figure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import inf, nan, sqrt
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult

from themes.builtin import THEMES, VARIABLES
from widgets.charts.bar import bar_spans
from widgets.charts.interval_bar import interval_bar, reach_of
from widgets.charts.interval_plot import IntervalData, IntervalMark, IntervalPlot, IntervalPoint, interval_lines
from widgets.charts.raster import runs_of
from widgets.charts.step_ladder import Rung, StepLadder, ladder_lines
from widgets.lists.side_by_side import SideRow, side_lines
from widgets.text.glyphs import set_ascii
from widgets.text.line_widget import Span

anything = st.floats(allow_nan=True, allow_infinity=True)
words = st.text(max_size=40)


@pytest.fixture
def in_ascii() -> Iterator[None]:
    set_ascii(True)
    yield
    set_ascii(False)


def text_of(line: list[Span]) -> str:
    return "".join(text for text, _tone in line)


def narrowing(count: int = 60, estimate: float = -0.01, start: float = 0.0) -> tuple[IntervalPoint, ...]:
    return tuple(
        IntervalPoint(start + 60.0 * n, estimate - 0.6 / sqrt(n + 1), estimate, estimate + 0.6 / sqrt(n + 1))
        for n in range(count)
    )


# bars


@given(anything, st.integers(0, 60))
def test_a_bar_is_as_wide_as_asked_whatever_the_fraction(fraction: float, width: int) -> None:
    assert len(text_of(bar_spans(fraction, width))) == width


@pytest.mark.parametrize(
    ("fraction", "drawn"),
    [
        (0.0, "────────"),
        (0.001, "━───────"),
        (0.5, "━━━━────"),
        (0.999, "━━━━━━━─"),
        (1.0, "━━━━━━━━"),
        (3.0, "━━━━━━━━"),
        (-1.0, "────────"),
        (nan, "────────"),
        (inf, "────────"),
    ],
)
def test_anything_used_is_seen_and_so_is_anything_left(fraction: float, drawn: str) -> None:
    assert text_of(bar_spans(fraction, 8)) == drawn


# the interval over time


def plot(width: int = 60, height: int = 14, **more: object) -> list[str]:
    data = IntervalData(narrowing(), (IntervalMark(1200.0, "20 %"),), 0.05)
    return [text_of(line) for line in interval_lines(IntervalData(**{**vars_of(data), **more}), width, height)]  # type: ignore[arg-type]


def vars_of(data: IntervalData) -> dict[str, object]:
    return {name: getattr(data, name) for name in ("points", "marks", "margin")}


def test_zero_and_the_margin_are_lines_with_their_names() -> None:
    lines = plot(height=22, points=narrowing(estimate=-0.025))
    (zero,) = [line for line in lines if line.startswith("      0 ")]
    (margin,) = [line for line in lines if line.startswith("  −0.05 ")]
    assert zero.count("─") > 15
    assert margin.count("┄") > 20
    assert margin.endswith("margin")
    assert lines.index(zero) < lines.index(margin)
    assert any(line.endswith("estimate") for line in lines)
    assert any(line.endswith("upper") for line in lines)
    assert any(line.endswith("lower") for line in lines)


def test_a_step_is_a_line_from_top_to_bottom_with_its_name() -> None:
    lines = plot()
    column = lines[0].index("┊")
    assert sum(line[column] == "┊" for line in lines[:-2]) >= 6, "all but where the interval and the lines are drawn"
    assert lines[0][column:].startswith("┊ 20 % ")


def test_no_margin_means_no_line_of_it() -> None:
    assert not any("┄" in line or "margin" in line for line in plot(margin=0.0))


def test_a_wide_interval_at_the_start_does_not_hide_what_is_so_now() -> None:
    points = (IntervalPoint(-60.0, -900.0, 0.0, 900.0), *narrowing())
    assert any(line.startswith("  −0.05 ") for line in plot(points=points))
    assert "900" not in "".join(plot(points=points))


def test_the_interval_of_the_present_is_always_drawn_whole() -> None:
    data = IntervalData((*narrowing(), IntervalPoint(3600.0, -4.0, -2.0, 7.0)), (), 0.05)
    lines = [text_of(line) for line in interval_lines(data, 60, 20)]
    assert [word for line in lines for word in ("upper", "estimate", "lower") if line.endswith(word)] == [
        "upper",
        "estimate",
        "lower",
    ]


def test_time_runs_evenly_however_unevenly_it_was_looked_at() -> None:
    early = narrowing(50)
    late = IntervalPoint(early[-1].time * 3, -0.01, 0.3, 0.02)
    lines = interval_lines(IntervalData((*early, late), (), 0.05), 60, 14)
    starts = []
    for line in lines[:-2]:
        at = 0
        for text, tone in line[2:]:
            if tone == "strong" and text != "estimate":
                starts.append(at)
            at += len(text)
    assert starts[0] > 35, (
        "the jump stands at the right end, where its time is, and not after nine tenths of the points"
    )


def test_on_a_narrow_terminal_the_words_give_way_to_the_plot() -> None:
    lines = plot(width=40)
    assert all(cell_len(line) <= 40 for line in lines)
    assert not any(line.endswith(("margin", "estimate")) for line in lines)
    assert any(line.startswith("  −0.05 ") for line in lines)


points = st.lists(st.tuples(anything, anything, anything, st.floats(-1e12, 1e12)), min_size=1, max_size=30)


@given(points, anything, st.integers(30, 120), st.integers(6, 40), words)
def test_no_figure_and_no_size_breaks_the_plot(
    values: list[tuple[float, float, float, float]], margin: float, width: int, height: int, label: str
) -> None:
    found = tuple(
        IntervalPoint(time, low, mid, high) for low, mid, high, time in sorted(values, key=lambda one: one[3])
    )
    margin = abs(margin) if abs(margin) < 1e6 else 0.0
    lines = interval_lines(IntervalData(found, (IntervalMark(found[0].time, label),), margin), width, height)
    assert len(lines) == height
    assert all(cell_len(text_of(line)) <= width for line in lines)


def test_in_ascii_it_is_drawn_with_ascii(in_ascii: None) -> None:
    lines = plot()
    drawn = "".join(lines[:-2])
    assert {"+", "*", "."} <= set(drawn)
    assert not any(0x2800 <= ord(char) <= 0x28FF for char in drawn)


def test_two_hundred_points_are_drawn_within_a_frame() -> None:
    data = IntervalData(narrowing(240), (IntervalMark(3000.0, "50 %"),), 0.05)
    interval_lines(data, 160, 40)
    started = process_time()
    for _ in range(10):
        interval_lines(data, 160, 40)
    assert (process_time() - started) / 10 < 0.2


def test_a_run_of_dots_fills_its_cells_from_end_to_end() -> None:
    cells: dict[tuple[int, int], int] = {}
    runs_of(cells, 0, 1, 5)
    assert cells.keys() == {(0, 0), (0, 1)}
    assert cells[0, 1] == 0x40 | 0x04
    assert cells[0, 0] == 0x04 | 0x02 | 0x01
    runs_of(cells, 0, 9, 8)
    assert len(cells) == 2, "a run that ends before it begins is none"


class OneWidget(App[None]):
    """One widget, full size."""

    def __init__(self, widget: IntervalPlot | StepLadder) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "dark"
        self.widget = widget

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(VARIABLES)

    def compose(self) -> ComposeResult:
        yield self.widget

    def lines(self) -> list[str]:
        return ["".join(segment.text for segment in self.widget.render_line(y)) for y in range(self.widget.size.height)]


async def test_without_points_it_says_why_and_too_small_it_says_so() -> None:
    widget = IntervalPlot(empty="Nothing to compare.")
    app = OneWidget(widget)
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        assert app.lines()[0].strip() == "Nothing to compare."
        widget.show(IntervalData(), "Another reason.")
        assert app.lines()[0].strip() == "Another reason."
        widget.show(IntervalData((IntervalPoint(0.0, -inf, nan, inf),)))
        assert app.lines()[0].strip() == "Another reason."
        widget.show(IntervalData(narrowing(), (), 0.05))
        assert "estimate" in "".join(app.lines())
        await pilot.resize_terminal(20, 4)
        await pilot.pause()
        assert "needs" in "".join(app.lines())


async def test_the_plot_redraws_only_the_lines_that_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    widget = IntervalPlot()
    app = OneWidget(widget)
    async with app.run_test(size=(80, 24)) as pilot:
        data = IntervalData(narrowing(), (), 0.05)
        widget.show(data)
        await pilot.pause()
        redrawn: list[int] = []
        monkeypatch.setattr(widget, "refresh_line", lambda y: redrawn.append(y))
        widget.show(IntervalData(narrowing(), (), 0.05))
        assert redrawn == []
        widget.show(IntervalData(narrowing(), (IntervalMark(3540.0, "x"),), 0.05))
        assert 0 < len(redrawn) <= 24
        redrawn.clear()
        last = data.points[-1]
        moved = IntervalPoint(last.time, last.lower, last.estimate + 0.002, last.upper)
        widget.show(IntervalData((*data.points[:-1], moved), (IntervalMark(3540.0, "x"),), 0.05))
        assert len(redrawn) < 6


async def test_old_data_is_grey_but_for_the_shade() -> None:
    widget = IntervalPlot()
    app = OneWidget(widget)
    async with app.run_test(size=(80, 24)) as pilot:
        widget.show(IntervalData(narrowing(), (), 0.05))
        await pilot.pause()
        widget.stale = True
        tones = {tone for y in range(22) for _text, tone in widget.spans_of_line(y, 80)[0]}
        assert tones <= {"stale", "frame"}


# the ladder

LADDER = [
    Rung(f"{share} %", place, sign, "", (f"{share * 100}", f"{share} rounds"))
    for share, place, sign in ((0, "past", "✔"), (5, "past", "✔"), (20, "here", "■"), (50, "ahead", "·"))
]


def test_the_rail_is_heavy_up_to_where_one_stands() -> None:
    head, rail, first, second = map(text_of, ladder_lines(LADDER, 80, 4))
    assert head.split() == ["✔", "0", "%", "✔", "5", "%", "■", "[20", "%]", "·", "50", "%"]
    assert re.sub("━+", "━", re.sub("─+", "─", rail)).strip() == "●━●━■─○"
    assert first.split() == ["0", "500", "2000", "5000"]
    assert second.split()[:2] == ["0", "rounds"]
    columns = [head.index(sign) for sign in ("✔ 0", "✔ 5", "■", "·")]
    assert [rail[at] for at in columns] == ["●", "●", "■", "○"], "each name stands above its sign"


def test_of_a_ladder_too_long_the_steps_round_the_present_one_are_drawn() -> None:
    long = [Rung(f"{n} %", "here" if n == 14 else "past" if n < 14 else "ahead", "·", "") for n in range(20)]
    head, rail = map(text_of, ladder_lines(long, 80, 2))
    assert "[14 %]" in head
    assert "0 %" not in head.split("13 %")[0]
    assert rail.startswith("…")


@given(
    st.lists(
        st.tuples(words, st.sampled_from(["past", "here", "ahead", ""]), st.lists(words, max_size=6)), max_size=25
    ),
    st.integers(1, 200),
    st.integers(0, 9),
)
def test_no_ladder_is_wider_or_higher_than_its_place(
    steps: list[tuple[str, str, list[str]]], width: int, height: int
) -> None:
    rungs = [Rung(name, place, "·", "", tuple(notes)) for name, place, notes in steps]
    lines = ladder_lines(rungs, width, height)
    assert len(lines) == height
    if width >= 14:
        assert all(cell_len(text_of(line).replace("\n", " ")) <= width + 40 for line in lines)


async def test_the_ladder_redraws_only_the_lines_that_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    widget = StepLadder(LADDER)
    app = OneWidget(widget)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        redrawn: list[int] = []
        monkeypatch.setattr(widget, "refresh_line", lambda y: redrawn.append(y))
        widget.show(LADDER)
        assert redrawn == []
        here = Rung("20 %", "here", "■", "", ("2000", "21 rounds"))
        widget.show([*LADDER[:2], here, LADDER[3]])
        assert redrawn == [3]


# side by side

ROWS = (
    SideRow("✖", "bad", "amount", "2.5", "5.0", "value, money"),
    SideRow("▲", "warn", "a.very.long.path.to.a.field.that.wraps", "x" * 200, "–", "missing"),
    SideRow("", "dim", "action", "BET", "BET"),
)


@pytest.mark.parametrize("width", [40, 78, 148])
def test_both_sides_stand_in_one_line_with_their_sign(width: int) -> None:
    lines = [text_of(line) for line in side_lines(("live", "shadow"), ROWS, width)]
    assert all(cell_len(line) <= width for line in lines)
    first = next(line for line in lines if "amount" in line)
    assert first.split()[:2] == ["✖", "amount"]
    assert first.index("2.5") < first.index("│") < first.index("5.0")
    assert lines[0].index("live") == first.index("2.5")
    assert lines[0].index("shadow") == first.index("5.0")
    assert "value, money" in " ".join(" ".join(lines).replace("│", " ").split()), "wide or narrow, the words are there"
    same = next(line for line in lines if "action" in line)
    assert same.startswith("   action")


def test_a_field_of_any_length_takes_a_bounded_number_of_lines() -> None:
    lines = side_lines(("live", "shadow"), [SideRow("▲", "warn", "x", "y " * 4000, "z" * 4000)], 80)
    assert len(lines) <= 13
    assert any("…" in text_of(line) for line in lines)


@given(
    st.lists(st.builds(SideRow, st.sampled_from(["", "✖"]), st.just(""), words, words, words, words), max_size=6),
    st.integers(40, 160),
)
def test_no_text_makes_a_line_too_long(rows: list[SideRow], width: int) -> None:
    for line in side_lines(("live", "shadow"), rows, width):
        assert cell_len(text_of(line)) <= width


# an interval on one line


@given(anything, anything, anything, st.floats(0, 1e6), st.integers(0, 99), st.floats(0, 1e6))
def test_an_interval_is_as_wide_as_asked_whatever_it_is(
    lower: float, estimate: float, upper: float, margin: float, width: int, reach: float
) -> None:
    assert len(interval_bar(lower, estimate, upper, margin, width, reach)) == width


@pytest.mark.parametrize(
    ("lower", "estimate", "upper", "drawn"),
    [
        (0.02, 0.06, 0.08, "     ╎    ┊──●─╎     "),
        (-0.1, -0.05, 0.0, "     ╎──●─┊    ╎     "),
        (-inf, 0.0, inf, "─────╎────●────╎─────"),
    ],
)
def test_zero_stands_in_the_middle_and_the_margin_on_both_sides(
    lower: float, estimate: float, upper: float, drawn: str
) -> None:
    assert interval_bar(lower, estimate, upper, 0.1, 21, 0.2) == drawn


def test_a_bound_beyond_the_reach_runs_to_the_end() -> None:
    bar = interval_bar(-9.0, 0.1, 0.15, 0.1, 21, 0.2)
    assert bar[0] == "─"
    assert bar[-1] == " "
    assert reach_of(-0.3, 0.1, 0.05) == pytest.approx(0.315)
    assert reach_of(-inf, inf, 0.4) == pytest.approx(0.5)
