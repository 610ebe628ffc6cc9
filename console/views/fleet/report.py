"""The fleet for programs, and as text: what the verb `fleet` prints, and `export --screen fleet --format json`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from console.domain.document import FORM, Record
from console.domain.fleet.agents import FleetAgent, FleetReading
from console.views.fleet.rows import (
    BY_NAME,
    TONES,
    USUAL,
    WORST_FIRST,
    cells_of,
    found_text,
    glyph,
    sorted_agents,
    tally,
    total_text,
)
from console.views.format import count_text, exact_time
from console.views.order import Order
from console.views.tone import Tone


@dataclass(frozen=True, slots=True)
class FleetLine(Record):
    """One agent of many.

    Args:
        agent: its name.
        state: how it stands, in one word: ACTIVE, CANARY, DRAINING, SILENT, FROZEN, HALTED, NOBODY, UNREADABLE, GONE.
        active: the side that acts; null where none does.
        phase: of its authority; null for a plain agent.
        level: how much is stopped.
        epoch: of its authority; 0 for a plain agent.
        generation: changes of who acts, counted; 0 for a plain agent.
        canary: the side that plays with a share; null where none does.
        canary_wanted: the share of the capital that the run allows, 0 to 1; null without a canary.
        canary_actual: the share of the money given out in this step; null where it is not known.
        pnl: what fenced agents settled since the active side moved last; null where the store does not know it.
        currency: of that.
        in_doubt: actions whose outcome nobody knows.
        in_flight: claims with a running lease.
        heartbeat_age_s: how long before the reading the active side was heard; null where it never was.
        instances: how many speak.
        alerts: that nobody has acknowledged; null where they are not known.
        read_at: by the server's clock.
        problem: what can't be read of it; empty where all can.
    """

    agent: str
    state: str
    active: str | None
    phase: str | None
    level: str
    epoch: int
    generation: int
    canary: str | None
    canary_wanted: Decimal | None
    canary_actual: float | None
    pnl: Decimal | None
    currency: str
    in_doubt: int
    in_flight: int
    heartbeat_age_s: float | None
    instances: int
    alerts: int | None
    read_at: datetime | None = field(metadata={FORM: exact_time})
    problem: str

    @classmethod
    def of(cls, one: FleetAgent) -> FleetLine:
        """Of an agent as it was read."""
        age = one.age_s(one.read_at) if one.read_at is not None else None
        return cls(
            agent=one.name,
            state=one.standing.value,
            active=one.active.slot.value if one.active.slot is not None else None,
            phase=one.phase.value if one.phase is not None else None,
            level=one.level.value,
            epoch=one.epoch,
            generation=one.generation,
            canary=one.canary.slot if one.canary is not None else None,
            canary_wanted=one.canary.wanted if one.canary is not None else None,
            canary_actual=one.canary.actual if one.canary is not None else None,
            pnl=one.pnl,
            currency=one.currency,
            in_doubt=one.in_doubt,
            in_flight=one.in_flight,
            heartbeat_age_s=round(age, 3) if age is not None else None,
            instances=one.instances,
            alerts=one.alerts,
            read_at=one.read_at,
            problem=one.problem,
        )


@dataclass(frozen=True, slots=True)
class FleetDocument(Record):
    """The agents of one store.

    Args:
        at: when they were read.
        complete: whether the whole keyspace was searched: where it was not, there may be more agents.
        agents: by name.
        notes: what was left out of the search, in words.
    """

    at: datetime = field(metadata={FORM: exact_time})
    complete: bool
    agents: tuple[FleetLine, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, reading: FleetReading) -> FleetDocument:
        """Of a reading."""
        lines = tuple(FleetLine.of(agent) for agent in reading.agents)
        return cls(reading.at, reading.found.whole, lines, tuple(str(note) for note in reading.found.notes))


def is_well(reading: FleetReading) -> bool:
    """Whether no agent asks for somebody."""
    return reading.found.whole and all(TONES[standing] is not Tone.BAD for standing in tally(reading))


def fleet_text(reading: FleetReading, order: Order = WORST_FIRST) -> Iterator[str]:
    """The fleet as lines of text: a table, and how many stand how."""
    columns = tuple(BY_NAME[name] for name in USUAL)
    rows = [("", *(column.title for column in columns))]
    rows += [(glyph(agent), *cells_of(agent, columns)[0]) for agent in sorted_agents(reading.agents, order)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(columns) + 1)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    counts = [f"{count_text(count)} {standing.value}" for standing, count in tally(reading).items()]
    yield " · ".join(part for part in (*counts, _settled(reading), found_text(reading)) if part) or "No agent."


def _settled(reading: FleetReading) -> str:
    total = total_text(reading.agents)
    return f"settled {total}" if total else ""
