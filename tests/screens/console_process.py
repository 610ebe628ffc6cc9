"""A console in a process of its own, on a recorded scenario: what a pseudo-terminal test runs.

`python -m tests.screens.console_process SCENARIO [RATE] [crash]`; with a rate, so many decisions a second keep coming;
with `crash`, the key for the next theme raises what nobody catches.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

from console.app import ConsoleApp, utc_now
from console.domain.seen.observation import LinkState, Observation
from console.screens.frame.ui_settings import UiSettings
from tests.scenarios import NOW, observation
from tests.scenarios.parts import decision, link


class FlowingSource:
    """The scenario, brought up to now five times a second, with decisions that keep coming."""

    def __init__(self, name: str, rate: int) -> None:
        self._seen = observation(name)
        self._rate = rate

    async def run(self, publish: Callable[[Observation], None]) -> None:
        turn = 0
        publish(self._now(turn))
        while True:
            await asyncio.sleep(0.2)
            turn += 1
            publish(self._now(turn))

    def _now(self, turn: int) -> Observation:
        now, seen = utc_now(), self._seen
        if not self._rate or seen.logs is None or seen.store is None:
            return seen
        last = 60 + turn * self._rate // 5
        recent = tuple(decision(n, 0)._replace(at=now) for n in range(max(1, last - 999), last + 1))
        logs = seen.logs._replace(at=now, recent=recent, total=last)
        return seen._replace(now=now, link=link(LinkState.LIVE), store=seen.store._replace(at=now), logs=logs)

    def refresh(self) -> None:
        """It never rests anyway."""


class CrashingApp(ConsoleApp):
    """One with a fault in it."""

    def next_theme(self) -> None:
        """Raise what nobody catches."""
        raise RuntimeError("this one was meant")


def main(name: str, rate: int, *, crashes: bool) -> int:
    from tests.screens.doubles import RecordingOperator

    clock = utc_now if rate else lambda: NOW
    app = (CrashingApp if crashes else ConsoleApp)(
        FlowingSource(name, rate), RecordingOperator(), UiSettings(), clock=clock
    )
    app.run()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0, crashes="crash" in sys.argv))
