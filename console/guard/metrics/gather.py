"""Gathers on the guard's own loop what its metrics tell, a few agents at a time; nothing that judges or acts waits.

Whatever goes wrong here is counted and said, and is tried again: no metric is worth a guard.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from redis.exceptions import TimeoutError as StoreTimeout

from console.domain.errors import ConsoleError, StoreUnreachable
from console.domain.guard.members import Member
from console.domain.triggers.finding import Severity
from console.guard.fleet.roll import Roll
from console.guard.metrics.sight import Limits, Looker, Noted, Sight, gather_s, note_s
from console.guard.watch.tools import Tools
from console.store.keys import GuardKeys
from console.store.records.guards import read_alerts
from console.store.records.venue import read_seen
from console.store.server.clock import server_ms
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from console.guard.watch.ward import Ward

CALL_S: Final = 1.0
"""Between two calls that measure the store."""
CHUNK: Final = 50
RETRY_S: Final = 1.0
BOUNDS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Of the classes in which the store's answers are counted, in seconds."""


class Watcher(Protocol):
    """A guard on one agent or on many."""

    name: str

    @property
    def tools(self) -> Tools:
        """What all agents share."""
        ...

    @property
    def wards(self) -> Mapping[str, Ward]:
        """The agents in its care, by name."""
        ...

    @property
    def roll(self) -> Roll | None:
        """Who else is there, as it heard last; None before that."""
        ...

    def member(self) -> Member:
        """The process, as it tells other guards of itself."""
        ...


class Latency:
    """How long the store took: a histogram that only its owner changes."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_S) + 1)
        self.sum_s = 0.0

    def add(self, took_s: float) -> None:
        """Take in one answer."""
        self.counts[sum(took_s > bound for bound in BOUNDS_S)] += 1
        self.sum_s += took_s


class Gathered:
    """What is known now. Written by the guard's loop, read by any thread: what a value refers to is never changed, but
    replaced as a whole; counts only grow.

    Args:
        name: the guard's.
        at_s: when it began, on the monotonic clock.
    """

    def __init__(self, name: str, at_s: float) -> None:
        self.name = name
        self.started: datetime | None = None
        self.began_s = self.turned_s = at_s
        """When the guard's loop turned last, on the monotonic clock."""
        self.lag_s = 0.0
        self.sights: dict[str, Sight] = {}
        self.member: Member | None = None
        self.guards: int | None = None
        self.answered_s: float | None = None
        """When the store answered last; None before that."""
        self.last_call = ""
        """How the last call ended; empty before the first."""
        self.calls: Counter[str] = Counter()
        self.latency = Latency()
        self.errors = 0


