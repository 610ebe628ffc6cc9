"""One connection for many tasks: what they ask for at the same moment leaves together, as one pipeline.

A process that cares for thousands of agents can't hold a connection for each, and a round trip for each command would
cost more than the command. Code written for one agent runs unchanged on this client: every command is still sent
exactly once, is answered in its order, and fails for itself; only the way to the server is shared.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

if TYPE_CHECKING:
    from redis.asyncio.connection import Connection

MOST: Final = 256
"""Commands that leave together; who comes later waits for these answers at most."""

Command = tuple[tuple[Any, ...], Mapping[str, Any]]


class _Asked(NamedTuple):
    """Commands of one caller that stay together, and where their replies are awaited."""

    commands: Sequence[Command]
    atomic: bool
    replies: asyncio.Future[list[Any]]


class SharedRedis(Redis):
    """A client whose commands share one connection, from however many tasks they come.

    What blocks the connection (`XREAD BLOCK`, `WAIT`, `MONITOR`) must not be asked of it. Its retries must be off: what
    got no answer may have been carried out.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._asked: deque[_Asked] = deque()
        self._sender: asyncio.Task[None] | None = None
        self._over = False

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
            RedisError: no answer; whether they were carried out is unknown.
        """
        if self._over:
            raise RedisConnectionError("Connection closed by us")
        replies: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._asked.append(_Asked(commands, atomic, replies))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_all())
        return await replies

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close the connection; who still waits is told that there will be no answer."""
        self._over = True
        while self._sender is not None and not self._sender.done():
            self._sender.cancel()
            await asyncio.wait([self._sender], timeout=0.1)
        _give_up(self._asked, RedisConnectionError("Connection closed by us"))
        self._asked.clear()
        await super().aclose(close_connection_pool)

    async def _send_all(self) -> None:
        while self._asked:
            batch: list[_Asked] = []
            size = 0
            while self._asked and (not batch or size + len(self._asked[0].commands) <= MOST):
                batch.append(self._asked.popleft())
                size += len(batch[-1].commands)
            try:
                await self._send(batch)
            except asyncio.CancelledError:
                _give_up(batch, RedisConnectionError("Connection closed by us"))
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer that the callers get
                _give_up(batch, error)

    async def _send(self, batch: Sequence[_Asked]) -> None:
        get_connection: Callable[..., Any] = self.connection_pool.get_connection
        connection: Connection = await get_connection()
        whole = False
        try:
            wire = b"".join([_packed(connection, args) for asked in batch for args in _wire(asked)])
            async with asyncio.timeout(connection.socket_timeout):
                await connection.send_packed_command(wire)
                for asked in batch:
                    read = self._read_atomic if asked.atomic else self._read
                    replies = await read(connection, asked.commands)
                    if not asked.replies.done():
                        asked.replies.set_result(replies)
            whole = True
        except TimeoutError as error:
            raise RedisTimeoutError("Timeout reading from socket") from error
        finally:
            if not whole:  # replies that nobody has read would be taken for the next batch's
                await connection.disconnect(nowait=True)
            await self.connection_pool.release(connection)

    async def _read(self, connection: Connection, commands: Sequence[Command]) -> list[Any]:
        return [await self._one(connection, args, options) for args, options in commands]

    async def _one(self, connection: Connection, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        try:
            reply = await connection.read_response(timeout=inf)  # the whole batch has one time-out
        except ResponseError as error:
            return error
        return self._parsed(args, options, reply)

    async def _read_atomic(self, connection: Connection, commands: Sequence[Command]) -> list[Any]:
        # OK and QUEUED; what is refused here makes EXEC refuse all
        queued = [await self._one(connection, ("MULTI",), {}) for _ in range(len(commands) + 1)]
        replies = await self._one(connection, ("EXEC",), {})
        if isinstance(replies, Exception):
            why = next((one for one in queued if isinstance(one, Exception)), replies)
            return [why for _ in commands]
        return [self._parsed(args, options, reply) for (args, options), reply in zip(commands, replies, strict=True)]

    def _parsed(self, args: tuple[Any, ...], options: Mapping[str, Any], reply: Any) -> Any:
        callback = None if isinstance(reply, Exception) else self.response_callbacks.get(args[0])
        if callback is None:
            return reply
        return callback(reply, **{name: value for name, value in options.items() if name != "keys"})


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


def _packed(connection: Connection, args: tuple[Any, ...]) -> bytes:
    """A command as it goes over the wire; a name of two words (`FUNCTION LOAD`) goes as two."""
    if isinstance(args[0], str) and " " in args[0]:
        args = (*args[0].split(), *args[1:])
    encode: Callable[[Any], bytes] = connection.encoder.encode
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        raw = arg if type(arg) is bytes else encode(arg)
        parts.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(parts)


def _wire(asked: _Asked) -> list[tuple[Any, ...]]:
    commands = [args for args, _options in asked.commands]
    return [("MULTI",), *commands, ("EXEC",)] if asked.atomic else commands


def _give_up(asked: deque[_Asked] | Sequence[_Asked], error: Exception) -> None:
    for one in asked:
        if not one.replies.done():
            one.replies.set_exception(copy(error))  # each raises its own: a traceback grows where it is raised
