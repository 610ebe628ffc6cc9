"""What the guards say of all agents of a store, for `guard status --all`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from console.domain.document import Report
from console.domain.guard.alerts import Alert
from console.domain.guard.members import Member
from console.domain.guard.placement import WATCHERS
from console.domain.text import Safe, clean
from console.guard.fleet.membership import call_roll
from console.guard.report.agent import NO_GUARD
from console.store.keys import GuardKeys
from console.store.reading.discovery import Discovery
from console.store.records.guards import read_alerts, read_guards
from console.store.server.cluster import keys_on
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

MOST: Final = 100
"""Agents and alerts named; more are counted."""
BITE: Final = 100
SEARCH_S: Final = 1.0
"""How long the search for agents that no index names is waited for."""


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """One guard's process.

    Args:
        name: unique to it.
        age_s: how long ago it was heard, by the server's clock.
        running: whether that is recent enough.
        scope: the one agent that it was started for; None where it shares in all of them.
        host, pid: where it runs.
        started_at: since when.
        watching: agents in its care.
        opening: agents that it is about to take over.
        failing: agents that it can't judge; `why` says it of some of them.
        why: of the first of these.
        known: agents that it found in the store.
        notes: what it leaves out, in words.
    """

    name: Safe
    age_s: float
    running: bool
    scope: Safe | None
    host: Safe | None
    pid: int
    started_at: datetime | None
    watching: int
    opening: int
    failing: int
    why: tuple[Safe, ...]
    known: int
    notes: tuple[Safe, ...]

    def lines(self) -> Iterator[str]:
        """The process, and what it says."""
        state = "running" if self.running else "SILENT"
        scope = f"started for {self.scope} alone" if self.scope else f"knows {self.known} agents"
        opening = f", reads {self.opening} more" if self.opening else ""
        failing = f", CAN'T JUDGE {self.failing}" if self.failing else ""
        yield (
            f"{self.name}: {state}, heard {self.age_s:.1f} s ago; {scope}; watches {self.watching}{opening}{failing}"
        )
        yield from (f"  {line}" for line in (*self.why, *self.notes))


@dataclass(frozen=True, slots=True)
class Watched:
    """How many agents are watched.

    Args:
        by_two, by_one, by_none: by so many running guards; by two or more.
    """

    by_two: int
    by_one: int
    by_none: int


@dataclass(frozen=True, slots=True)
class UnderWatched:
    """An agent with fewer guards than it should have.

    Args:
        agent: its name.
        guards: how many run.
    """

    agent: str
    guards: int


@dataclass(frozen=True, slots=True)
class Problem:
    """What a guard can't do about one agent.

    Args:
        agent, guard: whose, and who says so.
        problem: in words.
    """

    agent: str
    guard: Safe
    problem: Safe


@dataclass(frozen=True, slots=True)
class FleetReport(Report):
    """What the guards say of all agents of a store.

    Args:
        running: how many processes run.
        guards: all that are known, by name.
        agents: how many there are.
        watched: how many of them by how many guards.
        under_watched, under_watched_more: the worst off first, at most 100; how many more there are.
        problems, problems_more: what guards can't do, at most 100; how many more there are.
        unreadable: agents whose keys hold something else than a guard's.
        notes: what looking for agents left out, in words.
        alerts, alerts_more: that nobody has acknowledged, newest first, at most 100; how many more there are.
    """

    running: int
    guards: tuple[ProcessStatus, ...]
    agents: int
    watched: Watched
    under_watched: tuple[UnderWatched, ...]
    under_watched_more: int
    problems: tuple[Problem, ...]
    problems_more: int
    unreadable: int
    notes: tuple[Safe, ...]
    alerts: tuple[Alert, ...]
    alerts_more: int

    @property
    def well(self) -> bool:
        """Whether anybody guards, and every agent is watched by somebody."""
        return self.running > 0 and not self.watched.by_none

    def lines(self) -> Iterator[str]:
        if not self.running:
            yield NO_GUARD
        for guard in self.guards:
            yield from guard.lines()
        watched = self.watched
        nobody = f", {watched.by_none} by NONE" if watched.by_none else ""
        yield f"{self.agents} agents: {watched.by_two} watched by two guards or more, {watched.by_one} by one{nobody}"
        for agent in self.under_watched:
            yield f"  {agent.agent}: {agent.guards} of {WATCHERS}"
        yield from _more(self.under_watched_more, "agents")
        for one in self.problems:
            yield f"  {one.agent}, says {one.guard}: {one.problem}"
        yield from _more(self.problems_more, "problems")
        if self.unreadable:
            yield f"  {self.unreadable} agents whose keys hold something else than a guard's"
        yield from (f"  {note}" for note in self.notes)
        for alert in self.alerts:
            yield f"ALERT {alert.agent}  {alert.id}  {alert.at.isoformat()}  {alert.kind.value}: {alert.reason}"
        yield from _more(self.alerts_more, "open alerts")


async def fleet_report(client: Redis) -> FleetReport:
    """Guards, agents watched by fewer than two, and open alerts.

    Raises:
        StoreUnreachable: no answer.
        Refused: the list of guards is no hash.
    """
    roll = await call_roll(client)
    discovery = Discovery(client)
    await discovery.seek(SEARCH_S)
    agents = sorted(discovery.agents)
    notes = discovery.notes
    if not discovery.passes:
        looked, keys = discovery.progress
        notes = (*notes, clean(f"{looked / max(1, keys) * 100:.0f} % of the keys were searched for more agents"))
    counts = dict.fromkeys(range(WATCHERS + 1), 0)
    few: list[UnderWatched] = []
    problems: list[Problem] = []
    alerts: list[Alert] = []
    unreadable = 0
    for start in range(0, len(agents), BITE):
        some = agents[start : start + BITE]
        for agent, (guards, raised) in zip(some, await _read(client, some), strict=True):
            unreadable += isinstance(guards, Exception) or isinstance(raised, Exception)
            running = [guard for guard in read_guards(guards) if guard.running(roll.now)]
            counts[min(WATCHERS, len(running))] += 1
            if len(running) < WATCHERS:
                few.append(UnderWatched(agent, len(running)))
            problems += [Problem(agent, guard.name, guard.problem) for guard in running if guard.problem]
            alerts += [alert for alert in read_alerts(raised) if alert.open]
    few.sort(key=lambda one: (one.guards, one.agent))
    alerts.sort(key=lambda alert: alert.at.isoformat(), reverse=True)
    return FleetReport(
        running=sum(member.alive(roll.now) for member in roll.members),
        guards=tuple(_status(member, roll.now) for member in roll.members),
        agents=len(agents),
        watched=Watched(counts[WATCHERS], counts[1], counts[0]),
        under_watched=tuple(few[:MOST]),
        under_watched_more=max(0, len(few) - MOST),
        problems=tuple(problems[:MOST]),
        problems_more=max(0, len(problems) - MOST),
        unreadable=unreadable,
        notes=notes,
        alerts=tuple(alerts[:MOST]),
        alerts_more=max(0, len(alerts) - MOST),
    )


async def _read(client: Redis, agents: list[str]) -> list[tuple[Any, Any]]:
    pipe: Any = client.pipeline(transaction=False)
    for agent in agents:
        names = GuardKeys.of(keys_on(client, agent))
        pipe.hgetall(names.guards)
        pipe.hgetall(names.alerts)
    with wrap_errors():
        replies = await pipe.execute(raise_on_error=False)
    return list(zip(replies[::2], replies[1::2], strict=True))


def _status(member: Member, now: datetime) -> ProcessStatus:
    return ProcessStatus(
        name=member.name,
        age_s=round(max(0.0, (now - member.heartbeat_at).total_seconds()), 3),
        running=member.alive(now),
        scope=member.scope or None,
        host=member.host or None,
        pid=member.pid,
        started_at=member.started_at,
        watching=member.watching,
        opening=member.opening,
        failing=member.failing,
        why=member.why,
        known=member.known,
        notes=member.notes,
    )


def _more(count: int, what: str) -> Iterator[str]:
    if count:
        yield f"  and {count} more {what}"
