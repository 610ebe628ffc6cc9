"""Several keys at once: every question is answered by its own answer, and none is taken away by another's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from textual import events
from textual.pilot import Pilot

from console.app import ConsoleApp
from console.domain.errors import Refused
from console.domain.operator.command import Preview
from console.screens.frame.ui_settings import UiSettings
from console.screens.parts.dialogs import ConfirmScreen, TextScreen
from tests.scenarios import NOW, observation
from tests.screens.doubles import WIDE, RecordingOperator, ScriptedSource, console, drawn, operator_of, source_of
from widgets.typing.confirm import ConfirmBox


@dataclass
class SlowOperator(RecordingOperator):
    """The preview of a command comes when it is let go."""

    let: dict[str, asyncio.Event] = field(default_factory=dict)

    async def preview(self, name: str, args: Mapping[str, str]) -> Preview:
        await self.let.setdefault(name, asyncio.Event()).wait()
        return await super().preview(name, args)


def slow_console() -> tuple[ConsoleApp, SlowOperator]:
    operator = SlowOperator()
    app = ConsoleApp(ScriptedSource(observation("fenced")), operator, UiSettings(), clock=lambda: NOW)
    return app, operator


def press_at_once(app: ConsoleApp, *keys: str) -> None:
    """Keys that arrive in one read, faster than any of them is carried out."""
    for key in keys:
        event = events.Key(key, key if len(key) == 1 else None)
        event.set_sender(app)
        app.post_message(event)


async def settled(pilot: Pilot[int]) -> None:
    for _ in range(4):
        await pilot.pause(0.05)


async def test_the_y_of_whoever_pressed_roll_back_is_never_taken_for_a_switch() -> None:
    app, operator = slow_console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("s", "R")
        operator.let["rollback"].set()
        await settled(pilot)
        operator.let["switch"].set()
        press_at_once(app, "y")
        await settled(pilot)
        assert [name for name, _args, _reason in operator.done] == ["rollback"]
        assert app.screen is app.console_screen
        assert app.conduct.running == frozenset()


@pytest.mark.parametrize("letter", ["s", "u", "e", "k", "c"])
@pytest.mark.parametrize("asked", ["R", "H", "s"])
async def test_a_letter_typed_before_the_question_stands_is_a_no_as_it_is_afterwards(asked: str, letter: str) -> None:
    if asked == letter:
        return
    app, operator = slow_console()
    async with app.run_test(size=WIDE) as pilot:
        press_at_once(app, asked, letter, "y")
        await settled(pilot)
        for gate in operator.let.values():
            gate.set()
        await settled(pilot)
        press_at_once(app, "y")
        await settled(pilot)
        assert operator.done == []
        assert app.screen is app.console_screen
        assert app.conduct.running == frozenset()


async def test_of_two_questions_the_second_waits_until_the_first_is_answered() -> None:
    app, operator = slow_console()
    async with app.run_test(size=WIDE) as pilot:
        app.start("switch")
        app.start("undo")
        await settled(pilot)
        operator.let["undo"].set()
        await settled(pilot)
        operator.let["switch"].set()
        press_at_once(app, "y")
        await settled(pilot)
        assert [name for name, _args, _reason in operator.done] == ["undo"]
        assert isinstance(app.screen, ConfirmScreen)
        assert "switch" in app.screen.query_one(ConfirmBox).data.title
        await pilot.press("n")
        await settled(pilot)
        assert app.screen is app.console_screen
        assert app.conduct.running == frozenset()


async def test_what_opens_over_an_answered_question_does_not_go_in_its_stead() -> None:
    app, operator = slow_console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("R")
        operator.let["rollback"].set()
        await settled(pilot)
        question = app.screen
        assert isinstance(question, ConfirmScreen)
        app.console_screen.action_help()  # type: ignore[union-attr]
        question.query_one(ConfirmBox).action_yes()
        await settled(pilot)
        assert app.screen is not question
        await pilot.press("escape")
        await settled(pilot)
        assert app.screen is app.console_screen
        assert [name for name, _args, _reason in operator.done] == ["rollback"]
        assert app.conduct.running == frozenset()


async def test_a_text_that_is_closed_twice_in_one_moment_takes_nothing_else_along() -> None:
    app = console("tripped")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("8", "exclamation_mark")
        await settled(pilot)
        audit, text = app.console_screen, app.screen
        assert isinstance(text, TextScreen)
        text.action_close()
        text.action_close()
        await settled(pilot)
        assert app.is_running
        assert app.screen is audit


async def test_going_elsewhere_leaves_a_question_that_came_up_meanwhile_where_it_is() -> None:
    app, operator = slow_console()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("8", "R")
        operator.let["rollback"].set()
        await settled(pilot)
        await app.go_to("flags")
        app.leave_screen()
        await settled(pilot)
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("y")
        await settled(pilot)
        assert [name for name, _args, _reason in operator.done] == ["rollback"]


async def test_a_doubt_says_when_the_venue_can_be_asked_before_anything_is_typed_and_counts_down() -> None:
    seen = observation("in-doubt")
    assert seen.store is not None
    claim = next(claim for claim in seen.store.open_claims if claim.in_doubt)
    later = claim._replace(deadline_ms=int(seen.store.server_at.timestamp() * 1000) - 18_000)
    app = console(seen._replace(store=seen.store._replace(open_claims=(later,))))
    async with app.run_test(size=WIDE) as pilot:
        app.run_worker(app.conduct.run("doubts resolve", {"key": claim.key}))
        await settled(pilot)
        assert "what does the venue say?  ask the venue in 42 s" in drawn(app)
        store = seen.store._replace(open_claims=(later,), server_at=seen.store.server_at + timedelta(seconds=40))
        source_of(app).say(seen._replace(store=store))
        for _ in range(100):
            await pilot.pause(0.1)
            if "ask the venue in 2 s" in drawn(app):
                return
        assert "ask the venue in 2 s" in drawn(app)


async def test_what_was_answered_stands_there_again_after_a_refusal() -> None:
    app = console("in-doubt")
    async with app.run_test(size=WIDE) as pilot:
        operator_of(app).error = Refused("bet-8871: the venue might still show it.", "Then ask again.")
        key = {"key": "bet-8871"}
        app.run_worker(app.conduct.run("doubts resolve", key))
        await settled(pilot)
        await pilot.press("down", "enter")
        await settled(pilot)
        await pilot.press(*"seen", "enter")
        await settled(pilot)
        await pilot.press("down", "enter")
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
        operator_of(app).error = None
        app.run_worker(app.conduct.run("doubts resolve", key))
        for _question in range(3):
            await settled(pilot)
            await pilot.press("enter")
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
        first, second = [args for _name, args, _reason in operator_of(app).done]
        assert first == second
        assert (second["verdict"], second["evidence"], second["proof"]) == ("not-executed", "seen", "silent")
