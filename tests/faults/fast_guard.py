"""`python -m tests.faults.fast_guard`: a real guard's process whose clock runs faster than the world's; nothing else.

What the store and the receivers see is real; only what the guard takes for the time (ages, limits, back-offs) runs at a
rate from an origin on, so that an hour of waiting fits into a test.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from console.guard.run.process import Guard
from console.guard.setup import file
from console.guard.setup.options import GuardOptions
from console.logs.options import LogOptions


def fast_clock(rate: float, origin_s: float) -> Callable[[], datetime]:
    """A clock that ran with everybody else's until the origin, and so many times as fast since."""
    return lambda: datetime.fromtimestamp(origin_s + (time.time() - origin_s) * rate, UTC)


async def guard(options: GuardOptions) -> None:
    """As `agent-console guard` does."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    made = Guard(options)
    try:
        await made.open()
        await made.run(stop)
    finally:
        await made.aclose()


def main(arguments: list[str]) -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(prog="tests.faults.fast_guard")
    parser.add_argument("--url", required=True)
    parser.add_argument("--decisions", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--triggers", type=Path)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--origin", type=float, required=True)
    told = parser.parse_args(arguments)
    asyncio.run(
        guard(
            GuardOptions(
                told.url,
                "agent",
                (told.decisions,),
                LogOptions(last_lines=100_000),
                file.load(told.triggers),
                None,
                told.name,
                fast_clock(told.rate, told.origin),
            )
        )
    )


if __name__ == "__main__":
    main(sys.argv[1:])
