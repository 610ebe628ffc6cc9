# Generated, do not edit: `python -m tests.generate.blocking` wrote it
# from console/agent/aio/link.py.
"""A connection that can be lost: opened when it is needed, thrown away when the store does not answer on it."""

from __future__ import annotations

import os
from collections.abc import Callable
from copy import copy
from typing import TYPE_CHECKING, TypeVar

from console.agent.blocking import waits
from console.agent.fence.process import check_process
from console.domain.errors import Refused, StoreUnreachable, UsageError
from console.store.fence.blocking import Fence
from console.store.keys import Keys

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")


class Link:
    """One blocking connection to whatever is the primary now."""

    def __init__(self, connect: Callable[[], Redis], keys: Callable[[Redis], Keys]) -> None:
        self._connect = connect
        self._keys = keys
        self._fence: Fence | None = None
        self._lock = waits.Lock()
        self._pid = os.getpid()
        self._failed: StoreUnreachable | None = None
        self.failures = 0
        """How often no connection could be opened."""
        self.opened = 0
        """How many connections there have been: after each new one the store may be another, or not what it was."""

    @property
    def connected(self) -> bool:
        return self._fence is not None

    @property
    def fence(self) -> Fence | None:
        return self._fence

    def run(self, work: Callable[[Fence], T]) -> T:
        check_process(self._pid, "The connection to the store")
        if waits.mine(self._lock):  # a signal's handler came between: it has a connection of its own
            return Link(self._connect, self._keys).run_once(work)
        asked, failures = waits.asked(), self.failures
        with self._lock:
            if self._fence is None:
                if failures != self.failures and self._failed is not None:
                    raise copy(self._failed)  # who waited for the same opening
                self._fence = self._open()
            try:
                answer = work(self._fence)
            except (Refused, UsageError):
                raise  # answered, or never sent
            except BaseException:
                self._drop()
                raise
        waits.interrupted(asked)
        return answer

    def run_once(self, work: Callable[[Fence], T]) -> T:
        try:
            return self.run(work)
        finally:
            self.close()

    def close(self) -> None:
        if os.getpid() != self._pid:
            return
        with self._lock:
            self._drop()

    def _open(self) -> Fence:
        try:
            client = waits.connection(self._connect())
        except StoreUnreachable as error:  # not what a signal's handler raises: that is its own thread's alone
            self.failures += 1
            self._failed = error
            raise
        try:
            fence = Fence(client, self._keys(client))
        except BaseException:
            client.close()
            raise
        self.opened += 1
        return fence

    def _drop(self) -> None:
        fence, self._fence = self._fence, None
        if fence is not None:
            fence.client.close()
            fence.client.connection_pool.disconnect()
