"""What is typed at once behind the key of a line is typed into that line: none of its letters is a command."""

from __future__ import annotations

import pytest
from textual import events

from console.app import ConsoleApp
from console.screens.parts.dialogs import TextScreen
from tests.screens.doubles import WIDE, console, operator_of
from tests.screens.parts.test_dialogs import settled

NAMES = {" ": "space", ":": "colon", "/": "slash", "\r": "enter", "\x1b": "escape", "\x10": "ctrl+p"}


def burst(app: ConsoleApp, text: str) -> None:
    """Keys that arrive in one read, faster than any of them is carried out."""
    for char in text:
        event = events.Key(NAMES.get(char, char), char if char.isprintable() else None)
        event.set_sender(app)
        app.post_message(event)


@pytest.mark.parametrize("line", [":flag set crash_target 1.5", ":Hyhalt y", ":sRHXy e t q"])
async def test_no_letter_of_a_line_that_is_typed_in_one_burst_is_a_command(line: str) -> None:
    app = console("blue-active")
    async with app.run_test(size=WIDE) as pilot:
        for _ in range(2):  # the first time the line is made, the second it is there
            burst(app, line)
            await settled(pilot)
            typed = app.console_screen._command_line  # type: ignore[union-attr]
            assert typed is not None and typed.text == line[1:]
            assert operator_of(app).previewed == [] == operator_of(app).done and app.is_running
            await pilot.press("escape")


async def test_a_whole_line_with_its_enter_in_one_burst_is_carried_out() -> None:
    app = console("blue-active")
    async with app.run_test(size=WIDE) as pilot:
        burst(app, ":screen flags\r")
        await settled(pilot)
        assert type(app.console_screen).__name__ == "FlagsScreen"


async def test_no_letter_of_a_filter_in_one_burst_is_a_command() -> None:
    app = console("blue-active")
    async with app.run_test(size=WIDE) as pilot:
        burst(app, "/Hy bet s")
        await settled(pilot)
        assert operator_of(app).previewed == [] == operator_of(app).done
        assert app.console_screen._filter_line._input.value == "Hy bet s"  # type: ignore[union-attr]


async def test_enter_and_escape_twice_in_the_palette_take_away_nothing_else() -> None:
    app = console("blue-active")
    async with app.run_test(size=WIDE) as pilot:
        for keys in ("\x10\r\r\r", "\x10\x1b\x1b\r", "\x10\x10\r\x10\x1b\r"):
            burst(app, keys)
            await settled(pilot)
            assert app.is_running and app.console_screen is not None
            await pilot.press("escape", "escape")


async def test_a_line_whose_list_is_gone_before_it_opens_holds_no_key_back(monkeypatch: pytest.MonkeyPatch) -> None:
    app = console("blue-active")
    async with app.run_test(size=WIDE) as pilot:
        screen = app.console_screen
        assert screen is not None and screen.focused is not None
        monkeypatch.setattr(screen.focused, "call_later", lambda *_: False)  # as a widget that is being taken away
        burst(app, ":")
        await settled(pilot)
        await pilot.press("escape")
        await pilot.pause(1.2)
        await pilot.press("H")
        await settled(pilot)
        assert operator_of(app).previewed[-1][0] == "halt"


async def test_a_palette_that_was_left_behind_a_question_is_not_come_back_to() -> None:
    app = console("blue-active")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("ctrl+p")
        await settled(pilot)
        palette = app.screen
        app.push_screen(TextScreen("Something", []))
        await settled(pilot)
        palette.dismiss()
        await settled(pilot)
        assert isinstance(app.screen, TextScreen)
        await pilot.press("escape")
        await settled(pilot)
        assert app.screen is app.console_screen
