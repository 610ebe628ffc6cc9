"""The agents of one store, found and read a slice a turn on a thread of its own, while somebody looks.

Nobody waits for the search: who was found is shown, with how far it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Final

from console.commands.clock import utc_now
from console.domain.errors import ConsoleError
from console.domain.fleet.board import FleetSeen
from console.domain.text import Safe, clean
from console.live.turns import EVERY_S, MOST_S, SHARE, Turns, pause_s
from console.store.server.cluster import roaming

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.live.roll import Roll

SEARCH_S: Final = 0.05
"""Of a turn, the most that is spent on the search for agents."""
FIRST_SHARE: Final = 1.0
"""How many times as long as a turn took is waited until the next, while agents were not read once."""
FIRST_EVERY_S: Final = 0.05
SLICE: Final = 128
"""Agents read in a turn: more of them at once would be felt by a key that is pressed meanwhile."""
ROUND_S: Final = 0.25
"""Between two turns of many that make a round."""
TELL_S: Final = 0.9
"""What was read is shown no more often; and who is on screen is read so often."""


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
                from console.live.roll import Roll  # on the reading thread: no console starts later for it

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
