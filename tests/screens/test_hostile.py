"""Whatever text stands in what was read, on every screen: no control byte goes out, and every line ends at the edge."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from rich.cells import cell_len

from console.app import ConsoleApp
from console.domain.board.boards import NoBoards, Seen
from console.domain.seen.observation import Observation
from console.domain.text import Safe, clean
from console.recording.frame import Frame
from console.recording.shape import fields_of, is_record
from console.screens.frame.ui_settings import UiSettings
from tests.scenarios import boards, observation
from tests.scenarios.hostile import RAW
from tests.screens.doubles import RecordingOperator, ScriptedSource

ATOMS = (
    *(text[:120] for text in RAW),
    *("\x1b", "\x9b", "\u0301", "\u202e", "\u2066", "\u200d", "👩\u200d👩\u200d👧", "\ufe0f", "日", "\t", "\x7f"),
)
SCREENS = "234567891"
"""By their keys; the tenth, the fleet, has its own: `tests/screens/places/test_fleet.py`."""


def filled(value: Any, text: Callable[[], str]) -> Any:
    """The same with another text wherever one may stand that is not our own."""
    if is_record(type(value)):
        changes = {}
        for one in fields_of(type(value)):
            old = getattr(value, one.name)
            new = (
                clean(text(), 256)
                if one.hint is Safe
                else text()
                if one.hint is str and one.name in FREE
                else filled(old, text)
            )
            if new is not old:
                changes[one.name] = new
        return value._replace(**changes) if isinstance(value, tuple) else dataclasses.replace(value, **changes)
    if isinstance(value, Mapping):
        return {key: filled(one, text) for key, one in value.items()}
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(filled(one, text) for one in value)
    return value


FREE = frozenset({"words", "detail", "why", "reason", "content", "title", "provenance", "said_by", "source"})
"""Fields of boards that hold text as it was written; who draws it makes it safe."""


def check(app: ConsoleApp) -> None:
    """What stands on the screen."""
    for number, strip in enumerate(app.screen._compositor.render_strips()):
        line = "".join(segment.text for segment in strip)
        assert line.isprintable(), (number, line)
        assert cell_len(line) == app.size.width, (number, line)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("texts", [100, pytest.param(10_000, marks=pytest.mark.long)])
async def test_hostile_texts_on_every_screen_send_no_control_byte_and_shift_no_column(texts: int) -> None:
    chance, used = random.Random(texts), 0

    def text() -> str:
        nonlocal used
        used += 1
        return "".join(chance.choices(ATOMS, k=chance.randint(1, 4)))

    names = ("draining-version", "blocked")
    base = Frame(
        observation("hostile-text" if texts > 100 else "tripped"),
        Seen(boards.seen(names[0]).held, boards.seen(names[1]).checks),
    )
    now = base.observation.now
    source, shown = ScriptedSource(base.observation), NoBoards(base.boards or Seen())
    app = ConsoleApp(source, RecordingOperator(), UiSettings(hz=10), clock=lambda: now, boards=shown)
    async with app.run_test(size=(80, 24) if texts == 100 else (160, 48)) as pilot:
        for key in SCREENS:
            await pilot.press(key)
            used = 0
            while used < texts:
                frame = filled(base, text)
                assert isinstance(frame.observation, Observation)
                shown.seen = frame.boards
                app.publish(frame.observation._replace(now=now))
                app.draw()
                await pilot.pause()
                check(app)
