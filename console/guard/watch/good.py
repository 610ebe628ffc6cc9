"""When each side was last healthy and reconciled: a guard writes it down at its housekeeping, for whoever goes back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from console.domain.errors import Refused
from console.domain.fence.deployment import Slot
from console.domain.triggers.finding import Verdict
from console.guard.keep.charge import Charge
from console.guard.watch.watch import Watch
from console.store.reading.good import Judge, note_sides

FIRST_S: Final = 5.0
"""Between two looks after a change of who acts: triggers and heartbeats come a moment later."""
FIRST: Final = 6
"""How many of them."""
EVERY_S: Final = 30.0
"""Between two looks from then on: with thousands of agents each costs its part, and a record goes on for a minute."""


class GoodKeeper:
    """Writes down, for one agent, which sides are healthy and reconciled.

    Args:
        charge: the agent.
        clock: the time now, by which a look at the venue is dated.
    """

    __slots__ = ("_at", "_charge", "_clock", "_epoch", "_looks")

    def __init__(self, charge: Charge, clock: Callable[[], datetime]) -> None:
        self._charge, self._clock = charge, clock
        self._at = float("-inf")
        self._epoch, self._looks = -1, 0

    async def look(self, watch: Watch, *, now: bool = False) -> None:
        """Look, where it is due.

        Args:
            watch: what is known of the agent, and what its triggers saw.
            now: whether it is due whatever the time.

        Raises:
            StoreUnreachable: no answer.
        """
        at, control, last = time.monotonic(), watch.control, watch.last
        if control is None or control.tenure is None:
            return
        if control.epoch != self._epoch:
            self._epoch, self._looks = control.epoch, 0
        elif not now and at - self._at < (FIRST_S if self._looks < FIRST else EVERY_S):
            return
        active, began, back = control.tenure.slot, control.tenure.at, control.began_back

        def harm(side: Slot) -> str:
            if side.value != active:
                return "a trigger rolled back from it" if back else ""
            if last is None or last.active != active or last.at < began:
                return "no trigger has looked at it yet"
            found = [one.trigger.label for one in last.findings if one.verdict is Verdict.HARM]
            return f"harm: {', '.join(found)}" if found else ""

        state, key = self._charge.state, self._charge.keys.good
        judge = Judge(self._charge.by, harm, lambda side: watch.alive(side.value), self._clock)
        try:
            await note_sides(self._charge.fence.client, self._charge.keys, judge)
        except Refused as error:
            state.spoiled[key] = f"when a side was well is not recorded: {error.message}"
        else:
            state.spoiled.pop(key, None)
        self._at, self._looks = at, self._looks + 1
