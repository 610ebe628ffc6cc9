"""The guard's process on one agent: it needs no leader and no terminal, and any number may run."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from console.domain.errors import ConsoleError
from console.domain.guard.members import Member
from console.domain.text import clean
from console.guard.act.actor import Result
from console.guard.fleet.membership import BEAT_S, Membership
from console.guard.fleet.roll import Roll
from console.guard.hear.rows import RowReader
from console.guard.run.patrol import Loop, Patrol
from console.guard.setup import pace
from console.guard.setup.options import GuardOptions
from console.guard.tell.posts import Posts
from console.guard.telling import Tell, to_stderr
from console.guard.watch.heartbeats import beat
from console.guard.watch.tools import Tools
from console.guard.watch.ward import Ward
from console.store.fence.ids import new_id
from console.store.server import login
from console.store.server.connect import connect

if TYPE_CHECKING:
    from redis.asyncio import Redis

TIMEOUT_S = 0.5
"""The longest wait for the store's answer to a command."""


def guard_name(options: GuardOptions) -> str:
    """The guard's own name, or one that no other process has."""
    return options.name or f"{socket.gethostname()}-{os.getpid()}-{new_id()[:4]}"[:64]


def tools_on(client: Redis, options: GuardOptions, name: str, tell: Tell) -> Tools:
    """What all agents of a process share."""
    reader = RowReader(options.logs, options.file.signals)
    return Tools(options, name, client, Posts(options.clock), tell, options.clock(), reader)


class Guard:
    """One guard on one agent.

    Args:
        options: what it is started with.
        tell: for the log; stderr by default.
    """

    def __init__(self, options: GuardOptions, tell: Tell | None = None) -> None:
        self.options = options
        self.name = guard_name(options)
        self.tell = tell or to_stderr(self.name)
        self.beside: Sequence[Loop] = ()
        """Loops that run beside its own."""
        self.running = False
        """Whether it goes round: then it ends by itself when it is told to stop."""
        self.roll: Roll | None = None
        """Who else is there, as it heard last; None before that."""
        self._client: Redis | None = None
        self._opened = False

    async def open(self) -> None:
        """Connect, and read what there is; nothing is acted on before.

        Raises:
            StoreUnreachable: no store answers.
            Refused: the agent's keys hold what they can't.
        """
        self._client = await connect(self.options.url, timeout_s=TIMEOUT_S, name=f"guard:{self.name}"[:64], shared=True)
        await login.ask(self._client)
        self._tools = tools_on(self._client, self.options, self.name, self.tell)
        self._membership = Membership(self._client)
        self.ward = Ward(self.options.agent, self._tools)
        self.patrol = Patrol(self._tools)
        self._opened = True
        await self.ward.open()
        await self.beat()

    async def run(self, stop: asyncio.Event) -> None:
        """Guard until told to stop; then say goodbye."""
        self.running = True
        webhooks = [webhook.name for webhook in self.options.file.webhooks]
        self.patrol.take(self.ward)
        self.tell("started", agent=self.options.agent, pid=os.getpid(), webhooks=webhooks)
        await self.patrol.run(stop, self._announcing, *self.beside)
        self.tell("stopped")

    async def once(self) -> Result | None:
        """One look, for cron: act if it is due, and send what is to be sent."""
        self.ward.feed.poll(0.0)
        return await self.ward.once()

    async def step(self, *, force: bool = False) -> Result | None:
        """Take what is new, look, and act."""
        self.ward.feed.poll(0.0)
        return await self.ward.step(force=force)

    async def tend(self) -> None:
        """A round of housekeeping, and a heartbeat."""
        await self.ward.tend()
        await self.beat()

    async def beat(self) -> None:
        """Say that we are here, and what we see."""
        await beat([self.ward.voice], self._tools, pace.beat_s(1))

    async def aclose(self) -> None:
        """Leave the list of guards and close everything."""
        try:
            if self._opened:
                await self.ward.aclose()
                await self._membership.leave(self.name)
        except ConsoleError as error:
            self.tell("left without a word", reason=error.message)
        finally:
            if self._opened:
                self.ward.feed.close()
                await self._tools.posts.aclose()
            if self._client is not None:
                await self._client.aclose()

    @property
    def tools(self) -> Tools:
        """What all agents of a process share; there once it is open."""
        return self._tools

    @property
    def wards(self) -> Mapping[str, Ward]:
        """The agent in its care."""
        return {self.ward.agent: self.ward}

    def member(self) -> Member:
        """The process, as it tells other guards of itself."""
        why = (self.ward.trouble.why,) if self.ward.trouble.why else ()
        mine = self._tools.member()._replace(scope=clean(self.options.agent, 64), known=1)
        return mine._replace(watching=1 - len(why), failing=len(why), why=why)

    async def _announcing(self) -> None:
        while True:
            self.roll = await self._membership.beat(self.member())
            await asyncio.sleep(BEAT_S)