class Gatherer:
    """Keeps what is gathered up to date.

    Args:
        watcher: the guard; opened before `loops` run.
        now_s: the monotonic clock.
    """

    def __init__(self, watcher: Watcher, now_s: Callable[[], float] = time.monotonic) -> None:
        self._watcher = watcher
        self._now_s = now_s
        self._looker = Looker()
        self._noted: dict[str, Noted] = {}
        self._failing: set[str] = set()
        self.gathered = Gathered(watcher.name, now_s())

    @property
    def loops(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """To be run beside the guard's own; none of them ends or fails."""
        return self._sighting, self._calling, self._noting

    async def once(self) -> None:
        """Everything once, as it stands now."""
        await self.call()
        wards = list(self._watcher.wards.values())
        await self.note(wards)
        self.sight(wards)

    # -- loops ---------------------------------------------------------------------------------------------------------

    async def _sighting(self) -> None:
        while True:
            await self._rounds("sights", gather_s, self._sight_some)

    async def _noting(self) -> None:
        while True:
            await self._rounds("notes", note_s, self.note)

    async def _calling(self) -> None:
        while True:
            due_s = self._now_s() + CALL_S
            await asyncio.sleep(CALL_S)
            self.gathered.turned_s = self._now_s()
            self.gathered.lag_s = max(0.0, self.gathered.turned_s - due_s)
            await self._carefully("calls", self.call)

    async def _rounds(
        self, what: str, round_s: Callable[[int], float], work: Callable[[list[Ward]], Awaitable[None]]
    ) -> None:
        """Once over all agents, spread evenly over a round."""
        wards = list(self._watcher.wards.values())
        began_s, whole_s = self._now_s(), round_s(len(wards))
        for start in range(0, max(1, len(wards)), CHUNK):
            some = [ward for ward in wards[start : start + CHUNK] if self._watcher.wards.get(ward.agent) is ward]
            await self._carefully(what, partial(work, some))
            due_s = began_s + whole_s * min(1.0, (start + CHUNK) / max(1, len(wards)))
            await asyncio.sleep(max(0.0, due_s - self._now_s()))

    async def _carefully(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except StoreUnreachable:  # said by whoever needs the store for more than this
            self.gathered.errors += 1
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a metric, the guard goes on
            self.gathered.errors += 1
            if name not in self._failing:
                self._failing.add(name)
                self._watcher.tools.tell("metrics failed", what=name, reason=f"{type(error).__name__}: {error}"[:200])
            await asyncio.sleep(RETRY_S)
        else:
            if name in self._failing:
                self._failing.discard(name)
                self._watcher.tools.tell("metrics work again", what=name)

    # -- what is gathered ----------------------------------------------------------------------------------------------

    async def _sight_some(self, wards: list[Ward]) -> None:
        self.sight(wards)

    def sight(self, wards: list[Ward]) -> None:
        """Take some agents as they stand now; who is no longer in the guard's care is forgotten."""
        watcher, gathered = self._watcher, self.gathered
        options = watcher.tools.options
        now, at_s, limits = options.clock(), self._now_s(), Limits.of(len(watcher.wards))
        for ward in wards:
            gathered.sights[ward.agent] = self._looker.take(
                ward,
                self._noted.get(ward.agent),
                limits,
                venue=options.venue_of(ward.agent) is not None,
                now=now,
                at_s=at_s,
            )
        for agent in [agent for agent in gathered.sights if agent not in watcher.wards]:
            gathered.sights.pop(agent, None)
            self._noted.pop(agent, None)
            self._looker.forget(agent)
        gathered.member, gathered.started = watcher.member(), watcher.tools.started
        roll = watcher.roll
        gathered.guards = None if roll is None else sum(member.alive(roll.now) for member in roll.members)

    async def call(self) -> None:
        """Ask the store for the time, and count how that ended."""
        gathered, began_s = self.gathered, self._now_s()
        try:
            await server_ms(self._watcher.tools.client)
        except ConsoleError as error:
            gathered.last_call = _ending(error)
            gathered.calls[gathered.last_call] += 1
            return
        gathered.answered_s = self._now_s()
        gathered.latency.add(gathered.answered_s - began_s)
        gathered.last_call = "ok"
        gathered.calls["ok"] += 1

    async def note(self, wards: list[Ward]) -> None:
        """Read what only the metrics want: open alerts, and what a guard saw of the venue.

        Raises:
            StoreUnreachable: no answer.
        """
        tools = self._watcher.tools
        if not wards:
            return
        with wrap_errors():
            pipe: Any = tools.client.pipeline(transaction=False)
            for ward in wards:
                pipe.hlen(GuardKeys.of(ward.keys).alerts)
            sizes = await pipe.execute(raise_on_error=False)
        for ward, size in zip(wards, sizes, strict=True):
            alerts = None if isinstance(size, Exception) else await self._open_alerts(ward) if size else {}
            venue = None
            if tools.options.venue_of(ward.agent) is not None:
                venue = await read_seen(tools.client, ward.keys)
            self._noted[ward.agent] = Noted(self._now_s(), alerts, venue)

    async def _open_alerts(self, ward: Ward) -> Mapping[str, int] | None:
        raw = await ward.state.hash(ward.state.names.alerts)
        if ward.state.names.alerts in ward.state.spoiled:
            return None
        severities = [alert.severity for alert in read_alerts(raw) if alert.open]
        return {severity.value: severities.count(severity) for severity in Severity}


def _ending(error: ConsoleError) -> str:
    if not isinstance(error, StoreUnreachable):
        return "refused"
    return "timeout" if isinstance(error.__cause__, StoreTimeout | TimeoutError) else "unreachable"
