"""What the guards say of themselves and of one agent, for `guard status`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from console.domain.document import KEY, Report, document
from console.domain.guard.alerts import Alert, GuardReading, TriggerReading
from console.domain.text import Safe
from console.domain.triggers.settings import TriggerSettings
from console.domain.venue.deadman import Deadman, State
from console.domain.venue.stored import VenueSeen
from console.guard.keep.state import GuardState
from console.store.fence.replies import text
from console.store.records.guards import read_alerts, read_guards
from console.store.records.venue import read_deadman, read_seen
from console.store.server.clock import server_ms

if TYPE_CHECKING:
    from redis.asyncio import Redis

NO_GUARD: Final = "NO GUARD RUNNING: nothing rolls back by itself."


@dataclass(frozen=True, slots=True)
class Unread:
    """Decisions of an agent that a guard did not take in as they are.

    Args:
        rejected: lines that could not be read.
        unplaced: decisions that belong to no side.
        skipped: decisions too old to be read at the start.
        ahead: decisions that claim to come from the future.
    """

    rejected: int
    unplaced: int
    skipped: int
    ahead: int


@dataclass(frozen=True, slots=True)
class GuardStatus:
    """One guard of an agent.

    Args:
        name: unique to the process.
        age_s: how long ago it was heard, by the server's clock.
        running: whether that is recent enough.
        started_at: since when it runs.
        watching: the side it looks at; None while nobody is active.
        problem: why it can't see or act; None when it can.
        notifies: whether it is the one that sends alerts.
        decisions: that it took in.
        unread: those that it did not.
        failures: how often the agent's data could not be taken.
        evaluated_at: when it looked last.
        triggers: as it saw them then.
    """

    name: Safe
    age_s: float
    running: bool
    started_at: datetime | None
    watching: Safe | None
    problem: Safe | None
    notifies: bool
    decisions: int
    unread: Unread
    failures: int
    evaluated_at: datetime | None
    triggers: tuple[TriggerReading, ...]

    def line(self) -> str:
        """The guard in one line."""
        state = "running" if self.running else "SILENT"
        watching = f"watching {self.watching}" if self.watching else "nobody is active"
        unread = "".join(f"; {count} {what}" for what, count in document(self.unread).items() if count)
        extra = "; sends alerts" if self.notifies else ""
        failures = f"; failed {self.failures} times" if self.failures else ""
        problem = f"; {self.problem}" if self.problem else ""
        return (
            f"{self.name}: {state}, heard {self.age_s:.1f} s ago; {watching}; {self.decisions} decisions"
            f"{unread}{extra}{failures}{problem}"
        )


@dataclass(frozen=True, slots=True)
class AgentReport(Report):
    """What the guards say of one agent.

    Args:
        agent: its name.
        running: how many guards run.
        guards: all that are known, silent ones too; who was heard last comes first.
        thresholds: this agent's own, as they are stored, by name.
        thresholds_problem: why none of them is in force; None when they are.
        window_s: a second automatic roll back within it becomes a halt.
        alerts: that nobody has acknowledged, oldest first.
        venue: what a guard saw of the agent's venue last; None where none looks.
        deadman: the venue's dead man's switch; None where there is none.
        deadman_state: how it stands now; None where there is none.
        deadman_left_s: its countdown; None where it is not armed.
        shown: the last four in words.
    """

    agent: str
    running: int
    guards: tuple[GuardStatus, ...]
    thresholds: Mapping[str, str]
    thresholds_problem: str | None
    window_s: float
    alerts: tuple[Alert, ...]
    venue: VenueSeen | None
    deadman: Deadman | None
    deadman_state: State | None
    deadman_left_s: float | None
    shown: tuple[str, ...] = field(default=(), metadata={KEY: ""})

    @property
    def well(self) -> bool:
        """Whether anybody guards the agent."""
        return self.running > 0

    def lines(self) -> Iterator[str]:
        if not self.running:
            yield NO_GUARD
        yield from (guard.line() for guard in self.guards)
        newest = next((guard for guard in self.guards if guard.running), None)
        yield from map(_trigger_line, newest.triggers if newest else ())
        for name, value in sorted(self.thresholds.items()):
            yield f"  {name} = {value} (this agent's own)"
        if self.thresholds_problem:
            yield f"  this agent's own thresholds are not in force: {self.thresholds_problem}"
        yield from self.shown
        for alert in self.alerts:
            yield f"ALERT {alert.id}  {alert.at.isoformat()}  {alert.kind.value}: {alert.reason}"


async def report(state: GuardState, client: Redis) -> AgentReport:
    """Guards, triggers and open alerts of one agent.

    Raises:
        StoreUnreachable: no answer.
    """
    guards = read_guards(await state.hash(state.names.guards))
    alerts = tuple(alert for alert in read_alerts(await state.hash(state.names.alerts)) if alert.open)
    settings, problem = await state.overrides(TriggerSettings())
    now = datetime.fromtimestamp(await server_ms(client) / 1000, UTC)
    seen, deadman = await read_seen(client, state.keys), await read_deadman(client, state.keys)
    left_s = deadman.left_s(now) if deadman else None
    return AgentReport(
        agent=state.agent,
        running=sum(guard.running(now) for guard in guards),
        guards=tuple(_status(guard, now) for guard in guards),
        thresholds={text(name): text(value) for name, value in (await state.hash(state.names.triggers)).items()},
        thresholds_problem=problem or None,
        window_s=settings.window_s,
        alerts=alerts,
        venue=seen,
        deadman=deadman,
        deadman_state=deadman.state(now) if deadman else None,
        deadman_left_s=None if left_s is None else round(left_s, 3),
        shown=tuple(one.line(now) for one in (seen, deadman) if one is not None),
    )


def _status(guard: GuardReading, now: datetime) -> GuardStatus:
    return GuardStatus(
        name=guard.name,
        age_s=round(guard.age_s(now), 3),
        running=guard.running(now),
        started_at=guard.started_at,
        watching=guard.watching or None,
        problem=guard.problem or None,
        notifies=guard.notifies,
        decisions=guard.decisions,
        unread=Unread(guard.rejected, guard.unplaced, guard.skipped, guard.ahead),
        failures=guard.failures,
        evaluated_at=guard.evaluated_at,
        triggers=guard.triggers,
    )


def _trigger_line(reading: TriggerReading) -> str:
    value = "-" if reading.value is None else f"{reading.value:.4g}"
    limit = "-" if reading.threshold is None else f"{reading.threshold:.4g}"
    trigger, arming, verdict = reading.trigger.value, reading.arming.value, reading.verdict.value
    return (
        f"  {trigger:<13}{arming:<6}{verdict:<10}{value:>10} of {limit:<8}{reading.unit:<3}"
        f" n={reading.n:<6}{reading.reason}"
    )
