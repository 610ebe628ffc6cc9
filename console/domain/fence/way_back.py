"""Where a roll back leads: to the side that was active before, and never forward again.

The control events tell which side was active when, by whom and what for; for those of an earlier release, the receipts
tell that. From both: is there an earlier
side, did the running tenure begin by going back, or was the earlier side stopped because it did harm?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from console.domain.fence.deployment import Authority, Phase, Slot
from console.domain.fence.intent import Aim, Source
from console.domain.text import Safe

_GOES_BACK: Final = frozenset({"rollback"})
_UNDO: Final = "undo"
_TRIP: Final = "rollback"
"""The kind of control event by which the store itself rolls back."""
_NOBODYS: Final = frozenset({"outside", "drain"})
"""Who is named where a key was written by hand, or a drain ended: no guard and no trip-wire."""


class SideEvent(NamedTuple):
    """One control event about who may act.

    Args:
        kind: switched, rollback, adopted, drain, halt, …
        at: the server's time.
        epoch: after it.
        active: who may act after it; None for nobody.
        by, why: who did it, and the reason.
        switch_id: of the switch that it was; the receipt has the same id; empty for none.
        source, aim: who acted, and what for.
    """

    kind: str
    at: datetime
    epoch: int
    active: Slot | None
    by: Safe
    why: Safe
    switch_id: str = ""
    source: Source = Source.UNKNOWN
    aim: Aim = Aim.NONE


class Act(NamedTuple):
    """What a receipt tells of an event: the command, and the receipt that it undoes."""

    command: str
    undoes: str = ""
    epoch: int = 0


class SideHistory(NamedTuple):
    """What is known of who was active when.

    Args:
        events: oldest first.
        acts: receipt id → what was ordered.
        acts_since: the time of the oldest receipt that was read; None where there is none.
    """

    events: tuple[SideEvent, ...] = ()
    acts: Mapping[str, Act] = {}
    acts_since: datetime | None = None


class WayBack(NamedTuple):
    """Where a roll back leads.

    Args:
        target: the side; None where there is no way back.
        refusal: why there is none, in one sentence: who did what, when.
        forward: the side that a `switch` would move to instead; None where nobody is active.
    """

    target: Slot | None
    refusal: str = ""
    forward: Slot | None = None


class _Tenure(NamedTuple):
    slot: Slot
    began: SideEvent
    drained: SideEvent | None = None
    """The switch that it ends a drain of."""
    ended: SideEvent | None = None
    """The event by which nobody was active any more."""

    @property
    def order(self) -> SideEvent:
        return self.drained or self.began


def way_back(now: Slot | None, authority: Authority | None, history: SideHistory) -> WayBack:
    """Where a roll back leads.

    Args:
        now: who is active; None in a drain.
        authority: who may act, as the store says; None where there is none.
        history: the newest control events and receipts.
    """
    tenures, pending = _tenures(history.events)
    if now is None:
        back = authority.previous if authority is not None and authority.phase is Phase.DRAIN else None
        if back is None:
            return WayBack(None, "Nobody is active; there is nothing to roll back from.")
        if pending is not None and _goes_back(pending, history):
            return WayBack(None, f"{_told(pending, history)} leads back already; it drains.", back)
        return WayBack(back, forward=back.other)
    running = tenures[-1] if tenures and tenures[-1].slot is now else None
    if running is not None and _goes_back(running.order, history):
        return WayBack(
            None,
            f"{now.value} has been active since {running.began.at:%Y-%m-%d %H:%M:%S}Z, a roll back"
            f"{_whose(running.order)}.",
            now.other,
        )
    if running is None and authority is not None and authority.automatic_rollback_used:
        return WayBack(None, f"{now.value} is active by an automatic roll back.", now.other)
    before = tenures[-2] if running is not None and len(tenures) > 1 else None
    if before is not None:
        stop = before.ended
        if stop is not None and _automatic(stop, history):
            return WayBack(
                None,
                f"{before.slot.value} was halted at {stop.at:%Y-%m-%d %H:%M:%S}Z{_whose(stop)}; "
                "going back to it would move forward.",
                now.other,
            )
        return WayBack(before.slot, forward=now.other)
    if authority is not None and authority.previous is not None and authority.previous is not now:
        return WayBack(authority.previous, forward=now.other)
    since = f" (since {running.began.at:%Y-%m-%d %H:%M:%S}Z{_whose(running.order)})" if running is not None else ""
    return WayBack(None, f"No side was active before {now.value}{since}.", now.other)


def _tenures(events: Sequence[SideEvent]) -> tuple[list[_Tenure], SideEvent | None]:
    """Who was active, one after the other, whatever halts came between; and the drain that goes on."""
    tenures: list[_Tenure] = []
    drain: SideEvent | None = None
    for event in events:
        if event.active is None:
            if event.kind == "drain":
                drain = event
            elif event.kind == "halt":
                drain = None
                if tenures:
                    tenures[-1] = tenures[-1]._replace(ended=event)
        elif not tenures or tenures[-1].slot is not event.active:
            tenures.append(_Tenure(event.active, event, drain))
            drain = None
        else:
            drain = None
    return tenures, drain


def _goes_back(event: SideEvent, history: SideHistory) -> bool:
    """Whether this was a roll back: by the store, a guard or an operator; or the undoing of a move forward."""
    if event.kind == _TRIP or event.aim is Aim.GO_BACK:
        return True
    if event.source is not Source.UNKNOWN:
        return False
    return _act_goes_back(history.acts.get(event.switch_id), history, len(history.acts))


def _act_goes_back(act: Act | None, history: SideHistory, depth: int) -> bool:
    if act is None:
        return False
    if act.command == _UNDO:
        return depth <= 0 or not _act_goes_back(history.acts.get(act.undoes), history, depth - 1)
    return act.command in _GOES_BACK


def _automatic(halt: SideEvent, history: SideHistory) -> bool:
    """Whether a guard or a trip-wire halted: an operator's halt has a receipt, a key written by hand names nobody."""
    if halt.source is not Source.UNKNOWN:
        return halt.source in (Source.GUARD, Source.TRIP)
    if str(halt.by) in _NOBODYS or history.acts_since is None or halt.at < history.acts_since:
        return False
    return all(act.epoch != halt.epoch for act in history.acts.values())


def _whose(event: SideEvent) -> str:
    by = f" by {event.by}" if event.by else ""
    return f"{by}: {str(event.why)[:120]}" if event.why else by


def _told(event: SideEvent, history: SideHistory) -> str:
    act = history.acts.get(event.switch_id)
    return f"The {act.command if act else 'roll back'} of {event.at:%Y-%m-%d %H:%M:%S}Z{_whose(event)}"
