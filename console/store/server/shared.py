"""One connection for many tasks: what they ask for at the same moment leaves together, as one pipeline.

A process that cares for thousands of agents can't hold a connection for each, and a round trip for each command would
cost more than the command. Code written for one agent runs unchanged on this client: every command is still sent
exactly once, is answered in its order, and fails for itself; only the way to the server is shared.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError

from console.store.server.line import Asked, Command, Line, give_up, packed, whole

if TYPE_CHECKING:
    from redis._parsers.encoders import Encoder

MOST: Final = 256
"""Commands that may be on their way at once; who comes later waits for room, in the order of coming."""


class SharedRedis(Redis):
    """A client whose commands share one connection, from however many tasks they come.

    A caller that is cancelled takes nobody's answer: what it asked for is not sent any more, or its answer is read and
    forgotten. A `WAIT` at the end of a caller's pipeline is one for all that leave together: it counts the replicas
    that have whatever the connection wrote before it. What else blocks the connection (`XREAD BLOCK`, `MONITOR`) must
    not be asked of it. Its retries must be off: what got no answer may have been carried out.

    Args:
        sole: whether it ends with its connection, instead of making another one.
        arguments: as of the base class.
    """

    def __init__(self, *, sole: bool = False, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._asked: deque[Asked] = deque()
        self._sender: asyncio.Task[None] | None = None
        self._over = False
        self._sole = sole
        self._line: Line | None = None
        self._returning: set[asyncio.Task[None]] = set()
        encoder: Callable[[], Encoder] = self.connection_pool.get_encoder
        self._encoder = encoder()

    @classmethod
    def over_one_connection(cls, client: Redis) -> Self:
        """A client that shares one connection to where another leads, and ends with it: after a loss it sends nothing
        any more, and whoever comes next has to look up the primary anew.

        Args:
            client: as an author's `connect` gave it; it is not used besides.
        """
        shared = cls(sole=True, connection_pool=client.connection_pool)
        shared.response_callbacks = client.response_callbacks
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
        wire = b"".join([packed(self._encoder, args) for args in whole(commands, atomic)])
        self._asked.append(Asked(wire, commands, atomic, wait, replies))
        self._go_on()
        return await replies

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close the connection; who still waits is told that there will be no answer."""
        self._over = True
        while self._sender is not None and not self._sender.done():
            self._sender.cancel()
            await asyncio.wait([self._sender], timeout=0.1)
        self._give_up_rest(RedisConnectionError("Connection closed by us"))
        if self._line is not None:
            await self._line.close()
        while self._returning:
            await asyncio.wait(self._returning)
        await super().aclose(close_connection_pool)

    def _go_on(self) -> None:
        """Send what is asked, as soon as this turn of the loop is over: until then others may ask, too."""
        if self._asked and (self._sender is None or self._sender.done()):
            self._sender = asyncio.create_task(self._send_all())

    async def _send_all(self) -> None:
        while batch := self._next():
            try:
                if self._line is None:
                    self._line = await self._connected()
            except asyncio.CancelledError:
                give_up(batch, RedisConnectionError("Connection closed by us"))
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer that the callers get
                self._lost(batch, error)
            except BaseException:  # the process is to end: nobody may wait for what nobody sends
                self._lost(batch, RedisConnectionError("Interrupted while connecting"))
                raise
            else:
                await self._line.send(batch)

    async def _connected(self) -> Line:
        get_connection: Callable[..., Any] = self.connection_pool.get_connection
        return Line(await get_connection(), self._encoder, self._parsed, self._go_on, self._ended)

    def _next(self) -> list[Asked]:
        """What leaves together; not what nobody waits for any more."""
        batch: list[Asked] = []
        size = self._line.size if self._line is not None else 0
        while self._asked and (not size or size + len(self._asked[0].commands) <= MOST):
            asked = self._asked.popleft()
            if not asked.replies.done():
                batch.append(asked)
                size += len(asked.commands)
        return batch

    def _ended(self, line: Line, error: Exception | None) -> None:
        """Nothing is on its way any more, or nothing will come."""
        if error is None and (self._sole or self._asked):
            return
        if self._line is line:
            self._line = None
            returning = asyncio.ensure_future(self._return(line))
            self._returning.add(returning)
            returning.add_done_callback(self._returning.discard)
        if error is not None:
            self._lost((), error)
            self._go_on()

    async def _return(self, line: Line) -> None:
        await line.let_go()
        await self.connection_pool.release(line.connection)

    def _lost(self, batch: Iterable[Asked], error: Exception) -> None:
        give_up(batch, error)
        if self._sole:
            self._over = True
            self._give_up_rest(error)

    def _give_up_rest(self, error: Exception) -> None:
        give_up(self._asked, error)
        self._asked.clear()

    def _parsed(self, args: tuple[Any, ...], options: Mapping[str, Any], reply: Any) -> Any:
        callback = self.response_callbacks.get(args[0])
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
