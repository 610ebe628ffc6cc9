"""The guard's process on every agent of a store, shared out with other guards: each agent is watched by two.

No leader: every guard finds the agents by itself, hears who else is there, and works out its own share (see
`console.domain.guard.placement`). When a guard falls silent, the others take its agents over within seconds; who takes
one over reads what there is first, and does not act on old news.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from console.domain.errors import ConsoleError, NotPermitted, Refused, StoreUnreachable
from console.domain.guard.members import Member
from console.domain.guard.placement import watches
from console.domain.text import clean
from console.guard.fleet.membership import BEAT_S, Membership
from console.guard.fleet.roll import Roll, group_of
from console.guard.run.newcomers import AT_ONCE, Newcomers
from console.guard.run.patrol import Loop, Patrol
from console.guard.run.process import TIMEOUT_S, guard_name, tools_on
from console.guard.setup.files import raise_limit
from console.guard.setup.options import GuardOptions
from console.guard.telling import Tell, to_stderr
from console.guard.watch.closely import Closely
from console.guard.watch.tools import Tools
from console.guard.watch.ward import Ward
from console.store.keys import DEFAULT_AGENT
from console.store.reading.discovery import Discovery
from console.store.server import login
from console.store.server.cluster import roaming
from console.store.server.connect import connect

if TYPE_CHECKING:
    from redis.asyncio import Redis

DISCOVER_S: Final = 3.0
"""Between two looks at the index of agents, and between two passes of the search for others."""
SEARCH_S: Final = 1.0
"""How long the search is waited for at the start; then it goes on beside everything else."""
LATE_S: Final = 0.5
"""A process that is so late with its own heartbeat has more in its care than it can carry, and says so."""
LINGER_S: Final = 5.0
"""How long an agent is still watched that has become another guard's: until that one has read what there is."""
BITE: Final = 2_000
"""Agents whose place is worked out in one go."""
KEYS_KEPT: Final = 1_000_000
"""Idempotency keys remembered over all agents; each keeps `LEAST_KEPT` at the least."""
LEAST_KEPT: Final = 512
NAMED: Final = 5
"""Agents that can't be judged and are named in the heartbeat."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one look at every agent did.

    Args:
        agents: how many there were.
        acted: for how many something was done.
        failed: how many could not be judged.
    """

    agents: int
    acted: int
    failed: int

    def __bool__(self) -> bool:
        """Whether anybody should look at what was found."""
        return bool(self.acted or self.failed)


