"""Hearing of anything new in the streams of agents on a Cluster: each slot is asked for itself, again and again.

One `XREAD` can read streams of one slot alone, so thousands of agents can't wait in one; a connection for each is no
way either. They are asked together instead, as one pipeline a node, and the less often the more there are.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from console.domain.errors import ConsoleError
from console.guard.hear.fenced import entries
from console.guard.hear.listen import ENTRIES
from console.guard.hear.streams import Sink, Spoiled, Stream, hand_on, weed
from console.guard.loops import Outage
from console.store.scripts import translate
from console.store.server.cluster import is_away
from console.store.server.slots import slot_of_key
from console.store.server.together import together
from console.store.server.trouble import raise_if_cancelled

if TYPE_CHECKING:
    from redis.asyncio import Redis

LEAST_S: Final = 0.05
MOST_S: Final = 1.0
"""Between two questions to one slot."""
A_SECOND: Final = 4_000
"""Slots asked a second, where they are so many."""
TOGETHER: Final = 250
"""Slots asked in one go."""


class Asker:
    """Asks streams for what is new until told to stop; used like `console.guard.hear.listen.Listener`.

    Args:
        client: of the Cluster; shared with others.
        outage: told of a node that goes away.
    """

    def __init__(self, client: Redis, outage: Outage) -> None:
        self._client, self._outage = client, outage
        self._slots: dict[int, dict[str, Stream]] = {}

    def add(self, name: str, after: str, sink: Sink, spoiled: Spoiled) -> None:
        """Listen to a stream.

        Args:
            name: its key.
            after: the id of the last entry that is known.
            sink: gets each entry after that.
            spoiled: told, once, if it turns out to be no stream, or if the sink raises; it is dropped then.
        """
        self._slots.setdefault(slot_of_key(name), {})[name] = Stream(after, sink, spoiled)

    def drop(self, name: str) -> None:
        """Do not listen to a stream any more."""
        streams = self._slots.get(slot_of_key(name), {})
        streams.pop(name, None)
        if not streams:
            self._slots.pop(slot_of_key(name), None)

    async def run(self) -> None:
        """Ask; ends only when it is cancelled."""
        while True:
            began = time.monotonic()
            slots = list(self._slots)
            every_s = min(MOST_S, max(LEAST_S, len(slots) / A_SECOND))
            for start in range(0, len(slots), TOGETHER):
                try:
                    await self._ask(slots[start : start + TOGETHER])
                except ConsoleError as error:
                    self._outage.down(error)
                raise_if_cancelled()
                await _until(began + every_s * min(1.0, (start + TOGETHER) / len(slots)))
            await _until(began + every_s)

    async def _ask(self, slots: Sequence[int]) -> None:
        asked = [(slot, list(self._slots[slot].items())) for slot in slots if slot in self._slots]
        commands = []
        for _slot, streams in asked:
            names, after = [name for name, _ in streams], [stream.after for _, stream in streams]
            commands.append(("XREAD", "COUNT", ENTRIES, "STREAMS", *names, *after))
        for (slot, _streams), reply in zip(asked, await together(self._client, commands) if asked else (), strict=True):
            if is_away(reply):
                self._outage.down(translate_away(reply))
            elif isinstance(reply, Exception):
                await self._weed(slot, reply)
            elif reply:
                self._hand_on(slot, reply)

    def _hand_on(self, slot: int, reply: Any) -> None:
        told: dict[str, list[tuple[str, Mapping[Any, Any]]]] = {}
        for name, entry, fields in entries(reply):
            told.setdefault(name, []).append((entry, fields))
        for name, new in told.items():
            stream = self._slots.get(slot, {}).get(name)
            if stream is not None:
                hand_on(stream, name, new, self.drop)

    async def _weed(self, slot: int, error: Exception) -> None:
        if "WRONGTYPE" not in str(error):
            raise translate(error, "listening") if isinstance(error, RedisError) else error
        await weed(self._client, self._slots.get(slot, {}), self.drop)


def translate_away(error: Exception) -> ConsoleError:
    """A node's absence in words."""
    told = translate(error, "listening") if isinstance(error, RedisError) else None
    return told if isinstance(told, ConsoleError) else ConsoleError(str(error))


async def _until(moment: float) -> None:
    raise_if_cancelled()
    await asyncio.sleep(max(0.0, moment - time.monotonic()))
