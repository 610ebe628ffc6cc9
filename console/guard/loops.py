"""Loops that outlive their store, and end when they are told to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from console.domain.errors import ConsoleError, StoreUnreachable, WritesRefused
from console.guard.telling import Tell


class Outage:
    """Says once that the store is away, once that it refuses, and once that it is back, however many loops notice and
    whatever each of them is told.

    Args:
        tell: for the log.
        quiet_s: how long nothing may have failed before it is said to be back; above 0 where a part of the store can be
            away while others answer.
    """

    def __init__(self, tell: Tell, *, quiet_s: float = 0.0) -> None:
        self._tell = tell
        self._quiet_s = quiet_s
        self._down_at = float("-inf")
        self._told: set[str] = set()

    def down(self, error: ConsoleError) -> None:
        """Something could not be done."""
        self._down_at = time.monotonic()
        certain = isinstance(error, WritesRefused) or not isinstance(error, StoreUnreachable)
        event = "refused" if certain else "store unreachable"
        if event not in self._told:
            self._told.add(event)
            self._tell(event, reason=error.message)

    def up(self) -> None:
        """The store answered."""
        if self._told and time.monotonic() - self._down_at >= self._quiet_s:
            self._told.clear()
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
