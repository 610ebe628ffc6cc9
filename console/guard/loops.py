"""Loops that outlive their store, and end when they are told to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from console.domain.errors import ConsoleError, StoreUnreachable
from console.guard.telling import Tell


async def forever(loop: Callable[[], Awaitable[None]], tell: Tell) -> None:
    """Run a loop again whenever it fails: a store that goes away is said once, and tried until it is back."""
    said = ""
    while True:
        try:
            await loop()
        except StoreUnreachable as error:
            if error.message != said:
                said = error.message
                tell("store unreachable", reason=error.message)
            await asyncio.sleep(0.25)
        except ConsoleError as error:
            tell("refused", reason=error.message)
            await asyncio.sleep(1.0)


async def end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel tasks until all have ended: one cancellation can be lost within `wait_for` (before Python 3.12)."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _done, pending = await asyncio.wait(pending, timeout=0.1)
