"""Drawing every screen of a moment that is over, for evidence: beside the loop that asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from console.commands.context import Pictures
from console.domain.board.boards import Seen
from console.domain.seen.kept import Kept
from console.domain.seen.looking import LookingKind
from console.domain.seen.observation import LogReading
from console.domain.text import Safe

NOT_KEPT: Final = Safe("it is read only while somebody looks, and nothing of it is kept.")
"""What the screens 6 and 7 say of a time that is over."""
GAP: Final = timedelta(seconds=10)
"""A recording that ended so long before a moment, or began after it, says nothing about it."""


def pictures() -> Pictures:
    """What draws every screen, in the same look wherever it is drawn."""

    def draw(
        kept: Kept, logs: Callable[[datetime], LogReading] | None, moment: datetime, *, recording: str = ""
    ) -> Iterator[tuple[str, bytes]]:
        from console.commands.catalogue import commands
        from console.live.past import PastTimeline
        from console.picture import every_screen

        timeline = PastTimeline(kept, logs, Safe("evidence"))
        observation = timeline.looked_at(moment, LookingKind.REPLAY)
        catalogue = [command.info for command in commands()]
        seen = _recorded(Path(recording).expanduser(), moment) if recording else Seen(problem=NOT_KEPT)
        yield from asyncio.run(every_screen(observation, catalogue=catalogue, seen=seen))

    return draw


def _recorded(path: Path, moment: datetime) -> Seen:
    """The boards at a moment, as a recording has them.

    Raises:
        ConsoleError: it can't be read.
    """
    from console.recording.player import boards_of
    from console.recording.ring import parts_of
    from console.recording.timeline import RecordedTimeline

    timeline = RecordedTimeline(parts_of(path) or (path,))
    try:
        first, last = timeline.bounds()
        if not first <= moment <= last + GAP:
            return Seen(problem=Safe("it was not recorded at that moment."))
        return boards_of(timeline, moment)
    finally:
        timeline.close()
