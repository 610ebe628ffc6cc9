"""Hearing of anything new in many streams over few connections: one blocking `XREAD` for thousands of them.

Each stream is read on from a place of its own, so nothing is lost between two reads, however long the store was away.
After each answer there is a pause in proportion to what the answer cost: what comes alone is heard at once, and a flood
is taken in larger bites.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import ResponseError

from console.domain.errors import ConsoleError
from console.guard.hear.streams import Sink, Spoiled, Stream, hand_on, packed, weed
from console.guard.loops import Outage, end
from console.store.fence.replies import text
from console.store.server.trouble import raise_if_cancelled, wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

Connect = Callable[[float, str], Awaitable["Redis"]]
"""Opens a connection: the longest wait for a reply in seconds, and a name."""

STREAMS: Final = 3_000
"""On one connection."""
ENTRIES: Final = 100
"""Of one stream in one answer."""
BLOCK_MS: Final = 1_000
"""How long one read waits; streams that are added are heard after that at the latest."""
IDLE_BLOCK_MS: Final = 5_000
"""The same where nothing was added for a while."""
SETTLED_S: Final = 10.0
SHARE: Final = 0.1
"""Of the process's time that listening may take under a flood, over all connections."""
LONGEST_PAUSE_S: Final = 0.25


class _Channel:
    """The streams of one connection."""

    def __init__(self, changed: asyncio.Event) -> None:
        self.streams: dict[str, Stream] = {}
        self.changed = changed
        self._head = b""
        self._head_of = (-1, -1)
        self._version = 0
        self.changed_at = 0.0

    def put(self, name: str, stream: Stream) -> None:
        self.streams[name] = stream
        self.touched()

    def touched(self) -> None:
        self._version += 1
        self.changed_at = time.monotonic()
        self.changed.set()

    def command(self, block_ms: int) -> list[bytes]:
        """`XREAD` as it goes over the wire: the names are packed once, the places each time."""
        if self._head_of != (self._version, block_ms):
            words = ("XREAD", "COUNT", str(ENTRIES), "BLOCK", str(block_ms), "STREAMS", *self.streams)
            size = len(words) + len(self.streams)
            self._head = b"*%d\r\n%b" % (size, b"".join(map(packed, words)))
            self._head_of = (self._version, block_ms)
        return [self._head, b"".join([stream.packed for stream in self.streams.values()])]


class Listener:
    """Listens to streams until told to stop.

    Args:
        connect: opens connections.
        outage: told of a store that goes away.
        streams: on one connection.
    """

    def __init__(self, connect: Connect, outage: Outage, *, streams: int = STREAMS) -> None:
        self._connect = connect
        self._outage = outage
        self._most = streams
        self._channels: list[_Channel] = []
        self._at: dict[str, _Channel] = {}
        self._more = asyncio.Event()

    def add(self, name: str, after: str, sink: Sink, spoiled: Spoiled) -> None:
        """Listen to a stream.

        Args:
            name: its key.
            after: the id of the last entry that is known.
            sink: gets each entry after that.
            spoiled: told, once, if it turns out to be no stream, or if the sink raises; it is dropped then.
        """
        self.drop(name)
        channel = next((one for one in self._channels if len(one.streams) < self._most), None)
        if channel is None:
            channel = _Channel(asyncio.Event())
            self._channels.append(channel)
            self._more.set()
        self._at[name] = channel
        channel.put(name, Stream(after, sink, spoiled))

    def drop(self, name: str) -> None:
        """Do not listen to a stream any more."""
        channel = self._at.pop(name, None)
        if channel is not None:
            del channel.streams[name]
            channel.touched()

    async def run(self) -> None:
        """Listen; ends only when it is cancelled."""
        tasks: list[asyncio.Task[None]] = []
        try:
            while True:
                self._more.clear()
                tasks += [asyncio.create_task(self._forever(channel)) for channel in self._channels[len(tasks) :]]
                more = asyncio.create_task(self._more.wait())
                await asyncio.wait([*tasks, more], return_when=asyncio.FIRST_COMPLETED)
                await end([more])
                for task in tasks:
                    if task.done():
                        task.result()
                raise_if_cancelled()
        finally:
            await end(tasks)

    async def _forever(self, channel: _Channel) -> None:
        while True:
            try:
                await self._listen(channel)
            except ConsoleError as error:
                self._outage.down(error)
                await asyncio.sleep(0.25)
            raise_if_cancelled()

    async def _listen(self, channel: _Channel) -> None:
        client = await self._connect(IDLE_BLOCK_MS / 1000 + 5.0, "guard-listen")
        get_connection: Callable[..., Any] = client.connection_pool.get_connection
        try:
            with wrap_errors():
                connection = await get_connection()
                while True:
                    raise_if_cancelled()
                    if not channel.streams:
                        channel.changed.clear()
                        await channel.changed.wait()
                        continue
                    settled = time.monotonic() - channel.changed_at > SETTLED_S
                    began = time.perf_counter()
                    await connection.send_packed_command(channel.command(IDLE_BLOCK_MS if settled else BLOCK_MS))
                    sent_s = time.perf_counter() - began
                    try:
                        reply = await connection.read_response()
                    except ResponseError as error:
                        await self._weed(client, channel, error)
                        continue
                    began = time.perf_counter()
                    self._hand_on(channel, reply)
                    self._outage.up()
                    cost_s = sent_s + time.perf_counter() - began
                    pause_s = cost_s * (1 / SHARE - 1) * len(self._channels)
                    await asyncio.sleep(min(LONGEST_PAUSE_S, pause_s) if reply else 0)
        finally:
            await client.aclose()

    def _hand_on(self, channel: _Channel, reply: Any) -> None:
        for raw_name, entries in _pairs(reply):
            name = text(raw_name)
            stream = channel.streams.get(name)
            if stream is not None:
                told = ((entry, dict(zip(fields[::2], fields[1::2], strict=True))) for entry, fields in entries)
                hand_on(stream, name, told, self.drop)

    async def _weed(self, client: Redis, channel: _Channel, error: ResponseError) -> None:
        if "WRONGTYPE" not in str(error):
            raise error
        await weed(client, channel.streams, self.drop)


def _pairs(reply: Any) -> Iterable[tuple[Any, Sequence[Any]]]:
    pairs: Iterable[Any] = reply.items() if isinstance(reply, Mapping) else reply or ()
    return pairs
