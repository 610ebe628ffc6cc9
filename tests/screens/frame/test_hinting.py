"""The footer names the keys of the panel with the keys, whole ones only; the help lists those first."""

from __future__ import annotations

import pytest

from console.app import ConsoleApp
from console.screens.parts.dialogs import TextScreen
from tests.screens.doubles import NARROW, WIDE, console
from widgets.frame.footer import KeyBar, KeyHint


def labels(app: ConsoleApp, width: int) -> list[str]:
    return [f"{hint.key} {hint.label}" for _x, _cells, hint in app.screen.query_one(KeyBar).hints_in(width)]


def help_of(app: ConsoleApp) -> list[str]:
    assert isinstance(app.screen, TextScreen)
    return ["".join(text for text, _ in line) for line in app.screen._lines]


async def test_the_footer_names_what_the_panel_with_the_keys_takes_and_nothing_of_the_others() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        decisions = labels(app, 400)
        await pilot.press("f")
        await pilot.pause()
        flags = labels(app, 400)
    assert {"p pause", "o both sides"} <= set(decisions) - set(flags)
    assert "space toggle" in set(flags) - set(decisions)
    assert flags[:3] == ["? help", "q quit", "space toggle"]


async def test_without_a_row_under_the_cursor_no_key_is_named_that_takes_one() -> None:
    app = console("never-switched")
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("8")
        await pilot.pause()
        assert not {"enter detail", "a acknowledge"} & set(labels(app, 400))


@pytest.mark.parametrize("width", range(6, 200, 3))
def test_a_hint_that_has_no_room_is_left_out_as_a_whole_and_help_is_the_last_to_go(width: int) -> None:
    bar = KeyBar([KeyHint("?", "help", keep=True), KeyHint("q", "quit", keep=True), KeyHint("s", "switch")])
    placed = bar.hints_in(width)
    assert all(x + cells < width for x, cells, _ in placed)
    if placed:
        assert placed[0][2].key == "?"


@pytest.mark.parametrize("digit", ["1", "6", "8"])
async def test_help_begins_with_the_panel_goes_on_with_the_screen_and_ends_with_what_is_everywhere(digit: str) -> None:
    app = console("tripped")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press(digit)
        await pilot.pause()
        own = app.screen.focused is not None
        await pilot.press("question_mark")
        await pilot.pause()
        lines = help_of(app)
    titles = [line.strip() for line in lines if line.startswith(" ") and line[1:2].strip()]
    wanted = ["on this screen", "everywhere: commands", "everywhere: the view", "everywhere: screens", "typed after :"]
    assert titles == (["in this panel", *wanted] if own else wanted)


async def test_a_moved_key_stands_in_help_and_footer_as_it_was_moved() -> None:
    app = console(keys={"run.halt": "Z"})
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert "Z halt" in labels(app, 400)
        await pilot.press("question_mark")
        await pilot.pause()
        assert any(line.startswith("   Z ") and "Nobody acts until" in line for line in help_of(app))
