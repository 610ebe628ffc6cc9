"""Feeds follow, stand still and are filtered; grids keep the cursor on its row; both move the same way."""

from __future__ import annotations

from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.message import Message

from themes.builtin import THEMES, VARIABLES
from widgets.lists.columns import Column, changed_cells, place
from widgets.lists.feed import Feed, FeedRow
from widgets.lists.grid import Grid, GridRow

HEIGHT = 10
COLUMNS = (Column("time", 6, tone="dim"), Column("type", 8), Column("why"))


class Host(App[None]):
    """One widget, and every message it posts."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, widget: Feed | Grid) -> None:
        super().__init__()
        self.widget = widget
        self.heard: list[Message] = []
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "dark"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(VARIABLES)

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_mount(self) -> None:
        self.widget.focus()

    def _hear(self, message: Message) -> None:
        self.heard.append(message)

    on_feed_opened = on_feed_counted = on_grid_highlighted = on_grid_selected = on_grid_toggled = _hear


def rows(start: int, count: int, word: str = "hold") -> list[FeedRow]:
    return [FeedRow(key, (f"t{key}", word, f"because {key}")) for key in range(start, start + count)]


def lines(widget: Any) -> list[str]:
    return ["".join(segment.text for segment in widget.render_line(y)).rstrip() for y in range(widget.size.height)]


def shown(feed: Feed) -> list[str]:
    return [line.split()[0] for line in lines(feed)[1:] if line.strip()]


def run(widget: Feed | Grid) -> Any:
    return Host(widget).run_test(size=(60, HEIGHT))


async def test_a_feed_follows_its_end() -> None:
    feed = Feed(COLUMNS)
    async with run(feed) as pilot:
        feed.extend(rows(0, 30))
        await pilot.pause()
        assert shown(feed) == [f"t{key}" for key in range(21, 30)]
        assert feed.following
        assert feed.current == rows(29, 1)[0]


async def test_moving_up_stops_following_and_the_window_stays_where_it_is_while_rows_come() -> None:
    feed = Feed(COLUMNS, cap=50)
    async with run(feed) as pilot:
        feed.extend(rows(0, 30))
        await pilot.press("k", "up")
        before = shown(feed)
        assert not feed.following
        feed.extend(rows(30, 15))
        assert shown(feed) == before
        feed.extend(rows(45, 10))
        assert shown(feed) == before
        assert feed.current is not None and feed.current.key == 27
        await pilot.press("G")
        assert feed.following
        assert shown(feed)[-1] == "t54"


async def test_rows_that_are_dropped_under_the_window_move_it_to_the_oldest_ones_left() -> None:
    feed = Feed(COLUMNS, cap=20)
    async with run(feed) as pilot:
        feed.extend(rows(0, 20))
        await pilot.press("home")
        feed.extend(rows(20, 15))
        assert shown(feed) == [f"t{key}" for key in range(15, 24)]
        assert feed.total == 20


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        (("g",), 0),
        (("home",), 0),
        (("g", "j"), 1),
        (("g", "down", "down"), 2),
        (("g", "pagedown"), 8),
        (("end",), 29),
        (("pageup",), 21),
        (("g", "k"), 0),
    ],
)
async def test_arrows_letters_and_pages_move_the_cursor(keys: tuple[str, ...], key: int) -> None:
    feed = Feed(COLUMNS)
    async with run(feed) as pilot:
        feed.extend(rows(0, 30))
        await pilot.press(*keys)
        assert feed.current is not None and feed.current.key == key
        assert f"t{key}" in shown(feed)


async def test_right_and_left_scroll_long_text() -> None:
    feed = Feed(COLUMNS)
    async with run(feed) as pilot:
        feed.extend([FeedRow(0, ("t0", "hold", "0123456789" * 10))])
        await pilot.press("l")
        assert " 89012" in lines(feed)[1]
        await pilot.press("left")
        assert " 01234" in lines(feed)[1]


async def test_enter_opens_the_row_under_the_cursor() -> None:
    feed = Feed(COLUMNS)
    async with run(feed) as pilot:
        feed.extend([FeedRow(7, ("t7", "hold", "why"), detail={"all": "of it"})])
        await pilot.press("enter")
        opened = [message for message in pilot.app.heard if isinstance(message, Feed.Opened)]
        assert [(message.key, message.row.detail) for message in opened] == [(7, {"all": "of it"})]


async def test_while_paused_rows_are_collected_and_counted_and_come_after_the_pause() -> None:
    feed = Feed(COLUMNS)
    async with run(feed) as pilot:
        feed.extend(rows(0, 3))
        feed.paused = True
        feed.extend(rows(3, 2))
        feed.extend(rows(5, 1))
        await pilot.pause()
        assert shown(feed) == ["t0", "t1", "t2"]
        assert feed.waiting == 3
        told = [message for message in pilot.app.heard if isinstance(message, Feed.Counted)]
        assert (told[-1].total, told[-1].waiting, told[-1].following) == (3, 3, False)
        feed.paused = False
        assert shown(feed) == [f"t{key}" for key in range(6)]
        assert feed.waiting == 0


async def test_a_filter_hides_rows_and_new_ones_pass_it_too() -> None:
    feed = Feed(COLUMNS)
    async with run(feed) as pilot:
        feed.extend(rows(0, 3, "hold") + rows(3, 2, "bet"))
        assert feed.set_filter("bet") == ""
        assert shown(feed) == ["t3", "t4"]
        feed.extend(rows(5, 1, "hold") + rows(6, 1, "bet"))
        assert shown(feed) == ["t3", "t4", "t6"]
        assert feed.set_filter("!bet") == ""
        assert shown(feed) == ["t0", "t1", "t2", "t5"]
        assert feed.set_filter("") == ""
        assert len(shown(feed)) == 7
        await pilot.pause()


async def test_a_filtered_feed_forgets_rows_as_the_whole_one_does() -> None:
    feed = Feed(COLUMNS, cap=4)
    async with run(feed):
        feed.set_filter("bet")
        for key in range(0, 12, 2):
            feed.extend([*rows(key, 1, "bet"), *rows(key + 1, 1, "hold")])
        assert shown(feed) == ["t8", "t10"]


async def test_a_refused_filter_leaves_the_one_before_in_place() -> None:
    feed = Feed(COLUMNS)
    async with run(feed):
        feed.extend(rows(0, 2, "hold") + rows(2, 1, "bet"))
        feed.set_filter("bet")
        assert "doesn't compile" in feed.set_filter("re:(")
        assert shown(feed) == ["t2"]
        assert feed.filter_text == "bet"


async def test_n_and_capital_n_go_through_the_matches_after_the_filter_is_gone() -> None:
    feed = Feed(COLUMNS)
    async with run(feed) as pilot:
        feed.extend([*rows(0, 4), *rows(4, 1, "bet"), *rows(5, 4), *rows(9, 1, "bet"), *rows(10, 4)])
        feed.set_filter("bet")
        feed.set_filter("")
        await pilot.press("N")
        assert feed.current is not None and feed.current.key == 9
        await pilot.press("N")
        assert feed.current.key == 4
        await pilot.press("n")
        assert feed.current.key == 9


async def test_the_cursor_stays_on_its_row_when_a_filter_comes_and_goes() -> None:
    feed = Feed(COLUMNS)
    async with run(feed) as pilot:
        feed.extend([*rows(0, 10), *rows(10, 2, "bet"), *rows(12, 10)])
        await pilot.press("g", *["j"] * 10)
        feed.set_filter("bet")
        assert feed.current is not None and feed.current.key == 10
        feed.set_filter("")
        assert feed.current is not None and feed.current.key == 10


async def test_an_empty_feed_says_why_and_what_to_do() -> None:
    feed = Feed(COLUMNS, empty="No decisions yet.\nStart the agent.")
    async with run(feed):
        assert [line.strip() for line in lines(feed)[1:3]] == ["No decisions yet.", "Start the agent."]


async def test_a_stale_list_is_drawn_in_one_grey() -> None:
    feed = Feed(COLUMNS)
    async with run(feed):
        feed.extend([FeedRow(0, ("t0", "hold", "why"), tone="bad"), FeedRow(1, ("t1", "hold", "why"))])
        assert len({segment.style.color for segment in feed.render_line(1)}) > 1
        feed.stale = True
        assert len({segment.style.color for segment in feed.render_line(1)}) == 1


async def test_a_line_has_few_segments() -> None:
    feed = Feed([Column(name, 4) for name in "abcdefgh"] + [Column("why")])
    async with run(feed):
        feed.extend([FeedRow(0, (*tuple("12345678"), "why"), tones=("", "", "blue"))])
        assert len(list(feed.render_line(1))) == 3


def flags(*values: str) -> list[GridRow]:
    return [GridRow(f"flag{i}", (f"f{i}", value, "")) for i, value in enumerate(values)]


async def test_a_grid_keeps_the_cursor_on_its_row_when_rows_come_and_go() -> None:
    grid = Grid(COLUMNS)
    async with run(grid) as pilot:
        grid.set_rows(flags("a", "b", "c"))
        await pilot.press("j", "j")
        assert grid.current is not None and grid.current.key == "flag2"
        grid.set_rows(flags("a", "b", "c")[1:])
        assert grid.current is not None and grid.current.key == "flag2"
        grid.set_rows(flags("a"))
        assert grid.current is not None and grid.current.key == "flag0"
        grid.set_rows([])
        assert grid.current is None


async def test_space_toggles_enter_selects_and_moving_highlights() -> None:
    grid = Grid(COLUMNS)
    async with run(grid) as pilot:
        grid.set_rows(flags("a", "b"))
        await pilot.press("j", "space", "enter")
        heard = [(type(message).__name__, message.key) for message in pilot.app.heard]
        assert heard[-3:] == [("Highlighted", "flag1"), ("Toggled", "flag1"), ("Selected", "flag1")]


async def test_a_key_on_an_empty_grid_does_nothing() -> None:
    grid = Grid(COLUMNS, empty="No flags.")
    async with run(grid) as pilot:
        await pilot.press("j", "space", "enter", "G", "pageup")
        assert pilot.app.heard == []


def happened(count: int) -> list[GridRow]:
    return [GridRow(f"row{i}", (f"t{i}", "halt", "why")) for i in range(count)]


async def test_a_grid_that_follows_shows_its_newest_row_until_somebody_moves_away_and_again_at_the_end() -> None:
    grid = Grid(COLUMNS, follows=True)
    async with run(grid) as pilot:
        grid.set_rows(happened(50))
        assert grid.current is not None and grid.current.key == "row49"
        assert "t49" in "".join(lines(grid))
        grid.set_rows(happened(60))
        assert "t59" in "".join(lines(grid))
        await pilot.press("up")
        grid.set_rows(happened(90))
        assert grid.current.key == "row58"
        await pilot.press("end")
        grid.set_rows(happened(95))
        assert grid.current.key == "row94"


async def test_a_grid_is_filtered_by_what_it_draws_and_new_rows_pass_the_filter_too() -> None:
    grid = Grid(COLUMNS)
    async with run(grid) as pilot:
        grid.set_rows(flags("a", "b", "c"))
        assert grid.set_filter("b") == ""
        assert [row.key for row in grid.rows] == ["flag1"]
        grid.set_rows(flags("a", "b", "b"))
        assert ([row.key for row in grid.rows], grid.total) == (["flag1", "flag2"], 3)
        assert "doesn't compile" in grid.set_filter("re:(")
        assert grid.filter_text == "b"
        grid.set_filter("absent")
        assert "No row matches “absent”; esc ends" in "".join(lines(grid))
        grid.set_filter("")
        assert len(grid.rows) == 3
        await pilot.pause()


async def test_a_match_in_a_column_for_which_there_is_no_room_names_the_column() -> None:
    columns = (Column("time", 6), Column("type", 8), Column("who", 500, priority=1), Column("why"))
    for widget in (Grid(columns), Feed(columns)):
        async with run(widget) as pilot:
            cells = ("t0", "hold", "bob", "why")
            if isinstance(widget, Grid):
                widget.set_rows([GridRow("a", cells)])
            else:
                widget.extend([FeedRow(0, cells)])
            widget.set_filter("bob")
            assert widget.matched_by == ("who",)
            assert "t0" in "".join(lines(widget))
            widget.set_filter("hold")
            assert widget.matched_by == ()
            await pilot.pause()


async def test_only_the_cells_that_changed_are_repainted(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = Grid(COLUMNS)
    async with run(grid) as pilot:
        grid.set_rows(flags("a", "b", "c"))
        await pilot.pause()
        asked: list[tuple[Any, ...]] = []
        monkeypatch.setattr(grid, "refresh", lambda *regions, **_: asked.append(regions))
        grid.set_rows(flags("a", "X", "c"))
        ((region,),) = asked
        assert (region.y, region.height, region.x, region.width) == (2, 1, 7, 9)
        grid.set_rows(flags("a", "X", "c"))
        assert len(asked) == 1


async def test_a_click_moves_the_cursor_and_a_double_click_opens() -> None:
    grid = Grid(COLUMNS)
    async with run(grid) as pilot:
        grid.set_rows(flags("a", "b", "c"))
        await pilot.pause()
        await pilot.click(offset=(3, 3))
        assert grid.current is not None and grid.current.key == "flag2"
        await pilot.click(offset=(3, 2), times=2)
        assert [m.key for m in pilot.app.heard if isinstance(m, Grid.Selected)] == ["flag1"]


def test_columns_that_do_not_fit_go_by_priority_and_the_rest_keeps_its_width() -> None:
    columns = (Column("a", 6), Column("b", 10, priority=1), Column("c", 10, priority=2), Column("why"))
    assert [spot.index for spot in place(columns, 80)] == [0, 1, 2, 3]
    assert [spot.index for spot in place(columns, 40)] == [0, 1, 3]
    assert [spot.index for spot in place(columns, 22)] == [0, 3]
    assert sum(spot.width + 1 for spot in place(columns, 40)) == 40


def test_the_part_of_a_row_that_differs_spans_from_the_first_to_the_last_changed_cell() -> None:
    placed = place(COLUMNS, 60)
    assert changed_cells(placed, ("a", "b", "c"), ("a", "b", "c")) is None
    assert changed_cells(placed, ("a", "b", "c"), ("a", "x", "c")) == (7, 9)
    assert changed_cells(placed, ("a", "b", "c"), ("x", "b", "y")) == (0, 60)


MONEY = (
    Column("time", 4),
    Column("what", 6, most=12, priority=1),
    Column("PnL", 9, "right", most=36, whole=True),
    Column("why"),
)


def test_a_column_of_amounts_is_as_wide_as_its_widest_and_others_grow_into_what_is_left() -> None:
    assert [spot.width for spot in place(MONEY, 40)] == [4, 6, 9, 17]
    assert [spot.width for spot in place(MONEY, 40, (4, 6, 17, 9))] == [4, 17, 16]  # what it is for gives way
    assert [spot.width for spot in place(MONEY, 80, (4, 30, 9, 9))] == [4, 12, 9, 51]
    narrow = place(MONEY, 36, (4, 30, 17, 9))
    assert [(spot.index, spot.width) for spot in narrow] == [(0, 4), (2, 17), (3, 12)]


async def test_an_amount_that_comes_later_and_is_longer_is_shown_whole() -> None:
    feed = Feed(MONEY)
    async with run(feed) as pilot:
        feed.extend([FeedRow(1, ("t1", "bet", "+1.00 USD", "edge"))])
        await pilot.pause()
        feed.extend([FeedRow(2, ("t2", "bet", "−1,234,567.89 KRW", "edge"))])
        await pilot.pause()
        assert "−1,234,567.89 KRW" in "\n".join(lines(feed))
        assert len({line.index("edge") for line in lines(feed) if "edge" in line}) == 1


def test_where_the_column_that_takes_the_rest_is_not_chosen_the_last_text_that_may_grow_takes_it() -> None:
    columns = (Column("who", 8), Column("change", 0), Column("why", 10, most=12), Column("took", 6, align="right"))
    placed = place(columns, 80, [8, 40, 60, 6], chosen=(0, 2, 3))
    assert [spot.index for spot in placed] == [0, 2, 3]
    assert placed[-1].x + placed[-1].width == 80
    assert placed[1].width > 12
