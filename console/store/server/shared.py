"""One connection for many tasks: what they ask for at the same moment leaves together, as one pipeline.

A process that cares for thousands of agents can't hold a connection for each, and a round trip for each command would
cost more than the command. Code written for one agent runs unchanged on this client: every command is still sent
exactly once, is answered in its order, and fails for itself; only the way to the server is shared.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

if TYPE_CHECKING:
    from redis._parsers.encoders import Encoder
    from redis.asyncio.connection import Connection

MOST: Final = 256
"""Commands that leave together; who comes later waits for these answers at most."""

Command = tuple[tuple[Any, ...], Mapping[str, Any]]


class _Asked(NamedTuple):
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


class SharedRedis(Redis):
    """A client whose commands share one connection, from however many tasks they come.

    A caller that is cancelled takes nobody's answer: what it asked for is not sent any more, or its answer is read and
    forgotten. A `WAIT` at the end of a caller's pipeline is one for all that leave together: it counts the replicas
    that have whatever the connection wrote before it. What else blocks the connection (`XREAD BLOCK`, `MONITOR`) must
    not be asked of it. Its retries must be off: what got no answer may have been carried out.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._asked: deque[_Asked] = deque()
        self._sender: asyncio.Task[None] | None = None
        self._over = False
        self._sole = False
        self._held: Connection | None = None
        encoder: Callable[[], Encoder] = self.connection_pool.get_encoder
        self._encoder = encoder()

    @classmethod
    def over_one_connection(cls, client: Redis) -> Self:
        """A client that shares one connection to where another leads, and ends with it: after a loss it sends nothing
        any more, and whoever comes next has to look up the primary anew.

        Args:
            client: as an author's `connect` gave it; it is not used besides.
        """
        shared = cls(connection_pool=client.connection_pool)
        shared.response_callbacks = client.response_callbacks
        shared._sole = True
        return shared

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """One command; as in the base class."""
        reply = (await self.together([(args, options)]))[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """Commands that stay together; as in the base class."""
        return _SharedPipeline(self, transaction, shard_hint)

    async def together(self, commands: Sequence[Command], *, atomic: bool = False) -> list[Any]:
        """Replies to several commands that nothing comes between; one that the server refused is an exception in there.

        Args:
            commands: each as its arguments and its options.
            atomic: whether nobody else's command comes between them either (MULTI).

        Raises:
            RedisError: no answer; whether they were carried out is unknown. Or one of them can't be sent: none was.
        """
        if self._over:
            raise RedisConnectionError("Connection closed by us")
        wait = None
        if not atomic and len(commands) > 1 and commands[-1][0][0] == "WAIT":
            wait = (int(commands[-1][0][1]), int(commands[-1][0][2]))
            commands = commands[:-1]
        replies: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        wire = b"".join([_packed(self._encoder, args) for args in _whole(commands, atomic)])
        self._asked.append(_Asked(wire, commands, atomic, wait, replies))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_all())
        return await replies

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close the connection; who still waits is told that there will be no answer."""
        self._over = True
        while self._sender is not None and not self._sender.done():
            self._sender.cancel()
            await asyncio.wait([self._sender], timeout=0.1)
        self._give_up_rest(RedisConnectionError("Connection closed by us"))
        held, self._held = self._held, None
        if held is not None:
            await held.disconnect(nowait=True)
            await self.connection_pool.release(held)
        await super().aclose(close_connection_pool)

    async def _send_all(self) -> None:
        while batch := self._next():
            try:
                await self._send(batch)
            except asyncio.CancelledError:
                _give_up(batch, RedisConnectionError("Connection closed by us"))
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer that the callers get
                self._lost(batch, error)
            except BaseException:  # the process is to end: nobody may wait for what nobody reads
                self._lost(batch, RedisConnectionError("Interrupted while reading from socket"))
                raise

    def _next(self) -> list[_Asked]:
        """What leaves together; not what nobody waits for any more."""
        batch: list[_Asked] = []
        size = 0
        while self._asked and (not batch or size + len(self._asked[0].commands) <= MOST):
            asked = self._asked.popleft()
            if not asked.replies.done():
                batch.append(asked)
                size += len(asked.commands)
        return batch

    def _lost(self, batch: Iterable[_Asked], error: Exception) -> None:
        _give_up(batch, error)
        if self._sole:
            self._over = True
            self._give_up_rest(error)

    def _give_up_rest(self, error: Exception) -> None:
        _give_up(self._asked, error)
        self._asked.clear()

    async def _send(self, batch: Sequence[_Asked]) -> None:
        get_connection: Callable[..., Any] = self.connection_pool.get_connection
        connection: Connection = self._held or await get_connection()
        self._held = None
        whole = False
        try:
            await self._exchange(connection, batch)
            whole = True
        except TimeoutError as error:
            raise RedisTimeoutError("Timeout reading from socket") from error
        finally:
            if whole and self._sole:
                self._held = connection
            else:
                if not whole:  # replies that nobody has read would be taken for the next batch's
                    await connection.disconnect(nowait=True)
                await self.connection_pool.release(connection)

    async def _exchange(self, connection: Connection, batch: Sequence[_Asked]) -> None:
        """Send what leaves together and hand out the replies; each may be waited for as long as the connection waits
        for one: a store that goes on answering is not hung, however much it was asked."""
        loop, patience_s = asyncio.get_running_loop(), connection.socket_timeout
        waits = [asked.wait for asked in batch if asked.wait]
        wire = [asked.wire for asked in batch]
        if waits:
            wire.append(_packed(self._encoder, ("WAIT", max(n for n, _ms in waits), max(ms for _n, ms in waits))))
        waiting: list[tuple[_Asked, list[Any]]] = []
        async with asyncio.timeout(patience_s) as limit:
            await connection.send_packed_command(b"".join(wire))
            for asked in batch:
                read = self._read_atomic if asked.atomic else self._read
                replies = await read(connection, asked.commands)
                if patience_s is not None:
                    limit.reschedule(loop.time() + patience_s)
                if asked.wait:
                    waiting.append((asked, replies))
                elif not asked.replies.done():
                    asked.replies.set_result(replies)
            if waits:
                acknowledged = await self._one(connection, ("WAIT",), {})
        for asked, replies in waiting:
            if not asked.replies.done():
                asked.replies.set_result([*replies, acknowledged])

    async def _read(self, connection: Connection, commands: Sequence[Command]) -> list[Any]:
        return [await self._one(connection, args, options) for args, options in commands]

    async def _one(self, connection: Connection, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        try:
            reply = await connection.read_response(timeout=inf)  # the time-out is the batch's
        except ResponseError as error:
            return error
        return self._parsed(args, options, reply)

    async def _read_atomic(self, connection: Connection, commands: Sequence[Command]) -> list[Any]:
        for _ in range(len(commands) + 1):  # OK and QUEUED; what is refused here makes EXEC refuse all
            await self._one(connection, ("MULTI",), {})
        replies = await self._one(connection, ("EXEC",), {})
        if isinstance(replies, Exception):
            return [replies for _ in commands]
        return [self._parsed(args, options, reply) for (args, options), reply in zip(commands, replies, strict=True)]

    def _parsed(self, args: tuple[Any, ...], options: Mapping[str, Any], reply: Any) -> Any:
        callback = None if isinstance(reply, Exception) else self.response_callbacks.get(args[0])
        if callback is None:
            return reply
        try:
            return callback(reply, **{name: value for name, value in options.items() if name != "keys"})
        except Exception as error:  # noqa: BLE001 - a reply that can't be read is its caller's alone
            return error


class _SharedPipeline(Pipeline):
    """A pipeline whose commands go the shared way."""

    def __init__(self, shared: SharedRedis, transaction: bool, shard_hint: str | None) -> None:
        super().__init__(shared.connection_pool, shared.response_callbacks, transaction, shard_hint)
        self._shared = shared

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Send what was collected and give the replies; as in the base class."""
        stack, self.command_stack = list(self.command_stack), []
        replies = await self._shared.together(stack, atomic=bool(self.is_transaction)) if stack else []
        if raise_on_error:
            self.raise_first_error(stack, replies)
        return replies


def _packed(encoder: Encoder, args: tuple[Any, ...]) -> bytes:
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


def _whole(commands: Sequence[Command], atomic: bool) -> list[tuple[Any, ...]]:
    bare = [args for args, _options in commands]
    return [("MULTI",), *bare, ("EXEC",)] if atomic else bare


def _give_up(asked: Iterable[_Asked], error: Exception) -> None:
    for one in asked:
        if not one.replies.done():
            one.replies.set_exception(copy(error))  # each raises its own: a traceback grows where it is raised
