"""A live source that can look back: the present goes on underneath, and a new alert of it is still told."""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING

from console.commands.clock import utc_now
from console.domain.errors import ConsoleError
from console.domain.text import Safe

if TYPE_CHECKING:
    from console.domain.seen.observation import Observation
    from console.domain.seen.source import Source
    from console.live.past import PastTimeline


class LookingBackSource:
    """A `Source`, and a `console.domain.seen.playback.LooksBack` with a present to return to.

    Args:
        live: the present.
        open_past: reads what is kept; called again for each moment that is asked for, since the past grows.
        clock: the time now.
    """

    def __init__(
        self,
        live: Source,
        open_past: Callable[[], Awaitable[PastTimeline]],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._live = live
        self._open_past = open_past
        self._clock = clock
        self._publish: Callable[[Observation], None] = lambda observation: None
        self._now: Observation | None = None
        self._timeline: PastTimeline | None = None
        self._moment: datetime | None = None
        self._going: asyncio.Task[None] | None = None
        self.told: Callable[[str, str], None] = lambda text, tone: None
        self.beside: Callable[[Observation], None] = lambda observation: None
        """Called with the present while the past is shown."""

    def refresh(self) -> None:
        """Look at the present again now."""
        self._live.refresh()

    async def run(self, publish: Callable[[Observation], None]) -> None:
        """Publish the present, but while a moment that is over is shown."""
        self._publish = publish
        try:
            await self._live.run(self._take)
        finally:
            if self._going is not None:
                self._going.cancel()

    def _take(self, observation: Observation) -> None:
        self._now = observation
        if self._moment is None:
            self._publish(observation)
        else:
            self.beside(observation)

    @property
    def present(self) -> Observation | None:
        """The newest of the present, whatever is shown; None until there is one."""
        return self._now

    @property
    def looks_back(self) -> bool:
        """Whether a moment that is over is shown."""
        return self._moment is not None

    def seek(self, text: str) -> None:
        """Show that moment, as soon as it was read.

        Raises:
            UsageError: it can't be understood.
        """
        from console.domain.operator.moment import parse_moment

        moment = parse_moment(text.strip(), self._clock())
        self._begin(lambda: self._go(moment))

    def to_event(self, *, forward: bool) -> None:
        """Show the next event, or the one before."""
        self._begin(lambda: self._event(forward))

    def to_live(self) -> None:
        """Show the present again."""
        if self._going is not None:
            self._going.cancel()
        self._moment = self._timeline = None
        if self._now is not None:
            self._publish(self._now)

    def _begin(self, wish: Callable[[], Awaitable[None]]) -> None:
        """Read beside the loop; what was asked for last is what is shown."""
        if self._going is not None:
            self._going.cancel()
        self._going = asyncio.get_running_loop().create_task(self._tried(wish), name="looking back")

    async def _tried(self, wish: Callable[[], Awaitable[None]]) -> None:
        try:
            await wish()
        except ConsoleError as error:
            self.told(str(error), "warn")

    async def _opened(self) -> PastTimeline:
        if self._timeline is None:
            self.told("Looking back …", "info")
            self._timeline = await self._open_past()
        return self._timeline

    async def _go(self, moment: datetime, text: str = "") -> None:
        timeline = await self._opened()
        if timeline.bounds()[1] < moment <= self._clock():
            timeline = self._timeline = await self._open_past()
        observation = await asyncio.to_thread(timeline.looked_at, moment)
        now = self._now
        self._moment = moment
        self._publish(
            observation._replace(
                profile=now.profile if now is not None else Safe(""),
                protected=now.protected if now is not None else False,
            )
        )
        self.told(text or f"As it was at {moment:%Y-%m-%d %H:%M:%S}Z. :live returns.", "info")

    async def _event(self, forward: bool) -> None:
        at = self._moment or self._clock()
        if forward:
            self._timeline = None  # what has happened since is no less an event
        marks = (await self._opened()).marks()
        times = [mark.at for mark in marks]
        place = bisect_right(times, at) if forward else bisect_left(times, at) - 1
        if not 0 <= place < len(times):
            self.told("There is no event after this." if forward else "There is no event before this.", "info")
            return
        mark = marks[place]
        await self._go(mark.at, f"{mark.at:%Y-%m-%d %H:%M:%S}Z  {mark.text}")
