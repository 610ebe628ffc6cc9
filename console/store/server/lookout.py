"""Where the primary is, by the word of its Sentinels: asked every second, and told at once when it moves.

One for each store and process, on a thread and loop of its own, so that an agent that computes for a minute, a screen
that draws and a verb without any loop all hear of a failover alike. Connections that go to a server which is no primary
any more are ended from here: one that blocks in a read would not notice by itself that it listens to the past.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import WeakSet

from console.domain.errors import StoreUnreachable
from console.store.server.options import Wanted, connection_arguments
from console.store.server.standing import Answer, Standing, settle
from console.store.server.trouble import wrap_errors
from console.store.server.url import Endpoint, Node

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")

ASK_S: Final = 1.0
"""Between two questions to each Sentinel; `+switch-master` is heard meanwhile."""
ANSWER_S: Final = 0.5
"""The longest wait for a Sentinel's answer."""
GRACE_S: Final = 0.1
"""How long the others may still answer once one has named a primary."""
KNOWN_S: Final = 2.5
"""A primary that was named this long ago is asked for anew before anybody connects."""
IDLE_S: Final = 10.0
"""How long nobody may want to know until nobody is asked any more."""
_MOVED: Final = "+switch-master"


class Lookout:
    """Asks the Sentinels of one store.

    Args:
        endpoint: the Sentinels, and by which name they know the store.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.standing = Standing(asked=len(endpoint.nodes))
        """How things stand; replaced as a whole, so that any thread may read it."""
        self.pid = os.getpid()
        self.over = False
        self._endpoint = endpoint
        self._answers: dict[Node, Answer] = {}
        self._known_at = float("-inf")
        self._refused: Node | None = None
        self._wanted_at = time.monotonic()
        self._connections: WeakSet[Any] = WeakSet()
        self._lock = threading.Lock()
        self._asking: asyncio.Task[None] | None = None
        self._main: asyncio.Task[None] | None = None
        from redis.asyncio.sentinel import Sentinel

        self._sentinels = Sentinel(  # type: ignore[no-untyped-call]
            list(endpoint.nodes), sentinel_kwargs=sentinel_arguments(endpoint)
        )
        self._clients = list(zip(endpoint.nodes, self._sentinels.sentinels, strict=True))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="agent-console-sentinels", daemon=True)
        self._thread.start()

    # -- for whoever connects ------------------------------------------------------------------------------------------

    async def primary(self, timeout_s: float) -> Node:
        """Where the primary is; for a loop of whoever asks.

        Raises:
            StoreUnreachable: no Sentinel answered in time, or none that did knows this store.
        """
        node = self._at_once()
        return node if node is not None else await asyncio.wrap_future(self._submit(self._asked(timeout_s)))

    def primary_sync(self, timeout_s: float) -> Node:
        """The same, blocking."""
        node = self._at_once()
        return node if node is not None else self._submit(self._asked(timeout_s)).result()

    def doubt(self, refused: Node | None = None) -> None:
        """The server that was named is no primary, or does not answer: the next who connects asks anew.

        Args:
            refused: the server, where it says itself that it is no primary.
        """
        self._known_at = float("-inf")
        if refused is not None:
            self._refused = refused

    def take(self, connection: Any, node: Node, end: Callable[[], None]) -> None:
        """Look after a connection: it is ended when the primary is elsewhere.

        Args:
            connection: as long as it lives; where it is `spent`, nothing more is sent there.
            node: where it goes.
            end: ends it, from any thread.
        """
        connection.follows = (node, end)
        if node == self._refused:
            self._refused = None  # it is one again
        with self._lock:
            self._connections.add(connection)
        if self.standing.primary not in (None, node):  # it moved while this one was being made
            connection.spent = True
            end()

    def _at_once(self) -> Node | None:
        self._wanted_at = now = time.monotonic()
        return self.standing.primary if now - self._known_at < KNOWN_S else None

    def _submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    # -- on the thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        with contextlib.suppress(asyncio.CancelledError):
            self._main = self._loop.create_task(self._look())
            self._loop.run_until_complete(self._main)
        self._loop.run_until_complete(_ended(asyncio.all_tasks(self._loop)))
        self._loop.close()

    async def _look(self) -> None:
        hearing = [asyncio.create_task(self._hear(client)) for _node, client in self._clients]
        try:
            while True:
                await self._ask_all()
                await asyncio.sleep(ASK_S)
                if self._forget_if_unused():
                    return
        finally:
            await _ended(set(hearing))
            await self._sentinels.aclose()

    async def _asked(self, timeout_s: float) -> Node:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ask_all(), timeout_s)
        standing = self.standing
        if standing.primary is None or not standing.answering:
            raise StoreUnreachable(*standing.nobody(self._endpoint.master, timeout_s))
        return standing.primary

    async def _ask_all(self) -> None:
        """Ask everybody; over when all have answered, or some time after the first that names a primary."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._round())
        await asyncio.shield(self._asking)

    async def _round(self) -> None:
        pending = {asyncio.create_task(self._ask(node, client)) for node, client in self._clients}
        named_at: float | None = None
        while pending:
            left_s = None if named_at is None else max(0.0, named_at + GRACE_S - time.monotonic())
            done, pending = await asyncio.wait(pending, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            if named_at is None and any(task.result() for task in done):
                named_at = time.monotonic()
            if not done:
                break  # the slow ones say it when they can
            self._settle()
        self._settle()

    async def _ask(self, node: Node, client: Redis) -> bool:
        """Ask one; whether it named a primary."""
        who, master = f"Sentinel {node.host}:{node.port}", self._endpoint.master
        try:
            with wrap_errors(subject=who, timeout_s=ANSWER_S):
                async with asyncio.timeout(2 * ANSWER_S):
                    pipe = client.pipeline(transaction=False)
                    pipe.execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", master)
                    pipe.execute_command("SENTINEL MASTERS")
                    address, masters = await pipe.execute()
        except StoreUnreachable as error:
            self._answers[node] = Answer(time.monotonic(), problem=error.message)
            return False
        except Exception as error:  # noqa: BLE001 - whatever answers there, it is no Sentinel; the others are asked on
            told = getattr(error, "message", None) or f"{who} answers like none: {type(error).__name__}: {error}"
            self._answers[node] = Answer(time.monotonic(), problem=told)
            return False
        self._answers[node] = answer = Answer.of(who, master, address, masters, time.monotonic())
        return answer.primary is not None

    def _settle(self) -> None:
        before, now = self.standing, time.monotonic()
        after = settle(before, self._answers.values(), now, datetime.now(UTC), self._refused)
        if after.answering:
            self._known_at = now
        self.standing = after
        if after.primary != before.primary:
            with self._lock:
                gone = [one for one in self._connections if one.follows[0] != after.primary]
            for connection in gone:  # first: whoever is woken by the end of one must not go on with another
                connection.spent = True
            for connection in gone:
                connection.follows[1]()

    async def _hear(self, client: Redis) -> None:
        """Hear at once of a failover, as long as this Sentinel speaks; where it doesn't, it is asked all the same."""
        while True:
            with contextlib.suppress(Exception):  # why it is away is what the next question finds out, and tells
                async with client.pubsub() as channel:
                    await channel.subscribe(_MOVED)
                    while True:
                        if await channel.get_message(ignore_subscribe_messages=True, timeout=None) is not None:
                            await self._ask_all()
            await asyncio.sleep(ASK_S)

    def _forget_if_unused(self) -> bool:
        with _REGISTRY_LOCK, self._lock:
            if len(self._connections) or time.monotonic() - self._wanted_at < IDLE_S:
                return False
            self.over = True
            return True

    def end(self) -> None:
        """End the thread, at the end of the process."""
        if self.pid == os.getpid() and self._thread.is_alive():
            if self._main is not None:
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._main.cancel)
            self._thread.join(0.5)


