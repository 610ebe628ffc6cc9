"""Control events that people must be told of: each once, whichever guards run, and none lost while none runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from console.domain.fence.intent import Aim, Source
from console.domain.guard.alerts import Alert, AlertKind, alert_id
from console.domain.text import Safe, clean
from console.domain.triggers.finding import Severity, named
from console.domain.untrusted import moment
from console.guard.hear.fenced import place_of
from console.guard.keep.charge import Charge
from console.guard.keep.control import Event

EVIDENCE_S: Final = 120.0
"""Evidence noted so near to an event is that event's."""
_KINDS: Final = {"rollback": AlertKind.ROLLED_BACK, "halt": AlertKind.HALTED, "level": AlertKind.FROZEN}
_TOLD_OF: Final = frozenset({Source.GUARD, Source.TRIP, Source.OUTSIDE})
"""Whose changes are alerts; what the store does by itself, the witness tells of."""


class News:
    """Reads the control stream on from where guards have told of it.

    Args:
        charge: the agent.
    """

    __slots__ = ("_charge", "place")

    def __init__(self, charge: Charge) -> None:
        self._charge = charge
        self.place = "0-0"
        """Up to where in the stream people were told."""

    async def begin(self, events: Sequence[Event]) -> None:
        """Go on where the last guard was; without one before us, only what is to come is news.

        Args:
            events: the newest ones.
        """
        kept = str((await self._charge.state.noted("cursor")).get("id", ""))
        newest = events[-1].id if events else "0-0"
        self.place = kept if (0, 0) < place_of(kept) <= place_of(newest) else newest

    async def take(self) -> None:
        """Tell of what is new.

        Raises:
            StoreUnreachable: no answer; what was not told of is told of next time.
        """
        state = self._charge.state
        while events := await state.events(after=self.place):
            for event in events:
                await self._tell_of(event)
                self.place = event.id
            await state.remember("cursor", {"id": self.place})

    async def again(self) -> None:
        """Look at the newest event once more: whether a halt stays one is known a moment after it."""
        for event in await self._charge.state.events(count=1):
            await self._tell_of(event)

    async def _tell_of(self, event: Event) -> None:
        """A control event that people must be told of, whoever caused it; derived by every guard, kept once."""
        kind = _KINDS.get(event.kind)
        if event.kind == "switched" and event.source is Source.GUARD and event.aim is not Aim.NONE:
            kind = AlertKind.ROLLED_BACK
        if kind is None or event.source not in _TOLD_OF:
            return
        charge, why = self._charge, event.why
        if event.going_back:
            stays = await charge.state.noted(f"{event.epoch}/stays")
            if not stays:
                return  # a switch is to follow, and will be told of
            why = clean(f"{why}; stays halted: {stays.get('why', '')}")
        trigger = named(event.trigger)
        alert = Alert(
            id=alert_id(charge.agent, "event", event.epoch, event.kind),
            at=event.at,
            agent=clean(charge.agent, 64),
            kind=kind,
            severity=Severity.HIGH if kind is AlertKind.FROZEN else Severity.CRITICAL,
            trigger=Safe(trigger or ""),
            reason=why,
            epoch=event.epoch,
            by=event.by,
        )
        if trigger:
            evidence = await charge.state.noted(f"evidence/{trigger}")
            at = moment(evidence.get("at"))
            if at and abs((event.at - at).total_seconds()) < EVIDENCE_S:
                alert = alert.with_evidence(evidence)
        if await charge.state.raise_alert(alert):
            charge.tell("alert", id=alert.id, kind=kind.value, reason=alert.reason, epoch=event.epoch)
