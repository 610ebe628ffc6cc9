"""The agents of one store, found and read a slice a turn on a thread of its own, while somebody looks.

A turn is bounded: so many keys looked at for agents, so many agents read. Whoever is on screen is read with every turn,
the others come round. Nobody waits for the search: who was found is shown, with how far it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Final

from console.commands.clock import utc_now
from console.domain.errors import ConsoleError
from console.domain.fleet.agents import FleetAgent, FleetReading, Found
from console.domain.fleet.board import FleetSeen
from console.domain.text import Safe, clean
from console.live.turns import EVERY_S, MOST_S, SHARE, Turns, pause_s
from console.store.reading.discovery import Discovery
from console.store.reading.fleet import BATCH, FleetReader
from console.store.server.cluster import roaming

if TYPE_CHECKING:
    from redis.asyncio import Redis

SEARCH_S: Final = 0.05
"""Of a turn, the most that is spent on the search for agents."""
FIRST_SHARE: Final = 1.0
"""How many times as long as a turn took is waited until the next, while agents were not read once."""
SEARCH_ONCE_S: Final = 1.0
"""How long who asks once waits for the search."""
SEARCH_AGAIN_S: Final = 5.0
"""Between two looks at the index of agents while no search goes on, and between two passes over the keyspace."""
FIRST_EVERY_S: Final = 0.05
SLICE: Final = 128
"""Agents read in a turn: more of them at once would be felt by a key that is pressed meanwhile."""
ROUND_S: Final = 0.25
"""Between two turns of many that make a round."""
TELL_S: Final = 0.9
"""What was read is shown no more often; and who is on screen is read so often."""


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


class LiveFleet(Turns):
    """Reads the agents of a store in turns while somebody looks: `FleetBoard`.

    Args:
        open_client: connects; called on the reading thread, and again after the store was lost.
        clock: the time now.
    """

    def __init__(self, open_client: Callable[[], Awaitable[Redis]], *, clock: Callable[[], datetime] = utc_now) -> None:
        super().__init__("fleet")
        self._open, self._clock = open_client, clock
        self.told: Callable[[], None] = lambda: None
        self._seen = FleetSeen()
        self._looking = False
        self._first: tuple[str, ...] = ()
        self._asked: tuple[str, ...] = ()
        self._told_at = -TELL_S
        self._client: Redis | None = None
        self._roll: Roll | None = None

    @property
    def seen(self) -> FleetSeen:
        """What was read so far."""
        return self._seen

    def look(self, first: Sequence[str] = ()) -> None:
        """Somebody looks; these are on screen."""
        began, self._looking, self._first = not self._looking, True, tuple(first)
        if began:
            self.begin()

    def ask(self, *agents: str) -> None:
        """Read now, these first."""
        self._asked, self._told_at = agents, -TELL_S
        self.again()

    def leave(self) -> None:
        """Nobody looks any more."""
        self._looking = False
        self.again()

    # on the thread

    async def turn(self) -> float | None:
        """Search a little, read a slice; none where nobody looks."""
        if not self._looking:
            return None
        began = monotonic()
        asked, self._asked = self._asked, ()
        due = bool(asked) or began - self._told_at >= TELL_S
        try:
            roll = await self._ready()
            await roll.seek(SEARCH_S)
            sliced = await roll.read((*asked, *self._first) if due else (), SLICE)
            took_s = monotonic() - began
            if due or sliced < SLICE:
                self._told_at = began
                self._told(FleetSeen(roll.reading(self._clock(), took_s, sliced)))
        except ConsoleError as error:
            return await self._failed(clean(error.message, 200), began)
        except Exception as error:  # noqa: BLE001 - told on the screen: what fails in a new way is no old list
            return await self._failed(clean(f"{type(error).__name__}: {error}", 200), began)
        if roll.unread or not roll.search.passes:
            return min(MOST_S, max(FIRST_EVERY_S, FIRST_SHARE * took_s))
        return pause_s(took_s) if sliced < SLICE else max(ROUND_S, SHARE * took_s)

    async def _ready(self) -> Roll:
        if self._client is None:
            self._client = roaming(await self._open())
            if self._roll is None:
                self._roll = Roll(self._client)
            else:
                self._roll.moved(self._client)
        assert self._roll is not None
        return self._roll

    async def _failed(self, problem: Safe, began: float) -> float:
        await self.drop()
        self._told(self._seen._replace(problem=problem))
        return max(EVERY_S, pause_s(monotonic() - began))

    def _told(self, seen: FleetSeen) -> None:
        def take() -> None:
            self._seen = seen
            self.told()

        self.tell(take)

    async def drop(self) -> None:
        """Give the connection back; who was found stays known."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


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
