"""The checklist as it stands at one moment, and which of its items forbid an act."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from console.domain.gates.fact import known
from console.domain.gates.facts import GateFacts, Switched, Tick
from console.domain.gates.gate import Asked, CheckPhase, Item, Judged, State, ago, closed, lacks, opened
from console.domain.gates.items import ITEMS
from console.domain.gates.later import ten_decisions
from console.domain.gates.one_rule import with_escrows
from console.domain.gates.rules import AFTER_S, WARM_S

TICK_HOLDS_S: Final = 86_400.0
"""A tick that is older is no evidence any more."""


class Line(NamedTuple):
    """One item, judged.

    Args:
        item: which.
        judged: its answer.
        forbids: whether it forbids the act that was asked about.
    """

    item: Item
    judged: Judged
    forbids: bool

    @property
    def done(self) -> bool:
        """Whether nothing is left to do about it: open, or nothing that could know it is there."""
        return self.judged.state in (State.OPEN, State.NOT_CHECKED)


class Clock(NamedTuple):
    """A phase's own clock: it stands in the store's log of who acts, so no restart loses it.

    Args:
        phase: which.
        began_at, ends_at: by the server's clock; None where it has none.
        running: whether this phase is on now.
    """

    phase: CheckPhase
    began_at: datetime | None
    ends_at: datetime | None
    running: bool


class Checked(NamedTuple):
    """The answer of all gates to one question.

    Args:
        asked: the question.
        lines: every item that was judged, in order.
    """

    asked: Asked
    lines: tuple[Line, ...]

    @property
    def forbidding(self) -> tuple[Line, ...]:
        """The items that forbid the act; none where it raises no risk."""
        return tuple(line for line in self.lines if line.forbids) if self.asked.act.raises else ()


def check(facts: GateFacts, asked: Asked) -> Checked:
    """What the gates say to an act: those that may forbid it by default, and those that are required."""
    facts = with_escrows(facts)
    concerned = [item for item in ITEMS if asked.act in item.acts or item.id in asked.rules.require]
    return Checked(asked, tuple(judged_line(item, facts, asked) for item in concerned))


def list_phases(facts: GateFacts, asked: Asked, phases: Iterable[CheckPhase]) -> Checked:
    """All items of some phases. What is due during and after is about the side that acts since the switch."""
    wanted, facts = frozenset(phases), with_escrows(facts)
    since = facts.switched.value
    later = asked if since is None else asked._replace(target=since.side)
    lines = [
        judged_line(item, facts, asked if item.phase is CheckPhase.BEFORE else later)
        for item in ITEMS
        if item.phase in wanted
    ]
    return Checked(asked, tuple(lines))


def judged_line(item: Item, facts: GateFacts, asked: Asked) -> Line:
    """One item, judged."""
    judged = _ticked(item, facts, asked) if item.judge is None else item.judge(facts, asked)
    required = item.id in asked.rules.require
    closes = judged.state in (State.CLOSED, State.UNKNOWN) or (required and judged.state is State.NOT_CHECKED)
    return Line(item, judged, asked.act.raises and closes and (required or asked.act in item.acts))


def _ticked(item: Item, facts: GateFacts, asked: Asked) -> Judged:
    """A manual item: open where somebody ticked it for this very deployment, lately."""
    fact, since = facts.ticks, facts.switched.value
    if fact.value is None:
        return lacks(fact)
    tick = fact.value.get(item.id)
    extra = f" ({ten_decisions(facts, since)})" if item.id == "first-ten" and since is not None else ""
    if tick is None:
        return closed(fact, f"nobody has ticked it{extra}")
    dated = known(fact.source, tick.at, tick)
    told = f"{tick.by}, {ago((asked.server_at - tick.at).total_seconds())} ago: {tick.why}"
    if not _belongs(tick, since, asked):
        return closed(dated, f"ticked for an earlier deployment by {told}{extra}")
    return opened(dated, told)


def _belongs(tick: Tick, since: Switched | None, asked: Asked) -> bool:
    age_s = (asked.server_at - tick.at).total_seconds()
    return 0 <= age_s <= TICK_HOLDS_S and (since is None or tick.at >= since.at)


def clocks(facts: GateFacts, server_at: datetime) -> tuple[Clock, ...]:
    """Every phase's clock."""
    since = facts.switched.value
    if since is None:
        return tuple(Clock(phase, None, None, phase is CheckPhase.BEFORE) for phase in CheckPhase)
    at, age_s = since.at, (server_at - since.at).total_seconds()
    after, warm = at + timedelta(seconds=AFTER_S), at + timedelta(seconds=WARM_S)
    return (
        Clock(CheckPhase.BEFORE, None, None, age_s >= AFTER_S),
        Clock(CheckPhase.DURING, at, after, age_s < AFTER_S),
        Clock(CheckPhase.AFTER, at, after, age_s < AFTER_S),
        Clock(CheckPhase.WARM, at, warm, age_s < WARM_S),
    )
