"""What is kept of a time that is over: the records from which a moment of it is put together again.

A store has them in its streams, an evidence file in its own; what neither has nobody knows any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from console.domain.fence.claims import Level
from console.domain.fence.deployment import Phase, Slot
from console.domain.guard.alerts import Alert
from console.domain.operator.receipt import AuditEntry
from console.domain.state.flags import FlagReading
from console.domain.state.kept import Acted

SAME_CLOCK: Final = timedelta(seconds=1)
"""Two clocks that differ by less are the same: so long an answer may be on its way."""


class ControlEvent(NamedTuple):
    """One control event: who could act from then on.

    Args:
        number: of the event, counted from 1; 0 where it can't be read.
        at: by the store's clock.
        epoch, generation, phase, active, target, previous, level: as in `Authority`, after it.
        was: the side that acted before it, "halted", "draining", or "" for nobody.
        in_flight: claims with a running lease at that moment.
        shown: as a row beside the receipts; None for what is shown to nobody.
    """

    number: int
    at: datetime
    epoch: int
    generation: int
    phase: Phase
    active: Slot | None
    target: Slot | None
    previous: Slot | None
    level: Level
    was: str
    in_flight: int
    shown: AuditEntry | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept.

    Args:
        agent: whose.
        read_at: when it was read, by our own clock, aware UTC: nothing later is known.
        receipts, events, acts, alerts: oldest first.
        flags: as they were when this was read; None where that is not known.
        receipts_from, events_from, acts_from: since when all of each are here; None from the very beginning.
    """

    agent: str
    read_at: datetime
    receipts: tuple[AuditEntry, ...] = ()
    events: tuple[ControlEvent, ...] = ()
    acts: tuple[Acted, ...] = ()
    alerts: tuple[Alert, ...] = ()
    flags: Mapping[str, FlagReading] | None = field(default=None)
    receipts_from: datetime | None = None
    events_from: datetime | None = None
    acts_from: datetime | None = None
