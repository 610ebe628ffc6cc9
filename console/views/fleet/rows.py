"""Screen 0 and `fleet`: a line an agent, the columns that there are, and the orders that they can be brought into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from console.domain.fence.claims import Level
from console.domain.fleet.agents import FleetAgent, FleetReading, Standing
from console.views.format import age_text, count_text, currency_text
from console.views.order import Order, in_order
from console.views.tone import Tone, slot_tone

TONES: Final = {
    Standing.UNREADABLE: Tone.BAD,
    Standing.NOBODY: Tone.BAD,
    Standing.HALTED: Tone.BAD,
    Standing.FROZEN: Tone.BAD,
    Standing.DRAINING: Tone.WARN,
    Standing.SILENT: Tone.BAD,
    Standing.CANARY: Tone.INFO,
    Standing.ACTIVE: Tone.GOOD,
    Standing.GONE: Tone.MUTED,
    Standing.NOT_READ: Tone.MUTED,
}
_GLYPHS: Final = {Tone.BAD: "✖", Tone.WARN: "▲", Tone.INFO: "◐", Tone.GOOD: "✔", Tone.MUTED: "·"}
_WORST: Final = {standing: place for place, standing in enumerate(Standing)}
UNKNOWN: Final = "–"


class FleetColumn(NamedTuple):
    """A column that can be shown.

    Args:
        name: in the configuration.
        title: above it.
        help: what it says, in one sentence.
        text: the cell.
        order: what rows are sorted by; None is not known, and stands last whatever the direction.
        tone: the cell's.
        falls: whether the largest stands first.
    """

    name: str
    title: str
    help: str
    text: Callable[[FleetAgent], str]
    order: Callable[[FleetAgent], Any]
    tone: Callable[[FleetAgent], Tone] = lambda _agent: Tone.TEXT
    falls: bool = False


def glyph(agent: FleetAgent) -> str:
    """Says the same as the word for how it stands."""
    return _GLYPHS[TONES[agent.standing]]


def _state(agent: FleetAgent) -> str:
    return agent.standing.value


def _active(agent: FleetAgent) -> str:
    slot = agent.active.slot
    return slot.value if slot is not None else UNKNOWN


def _canary(agent: FleetAgent) -> str:
    one = agent.canary
    if one is None:
        return ""
    actual = "?" if one.actual is None else f"{one.actual * 100:.1f}"
    return f"{one.slot[:1]} {float(one.wanted) * 100:.1f}>{actual} %"


def _pnl(agent: FleetAgent) -> str:
    return UNKNOWN if agent.pnl is None else currency_text(agent.pnl, agent.currency)


def _age(agent: FleetAgent) -> float | None:
    return None if agent.read_at is None else agent.age_s(agent.read_at)


def _age_text(agent: FleetAgent) -> str:
    age = _age(agent)
    return UNKNOWN if age is None else age_text(age)


def _number(value: int | None) -> str:
    return UNKNOWN if value is None else count_text(value) if value else "0"


def _loud(value: int | None, tone: Tone) -> Tone:
    return tone if value else Tone.MUTED


COLUMNS: Final = (
    FleetColumn("agent", "agent", "Its name.", lambda one: one.name, lambda one: one.name),
    FleetColumn(
        "state",
        "state",
        "How it stands, in one word; the worst first.",
        _state,
        lambda one: _WORST[one.standing],
        lambda one: TONES[one.standing],
    ),
    FleetColumn(
        "active",
        "active",
        "The side that acts.",
        _active,
        lambda one: one.active.slot.value if one.active.slot is not None else None,
        lambda one: slot_tone(one.active.slot.value if one.active.slot is not None else ""),
    ),
    FleetColumn(
        "epoch",
        "epoch",
        "Changes of who acts, counted; – for a plain agent.",
        lambda one: str(one.generation) if one.generation else UNKNOWN,
        lambda one: one.generation or None,
        falls=True,
    ),
    FleetColumn(
        "phase",
        "phase",
        "Of its authority; – for a plain agent.",
        lambda one: one.phase.value if one.phase is not None else UNKNOWN,
        lambda one: one.phase.value if one.phase is not None else None,
    ),
    FleetColumn(
        "level",
        "stopped",
        "How much is stopped.",
        lambda one: one.level.value if one.level is not Level.NONE else "",
        lambda one: one.level.rank or None,
        lambda _one: Tone.BAD,
        falls=True,
    ),
    FleetColumn(
        "canary",
        "canary",
        "Its side, and its share of the capital: wanted > got.",
        _canary,
        lambda one: one.canary.wanted if one.canary is not None else None,
        lambda one: slot_tone(one.canary.slot) if one.canary is not None else Tone.TEXT,
        falls=True,
    ),
    FleetColumn(
        "pnl",
        "PnL settled",
        "What fenced agents settled since the active side moved last, in the currency of their limits.",
        _pnl,
        lambda one: (one.currency, float(one.pnl)) if one.pnl is not None else None,  # for the order alone
        lambda one: Tone.MUTED if not one.pnl else Tone.GAIN if one.pnl > 0 else Tone.LOSS,
    ),
    FleetColumn(
        "doubts",
        "doubt",
        "Actions whose outcome nobody knows.",
        lambda one: _number(one.in_doubt),
        lambda one: one.in_doubt,
        lambda one: _loud(one.in_doubt, Tone.BAD),
        falls=True,
    ),
    FleetColumn(
        "flight",
        "flight",
        "Claims with a running lease.",
        lambda one: _number(one.in_flight),
        lambda one: one.in_flight,
        lambda one: _loud(one.in_flight, Tone.TEXT),
        falls=True,
    ),
    FleetColumn(
        "heartbeat",
        "heard",
        "How long before the reading the active side was heard; – for a plain agent.",
        _age_text,
        _age,
        lambda one: Tone.BAD if one.standing is Standing.SILENT else Tone.TEXT,
        falls=True,
    ),
    FleetColumn(
        "alerts",
        "alerts",
        "That nobody has acknowledged.",
        lambda one: _number(one.alerts),
        lambda one: one.alerts,
        lambda one: _loud(one.alerts, Tone.WARN),
        falls=True,
    ),
    FleetColumn(
        "problem",
        "what is wrong",
        "What can't be read of it.",
        lambda one: str(one.problem),
        lambda one: str(one.problem) or None,
        lambda _one: Tone.BAD,
    ),
)
BY_NAME: Final = {column.name: column for column in COLUMNS}
USUAL: Final = ("agent", "state", "active", "epoch", "canary", "pnl", "doubts", "heartbeat", "alerts", "problem")
"""The columns that are shown where nobody chose."""
WORST_FIRST: Final = Order("state")
"""What they are sorted by where nobody chose."""


def sorted_agents(agents: Iterable[FleetAgent], order: Order) -> tuple[FleetAgent, ...]:
    """The agents sorted, in the order in which they are given where they are alike, and what is not known last."""
    column = BY_NAME[order.column]
    return in_order(agents, column.order, falls=column.falls != order.reverse)


def cells_of(agent: FleetAgent, columns: Sequence[FleetColumn]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The cells of a line, and their tones."""
    return tuple(column.text(agent) for column in columns), tuple(column.tone(agent).value for column in columns)


def tally(reading: FleetReading) -> dict[Standing, int]:
    """How many stand how; the worst first."""
    counts = Counter(agent.standing for agent in reading.agents)
    return {standing: counts[standing] for standing in Standing if standing in counts}


def found_text(reading: FleetReading) -> str:
    """How far the search and the first reading are; empty once both are whole."""
    parts = []
    if not reading.found.whole:
        parts.append(f"searching {reading.found.share * 100:.0f} %, more may come")
    if reading.unread:
        parts.append(f"{count_text(reading.unread)} not read yet")
    return " · ".join(parts)


def total_text(agents: Iterable[FleetAgent]) -> str:
    """What all of them settled, each currency by itself."""
    sums: dict[str, Decimal] = {}
    for agent in agents:
        if agent.pnl is not None:
            sums[agent.currency] = sums.get(agent.currency, Decimal(0)) + agent.pnl
    return "  ".join(currency_text(value, name) for name, value in sorted(sums.items()))


def age_s(reading: FleetReading, now: datetime) -> float:
    """How old the last slice is."""
    return max(0.0, (now - reading.at).total_seconds())