class Fleet:
    """One guard on every agent of a store.

    Args:
        options: what it is started with; its logs are those of patterns with `{agent}` in them.
        tell: for the log; stderr by default.
    """

    def __init__(self, options: GuardOptions, tell: Tell | None = None) -> None:
        self.options = replace(options, fleet=True, agent=DEFAULT_AGENT)
        self.name = guard_name(options)
        self.tell = tell or to_stderr(self.name)
        self.beside: Sequence[Loop] = ()
        """Loops that run beside its own."""
        self.running = False
        """Whether it goes round: then it ends by itself when it is told to stop."""
        self.roll: Roll | None = None
        """Who else is there, as it heard last; None before that."""
        self._client: Redis | None = None
        self._tools: Tools | None = None
        self._guards: tuple[str, ...] = (self.name,)
        self._groups: tuple[tuple[str, ...], ...] = ()
        """On a Cluster, the guards that share out each group's agents."""
        self._placed: tuple[object, object] = (None, None)
        self._wanted: frozenset[str] = frozenset()
        self._leaving: dict[str, float] = {}
        self._told: tuple[int, ...] = ()

    async def open(self) -> None:
        """Connect, and find the agents; none is watched before `run`.

        Raises:
            StoreUnreachable: no store answers.
        """
        files = raise_limit()
        client = await connect(self.options.url, timeout_s=TIMEOUT_S, name=f"guard:{self.name}"[:64], shared=True)
        self._client = roaming(client)
        await login.ask(client)
        self._membership = Membership(client)
        self._discovery = Discovery(self._client, keeps=True)
        await self._discovery.seek(SEARCH_S)
        known = self._discovery.agents
        triggers = self.options.file.triggers
        kept = min(triggers.spend_kept, max(LEAST_KEPT, KEYS_KEPT // max(1, len(known))))
        self.options = replace(
            self.options, file=replace(self.options.file, triggers=replace(triggers, spend_kept=kept))
        )
        self._tools = tools_on(client, self.options, self.name, self.tell)
        self.patrol = Patrol(self._tools)
        self._newcomers = Newcomers(self._tools, self.patrol)
        self.tell("found", agents=len(known), notes=self._discovery.notes, keys_kept=kept, most_files=files)

    async def run(self, stop: asyncio.Event) -> None:
        """Guard until told to stop; then say goodbye."""
        self.running = True
        webhooks = [webhook.name for webhook in self.options.file.webhooks]
        self.tell("started", agent="*", pid=os.getpid(), webhooks=webhooks)
        await self.patrol.run(
            stop, self._sharing, self._discovering, self._searching, self._newcomers.run, *self.beside
        )
        self.tell("stopped")

    async def once(self) -> Outcome:
        """One look at every agent, for cron: act where it is due, and send what is to be sent."""
        acted = failed = 0
        self._tools = replace(self.tools, closely=Closely(lanes=AT_ONCE, rest=0.0))  # it ends when all are looked at
        agents = sorted(self._discovery.agents)
        for start in range(0, len(agents), AT_ONCE):
            some = agents[start : start + AT_ONCE]
            for agent, outcome in zip(
                some, await asyncio.gather(*map(self._one_look, some), return_exceptions=True), strict=True
            ):
                if isinstance(outcome, StoreUnreachable) and not isinstance(outcome, NotPermitted):
                    raise outcome
                if not isinstance(outcome, Exception | bool):
                    raise outcome
                if isinstance(outcome, Exception):
                    failed += 1
                    self.tell("watch failed", agent=agent, reason=f"{type(outcome).__name__}: {outcome}")
                else:
                    acted += outcome
        self.tell("looked once", agents=len(agents), acted=acted, failed=failed, notes=self._discovery.notes)
        return Outcome(len(agents), acted, failed)

    async def aclose(self) -> None:
        """Leave every list and close everything."""
        try:
            if self._tools is not None:
                await self._membership.leave(self.name)
                wards = list(self.patrol.wards.values())
                for start in range(0, len(wards), AT_ONCE):
                    await asyncio.gather(*(ward.aclose() for ward in wards[start : start + AT_ONCE]))
        except ConsoleError as error:
            self.tell("left without a word", reason=error.message)
        finally:
            if self._tools is not None:
                for ward in self.patrol.wards.values():
                    ward.feed.close()
                await self._tools.posts.aclose()
            if self._client is not None:
                await self._client.aclose()

    # -- loops beside the patrol's -------------------------------------------------------------------------------------

    async def _sharing(self) -> None:
        """Every second: say that we are here, hear who else is, and see what is ours."""
        while True:
            try:
                roll = self.roll = await self._membership.beat(self.member())
            except (Refused, NotPermitted) as error:  # a list that can't be read must not leave an agent unwatched
                self.patrol.outage.down(error)
                self._guards, self._groups = (self.name,), ()
            else:
                self._guards = tuple(sorted({*roll.sharers, self.name}))
                self._groups = tuple(tuple(sorted({*group, self.name})) for group in roll.groups)
            await self._place()
            await self._leave()
            self._report()
            due = time.monotonic() + BEAT_S
            await asyncio.sleep(BEAT_S)
            if time.monotonic() - due > LATE_S:
                self.tell("late", by_s=round(time.monotonic() - due, 3), watching=len(self.patrol.wards))

    async def _discovering(self) -> None:
        before = self._discovery.notes
        while True:
            await self._discovery.hear()
            if self._discovery.notes != before:
                before = self._discovery.notes
                self.tell("left out", notes=before)
            await asyncio.sleep(DISCOVER_S)

    async def _searching(self) -> None:
        """For agents that nobody wrote into the index; one process at a time, nobody waits for it."""
        while True:
            if not self._discovery.elsewhere:
                await self._discovery.walk()
            await asyncio.sleep(DISCOVER_S)

    # -- what is ours --------------------------------------------------------------------------------------------------

    async def _place(self) -> None:
        known, guards = self._discovery.agents, (self._guards, self._groups)
        if self._placed != (known, guards):
            mine: set[str] = set()
            async for some in _bites(sorted(known)):
                mine |= {agent for agent in some if watches(agent, self.name, self._sharers(agent))}
            self._wanted, self._placed = frozenset(mine), (known, guards)
        self._newcomers.want(self._wanted)

    def _sharers(self, agent: str) -> tuple[str, ...]:
        return self._groups[group_of(agent)] if self._groups else self._guards

    async def _leave(self) -> None:
        now, wards = time.monotonic(), self.patrol.wards
        self._leaving = {agent: self._leaving.get(agent, now) for agent in wards if agent not in self._wanted}
        for agent, since in list(self._leaving.items()):
            gone = agent not in self._discovery.agents
            if gone or now - since >= LINGER_S:
                del self._leaving[agent]
                self.tell("left", agent=agent, reason="its keys are gone" if gone else "others watch it")
                await self.patrol.let_go(agent)

    async def _one_look(self, agent: str) -> bool:
        assert self._tools is not None
        ward = Ward(agent, self._tools)
        try:
            await ward.open()
            result = await ward.once()
            await ward.notifier.aclose()
        finally:
            ward.feed.close()
        return result is not None

    @property
    def tools(self) -> Tools:
        """What all agents of a process share; there once it is open."""
        assert self._tools is not None
        return self._tools

    @property
    def wards(self) -> Mapping[str, Ward]:
        """The agents in its care."""
        return self.patrol.wards

    def member(self) -> Member:
        """The process, as it tells other guards of itself."""
        assert self._tools is not None
        failing = self.patrol.failing
        return self._tools.member()._replace(
            watching=len(self.patrol.wards) - len(failing),
            opening=self._newcomers.count,
            failing=len(failing),
            why=tuple(clean(f"{ward.agent}: {ward.trouble.why}", 200) for ward in failing[:NAMED]),
            known=len(self._discovery.agents),
            notes=self._discovery.notes,
        )

    def _report(self) -> None:
        """How things stand, whenever that has changed and nothing is under way."""
        if self._newcomers.count or self._leaving:
            return
        stands = (len(self._guards), len(self._discovery.agents), len(self.patrol.wards), len(self.patrol.failing))
        if stands != self._told:
            self._told = stands
            guards, known, watching, failing = stands
            self.tell("shared out", guards=guards, known=known, watching=watching, failing=failing)


async def _bites(agents: Sequence[str]) -> AsyncIterator[Sequence[str]]:
    for start in range(0, len(agents), BITE):
        yield agents[start : start + BITE]
        await asyncio.sleep(0)
