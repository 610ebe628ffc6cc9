"""Who is in a store, and what was read of them: what turns of reading remember between each other.

A turn is bounded: so many keys looked at for agents, so many agents read. Whoever is on screen is read with every turn,
the others come round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Final

from console.commands.clock import utc_now
from console.domain.fleet.agents import FleetAgent, FleetReading, Found
from console.store.reading.discovery import Discovery
from console.store.reading.fleet import BATCH, FleetReader
from console.store.server.cluster import roaming

if TYPE_CHECKING:
    from redis.asyncio import Redis

SEARCH_ONCE_S: Final = 1.0
"""How long who asks once waits for the search."""
SEARCH_AGAIN_S: Final = 5.0
"""Between two looks at the index of agents while no search goes on, and between two passes over the keyspace."""


class Roll:
    """Who was found, and what was read of them: the turns' memory, whoever takes them.

    Args:
        client: connected.
        keeps: as for `Discovery`.
    """

    def __init__(self, client: Redis, *, keeps: bool = False) -> None:
        self.search = Discovery(client, keeps=keeps)
        self._reader = FleetReader(client)
        self._agents: dict[str, FleetAgent] = {}
        self._names: list[str] = []
        self._known: frozenset[str] = frozenset()
        self._next = 0
        self._round_began = monotonic()
        self._round_s: float | None = None
        self._searched = -SEARCH_AGAIN_S
        self.server_at = datetime(1970, 1, 1, tzinfo=UTC)

    def moved(self, client: Redis) -> None:
        """Go on over another connection: the search where it stood, the reading with who is on screen."""
        self.search.moved(client)
        self._reader = FleetReader(client)

    @property
    def unread(self) -> bool:
        """Whether there is somebody who was found, and not read."""
        return self._round_s is None

    async def seek(self, seconds: float) -> None:
        """Go on with the search for so long at the most, where it is due.

        Raises:
            StoreUnreachable: no answer.
        """
        if monotonic() - self._searched < SEARCH_AGAIN_S:
            return
        await self.search.seek(seconds)
        if self.search.resting or self.search.elsewhere:
            self._searched = monotonic()
        self._take_names(self.search.met)

    def _take_names(self, known: frozenset[str]) -> None:
        if known == self._known:
            return
        if known - self._known:
            self._round_s = None
        self._known = known
        self._names = sorted(known)
        self._agents = {name: self._agents.get(name, FleetAgent(name)) for name in self._names}
        self._reader.forget(known)

    async def read(self, first: Sequence[str] = (), most: int = BATCH) -> int:
        """Read a slice: these, and of the others whose turn it is; how many.

        Args:
            first: read at once, at most half of the slice.
            most: how many, at most `BATCH`.

        Raises:
            StoreUnreachable: no answer.
        """
        chosen = dict.fromkeys(islice((name for name in first if name in self._known), most // 2))
        start = self._next
        while len(chosen) < most and self._next < len(self._names):
            chosen.setdefault(self._names[self._next])
            self._next += 1
        if chosen:
            self.server_at, read = await self._reader.read(list(chosen))
            self._agents.update((agent.name, agent) for agent in read)
        if self._next >= len(self._names):
            if start == 0 or all(agent.read_at is not None for agent in self._agents.values()):
                self._round_s = monotonic() - self._round_began
            self._next, self._round_began = 0, monotonic()
        return len(chosen)

    def reading(self, now: datetime, took_s: float, sliced: int) -> FleetReading:
        """All that is known."""
        progress = self.search.progress
        found = Found(self.search.passes, progress.looked, progress.keys, self.search.notes)
        agents = tuple(self._agents[name] for name in self._names)
        return FleetReading(now, self.server_at, agents, found, took_s, sliced, self._round_s)


async def read_whole(client: Redis, *, keeps: bool = False, clock: Callable[[], datetime] = utc_now) -> FleetReading:
    """Every agent of a store that is known at once, read, for who asks once; how far the search for others is.

    Args:
        client: connected.
        keeps: as for `Discovery`: who asks again goes on where this search stopped.
        clock: the time now.

    Raises:
        StoreUnreachable: no answer.
    """
    roll, began, read = Roll(roaming(client), keeps=keeps), monotonic(), 0
    await roll.seek(SEARCH_ONCE_S)
    while True:
        read += await roll.read()
        if not roll.unread:
            return roll.reading(clock(), monotonic() - began, read)
