"""What a guard does about harm: freeze, or halt, look at the target, switch, read back, verify.

Every act carries the epoch of its evidence, and the store lets exactly one of several guards win; one that was frozen
and wakes up is refused. Where the target is a fenced agent the store does all of it in one step (`trip`): the target's
heartbeat is looked at and the side changed without a moment in which somebody could act. A plain target says nothing
about itself to the store, so everything is stopped first, the target is judged by its decision log, and only then it is
switched to; if it can't be vouched for, everything stays stopped, and why is said.

A side of which nothing says that it was ever healthy and reconciled, that left a doubt, or that can't read the state is
no side to go back to: new risk is frozen instead, as the verb does. So it is where that can't be read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from console.domain.fence.deployment import Phase
from console.domain.fence.intent import Aim
from console.domain.triggers.facts import Tenure, other
from console.domain.triggers.finding import Severity
from console.guard.act.judge import Judged, judged
from console.guard.keep.charge import Charge
from console.guard.keep.control import Control
from console.store.fence.replies import SwitchCode, TripCode
from console.store.records.guards import RestrainCode, restrain

ACK_S: Final = 2.0
"""How long a fenced target may take to acknowledge before that is said."""
_POLL_S: Final = 0.01
MOST_EVENTS: Final = 10_000
"""Control events looked through for earlier roll backs."""
_LEVEL_FREEZE: Final = 1
_LEVEL_HALT: Final = 3
ABANDONED_S: Final = 0.3
"""A halt that announced a switch and was not followed by one for so long was left by a guard that died. One that was
only slow is no harm: both name the epoch of the halt, and one switch wins."""


class Done(StrEnum):
    """How an act ended."""

    ROLLED_BACK = "rolled back"
    HALTED = "halted"
    FROZEN = "new risk frozen"
    NOTHING = "nothing to do"
    """As much was stopped already."""
    LATE = "too late"
    """Somebody else was quicker, or the evidence speaks of a tenure that is over; nothing was changed."""


_RESTRAINED: Final = {
    RestrainCode.HALTED: Done.HALTED,
    RestrainCode.LEVEL: Done.FROZEN,
    RestrainCode.AGAIN: Done.NOTHING,
}


@dataclass(frozen=True, slots=True)
class Result:
    """What an act did.

    Args:
        done: how it ended.
        epoch: the epoch after it.
        detail: in words.
        elapsed_ms: from the decision to the store's answer; verifying not included.
        verified: whether the target was read back as active, and, where it is fenced, acknowledged it.
    """

    done: Done
    epoch: int
    detail: str
    elapsed_ms: float
    verified: bool = False


class Actor:
    """Acts for one guard on one agent.

    Args:
        charge: the agent.
        window_s: a second automatic roll back within it becomes a halt.
        alive: why a plain side can't be vouched for, by its decision log; empty when it can.
        look: records now which sides are healthy and reconciled; None where somebody else does.
    """

    def __init__(
        self,
        charge: Charge,
        *,
        window_s: Callable[[], float],
        alive: Callable[[str], str],
        look: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._charge = charge
        self._fence = charge.fence
        self._state = charge.state
        self._keys = charge.keys
        self._by = charge.by
        self._window_s = window_s
        self._alive = alive
        self._look = look

    async def freeze(self, tenure: Tenure, epoch: int, why: str, trigger: str = "") -> Result:
        """Stop new entries.

        Raises:
            StoreUnreachable: no answer; whether it was done is unknown, and doing it again is harmless.
        """
        return await self._restrain(tenure, epoch, _LEVEL_FREEZE, why, Aim.FREEZE, trigger)

    async def roll_back(self, tenure: Tenure, epoch: int, why: str, trigger: str = "") -> Result:
        """Give the active side back to the version before, or halt where that can't be vouched for.

        Args:
            tenure: that the evidence speaks of.
            epoch: of the evidence.
            why: the trigger and its figures.
            trigger: its name.

        Raises:
            StoreUnreachable: as for `freeze`.
        """
        began = time.perf_counter()
        earlier = await self._earlier_rollbacks()
        if earlier:
            why = f"{why} (a second automatic roll back within {self._window_s():.0f} s)"
            return await self._restrain(tenure, epoch, _LEVEL_HALT, why, Aim.STOP, trigger)
        target = other(tenure.slot)
        fit = await self._judged(target)
        if fit.problem:
            level, aim = (_LEVEL_FREEZE, Aim.FREEZE) if fit.bound else (_LEVEL_HALT, Aim.STOP)
            why = f"{why[:400]} (not rolled back: {fit.problem})"
            result = await self._restrain(tenure, epoch, level, why, aim, trigger)
            if result.done is Done.NOTHING:  # as much was stopped already, and no event tells of it
                at = datetime.fromtimestamp(await self._state.server_ms() / 1000, UTC)
                what = ("not rolled back", tenure.epoch, trigger)
                await self._charge.raise_alert(Severity.CRITICAL, why, at, *what, trigger=trigger)
            return replace(result, elapsed_ms=_ms_since(began))
        if fit.beats:
            return await self._trip(target, epoch, why, trigger, began)
        halted = await self._restrain(tenure, epoch, _LEVEL_HALT, why, Aim.GO_BACK, trigger, target)
        if halted.done is not Done.HALTED:
            return halted
        return await self._go_back(target, halted.epoch, why, trigger, began)

    async def finish(self, control: Control) -> Result | None:
        """Take up a roll back that a guard left between halt and switch, if there is one."""
        if control.phase is not Phase.HALT:
            return None
        events = await self._state.events(count=20)
        last = next((event for event in reversed(events) if event.epoch == control.epoch), None)
        if last is None or not last.going_back or last.target not in ("blue", "green"):
            return None
        if await self._state.server_ms() / 1000 - last.at.timestamp() < ABANDONED_S:
            return None
        if await self._state.noted(f"{control.epoch}/stays"):
            return None
        fit, began = await self._judged(last.target), time.perf_counter()
        return await self._go_back(last.target, control.epoch, last.why, last.trigger, began, fit.problem)

    async def _judged(self, target: str) -> Judged:
        """Whether a side may be gone back to; where only no record speaks for it, it is looked at now."""
        fit = await judged(self._charge, target)
        if fit.unproved and self._look is not None:
            await self._look()
            fit = await judged(self._charge, target)
        return fit

    async def _go_back(
        self, target: str, epoch: int, why: str, trigger: str, began: float, problem: str = ""
    ) -> Result:
        problem = problem or self._alive(target)
        if problem:
            await self._state.note(f"{epoch}/stays", {"why": problem, "by": self._by})
            return Result(Done.HALTED, epoch, f"stays halted: {problem}", _ms_since(began))
        reply = await self._charge.move("rollback", target, epoch, why, Aim.GO_BACK, trigger)
        if reply.code is not SwitchCode.SWITCHED:
            return Result(Done.LATE, reply.epoch, f"somebody else acted: {reply.code.value.lower()}", _ms_since(began))
        result = Result(Done.ROLLED_BACK, reply.epoch, f"{target} is active", _ms_since(began))
        return await self._verified(result, target)

    async def _trip(self, target: str, epoch: int, why: str, trigger: str, began: float) -> Result:
        reply = await self._fence.trip(epoch=epoch, why=why[:900], by=self._by, trigger=trigger)
        elapsed_ms = _ms_since(began)
        if reply.code is TripCode.ROLLBACK:
            return await self._verified(
                Result(Done.ROLLED_BACK, reply.epoch, f"{target} is active", elapsed_ms), target
            )
        if reply.code is TripCode.HALT:
            events = await self._state.events(count=1)
            return Result(Done.HALTED, reply.epoch, events[-1].why if events else "", elapsed_ms, verified=True)
        return Result(Done.LATE, reply.epoch, "the evidence speaks of a tenure that is over", elapsed_ms)

    async def _restrain(
        self, tenure: Tenure, epoch: int, level: int, why: str, aim: Aim, trigger: str, target: str = ""
    ) -> Result:
        began = time.perf_counter()
        reply = await self._fence.call(
            restrain(
                self._keys,
                epoch=epoch,
                slot=tenure.slot,
                level=level,
                by=self._by,
                why=why,
                aim=aim,
                target=target,
                trigger=trigger,
            )
        )
        done = _RESTRAINED.get(reply.code, Done.LATE)
        return Result(done, reply.epoch, why, _ms_since(began), verified=done in (Done.HALTED, Done.FROZEN))

    async def _verified(self, result: Result, target: str) -> Result:
        """Read back who is active, and wait for a fenced target to say that it knows."""
        control = await self._state.control()
        if control.epoch == result.epoch and (control.tenure is None or control.plain != target):
            return replace(result, detail=f"{result.detail}, but reads back otherwise")
        deadline = time.monotonic() + ACK_S
        while True:
            beats = [beat for beat in (await self._fence.heartbeats()).values() if beat.get("slot") == target]
            epochs = [epoch for epoch in (beat.get("epoch") for beat in beats) if isinstance(epoch, int)]
            if not beats or any(epoch >= result.epoch for epoch in epochs):
                return replace(result, verified=True)
            if time.monotonic() > deadline:
                return replace(result, detail=f"{result.detail}; no instance acknowledged within {ACK_S:g} s")
            await asyncio.sleep(_POLL_S)

    async def _earlier_rollbacks(self) -> int:
        """Automatic roll backs within the window; where there are more events than can be read, there may be one."""
        since_ms = await self._state.server_ms() - int(self._window_s() * 1000)
        events = await self._state.events(after=f"{max(0, since_ms)}-0", count=MOST_EVENTS)
        return sum(event.automatic_rollback for event in events) + (len(events) >= MOST_EVENTS)


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
