"""The checklist of a deployment at one moment, with what ran in each side, and the overrides that wait for somebody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from console.domain.fence.deployment import Slot
from console.domain.gates.checklist import Checked, Clock
from console.domain.gates.fact import Fact
from console.domain.gates.plan import Proposed


class Checks(NamedTuple):
    """The checklist as it was judged.

    Args:
        at: when; our own clock, aware UTC.
        server_at: the same by the store's clock.
        outside_at: when those sources were asked that are neither store nor files: health addresses, volatility over
            HTTP, a reader of the venue.
        epoch: the running one; a plan of another one is void.
        approvals: how many people an override takes.
        checked: every item of every phase.
        clocks: of the phases.
        versions: what ran in each side.
        plans: overrides that somebody proposed, newest first.
    """

    at: datetime
    server_at: datetime
    outside_at: datetime
    epoch: int
    approvals: int
    checked: Checked
    clocks: tuple[Clock, ...]
    versions: Mapping[Slot, tuple[str, ...]]
    plans: Fact[tuple[Proposed, ...]]
