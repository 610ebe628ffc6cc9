"""A long grid makes only the rows that are drawn, keeps the cursor by name, and filters all of them."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import App, ComposeResult

from tests.waiting import until_async
from themes.builtin import THEMES
from widgets.lists.columns import Column
from widgets.lists.grid import GridRow
from widgets.lists.long_grid import LongGrid

MANY = tuple(range(10_000))


class Holder(App[None]):
    """One long grid, and how many rows were made for it."""

    def __init__(self) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.grid = LongGrid((Column("n", 8, align="right"), Column("words", 0)), str, id="grid")
        self.made = 0

    def compose(self) -> ComposeResult:
        yield self.grid

    def on_mount(self) -> None:
        self.theme = THEMES[0].name
        self.grid.focus()

    def show(self, items: Sequence[int], words: str = "row") -> None:
        def make(item: int) -> GridRow:
            self.made += 1
            return GridRow(str(item), (str(item), f"{words} {item}"))

        self.grid.set_items(items, make)


async def test_of_ten_thousand_rows_only_those_in_sight_are_made_however_one_scrolls() -> None:
    app = Holder()
    async with app.run_test(size=(60, 20)) as pilot:
        app.show(MANY)
        await pilot.pause()
        assert app.grid.total == 10_000
        await pilot.press(*["pagedown"] * 5, "end", "home")
        await pilot.pause()
        app.show(MANY, "later")
        assert app.made < 1_000


async def test_the_cursor_stays_on_its_row_when_rows_before_it_go() -> None:
    app = Holder()
    async with app.run_test(size=(60, 20)) as pilot:
        app.show(MANY)
        await pilot.press("down", "down", "down")
        app.show(MANY[2:])
        assert app.grid.current is not None
        assert app.grid.current.key == "3"
        assert app.grid.go_to("9000")
        assert app.grid.current.key == "9000"
        app.show(MANY[:5])
        assert app.grid.current.key == "4"


async def test_the_filter_looks_at_rows_that_were_never_drawn() -> None:
    app = Holder()
    async with app.run_test(size=(60, 20)) as pilot:
        app.show(MANY)
        await pilot.pause()
        assert app.grid.set_filter("row 9999") == ""
        await until_async(lambda: not app.grid.looking)
        assert [row.key for row in app.grid.rows] == ["9999"]
        assert (app.grid.shown, app.grid.total) == (1, 10_000)
        app.show((*MANY, 99_990))
        await until_async(lambda: not app.grid.looking)
        assert [row.key for row in app.grid.rows] == ["9999", "99990"]
        assert app.grid.set_filter("") == ""
        assert app.grid.shown == 10_001
        assert "a group" in app.grid.set_filter("re:(a+)+")


async def test_an_empty_list_says_why() -> None:
    app = Holder()
    async with app.run_test(size=(60, 20)) as pilot:
        app.grid.empty = "Nothing is owed."
        app.show(())
        await pilot.pause()
        assert app.grid.current is None
        assert "Nothing is owed." in "".join(text for text, _tone in app.grid.spans_of_line(1, 58)[0])
