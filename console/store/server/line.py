"""Commands of many callers on their way on one connection: written as they come, answered in their order.

What is asked while answers are on their way leaves without waiting for them: the server works while we do, and writes
to its disk once for whatever has come meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

if TYPE_CHECKING:
    from redis._parsers.encoders import Encoder
    from redis.asyncio.connection import Connection

Command = tuple[tuple[Any, ...], Mapping[str, Any]]
_LOOKS: Final = 3
"""Turns of the loop in which what has come is read, after a time-out."""

Parse = Callable[[tuple[Any, ...], Mapping[str, Any], Any], Any]


class Asked(NamedTuple):
    """Commands of one caller that stay together, and where their replies are awaited.

    Args:
        wire: what is sent, without a `WAIT` at its end.
        commands: those whose replies are read.
        atomic: whether they stand in a transaction.
        wait: replicas and milliseconds of the `WAIT` that stood behind them; None for none.
        replies: one for each command, and one for the `WAIT`.
    """

    wire: bytes
    commands: Sequence[Command]
    atomic: bool
    wait: tuple[int, int] | None
    replies: asyncio.Future[list[Any]]


class Line:
    """One connection with what is on its way on it. One task sends, another reads; whichever fails, the reader takes
    the connection down, and who waits is told that there will be no answer.

    Args:
        connection: nobody else's meanwhile.
        encoder: how arguments become bytes.
        parse: makes of a command, its options and the raw reply what the caller gets.
        progress: called when an answer was handed out: there is room for more.
        end: called with the error that ended it; or with None each time when nothing is on its way any more.
    """

    def __init__(
        self,
        connection: Connection,
        encoder: Encoder,
        parse: Parse,
        progress: Callable[[], None],
        end: Callable[[Line, Exception | None], None],
    ) -> None:
        self.connection = connection
        self.size = 0
        """Commands on their way."""
        self._encoder = encoder
        self._parse = parse
        self._progress = progress
        self._end = end
        self._flying: deque[list[Asked]] = deque()
        self._sending = asyncio.Lock()
        self._reader: asyncio.Task[None] | None = None
        self._reading = False
        """Whether it has begun: a task that is cancelled before does nothing at all, and would tell nobody."""
        self._error: Exception | None = None
        self._progressed_at = 0.0
        self._watching: asyncio.TimerHandle | None = None

    async def send(self, batch: list[Asked]) -> None:
        """Let commands leave; what fails is told to their callers."""
        if self._error is not None:
            give_up(batch, self._error)
            return
        wire = [asked.wire for asked in batch]
        if waits := [asked.wait for asked in batch if asked.wait]:
            wire.append(packed(self._encoder, ("WAIT", max(n for n, _ in waits), max(ms for _, ms in waits))))
        self._flying.append(batch)  # first: whatever happens, somebody is told
        self.size += sum(len(asked.commands) for asked in batch)
        if self._reader is None or self._reader.done():
            self._reading, self._reader = False, asyncio.create_task(self._read_all())
        async with self._sending:
            try:
                await self.connection.send_packed_command(b"".join(wire))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer that the callers get
                self._fail(error)
            except BaseException:
                self._fail(RedisConnectionError("Interrupted while writing to socket"))
                raise

    async def close(self) -> None:
        """End it; who still waits is told that there will be no answer."""
        self._fail(RedisConnectionError("Connection closed by us"))
        while self._reader is not None and not self._reader.done():
            if self._reading:
                self._reader.cancel()
            await asyncio.wait([self._reader], timeout=0.1)
        await self.connection.disconnect(nowait=True)

    async def let_go(self) -> None:
        """Wait until nobody writes on it any more."""
        async with self._sending:
            pass

    def _fail(self, error: Exception) -> None:
        self._error = self._error or _as_loss(error)
        if self._reader is not None and self._reading:
            self._reader.cancel()

    async def _read_all(self) -> None:
        self._reading = True
        try:
            while self._flying and self._error is None:
                await self._read_flying()
                await self.let_go()
        except asyncio.CancelledError:
            ours = self._error is not None
            await self._down(self._error or RedisConnectionError("Connection closed by us"))
            if not ours:
                raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer that the callers get
            await self._down(error)
        except BaseException:  # the process is to end: nobody may wait for what nobody reads
            await self._down(RedisConnectionError("Interrupted while reading from socket"))
            raise
        else:
            if self._error is not None:  # the cancellation that told so was swallowed below
                await self._down(self._error)
            else:
                self._end(self, None)

    async def _down(self, error: Exception) -> None:
        """Replies that nobody has read would be taken for the next ones."""
        self._error = error = _as_loss(error)
        for batch in self._flying:
            give_up(batch, error)
        self._flying.clear()
        try:
            await self.connection.disconnect(nowait=True)
        finally:
            self._end(self, error)

    async def _read_flying(self) -> None:
        """Hand out replies until nothing is on its way. Each may be waited for as long as the connection waits for one:
        a store that goes on answering is not hung, however much it was asked."""
        loop = asyncio.get_running_loop()
        self._progressed_at = loop.time()
        self._watch(_LOOKS)
        try:
            await self._hand_out(loop)
        finally:
            if self._watching is not None:
                self._watching.cancel()

    def _watch(self, looks: int) -> None:
        """Give the connection up when nothing was read for too long; not where the loop itself was busy with something
        else, and what has come meanwhile is yet to be read."""
        patience_s = self.connection.socket_timeout
        if patience_s is None:
            return
        loop = asyncio.get_running_loop()
        left_s = self._progressed_at + patience_s - loop.time()
        if left_s > 0:
            self._watching = loop.call_later(left_s, self._watch, _LOOKS)
        elif looks:
            self._watching = loop.call_later(0, self._watch, looks - 1)
        else:
            self._fail(RedisTimeoutError("Timeout reading from socket"))

    async def _hand_out(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._flying and self._error is None:
            waiting: list[tuple[Asked, list[Any]]] = []
            for asked in self._flying[0]:
                read = self._read_atomic if asked.atomic else self._read
                replies = await read(asked.commands)
                self._progressed_at = loop.time()
                if asked.wait:
                    waiting.append((asked, replies))
                elif not asked.replies.done():
                    asked.replies.set_result(replies)
            if waiting:
                acknowledged = await self._one(("WAIT",), {})
                for asked, replies in waiting:
                    if not asked.replies.done():
                        asked.replies.set_result([*replies, acknowledged])
            self.size -= sum(len(asked.commands) for asked in self._flying.popleft())
            self._progress()

    async def _read(self, commands: Sequence[Command]) -> list[Any]:
        return [await self._one(args, options) for args, options in commands]

    async def _one(self, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        try:
            reply = await self.connection.read_response(timeout=inf)  # the time-out is above
        except ResponseError as error:
            return error
        return self._parsed(args, options, reply)

    async def _read_atomic(self, commands: Sequence[Command]) -> list[Any]:
        # OK and QUEUED; what is refused here makes EXEC refuse all
        queued = [await self._one(("MULTI",), {}) for _ in range(len(commands) + 1)]
        replies = await self._one(("EXEC",), {})
        if isinstance(replies, Exception):
            why = next((one for one in queued if isinstance(one, Exception)), replies)
            return [why for _ in commands]
        return [self._parsed(args, options, reply) for (args, options), reply in zip(commands, replies, strict=True)]

    def _parsed(self, args: tuple[Any, ...], options: Mapping[str, Any], reply: Any) -> Any:
        if isinstance(reply, Exception):
            return reply
        try:
            return self._parse(args, options, reply)
        except Exception as error:  # noqa: BLE001 - a reply that can't be read is its caller's alone
            return error


def packed(encoder: Encoder, args: tuple[Any, ...]) -> bytes:
    """A command as it goes over the wire; a name of two words (`FUNCTION LOAD`) goes as two."""
    if isinstance(args[0], str) and " " in args[0]:
        args = (*args[0].split(), *args[1:])
    encode: Callable[[Any], bytes] = encoder.encode
    encoding, errors = encoder.encoding, encoder.encoding_errors
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        raw = arg.encode(encoding, errors) if type(arg) is str else arg if type(arg) is bytes else encode(arg)
        parts.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(parts)


def _as_loss(error: Exception) -> Exception:
    """What callers are told: what a signal's handler raised where we wait is to them a lost connection as any other."""
    if isinstance(error, RedisError):
        return error
    lost = RedisConnectionError(f"Connection given up: {type(error).__name__}")
    lost.__cause__ = error
    return lost


def whole(commands: Sequence[Command], atomic: bool) -> list[tuple[Any, ...]]:
    """The commands that are sent for a caller's."""
    bare = [args for args, _options in commands]
    return [("MULTI",), *bare, ("EXEC",)] if atomic else bare


def give_up(asked: Iterable[Asked], error: Exception) -> None:
    """Tell who still waits that there will be no answer."""
    for one in asked:
        if not one.replies.done():
            one.replies.set_exception(copy(error))  # each raises its own: a traceback grows where it is raised
