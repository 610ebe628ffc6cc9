"""The connection for actions, for every task of a process at once; `console.agent.blocking.shared_link` has the same
names for threads.

What the tasks ask for at the same moment leaves together and is answered in its order: a store that writes each change
to its disk before it answers (append-only, always) writes once for all of them. An answer is read by the connection
and not by the task that waits for it, so a task that is cancelled leaves none behind.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from copy import copy
from typing import TYPE_CHECKING, Any, Final, TypeVar

from redis.asyncio import Redis

from console.agent.aio import waits
from console.agent.fence.process import check_process
from console.domain.errors import Refused, UsageError
from console.store.fence.aio import AsyncFence
from console.store.server.cluster import is_cluster
from console.store.server.shared import SharedRedis

if TYPE_CHECKING:
    from console.store.keys import Keys

T = TypeVar("T")

MOST: Final = 256
"""How many claims may be on their way; who comes later waits in the order of coming. Results, heartbeats and doubts
wait behind these at most."""


class _Lane:
    """One connection from its opening to its loss."""

    def __init__(self, fence: AsyncFence) -> None:
        self.fence = fence
        self.users = 0
        self.idle = asyncio.Event()
        self.idle.set()

    def take(self) -> None:
        """Somebody asks."""
        self.users += 1
        self.idle.clear()

    def leave(self) -> None:
        """Somebody has an answer, or waits for none any more."""
        self.users -= 1
        if not self.users:
            self.idle.set()

    async def close(self) -> None:
        """Close it when the last who asks on it has an answer."""
        await self.idle.wait()
        client: Any = self.fence.client
        await client.aclose()
        pool = getattr(client, "connection_pool", None)
        if pool is not None:
            await pool.disconnect()


class SharedLink:
    """One pipelined connection to whatever is the primary now.

    Args:
        connect: opens a connection; called again after each loss, once for all, so that it may look up the primary
            anew.
        keys: the agent's, as they are where a connection leads.
    """

    def __init__(self, connect: Callable[[], Awaitable[Redis]], keys: Callable[[Redis], Keys]) -> None:
        self._connect = connect
        self._keys = keys
        self._pid = os.getpid()
        self._closing: set[asyncio.Task[None]] = set()
        self._failed: Exception | None = None
        self.failures = 0
        """How often no connection could be opened."""
        self.opened = 0
        """How many connections there have been: after each new one the store may be another, or not what it was."""
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def fence(self) -> AsyncFence | None:
        """What the next call of this loop would ask on; None if it opens a connection."""
        self._come_to_this_loop()
        return None if self._lane is None else self._lane.fence

    async def begin(self, work: Callable[[AsyncFence], Awaitable[T]]) -> T:
        """As `run`, for what begins something: it waits in line behind what was begun before. Who stands in line when
        the store turns out to be away is told so at once.

        Raises:
            StoreUnreachable, OtherProcess: as `run`.
        """
        check_process(self._pid, "The connection to the store")
        self._come_to_this_loop()
        failures = self.failures
        async with self._line:
            if failures != self.failures and self._failed is not None and self._lane is None:
                raise copy(self._failed)
            return await self.run(work)

    async def run(self, work: Callable[[AsyncFence], Awaitable[T]]) -> T:
        """Do something on the connection, beside others.

        Raises:
            StoreUnreachable: no answer; the next call begins with a new connection.
            OtherProcess: this is a child of the process that made the link.
        """
        check_process(self._pid, "The connection to the store")
        self._come_to_this_loop()
        asked = await waits.asked()
        lane = self._lane or await self._next_lane()
        lane.take()
        try:
            answer = await work(lane.fence)
        except (Refused, UsageError):
            raise  # answered, or never sent
        except Exception:
            self._retire(lane)
            raise
        finally:
            lane.leave()
        waits.interrupted(asked)
        return answer

    async def close(self) -> None:
        """Close it when everybody has an answer; it opens again when it is used again."""
        if os.getpid() != self._pid or self._loop is None:
            return
        self._come_to_this_loop()
        if self._opening is not None:  # not undone: others wait for it
            await asyncio.wait([self._opening])
        if self._lane is not None:
            self._retire(self._lane)
        if self._closing:
            await asyncio.wait(self._closing)

    def _come_to_this_loop(self) -> None:
        """Begin anew where another loop runs: a connection that was the last one's answers nobody on this one."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop = loop
            self._lane: _Lane | None = None
            self._opening: asyncio.Task[_Lane | Exception] | None = None
            self._line = asyncio.Semaphore(MOST)
            self._closing.clear()

    async def _next_lane(self) -> _Lane:
        """A new connection: one for all who want it, opened by nobody's own task, and so by nobody's cancellation
        undone."""
        if self._opening is None or self._opening.done():
            self._opening = asyncio.ensure_future(self._open())
        opened = await asyncio.shield(self._opening)
        if isinstance(opened, Exception):
            raise copy(opened)  # each raises its own: a traceback grows where it is raised
        return opened

    async def _open(self) -> _Lane | Exception:
        try:
            client = await _shared(await self._connect())
            try:
                lane = _Lane(AsyncFence(client, self._keys(client)))
            except BaseException:
                await client.aclose()
                raise
        except Exception as error:  # noqa: BLE001 - it is the answer that all who wait for it get
            self.failures += 1
            self._failed = error
            return error
        self.opened += 1
        self._lane = lane
        return lane

    def _retire(self, lane: _Lane) -> None:
        """Let nobody ask on it any more; those who have asked may have their answers."""
        if self._lane is lane:
            self._lane = None
            closing = asyncio.ensure_future(lane.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)


async def _shared(client: Any) -> Any:
    """A client for many tasks, from what an author's `connect` gave; one that has no pool shares by itself."""
    if is_cluster(client):
        return await client.share()
    return SharedRedis.over_one_connection(client) if isinstance(client, Redis) else client
