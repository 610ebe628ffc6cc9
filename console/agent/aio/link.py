"""A connection that can be lost: opened when it is needed, thrown away when the store does not answer on it."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from copy import copy
from typing import TYPE_CHECKING, TypeVar

from console.agent.aio import waits
from console.agent.fence.process import check_process
from console.domain.errors import Refused, StoreUnreachable, UsageError
from console.store.fence.aio import AsyncFence
from console.store.keys import Keys

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")


class Link:
    """One asyncio connection to whatever is the primary now.

    Args:
        connect: opens a connection; called again after each loss, so that it may look up the primary anew.
        keys: the agent's, as they are on the store behind a connection (`console.store.server.cluster.keys_on`).
    """

    def __init__(self, connect: Callable[[], Awaitable[Redis]], keys: Callable[[Redis], Keys]) -> None:
        self._connect = connect
        self._keys = keys
        self._fence: AsyncFence | None = None
        self._lock = waits.Lock()
        self._pid = os.getpid()
        self._failed: StoreUnreachable | None = None
        self.failures = 0
        """How often no connection could be opened."""
        self.opened = 0
        """How many connections there have been: after each new one the store may be another, or not what it was."""

    @property
    def connected(self) -> bool:
        """Whether there is a connection now: else the next call makes one."""
        return self._fence is not None

    @property
    def fence(self) -> AsyncFence | None:
        """What the next call would ask on; None if it opens a connection."""
        return self._fence

    async def run(self, work: Callable[[AsyncFence], Awaitable[T]]) -> T:
        """Do something on the connection, alone. What leaves it with an exception, of whatever kind, leaves it closed:
        an answer that was not read would be taken for the next one's.

        Raises:
            StoreUnreachable: no answer; the next call begins with a new connection.
            OtherProcess: this is a child of the process that made the link.
        """
        check_process(self._pid, "The connection to the store")
        if waits.mine(self._lock):  # a signal's handler came between: it has a connection of its own
            return await Link(self._connect, self._keys).run_once(work)
        asked, failures = await waits.asked(), self.failures
        async with self._lock:
            if self._fence is None:
                if failures != self.failures and self._failed is not None:
                    raise copy(self._failed)  # who waited for the same opening
                self._fence = await self._open()
            try:
                answer = await work(self._fence)
            except (Refused, UsageError):
                raise  # answered, or never sent
            except BaseException:
                await self._drop()
                raise
        waits.interrupted(asked)
        return answer

    async def run_once(self, work: Callable[[AsyncFence], Awaitable[T]]) -> T:
        """Do something, and close the connection."""
        try:
            return await self.run(work)
        finally:
            await self.close()

    async def close(self) -> None:
        """Close it; it opens again when it is used again."""
        if os.getpid() != self._pid:
            return
        async with self._lock:
            await self._drop()

    async def _open(self) -> AsyncFence:
        try:
            client = await waits.connection(await self._connect())
        except StoreUnreachable as error:  # not what a signal's handler raises: that is its own thread's alone
            self.failures += 1
            self._failed = error
            raise
        try:
            fence = AsyncFence(client, self._keys(client))
        except BaseException:
            await client.aclose()
            raise
        self.opened += 1
        return fence

    async def _drop(self) -> None:
        fence, self._fence = self._fence, None
        if fence is not None:
            await fence.client.aclose()
            await fence.client.connection_pool.disconnect()
