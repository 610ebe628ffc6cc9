"""Drawing every screen of a moment that is over, for evidence: beside the loop that asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from console.commands.context import Pictures
from console.domain.board.boards import Seen
from console.domain.seen.kept import Kept
from console.domain.seen.looking import LookingKind
from console.domain.seen.observation import LogReading
from console.domain.text import Safe

NOT_KEPT: Final = Safe("it is read only while somebody looks, and nothing of it is kept.")
"""What the screens 6 and 7 say of a time that is over."""


def pictures() -> Pictures:
    """What draws every screen, in the same look wherever it is drawn."""

    def draw(
        kept: Kept, logs: Callable[[datetime], LogReading] | None, moment: datetime
    ) -> Iterator[tuple[str, bytes]]:
        from console.commands.catalogue import commands
        from console.live.past import PastTimeline
        from console.picture import every_screen

        timeline = PastTimeline(kept, logs, Safe("evidence"))
        observation = timeline.looked_at(moment, LookingKind.REPLAY)
        catalogue = [command.info for command in commands()]
        seen = Seen(problem=NOT_KEPT)
        yield from asyncio.run(every_screen(observation, catalogue=catalogue, seen=seen))

    return draw
