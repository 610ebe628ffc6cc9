"""A stretch of a replay as an asciicast, version 2: what a terminal of that size would show, for any player of those.

The format (docs.asciinema.org/manual/asciicast/v2): the first line is a header in JSON, each further line an event
`[seconds, "o", text]`. Only lines that differ are written; where nothing changes for long, time is cut.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from rich.color import ColorSystem

from console.domain.board.boards import NoBoards
from console.domain.errors import UsageError
from console.picture import LookingOnly, StaticSource, check_look
from console.recording.player import as_replayed, boards_of
from console.screens.frame.ui_settings import UiSettings

if TYPE_CHECKING:
    from textual.theme import Theme

    from console.app import ConsoleApp
    from console.domain.operator.command import CommandInfo
    from console.domain.seen.observation import Observation
    from console.domain.seen.timeline import Timeline
    from console.domain.text import Safe

FRAMES_A_SECOND: Final = 5
MOST_IDLE_S: Final = 2.0
"""Of a player's time, while nothing changes on the screen."""
MOST_FRAMES: Final = 18_000
"""An hour of a player's time."""


async def cast(
    timeline: Timeline,
    begin: datetime,
    end: datetime,
    *,
    speed: float = 1.0,
    screen: str = "overview",
    size: tuple[int, int] = (120, 36),
    settings: UiSettings | None = None,
    catalogue: Sequence[CommandInfo] = (),
    themes: Sequence[Theme] = (),
    missing: Sequence[Safe] = (),
) -> AsyncIterator[str]:
    """The lines of the file.

    Args:
        timeline: what is replayed.
        begin, end: the stretch.
        speed: seconds that pass a second.
        screen, size, settings, catalogue, themes: as of a picture.
        missing: what of that time nobody kept.

    Raises:
        UsageError: there is no such screen or size, or it would be more than an hour of a player's time.
        ConsoleError: what stands there can't be read.
    """
    from console.app import ConsoleApp

    check_look(screen, size)
    step = timedelta(seconds=speed / FRAMES_A_SECOND)
    count = int((end - begin) / step) + 1
    if count > MOST_FRAMES:
        raise UsageError("That would be more than an hour to look at.", "Give --at and --until, or a higher --speed.")
    bounds = timeline.bounds()

    boards = NoBoards()

    def seen(number: int) -> Observation:
        moment = begin + number * step
        boards.seen = boards_of(timeline, moment)
        return as_replayed(timeline.at(moment), bounds, speed, True, tuple(missing))

    operator = LookingOnly(catalogue, "this is a replay")
    look, source = settings or UiSettings(), StaticSource(seen(0))
    app = ConsoleApp(source, operator, look, clock=lambda: begin, themes=themes, boards=boards)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        if screen != "overview":
            await app.go_to(screen)
            await pilot.pause()
        yield json.dumps(_header(begin, size, f"{app.observation.agent if app.observation else ''}"))
        shown: list[str] = []
        at_s = idle_s = 0.0
        for number in range(count):
            app.publish(seen(number))
            app.draw()
            await pilot.pause()
            lines = _lines(app)
            if text := "".join(_changes(shown, lines)):
                at_s += min(idle_s, MOST_IDLE_S)
                idle_s = 0.0
                yield json.dumps([round(at_s, 3), "o", text if shown else "\x1b[?25l\x1b[2J" + text])
                shown = lines
            idle_s += 1 / FRAMES_A_SECOND
        yield json.dumps([round(at_s + min(idle_s, MOST_IDLE_S), 3), "o", "\x1b[0m"])


def _header(begin: datetime, size: tuple[int, int], agent: str) -> dict[str, Any]:
    return {
        "version": 2,
        "width": size[0],
        "height": size[1],
        "timestamp": int(begin.timestamp()),
        "idle_time_limit": MOST_IDLE_S,
        "title": f"agent-console · {agent} · {begin:%Y-%m-%d %H:%M:%S}Z",
        "env": {"TERM": "xterm-256color"},
    }


def _lines(app: ConsoleApp) -> list[str]:
    """What is on screen, with the sequences that colour it."""
    strips = app.screen._compositor.render_strips()
    return [
        "".join(
            segment.style.render(segment.text, color_system=ColorSystem.TRUECOLOR) if segment.style else segment.text
            for segment in strip
        )
        for strip in strips[: app.size.height]
    ]


def _changes(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    for row, line in enumerate(after):
        if row >= len(before) or before[row] != line:
            yield f"\x1b[{row + 1};1H{line}"
