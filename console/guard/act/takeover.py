"""A dead active side beside a healthy one: the guard makes the healthy one active, within seconds.

Only fenced agents can be dead in this sense: their processes beat, and each beat that stays out is counted by this
guard itself, on its own clock. What the dead ones had in flight ends under its leases and is in doubt then; nothing is
sent twice by this. A side that said goodbye is not dead: somebody stopped it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from console.domain.fence.deployment import Phase
from console.domain.triggers.facts import other
from console.domain.triggers.finding import Arming
from console.guard.keep.charge import Charge
from console.guard.keep.control import Control
from console.store.fence.calls import SwitchRequest
from console.store.fence.ids import new_id
from console.store.fence.replies import SwitchCode
from console.store.records.audit import request_fields

LEAST_LOOKS: Final = 3
"""Looks in a row that find no new beat, at the least: one that comes after a pause of our own proves nothing."""
FRESH_S: Final = 2.0
"""A standby that has not beaten for so long is not known to be alive."""

Beats = Mapping[str, Mapping[str, object]]


class Silence:
    """How long instances have not beaten, by our own clock and looks."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[object, float, int]] = {}
        """Instance → its last beat, when we saw it change, and how often we looked since."""

    def look(self, beats: Beats, now_s: float) -> None:
        """Take what the store has now.

        Args:
            beats: instance → its heartbeat.
            now_s: our own monotonic clock.
        """
        last = {}
        for name, beat in beats.items():
            ms = beat.get("ms")
            before = self._last.get(name)
            last[name] = (ms, before[1], before[2] + 1) if before and before[0] == ms else (ms, now_s, 0)
        self._last = last

    def of(self, name: str, now_s: float) -> tuple[float, int]:
        """For how many seconds an instance has been silent, and in how many looks."""
        _, since, looks = self._last[name]
        return now_s - since, looks


class Takeover:
    """Watches for one agent's dead active side.

    Args:
        charge: the agent.
    """

    __slots__ = ("_charge", "_silence", "_told")

    def __init__(self, charge: Charge) -> None:
        self._charge = charge
        self._silence = Silence()
        self._told = -1

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
        now_s = time.monotonic()
        self._silence.look(beats, now_s)
        if arming is Arming.OFF or control is None or control.phase is not Phase.RUN or control.tenure is None:
            return False
        active = control.tenure.slot
        why = self._dead(active, beats, now_s, after_s)
        if not why or not self._ready(other(active), beats, now_s):
            return False
        charge, target = self._charge, other(active)
        if arming is Arming.DRY:
            if self._told != control.epoch:
                self._told = control.epoch
                charge.tell("would take over", active=active, target=target, reason=why, epoch=control.epoch)
            return False
        identity = new_id()
        fields = request_fields(
            id=identity, command="takeover", agent=charge.agent, who=charge.by, why=why, what="active version"
        )
        reply = await charge.fence.switch(
            SwitchRequest(
                target,
                expected_epoch=control.epoch,
                mode="now",
                drain_ms=0,
                switch_id=identity,
                by=charge.by,
                why=why,
                require_healthy=True,
                audit=fields,
            )
        )
        switched = reply.code is SwitchCode.SWITCHED
        outcome = {"epoch": reply.epoch, "code": reply.code.value, "detail": reply.detail}
        charge.tell("took over" if switched else "take-over refused", target=target, reason=why, **outcome)
        return switched

    def _dead(self, slot: str, beats: Beats, now_s: float, after_s: float) -> str:
        silent = [self._silence.of(name, now_s) for name, beat in beats.items() if beat.get("slot") == slot]
        if not silent or any(seconds < after_s or looks < LEAST_LOOKS for seconds, looks in silent):
            return ""
        return f"no process of {slot} has beaten for {min(seconds for seconds, _ in silent):.0f} s"

    def _ready(self, slot: str, beats: Beats, now_s: float) -> bool:
        return any(
            beat.get("ready") is True and self._silence.of(name, now_s)[0] < FRESH_S
            for name, beat in beats.items()
            if beat.get("slot") == slot
        )
