# Generated, do not edit: `python -m tests.generate.blocking` wrote it
# from console/agent/aio/link.py.
"""A connection that can be lost: opened when it is needed, thrown away when the store does not answer on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from console.agent.blocking import waits
from console.store.fence.blocking import Fence
from console.store.keys import Keys

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")


class Link:
    """One blocking connection to whatever is the primary now."""

    def __init__(self, connect: Callable[[], Redis], keys: Keys) -> None:
        self._connect = connect
        self._keys = keys
        self._fence: Fence | None = None
        self._lock = waits.Lock()

    def run(self, work: Callable[[Fence], T]) -> T:
        with self._lock:
            if self._fence is None:
                self._fence = Fence(waits.connection(self._connect()), self._keys)
            try:
                return work(self._fence)
            except waits.LOST:
                self._drop()
                raise

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._fence is not None:
            self._fence.client.close()
            self._fence.client.connection_pool.disconnect()
            self._fence = None
