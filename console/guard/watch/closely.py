"""Looking closely, for all agents of a process: what is looked at beside their watch has a share of its time, however
many they are, and what is the server's is asked once for all of them.

One agent's chains are read within milliseconds; those of ten thousand that are taken over at the same moment would
keep the process, and the store, from what must be quick: each waits for its turn here, in the order in which they came.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from console.store.reading.doctor import OfServer, ask_server

if TYPE_CHECKING:
    from redis.asyncio import Redis

LANES: Final = 2
"""Agents that are looked at closely at the same time: one whose chains are long keeps the others waiting, not away."""
REST: Final = 4.0
FRESH_S: Final = 10.0
"""What the server said of itself is so young at the most, where it is told of one more agent."""


class Closely:
    """The turns, and what the server said of itself.

    Args:
        lanes: how many are looked at at the same time.
        rest: while others wait, a lane rests so many times as long as a look took.
    """

    def __init__(self, *, lanes: int = LANES, rest: float = REST) -> None:
        self._lanes, self._rest = asyncio.Semaphore(lanes), rest
        self._asking = asyncio.Lock()
        self._server: OfServer | None = None
        self._asked_at = float("-inf")
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and have it."""
        self._waiting += 1
        try:
            await self._lanes.acquire()
        finally:
            self._waiting -= 1
        began = time.monotonic()
        try:
            yield
            if self._waiting:
                await asyncio.sleep(self._rest * (time.monotonic() - began))
        finally:
            self._lanes.release()

    async def server(self, client: Redis, within_s: float) -> OfServer:
        """What the server says of itself, lately or now.

        Args:
            client: connected to it; of all agents the same.
            within_s: how old it may be; never older than `FRESH_S`.

        Raises:
            StoreUnreachable: no answer.
        """
        async with self._asking:
            if self._server is None or time.monotonic() - self._asked_at >= min(within_s, FRESH_S):
                self._server = None
                self._server = await ask_server(client)
                self._asked_at = time.monotonic()
            return self._server
