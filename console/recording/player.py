"""A timeline as a source: it plays at a speed, stands still, steps and seeks, and publishes what was to be seen."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol, runtime_checkable

from console.commands.gates.reading import in_thread
from console.domain.board.boards import NoBoards, Seen
from console.domain.errors import ConsoleError
from console.domain.operator.moment import parse_moment
from console.domain.seen.looking import Looking, LookingKind
from console.domain.seen.observation import Link, LinkState, Observation
from console.domain.seen.playback import SPEEDS
from console.domain.seen.timeline import Mark, Timeline
from console.domain.text import Safe, clean

HZ: Final = 5.0
SLOW_S: Final = 1.0
"""A moment that takes longer is said to be waited for."""
STEP_S: Final = 1.0
"""A step, where a timeline has no frames."""


@runtime_checkable
class Framed(Protocol):
    """A timeline that knows of frames."""

    def beside(self, moment: datetime, *, forward: bool) -> datetime | None:
        """The time of the frame after, or before, a moment; None where there is none."""
        ...


@runtime_checkable
class KeepsBoards(Protocol):
    """A timeline that knows the boards of the screens 6 and 7, too."""

    def boards(self, moment: datetime) -> Seen | None:
        """What was read by then; None where nobody recorded it."""
        ...


NOT_KEPT: Final = Seen(problem=Safe("it is read only while somebody looks, and was not recorded."))
"""What the screens 6 and 7 say where a recording has no boards."""


def boards_of(timeline: Timeline, moment: datetime) -> Seen:
    """The boards at a moment, or the word that nobody recorded them. It blocks.

    Raises:
        ConsoleError: they can't be read.
    """
    return (timeline.boards(moment) if isinstance(timeline, KeepsBoards) else None) or NOT_KEPT


class _Bounds(NamedTuple):
    """How far one can go."""

    first: datetime
    last: datetime


class Player:
    """Plays a timeline: a `Source`, and a `console.domain.seen.playback.Playback`.

    Args:
        timeline: what is played; it is read on a thread.
        at: where to begin; None for its first moment.
        speed: seconds that pass a second, 1 to 100.
        playing: whether time passes from the start.
        missing: what of that time nobody kept.
        hz: how often a second something new is shown.
        clock: a monotonic clock, in seconds.
    """

    def __init__(
        self,
        timeline: Timeline,
        *,
        at: datetime | None = None,
        speed: float = 1.0,
        playing: bool = True,
        missing: Sequence[Safe] = (),
        hz: float = HZ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timeline, self._missing = timeline, tuple(missing)
        self._bounds = _Bounds(*timeline.bounds())
        self._marks: Sequence[Mark] = ()
        self._moment = self._within(at or self._bounds.first)
        self._speed, self._playing = min(max(speed, SPEEDS[0]), SPEEDS[-1]), playing
        self._turn_s, self._clock = 1.0 / hz, clock
        self._wishes: deque[Callable[[], Awaitable[None]]] = deque()
        self._wake = asyncio.Event()
        self._agent = Safe("")
        self.boards = NoBoards(NOT_KEPT)
        """Of the moment that was published last."""
        self.told: Callable[[str, str], None] = lambda text, tone: None

    @property
    def moment(self) -> datetime:
        """The moment that is shown."""
        return self._moment

    @property
    def playing(self) -> bool:
        """Whether time passes."""
        return self._playing

    @property
    def speed(self) -> float:
        """Seconds that pass a second."""
        return self._speed

    def refresh(self) -> None:
        """Show it again."""
        self._wake.set()

    # what an operator does

    def toggle(self) -> None:
        """Stand still, or go on; from its end, from the beginning."""
        if not self._playing and self._moment >= self._bounds.last:
            self._moment = self._bounds.first
        self._playing = not self._playing
        self._wake.set()

    def seek(self, text: str) -> None:
        """Show that moment; beyond its ends, the end.

        Raises:
            UsageError: it can't be understood.
        """
        moment = parse_moment(text.strip(), self._bounds.last)
        shown = self._within(moment)
        if shown != moment:
            self.told(f"This goes from {_time(self._bounds.first)} to {_time(self._bounds.last)}.", "warn")
        self._wish(lambda: self._go(shown))

    def to_event(self, *, forward: bool) -> None:
        """Show the next event, or the one before, and stand still there."""
        self._wish(lambda: self._event(forward))

    def to_frame(self, *, forward: bool) -> None:
        """Stand still at the next frame, or at the one before."""
        self._playing = False
        self._wish(lambda: self._frame(forward))

    def change_speed(self, *, faster: bool) -> None:
        """Play faster, or slower."""
        place = bisect_right(SPEEDS, self._speed) if faster else bisect_left(SPEEDS, self._speed) - 1
        self._speed = SPEEDS[min(max(place, 0), len(SPEEDS) - 1)]
        self._wake.set()

    # as a source

    async def run(self, publish: Callable[[Observation], None]) -> None:
        """Publish what is to be seen at the moment, until it is cancelled."""
        self._marks = await in_thread(self._timeline.marks)
        before_s = self._clock()
        while True:
            self._wake.clear()
            while self._wishes:
                await self._wishes.popleft()()
            observation = await self._read(publish, self._moment)
            publish(observation)
            if self._playing and self._moment >= self._bounds.last:
                self._playing = False
                publish(self._as_shown(observation))
                self.told("It ends here.", "info")
            await self._wait()
            now_s = self._clock()
            if self._playing:
                self._moment = self._within(self._moment + timedelta(seconds=(now_s - before_s) * self._speed))
            before_s = now_s

    async def _wait(self) -> None:
        if not self._playing:
            await self._wake.wait()
            return
        try:
            async with asyncio.timeout(self._turn_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _read(self, publish: Callable[[Observation], None], moment: datetime) -> Observation:
        """What was to be seen; a disk that does not answer is told, and waited for."""
        reading = asyncio.ensure_future(in_thread(lambda: self._seen(moment)))
        done, _waiting = await asyncio.wait((reading,), timeout=SLOW_S)
        if not done:
            publish(self._as_shown(self._unknown(moment, "The files of the recording do not answer.")))
        observation, self.boards.seen = await reading
        return self._as_shown(observation._replace(now=moment))

    def _seen(self, moment: datetime) -> tuple[Observation, Seen]:
        try:
            observation, boards = self._timeline.at(moment), boards_of(self._timeline, moment)
        except ConsoleError as error:
            return self._unknown(moment, error.message), Seen(problem=clean(error.message))
        self._agent = observation.agent
        return observation, boards

    def _unknown(self, moment: datetime, why: str) -> Observation:
        """What was to be seen is not known, and nothing else is shown for it."""
        return Observation(self._agent, moment, Link(LinkState.OFFLINE, Safe(""), error=clean(why)))

    def _as_shown(self, observation: Observation) -> Observation:
        return as_replayed(observation, self._bounds, self._speed, self._playing, self._missing)

    def _wish(self, wish: Callable[[], Awaitable[None]]) -> None:
        self._wishes.append(wish)
        self._wake.set()

    async def _go(self, moment: datetime) -> None:
        self._moment = moment

    async def _event(self, forward: bool) -> None:
        times = [mark.at for mark in self._marks]
        place = bisect_right(times, self._moment) if forward else bisect_left(times, self._moment) - 1
        if not 0 <= place < len(times):
            self.told("There is no event after this." if forward else "There is no event before this.", "info")
            return
        mark = self._marks[place]
        self._playing = False
        await self._go(self._within(mark.at))
        self.told(f"{_time(mark.at)}  {mark.text}", "info")

    async def _frame(self, forward: bool) -> None:
        if isinstance(self._timeline, Framed):
            beside, moment = self._timeline.beside, self._moment
            there = await in_thread(lambda: beside(moment, forward=forward))
        else:
            there = self._moment + timedelta(seconds=STEP_S if forward else -STEP_S)
        if there is not None:
            await self._go(self._within(there))

    def _within(self, moment: datetime) -> datetime:
        return min(max(moment, self._bounds.first), self._bounds.last)


def as_replayed(
    observation: Observation, bounds: tuple[datetime, datetime], speed: float, playing: bool, missing: tuple[Safe, ...]
) -> Observation:
    """An observation as a replay shows it: nothing can be changed in it."""
    looking = Looking(LookingKind.REPLAY, observation.now, *bounds, speed, playing, missing)
    return observation._replace(looking=looking, read_only=True, locked=False)


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
