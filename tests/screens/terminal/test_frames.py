"""A frame is written as the cells that differ, and the terminal shows what Textual would have shown."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from console.screens.terminal.frames import Frames
from tests.picture import Picture

COLUMNS, ROWS = 24, 4
CONSOLE = Console(color_system="truecolor", force_terminal=True, width=COLUMNS, height=ROWS)
STYLES = [
    None,
    Style(),
    Style(color="#d7dce5", bgcolor="#131519"),
    Style(color="#9ba3b1", bgcolor="#131519"),
    Style(color="#9ba3b1", bgcolor="#131519", bold=True),
    Style(color="#9ba3b1", bgcolor="#1d1f24", underline=True),
    Style(color="red", reverse=True),
    Style(bgcolor="color(200)", strike=True),
    Style(color="#d7dce5", bgcolor="#131519", link="https://example.org"),
]
TEXTS = st.text(st.sampled_from("  ab─│●⣀éя日😀e\u0301\u2066"), min_size=1, max_size=9)
LINES = st.lists(st.tuples(TEXTS, st.sampled_from(STYLES)).map(lambda pair: Segment(*pair)), min_size=1, max_size=5)


def strip_of(segments: Sequence[Segment], width: int) -> Strip:
    return Strip(segments).adjust_cell_length(width)


@st.composite
def updates(draw: st.DrawFn) -> LayoutUpdate | ChopsUpdate:
    if draw(st.booleans()):
        x, y = draw(st.integers(0, COLUMNS - 1)), draw(st.integers(0, ROWS - 1))
        width, height = draw(st.integers(1, COLUMNS - x)), draw(st.integers(1, ROWS - y))
        strips = [[strip_of(draw(LINES), width)] for _ in range(height)]
        return LayoutUpdate(strips, Region(x, y, width, height))  # type: ignore[arg-type]
    cut = draw(st.integers(1, COLUMNS - 1))
    chops = [{0: strip_of(draw(LINES), cut), cut: strip_of(draw(LINES), COLUMNS - cut)} for _ in range(ROWS)]
    y = draw(st.integers(0, ROWS - 1))
    left, right = sorted((draw(st.integers(0, COLUMNS)), draw(st.integers(0, COLUMNS))))
    return ChopsUpdate(chops, [(y, left, right)], [[cut, COLUMNS]] * ROWS)


@settings(max_examples=400, deadline=None)
@given(st.lists(updates(), min_size=1, max_size=6))
def test_the_terminal_shows_what_textual_would_have_shown(frames: list[LayoutUpdate | ChopsUpdate]) -> None:
    ours, theirs, known = Picture(COLUMNS, ROWS), Picture(COLUMNS, ROWS), Frames()
    for update in frames:
        theirs.feed(update.render_segments(CONSOLE).encode())
        ours.feed(known.encode(update, CONSOLE).encode())
        assert ours.visible() == theirs.visible()


def a_line(text: str, style: Style | None = STYLES[2]) -> LayoutUpdate:
    return LayoutUpdate([[strip_of([Segment(text, style)], COLUMNS)]], Region(0, 0, COLUMNS, 1))  # type: ignore[list-item]


def test_the_same_frame_again_writes_nothing() -> None:
    known = Frames()
    assert known.encode(a_line("p99 118 ms"), CONSOLE)
    assert known.encode(a_line("p99 118 ms"), CONSOLE) == ""


def test_one_changed_character_costs_one_character_its_place_and_its_colours() -> None:
    known = Frames()
    known.encode(a_line("p99 118 ms"), CONSOLE)
    written = known.encode(a_line("p99 119 ms"), CONSOLE)
    assert written.endswith("\x1b[1;7H9\x1b[m")
    assert len(written) < 60


def test_what_is_drawn_alike_is_written_together() -> None:
    known = Frames()
    rows = [[strip_of([Segment("dim", STYLES[3]), Segment("text", STYLES[2])], 7)] for _ in range(ROWS)]
    written = known.encode(LayoutUpdate(rows, Region(0, 0, 7, ROWS)), CONSOLE)  # type: ignore[arg-type]
    assert written.count("38;2;") == 2


def test_after_forgetting_everything_is_written() -> None:
    known = Frames()
    first = known.encode(a_line("p99 118 ms"), CONSOLE)
    known.forget()
    assert known.encode(a_line("p99 118 ms"), CONSOLE) == first


def test_text_of_uncertain_width_is_written_whole_each_time() -> None:
    known = Frames()
    first = known.encode(a_line("日本 語"), CONSOLE)
    assert known.encode(a_line("日本 語"), CONSOLE) == first
    assert "日本 語" in first
