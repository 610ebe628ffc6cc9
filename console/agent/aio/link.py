"""A connection that can be lost: opened when it is needed, thrown away when the store does not answer on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from console.agent.aio import waits
from console.store.fence.aio import AsyncFence
from console.store.keys import Keys

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")


class Link:
    """One asyncio connection to whatever is the primary now.

    Args:
        connect: opens a connection; called again after each loss, so that it may look up the primary anew.
        keys: the agent's.
    """

    def __init__(self, connect: Callable[[], Awaitable[Redis]], keys: Keys) -> None:
        self._connect = connect
        self._keys = keys
        self._fence: AsyncFence | None = None
        self._lock = waits.Lock()

    async def run(self, work: Callable[[AsyncFence], Awaitable[T]]) -> T:
        """Do something on the connection, alone.

        Raises:
            StoreUnreachable: no answer; the next call begins with a new connection.
        """
        async with self._lock:
            if self._fence is None:
                self._fence = AsyncFence(await waits.connection(await self._connect()), self._keys)
            try:
                return await work(self._fence)
            except waits.LOST:
                await self._drop()
                raise

    async def close(self) -> None:
        """Close it; it opens again when it is used again."""
        async with self._lock:
            await self._drop()

    async def _drop(self) -> None:
        if self._fence is not None:
            await self._fence.client.aclose()
            await self._fence.client.connection_pool.disconnect()
            self._fence = None
