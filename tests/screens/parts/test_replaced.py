"""What reduces risk replaces any dialog; any key that is no answer is a no; alt keys command nothing."""

from __future__ import annotations

import asyncio
import string

import pytest
from textual import events

from console.screens.parts.dialogs import ChoiceScreen, ConfirmScreen
from tests.screens.doubles import WIDE, console, operator_of
from tests.screens.parts.test_dialogs import press_at_once, settled, slow_console
from widgets.typing.confirm import ConfirmBox

OPENS = {
    "a switch": ["s"],
    "a choice": ["L"],
    "help": ["question_mark"],
    "an alert": ["exclamation_mark"],
    "another of them": ["R"],
}


@pytest.mark.parametrize("before", OPENS, ids=str)
@pytest.mark.parametrize(("key", "name"), [("H", "halt"), ("R", "rollback"), ("X", "canary abort")])
async def test_what_reduces_risk_replaces_any_dialog(before: str, key: str, name: str) -> None:
    app = console("tripped")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press(*OPENS[before])
        await settled(pilot)
        assert app.screen is not app.console_screen
        await pilot.press(key)
        await settled(pilot)
        assert isinstance(app.screen, ConfirmScreen)
        assert app.screen.query_one(ConfirmBox).data.title == f"{name}?"
        await pilot.press("y")
        await settled(pilot)
        assert [done[0] for done in operator_of(app).done] == [name]
        assert app.screen is app.console_screen
        assert app.conduct.running == frozenset()


async def test_of_s_h_y_in_one_burst_the_switch_is_never_carried_out() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("s")
        await settled(pilot)
        press_at_once(app, "H", "y", "y")
        await settled(pilot)
        assert "switch" not in [done[0] for done in operator_of(app).done]


async def test_a_question_that_is_still_being_read_is_replaced_too() -> None:
    app, operator = slow_console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("R", "H")
        operator.let["halt"].set()
        await settled(pilot)
        operator.let["rollback"].set()
        await settled(pilot)
        assert isinstance(app.screen, ConfirmScreen)
        assert app.screen.query_one(ConfirmBox).data.title == "halt?"
        await pilot.press("y")
        await settled(pilot)
        assert [done[0] for done in operator.done] == ["halt"]
        assert app.screen is app.console_screen


async def test_a_key_pressed_twice_asks_once() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        press_at_once(app, *"RRRR")
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
        assert [done[0] for done in operator_of(app).done] == ["rollback"]
        assert app.screen is app.console_screen


ANSWERS = {"y", "n", "escape", "tab", "enter", "H", "R", "X"}
KEYS = [*string.ascii_letters, *"0123456789", "space", "colon", "slash", "f1", "up", "alt+y", "alt+shift+h", "ctrl+y"]


@pytest.mark.long
@pytest.mark.parametrize("first", [0, *(pytest.param(first, marks=pytest.mark.long) for first in range(1, 6))])
async def test_any_key_that_is_no_answer_is_a_no(first: int) -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        for key in [key for key in KEYS if key not in ANSWERS][first::6]:
            await pilot.press("s")
            await settled(pilot)
            assert isinstance(app.screen, ConfirmScreen), key
            event = events.Key(key, key[-1] if "+" in key or len(key) == 1 else None)
            event.set_sender(app)
            app.post_message(event)
            await settled(pilot)
            assert app.screen is app.console_screen, key
            await pilot.press("y")
            await settled(pilot)
            assert operator_of(app).done == [], key


async def test_a_key_that_moves_nothing_in_a_choice_chooses_nothing() -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("L")
        await settled(pilot)
        assert isinstance(app.screen, ChoiceScreen)
        await pilot.press("down", "w")
        await settled(pilot)
        assert app.screen is app.console_screen
        assert operator_of(app).done == []


@pytest.mark.parametrize("word", ["Hey", "Ready", "Halley", "s by y"])
@pytest.mark.parametrize("slow", [pytest.param(False, marks=pytest.mark.long), True])
async def test_words_typed_into_the_wrong_window_do_nothing(word: str, slow: bool) -> None:
    app, operator = slow_console()
    async with app.run_test(size=WIDE) as pilot:
        for letter in word:
            if not slow:
                for name in ("halt", "rollback", "switch"):
                    operator.let.setdefault(name, asyncio.Event()).set()
            await pilot.press("space" if letter == " " else letter)
            if letter == word[1]:
                for name in ("halt", "rollback", "switch"):
                    operator.let.setdefault(name, asyncio.Event()).set()
            await settled(pilot)
        assert operator.done == []


async def test_letters_in_a_line_of_text_are_text() -> None:
    app = console("halted")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("colon", *"RHX", "escape")
        await settled(pilot)
        assert app.screen is app.console_screen
        assert operator_of(app).previewed == []


@pytest.mark.parametrize("line", ["flag set crash_target 2.5", "flag unset crash_target", "flag toggle accept_escrows"])
async def test_what_is_typed_and_changes_something_asks_as_a_key_does(line: str) -> None:
    app = console()
    async with app.run_test(size=WIDE) as pilot:
        app.submit(line)
        await settled(pilot)
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("enter")
        await settled(pilot)
        assert operator_of(app).done == []
