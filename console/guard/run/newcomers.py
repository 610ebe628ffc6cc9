"""Agents that a guard is about to take over: each is read first, and watched as soon as that is done."""

from __future__ import annotations

import asyncio
from collections.abc import Set
from typing import Final

from console.domain.errors import NotPermitted, StoreUnreachable
from console.guard.fleet.membership import BEAT_S
from console.guard.loops import end
from console.guard.run.patrol import Patrol
from console.guard.watch.tools import Tools
from console.guard.watch.ward import Ward

AT_ONCE: Final = 64
"""Agents that are read for the first time together."""


class Newcomers:
    """Agents on their way into a patrol.

    Args:
        tools: what all agents share.
        patrol: takes them when they were read.
    """

    def __init__(self, tools: Tools, patrol: Patrol) -> None:
        self._tools = tools
        self._patrol = patrol
        self._waiting: dict[str, None] = {}
        self._opening: dict[str, asyncio.Task[None]] = {}
        self._more = asyncio.Event()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._waiting) + len(self._opening)

    def want(self, agents: Set[str]) -> None:
        """These are to be watched, as far as they are not yet; no others."""
        known = self._patrol.wards.keys() | self._opening.keys()
        kept = {agent: None for agent in self._waiting if agent in agents}
        self._waiting = kept | dict.fromkeys(agent for agent in sorted(agents) if agent not in known)
        if self._waiting:
            self._more.set()

    async def run(self) -> None:
        """Read them, several at once; ends only when it is cancelled."""
        try:
            while True:
                while self._waiting and len(self._opening) < AT_ONCE:
                    agent = next(iter(self._waiting))
                    del self._waiting[agent]
                    self._opening[agent] = asyncio.create_task(self._take_over(agent))
                if not self._opening:
                    self._more.clear()
                    await self._more.wait()
                    continue
                await asyncio.wait(self._opening.values(), return_when=asyncio.FIRST_COMPLETED)
                ended = [agent for agent, task in self._opening.items() if task.done()]
                for agent in ended:
                    self._opening.pop(agent).result()
        finally:
            await end(list(self._opening.values()))
            self._opening.clear()

    async def _take_over(self, agent: str) -> None:
        ward = Ward(agent, self._tools)
        try:
            await ward.open()
        except NotPermitted as error:
            ward.failed(error)
        except StoreUnreachable as error:  # it is still wanted, and is tried again with the next heartbeat
            self._patrol.outage.down(error)
            ward.feed.close()
            await asyncio.sleep(BEAT_S)
            return
        except Exception as error:  # noqa: BLE001 - one agent's data must not keep the others from being watched
            ward.failed(error)
        self._patrol.take(ward)