def sentinel_arguments(endpoint: Endpoint) -> dict[str, Any]:
    """What a connection to a Sentinel is made with: its own user and password, and the store's TLS."""
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    # What Sentinels are asked needs no RESP3: one that does not speak it answers as any other.
    whole = connection_arguments(Wanted(endpoint, ANSWER_S, "agent-console-sentinels", protocol=2))
    whole |= {"db": 0, "username": endpoint.sentinel_username, "password": endpoint.sentinel_password}
    return whole | {"retry": Retry(NoBackoff(), 0)}


async def _ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    pending = {task for task in tasks if task is not asyncio.current_task() and not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _done, pending = await asyncio.wait(pending, timeout=0.1)


_REGISTRY_LOCK = threading.Lock()
_ALL: dict[tuple[object, ...], Lookout] = {}


def lookout_for(endpoint: Endpoint) -> Lookout:
    """The one of this process that asks these Sentinels about this store; it begins when it is first wanted."""
    asked = (endpoint.scheme, endpoint.nodes, endpoint.master, *sorted(endpoint.tls.items()))
    key = (*asked, endpoint.sentinel_username, endpoint.sentinel_password)
    with _REGISTRY_LOCK:
        lookout = _ALL.get(key)
        if lookout is None or lookout.over or lookout.pid != os.getpid():
            lookout = _ALL[key] = Lookout(endpoint)
        lookout._wanted_at = time.monotonic()
        return lookout


def _in_child() -> None:
    """A child of the process begins anew: the parent's thread is not in it, and its lock may be held by nobody."""
    global _REGISTRY_LOCK
    _REGISTRY_LOCK = threading.Lock()
    _ALL.clear()


def _end_all() -> None:
    for lookout in list(_ALL.values()):
        lookout.end()


os.register_at_fork(after_in_child=_in_child)
atexit.register(_end_all)
