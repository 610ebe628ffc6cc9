"""Six agents of one store, each of which stands otherwise."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from console.domain.fence.claims import Level
from console.domain.fence.deployment import Phase, read_active
from console.domain.fleet.agents import CanaryShare, FleetAgent, judged
from console.domain.text import Safe
from tests.scenarios import NOW


def agent(name: str, active: str = "blue", **fields: object) -> FleetAgent:
    known = {"phase": Phase.RUN, "epoch": 7, "generation": 3, "alerts": 0, "heartbeat_at": NOW, **fields}
    return judged(FleetAgent(name, NOW, read_active(active), **known))  # type: ignore[arg-type]


FLEET = (
    agent("atlas", pnl=Decimal("12.5"), currency=Safe("USD")),
    agent("bree", "halted", phase=Phase.HALT, epoch=9),
    agent("cleo", canary=CanaryShare("green", Decimal("0.2"), 0.187, 3), pnl=Decimal(-4), currency=Safe("USD")),
    agent("dora", heartbeat_at=NOW - timedelta(seconds=90), in_doubt=2, alerts=4),
    agent("eli", level=Level.NO_NEW_ENTRIES),
    judged(FleetAgent("fay", NOW, read_active("green"))),
)
