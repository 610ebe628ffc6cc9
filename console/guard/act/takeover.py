"""A dead active side beside a healthy one: the guard makes the healthy one active, within seconds.

Only fenced agents can be dead in this sense: their processes beat, and each beat that stays out is counted by this
guard itself, on its own clock. What the dead ones had in flight ends under its leases and is in doubt then; nothing is
sent twice by this. A side that said goodbye is not dead: somebody stopped it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final, NamedTuple

from console.domain.fence.deployment import Phase
from console.domain.fence.intent import Aim
from console.domain.triggers.facts import Tenure, other
from console.domain.triggers.finding import Arming
from console.guard.act.judge import judged
from console.guard.keep.charge import Charge
from console.guard.keep.control import Control
from console.store.fence.replies import SwitchCode
from console.store.records.guards import restrain

LOOKS: Final = 3
"""Into so many looks a silence is divided at the least: a pause of our own counts for one, and proves nothing."""
BEATS: Final = 5
"""So many heartbeats have to stay out: an agent that beats seldom is silent for longer before it is dead."""
LONGEST_MS: Final = 3_600_000
"""No agent beats more seldom, whatever it says."""
BACK: Final = "a trigger rolled back from {}, and to give it back is an operator's decision"
FRESH_S: Final = 2.0
"""A standby that has not beaten for so long is not known to be alive."""

SIDES: Final = ("blue", "green")
Beats = Mapping[str, Mapping[str, object]]


class Heard(NamedTuple):
    """An instance as it was seen last.

    Args:
        slot: its side.
        ms: its last beat, by the store's clock; 0 where it says none.
        at: the same on the clock that nobody sets, if the store says that.
        epoch: that it acknowledged.
        silent_s: for how long it has not beaten since, by our own clock; a pause between two looks counts only in part.
        limit_s: after so long it is dead.
        ready: whether it could take over.
    """

    slot: object
    ms: float
    at: float
    epoch: float
    silent_s: float
    limit_s: float
    ready: bool


class Silence:
    """How long instances have not beaten, by our own clock and looks."""

    def __init__(self) -> None:
        self.heard: dict[str, Heard] = {}
        """By instance."""
        self.goodbyes: dict[object, float] = {}
        """By side: the last beat of the last instance that is gone. None is ever gone without a goodbye."""
        self._at_s = 0.0

    def look(self, beats: Beats, now_s: float, after_s: float) -> None:
        """Take what the store has now.

        Args:
            beats: instance → its heartbeat.
            now_s: our own monotonic clock.
            after_s: seconds without a beat after which an instance is dead, unless it beats more seldom.
        """
        passed_s, self._at_s = max(0.0, now_s - self._at_s), now_s
        before, self.heard = self.heard, {}
        for name, beat in beats.items():
            ms, last = _number(beat.get("ms")), before.get(name)
            limit_s = max(after_s, BEATS * min(_number(beat.get("every")), LONGEST_MS) / 1000)
            silent_s = last.silent_s + min(passed_s, limit_s / LOOKS) if last and last.ms == ms else 0.0
            at, epoch = _number(beat.get("st")) or ms, _number(beat.get("epoch"))
            self.heard[name] = Heard(beat.get("slot"), ms, at, epoch, silent_s, limit_s, beat.get("ready") is True)
        for last in (last for name, last in before.items() if name not in beats and last.slot in SIDES):
            self.goodbyes[last.slot] = max(self.goodbyes.get(last.slot, 0.0), last.at)


class Takeover:
    """Watches for one agent's dead active side.

    Args:
        charge: the agent.
    """

    __slots__ = ("_charge", "_silence", "_told")

    def __init__(self, charge: Charge) -> None:
        self._charge = charge
        self._silence = Silence()
        self._told: tuple[object, ...] = ()

    async def look(self, beats: Beats, control: Control | None, arming: Arming, after_s: float) -> bool:
        """Look, and act if it is due; whether the active side was changed.

        Args:
            beats: instance → its heartbeat.
            control: who may act, as this guard knows it.
            arming: whether it acts, only tells, or does not look.
            after_s: seconds without a beat after which a side is dead.

        Raises:
            StoreUnreachable: no answer.
        """
        self._silence.look(beats, time.monotonic(), after_s)
        if arming is Arming.OFF or control is None or control.phase is not Phase.RUN or control.tenure is None:
            return False
        active = control.tenure.slot
        why = self._dead(control.tenure)
        if not why or not self._ready(other(active)):
            return False
        if control.began_back:
            self._tell_once("does not take over", control.epoch, reason=f"{why}, but {BACK.format(other(active))}")
            return False
        charge, target = self._charge, other(active)
        if (forbids := (await judged(charge, target)).forbids) and arming is Arming.ARMED:
            await self._freeze(control, active, f"{why}; {target} does not take over: {forbids}")
            return False
        if arming is Arming.DRY:
            self._tell_once("would take over", control.epoch, active=active, target=target, reason=why)
            return False
        reply = await charge.move("takeover", target, control.epoch, why, Aim.TAKE_OVER)
        switched = reply.code is SwitchCode.SWITCHED
        outcome = {"code": reply.code.value, "detail": reply.detail}
        self._tell_once("took over" if switched else "take-over refused", reply.epoch, target=target, **outcome)
        return switched

    async def _freeze(self, control: Control, slot: str, why: str) -> None:
        """A side that can't read the state of the dead one is no side to go on: a person decides."""
        call = restrain(
            self._charge.keys, epoch=control.epoch, slot=slot, level=1, by=self._charge.by, why=why, aim=Aim.FREEZE
        )
        reply = await self._charge.fence.call(call)
        self._tell_once("does not take over", control.epoch, reason=why, code=reply.code.value)

    def _tell_once(self, event: str, epoch: int, **fields: object) -> None:
        """Say what stands or goes on, and that only once."""
        key = (event, epoch, fields.get("code"), fields.get("detail"))
        if self._told != key:
            self._told = key
            self._charge.tell(event, epoch=epoch, **fields)

    def _dead(self, tenure: Tenure) -> str:
        """Why the active side is dead; empty where that is not known.

        Only who has beaten in this tenure can be dead in it: that a side without a process is active is an operator's
        will. And whoever was silent already when the last one said goodbye does not speak for its side.
        """
        mine = [last for last in self._silence.heard.values() if last.slot == tenure.slot]
        here = [last for last in mine if max(last.ms, last.epoch) >= tenure.epoch]
        goodbye = self._silence.goodbyes.get(tenure.slot, 0.0)
        lived = [last.silent_s for last in here if last.at > goodbye]
        if not lived or any(last.silent_s < last.limit_s for last in mine):
            return ""
        return f"no process of {tenure.slot} has beaten for {min(lived):.0f} s"

    def _ready(self, slot: str) -> bool:
        return any(last.ready and last.silent_s < FRESH_S for last in self._silence.heard.values() if last.slot == slot)


def _number(value: object) -> float:
    return value if isinstance(value, int) and 0 < value < 1 << 53 else 0
