"""One agent among many, as short as a line: what the store says of it, and what is not known."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from console.domain.fence.claims import Level
from console.domain.fence.deployment import ActiveKey, ActiveState, Phase
from console.domain.text import Safe


class Standing(StrEnum):
    """How an agent stands, in one word; the worst first."""

    UNREADABLE = "UNREADABLE"
    """A key of it holds what it must not."""
    NOBODY = "NOBODY"
    """Its plain key names no slot, or is missing under an authority."""
    HALTED = "HALTED"
    FROZEN = "FROZEN"
    """Somebody is active, and new risk is stopped."""
    DRAINING = "DRAINING"
    SILENT = "SILENT"
    """The active side has fenced instances, and none of them was heard lately."""
    CANARY = "CANARY"
    ACTIVE = "ACTIVE"
    GONE = "GONE"
    """It was there, and neither its authority nor its plain key is any more."""
    NOT_READ = "not read"


SILENT_S = 10.0
"""An active side whose newest heartbeat is older than this is silent."""


class CanaryShare(NamedTuple):
    """A canary that goes on.

    Args:
        slot: "blue" or "green".
        wanted: the share of the capital that the run allows, 0 to 1.
        actual: the share of the money given out in this step; None where nobody said.
        step: from 1.
    """

    slot: str
    wanted: Decimal
    actual: float | None = None
    step: int = 1


class FleetAgent(NamedTuple):
    """One agent of a store.

    Args:
        name: its name; it can be part of a key, so it is safe.
        read_at: the server's time of the reading; None where it was found and not read yet.
        active: the plain key.
        phase: of its authority; None for a plain agent, which has none.
        level: how much is stopped.
        epoch, generation: of its authority; 0 for a plain agent.
        canary: the run that goes on; None where none does.
        in_doubt, in_flight: its claims.
        heartbeat_at: the server's time of the newest heartbeat of the active side, or of any side while none is
            active; None where no instance of it ever spoke.
        instances: how many instances speak.
        alerts: that nobody has acknowledged; None where they are not known.
        pnl: what fenced agents settled since the active side moved last; None where the store does not know it.
        currency: of `pnl`.
        problem: what can't be read of it; empty where all can.
        standing: how it stood when it was read (`judged`); what is old is told by the age of the reading.
    """

    name: str
    read_at: datetime | None = None
    active: ActiveKey = ActiveKey(ActiveState.MISSING)
    phase: Phase | None = None
    level: Level = Level.NONE
    epoch: int = 0
    generation: int = 0
    canary: CanaryShare | None = None
    in_doubt: int = 0
    in_flight: int = 0
    heartbeat_at: datetime | None = None
    instances: int = 0
    alerts: int | None = None
    pnl: Decimal | None = None
    currency: Safe = Safe("")
    problem: Safe = Safe("")
    standing: Standing = Standing.NOT_READ

    @property
    def gone(self) -> bool:
        """Whether it was read, and is no agent any more."""
        return self.read_at is not None and self.active.state is ActiveState.MISSING and self.phase is None

    def age_s(self, now: datetime) -> float | None:
        """How long ago it was heard, by the server's clock; None where it never was."""
        return None if self.heartbeat_at is None else max(0.0, (now - self.heartbeat_at).total_seconds())


def judged(agent: FleetAgent) -> FleetAgent:
    """The same, with how it stood when it was read: once, since it is asked for again and again."""
    return agent._replace(standing=_standing(agent))


def _standing(agent: FleetAgent) -> Standing:
    if agent.read_at is None:
        return Standing.NOT_READ
    if agent.problem:
        return Standing.UNREADABLE
    if agent.gone:
        return Standing.GONE
    if agent.phase is Phase.HALT or agent.active.state is ActiveState.HALTED:
        return Standing.HALTED
    if agent.phase is Phase.DRAIN or agent.active.state is ActiveState.DRAINING:
        return Standing.DRAINING
    if agent.active.slot is None:
        return Standing.NOBODY
    if agent.level is not Level.NONE:
        return Standing.FROZEN
    age = agent.age_s(agent.read_at)
    if age is not None and age > SILENT_S:
        return Standing.SILENT
    return Standing.CANARY if agent.canary is not None else Standing.ACTIVE


class Found(NamedTuple):
    """How far the search for agents has come.

    Args:
        passes: how many times the keyspace was walked through from end to end.
        looked, keys: of the pass that goes on: keys looked at, and how many there are to look at.
        notes: what was left out, in words.
    """

    passes: int = 0
    looked: int = 0
    keys: int = 0
    notes: tuple[Safe, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every key was looked at once at least: before that, there may be more agents than are listed."""
        return self.passes > 0

    @property
    def share(self) -> float:
        """Of this pass, 0 to 1."""
        return min(1.0, self.looked / self.keys) if self.keys else 0.0


class FleetReading(NamedTuple):
    """The agents of a store as they were read, a slice a turn.

    Args:
        at: when the last slice was read; our own clock, aware UTC.
        server_at: the server's clock then.
        agents: everybody who was found, by name.
        found: how far the search is.
        took_s: how long the last slice took.
        sliced: how many agents it read.
        round_s: how long it took to come round once; None before that.
    """

    at: datetime
    server_at: datetime
    agents: tuple[FleetAgent, ...] = ()
    found: Found = Found()
    took_s: float = 0.0
    sliced: int = 0
    round_s: float | None = None

    @property
    def unread(self) -> int:
        """How many were found and not read yet."""
        return sum(agent.read_at is None for agent in self.agents)
