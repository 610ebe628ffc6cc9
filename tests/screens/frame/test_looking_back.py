"""While a moment that is over is shown nothing can be changed in it; what reduces risk is about now, and says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from console.app import ConsoleApp
from console.domain.seen.looking import Looking, LookingKind
from console.domain.seen.observation import Observation
from tests.scenarios import NOW, observation
from tests.screens.doubles import WIDE, console, operator_of, status_of
from tests.screens.parts.test_dialogs import settled


class Back:
    """A source that shows a past, and has a present to return to."""

    def __init__(self) -> None:
        self.told: Callable[[str, str], None] = lambda text, tone: None
        self.beside: Callable[[Observation], None] = lambda seen: None
        self.publish: Callable[[Observation], None] = lambda seen: None
        self.looks_back = True
        self.asked: list[object] = []

    @property
    def present(self) -> Observation:
        return observation("blue-active")

    async def run(self, publish: Callable[[Observation], None]) -> None:
        self.publish = publish
        publish(observation("blue-active"))
        await asyncio.Event().wait()

    def refresh(self) -> None:
        """Nothing new."""

    def seek(self, text: str) -> None:
        self.asked.append(text)

    def to_event(self, *, forward: bool) -> None:
        self.asked.append(forward)

    def to_live(self) -> None:
        self.looks_back = False
        self.publish(observation("green-active"))


@pytest.fixture
def looking() -> tuple[ConsoleApp, Back]:
    app = console("blue-active")
    back = Back()
    app.source = back
    back.told, back.beside = app.say, app._tell_alerts
    return app, back


def past(name: str = "blue-active") -> Observation:
    looked = Looking(LookingKind.PAST, NOW, NOW, NOW)
    return observation(name)._replace(looking=looked, read_only=True)


async def test_the_header_says_of_when_it_is_and_nothing_there_is_live(looking: tuple[ConsoleApp, Back]) -> None:
    app, back = looking
    async with app.run_test(size=WIDE) as pilot:
        back.publish(past())
        app.draw()
        await settled(pilot)
        text = app.export_screenshot()
        assert "AT" in text and f"{NOW:%H:%M:%S}" in text and "LIVE" not in text


@pytest.mark.parametrize("key", ["s", "space", "u", "c", "L"])
async def test_what_raises_risk_or_changes_anything_is_refused_there(
    key: str, looking: tuple[ConsoleApp, Back]
) -> None:
    app, back = looking
    async with app.run_test(size=WIDE) as pilot:
        back.publish(past())
        app.draw()
        await settled(pilot)
        await pilot.press(key)
        await settled(pilot)
        assert back.looks_back and operator_of(app).done == []
        assert ":live returns" in status_of(app) or "nothing" in status_of(app).lower()


@pytest.mark.parametrize("key", ["H", "R"])
async def test_what_reduces_risk_returns_to_the_present_first(key: str, looking: tuple[ConsoleApp, Back]) -> None:
    app, back = looking
    async with app.run_test(size=WIDE) as pilot:
        back.publish(past("halted"))
        await settled(pilot)
        await pilot.press(key)
        await settled(pilot)
        assert not back.looks_back
        assert app.observation is not None and app.observation.looking is None
        assert operator_of(app).previewed[-1][0] == {"H": "halt", "R": "rollback"}[key]


async def test_brackets_step_and_at_and_live_are_words_of_the_line(looking: tuple[ConsoleApp, Back]) -> None:
    app, back = looking
    async with app.run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.press("left_square_bracket", "right_square_bracket")
        app.submit("at 14:03")
        await settled(pilot)
        assert back.asked == [False, True, "14:03"]
        app.submit("live")
        await settled(pilot)
        assert not back.looks_back and "present" in status_of(app)


async def test_an_alert_of_the_present_rings_while_the_past_is_shown(looking: tuple[ConsoleApp, Back]) -> None:
    app, back = looking
    async with app.run_test(size=WIDE) as pilot:
        await settled(pilot)
        back.publish(past())
        back.beside(observation("tripped"))
        await settled(pilot)
        assert len(app._notifications) == 1
