"""Waiting until something is so, in both worlds: how fast the machine is decides no test.

The limit is generous and is met only where something is wrong; the message then says what was awaited, and what was
seen.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

TIMEOUT_S = 60.0
LOOK_S = 0.005
Holds = Callable[[], object]


def until(
    holds: Holds,
    what: str = "",
    *,
    timeout_s: float = TIMEOUT_S,
    every_s: float = LOOK_S,
    despite: tuple[type[Exception], ...] = (),
) -> float:
    """Wait until something holds; how long that took, in seconds.

    Args:
        holds: what is looked at; what it returned last is shown where it never came true.
        what: what is awaited, for the message; by default the source of `holds`.
        timeout_s: after so long the test fails.
        every_s: how long after one look the next one follows.
        despite: what `holds` may raise on the way, such as a store that is away.
    """
    began_s, seen = time.monotonic(), None
    while True:
        with suppress(*despite):
            if seen := holds():
                return time.monotonic() - began_s
        _still_time(holds, what, began_s, timeout_s, seen)
        time.sleep(every_s)


async def until_async(
    holds: Callable[[], Awaitable[object] | object], what: str = "", *, timeout_s: float = TIMEOUT_S
) -> float:
    """As `until`, letting the loop run meanwhile; `holds` may be a coroutine function."""
    began_s = time.monotonic()
    while True:
        seen = holds()
        if inspect.isawaitable(seen):
            seen = await seen
        if seen:
            return time.monotonic() - began_s
        _still_time(holds, what, began_s, timeout_s, seen)
        await asyncio.sleep(LOOK_S)


def _still_time(holds: Holds, what: str, began_s: float, timeout_s: float, seen: object) -> None:
    if time.monotonic() - began_s >= timeout_s:
        raise AssertionError(f"waited {timeout_s} s in vain for {what or _source(holds)}; seen last: {seen!r}")


def _source(holds: Holds) -> str:
    try:
        return " ".join(inspect.getsource(holds).split())
    except (OSError, TypeError):
        return repr(holds)
