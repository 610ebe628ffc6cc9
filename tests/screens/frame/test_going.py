"""Going somewhere by letters: the prefix key with its strip, and jump mode."""

from __future__ import annotations

import pytest

from console.screens.frame.chords import chords
from console.screens.frame.jump import LETTERS, JumpScreen
from console.screens.frame.names import SCREENS, ScreenName
from console.screens.parts.dialogs import ConfirmScreen
from console.screens.parts.prefix import SHOWN_AFTER_S, PrefixScreen, strip
from tests.screens.doubles import NARROW, WIDE, console, drawn
from widgets.lists.grid import Grid
from widgets.text.plain import width_of


def test_every_screen_has_a_letter_of_its_own() -> None:
    assert [chord.screen for chord in chords()] == [screen.name for screen in SCREENS]
    assert len({chord.key for chord in chords()}) == len(SCREENS)


def test_a_screen_for_which_no_letter_is_left_is_refused() -> None:
    with pytest.raises(ValueError, match="No letter is left"):
        chords([ScreenName("1", "a", "A", ""), ScreenName("2", "b", "a", "")])


async def test_the_prefix_and_a_letter_go_to_a_screen_without_waiting_for_the_strip() -> None:
    app = console()
    async with app.run_test(size=NARROW) as pilot:
        for key, name, _title in reversed(chords()):
            await pilot.press("comma", key)
            await pilot.pause()
            assert type(app.screen).__name__ == f"{name.title()}Screen"


async def test_who_waits_behind_the_prefix_is_shown_what_may_follow() -> None:
    app = console()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("comma")
        await pilot.pause()
        assert "go to" not in drawn(app)
        await pilot.pause(SHOWN_AFTER_S + 0.1)
        text = drawn(app)
        assert all(f"{chord.key} {chord.title}" in text for chord in chords())


async def test_any_other_key_behind_the_prefix_goes_nowhere_and_a_halt_replaces_it() -> None:
    app = console()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("comma", "escape")
        await pilot.pause()
        assert not isinstance(app.screen, PrefixScreen)
        await pilot.press("comma", "H")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)


@pytest.mark.parametrize("width", [20, 40, 80, 160])
def test_no_letter_of_the_strip_is_cut(width: int) -> None:
    lines = strip("go to", [(chord.key, chord.title) for chord in chords()], width)
    assert all(sum(width_of(text) for text, _ in line) <= width for line in lines)


async def test_a_letter_in_jump_mode_gives_the_keys_to_its_panel() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("J")
        await pilot.pause()
        assert isinstance(app.screen, JumpScreen)
        await pilot.press(LETTERS[0])
        await pilot.pause()
        assert app.focused is not None
        assert app.focused.id != "decisions-feed"


async def test_a_letter_in_jump_mode_puts_the_cursor_on_its_row() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("5", "J")
        await pilot.pause()
        assert f" {LETTERS[2]} " in drawn(app)
        await pilot.press(LETTERS[2])
        await pilot.pause()
        grid = app.screen.query_one("#flags-grid", Grid)
        assert grid.current == grid.rows[2]


async def test_any_other_key_ends_jump_mode_and_a_roll_back_replaces_it() -> None:
    app = console("never-switched")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("J", "escape")
        await pilot.pause()
        assert not isinstance(app.screen, JumpScreen)
        await pilot.press("J", "R")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
