"""What takes long says how far it is, and the key that starts it asks for no more than it has to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from console.domain.operator.command import Answer
from console.domain.operator.progress import TELL
from console.screens.parts.dialogs import AskScreen, TextScreen
from tests.screens.doubles import NARROW, RecordingOperator, console, drawn, operator_of, status_of


@dataclass
class SlowOperator(RecordingOperator):
    """Says how far it is, and answers when it is let."""

    let: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, name: str, args: Mapping[str, str]) -> Answer:
        tell = TELL.get()
        await asyncio.to_thread(tell, "decisions: 600 lines")
        await self.let.wait()
        return Answer({}, ("/tmp/one.zip  600 bytes",), ("not read: a pipe",))


async def test_evidence_is_asked_for_with_a_quarter_of_an_hour_already_there() -> None:
    app = console()
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("E")
        await pilot.pause()
        assert isinstance(app.screen, AskScreen)
        assert "15m" in drawn(app)
        await pilot.press("enter")
        await pilot.pause()
        assert operator_of(app).done == [("evidence", {"from": "15m"}, "")]


async def test_what_takes_long_says_how_far_it_is_and_the_keys_go_on() -> None:
    operator = SlowOperator()
    app = console()
    app.operator = operator
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("E", "enter")
        while "decisions: 600 lines" not in status_of(app):
            await pilot.pause(0.05)
        await pilot.press("5")
        await pilot.pause()
        assert "Flags" in drawn(app)
        operator.let.set()
        while not isinstance(app.screen, TextScreen) or "/tmp/one.zip" not in drawn(app):
            await pilot.pause(0.05)
        assert "not read: a pipe" in drawn(app)
