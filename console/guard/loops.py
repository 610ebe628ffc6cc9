"""Loops that outlive their store, and end when they are told to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from console.domain.errors import ConsoleError, StoreUnreachable, WritesRefused
from console.guard.telling import Tell

QUIET_S: Final = 10.0
"""How soon the same is told again, where it comes and goes; twice as late each time."""
LONGEST_QUIET_S: Final = 640.0


@dataclass(slots=True)
class _Told:
    """When something was told last, for how long it is not told again, and how often it came meanwhile."""

    at: float
    quiet_s: float
    times: int = 0


class Outage:
    """Says once that the store is away, once that it refuses, and once that it is back, however many loops notice and
    whatever each of them is told. What comes and goes, as where one of many rights is missing, is told at once and then
    counted.

    Args:
        tell: for the log.
        quiet_s: how long nothing may have failed before it is said to be back; above 0 where a part of the store can be
            away while others answer.
        clock: monotonic seconds.
    """

    def __init__(self, tell: Tell, *, quiet_s: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._quiet_s = quiet_s
        self._down_at = float("-inf")
        self._clock = clock
        self._now_told: set[str] = set()
        self._kept: dict[str, _Told] = {}

    def down(self, error: ConsoleError) -> None:
        """Something could not be done."""
        self._down_at = self._clock()
        certain = isinstance(error, WritesRefused) or not isinstance(error, StoreUnreachable)
        event = "refused" if certain else "store unreachable"
        if event in self._now_told:
            return
        now, before = self._clock(), self._kept.get(event)
        if before is not None and now < before.at + before.quiet_s:
            before.times += 1
            return
        again = before is not None and now < before.at + 2 * before.quiet_s
        quiet_s = min(LONGEST_QUIET_S, before.quiet_s * 2) if before is not None and again else QUIET_S
        more = {"times": before.times} if before is not None and before.times else {}
        self._kept[event] = _Told(now, quiet_s)
        self._now_told.add(event)
        self._tell(event, reason=error.message, **({"hint": error.hint} if error.hint else {}), **more)

    def up(self) -> None:
        """The store answered."""
        if self._now_told and self._clock() - self._down_at >= self._quiet_s:
            self._now_told.clear()
            self._tell("store answers")


async def forever(loop: Callable[[], Awaitable[None]], outage: Outage) -> None:
    """Run a loop again whenever it fails: a store that goes away is said once, and tried until it is back."""
    while True:
        try:
            await loop()
        except ConsoleError as error:
            outage.down(error)
            await asyncio.sleep(0.25 if isinstance(error, StoreUnreachable) else 1.0)


async def end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel tasks until all have ended: one cancellation can be lost within `wait_for` (before Python 3.12)."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _done, pending = await asyncio.wait(pending, timeout=0.1)
