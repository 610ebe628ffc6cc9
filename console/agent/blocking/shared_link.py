"""The connections for actions, for every thread of a process; `console.agent.aio.shared_link` has the same names for
tasks.

A thread has its lane: one of a few connections, each used by one thread at a time. That is simpler than one connection
with a thread that reads for the others, and as safe as a single one was: an answer is read by the very thread that
asked, in the same call; a thread that is interrupted, or stopped by the end of the interpreter, holds up its own lane
alone; and a signal's handler is kept apart as ever. A store that writes each change to its disk before it answers
(append-only, always) writes once for all lanes whose calls arrive together.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from threading import get_ident
from typing import TYPE_CHECKING, Final, TypeVar

from console.agent.blocking.link import Link

if TYPE_CHECKING:
    from redis import Redis

    from console.store.fence.blocking import Fence
    from console.store.keys import Keys

T = TypeVar("T")

LANES: Final = 16
"""The most connections: a thread has one of its own until there are more threads, which then share them evenly."""
_REMEMBERED: Final = 4096
"""So many threads are remembered; after that each takes the next lane anew."""


class SharedLink:
    """A few connections to whatever is the primary now, opened as threads come.

    Args:
        connect: opens a connection; called again after each loss, once a lane, so that it may look up the primary anew.
        keys: the agent's, as they are where a connection leads.
    """

    def __init__(self, connect: Callable[[], Redis], keys: Callable[[Redis], Keys]) -> None:
        self._lanes = tuple(Link(connect, keys) for _ in range(LANES))
        self._numbers: dict[int, int] = {}
        self._next = itertools.count()

    @property
    def fence(self) -> Fence | None:
        """What the next call of this thread would ask on; None if it opens a connection."""
        return self._lane().fence

    @property
    def opened(self) -> int:
        """How many connections there have been."""
        return sum(lane.opened for lane in self._lanes)

    @property
    def failures(self) -> int:
        """How often no connection could be opened."""
        return sum(lane.failures for lane in self._lanes)

    def begin(self, work: Callable[[Fence], T]) -> T:
        """As `run`, for what begins something."""
        return self._lane().run(work)

    def run(self, work: Callable[[Fence], T]) -> T:
        """Do something on this thread's lane, alone; see `Link.run`.

        Raises:
            StoreUnreachable: no answer; the next call on this lane begins with a new connection.
            OtherProcess: this is a child of the process that made the link.
        """
        return self._lane().run(work)

    def close(self) -> None:
        """Close them; they open again when they are used again."""
        for lane in self._lanes:
            lane.close()

    def _lane(self) -> Link:
        """Every step is one that no other thread and no signal's handler can come into."""
        me = get_ident()
        number = self._numbers.get(me)
        if number is None:
            if len(self._numbers) >= _REMEMBERED:
                self._numbers.clear()
            number = self._numbers.setdefault(me, next(self._next) % LANES)
        return self._lanes[number]
