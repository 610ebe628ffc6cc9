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

from console.domain.errors import ConsoleError, Refused
from console.guard.hear.listen import ENTRIES, Sink, Spoiled
from console.guard.loops import Outage
from console.store.fence.replies import text
from console.store.scripts import translate
from console.store.server.cluster import is_away
from console.store.server.slots import slot_of_key
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


class _Stream:
    __slots__ = ("after", "sink", "spoiled")

    def __init__(self, after: str, sink: Sink, spoiled: Spoiled) -> None:
        self.after, self.sink, self.spoiled = after or "0-0", sink, spoiled


class Asker:
    """Asks streams for what is new until told to stop; used like `console.guard.hear.listen.Listener`.

    Args:
        client: of the Cluster; shared with others.
        outage: told of a node that goes away.
    """

    def __init__(self, client: Redis, outage: Outage) -> None:
        self._client, self._outage = client, outage
        self._slots: dict[int, dict[str, _Stream]] = {}

    def add(self, name: str, after: str, sink: Sink, spoiled: Spoiled) -> None:
        """Listen to a stream.

        Args:
            name: its key.
            after: the id of the last entry that is known.
            sink: gets each entry after that.
            spoiled: told, once, if it turns out to be no stream, or if the sink raises; it is dropped then.
        """
        self._slots.setdefault(slot_of_key(name), {})[name] = _Stream(after, sink, spoiled)

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
        if not asked:
            return
        pipe: Any = self._client.pipeline(transaction=False)
        for _slot, streams in asked:
            names, after = [name for name, _ in streams], [stream.after for _, stream in streams]
            pipe.execute_command("XREAD", "COUNT", ENTRIES, "STREAMS", *names, *after)
        try:
            replies = await pipe.execute(raise_on_error=False)
        except RedisError as error:
            raise translate(error, "listening") from error
        for (slot, _streams), reply in zip(asked, replies, strict=True):
            if is_away(reply):
                self._outage.down(translate_away(reply))
            elif isinstance(reply, Exception):
                await self._weed(slot, reply)
            elif reply:
                self._hand_on(slot, reply)

    def _hand_on(self, slot: int, reply: Any) -> None:
        for raw_name, entries in reply.items() if isinstance(reply, Mapping) else reply:
            name = text(raw_name)
            stream = self._slots.get(slot, {}).get(name)
            for raw_id, fields in _entries(entries) if stream is not None else ():
                assert stream is not None
                try:
                    stream.sink(text(raw_id), fields)
                except Exception as error:  # noqa: BLE001 - one stream's data is that stream's trouble, and is told
                    self.drop(name)
                    stream.spoiled(error)
                    break
                stream.after = text(raw_id)

    async def _weed(self, slot: int, error: Exception) -> None:
        """One key that is no stream must not make the agent's others unheard."""
        if "WRONGTYPE" not in str(error):
            raise translate(error, "listening") if isinstance(error, RedisError) else error
        for name in list(self._slots.get(slot, {})):
            try:
                kind = text(await self._client.type(name))
            except RedisError as away:
                raise translate(away, "listening") from away
            stream = self._slots.get(slot, {}).get(name)
            if kind not in ("none", "stream") and stream is not None:
                self.drop(name)
                stream.spoiled(Refused(f"{name} is a {kind} and not a stream.", "Nothing else may use this key."))


def translate_away(error: Exception) -> ConsoleError:
    """A node's absence in words."""
    told = translate(error, "listening") if isinstance(error, RedisError) else None
    return told if isinstance(told, ConsoleError) else ConsoleError(str(error))


def _entries(entries: Any) -> Sequence[tuple[Any, Mapping[bytes, bytes]]]:
    """Entries of one stream, however deep the client library puts them."""
    if entries and isinstance(entries[0], list) and (not entries[0] or isinstance(entries[0][0], list | tuple)):
        entries = entries[0]
    return list(entries)


async def _until(moment: float) -> None:
    raise_if_cancelled()
    await asyncio.sleep(max(0.0, moment - time.monotonic()))
