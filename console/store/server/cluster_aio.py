"""An asyncio client of a Cluster that is used like one of a single server: each command goes to its slot's node.

The client library's own cluster client knows the nodes and who owns which slot; the commands themselves go over
ordinary connections to those nodes. So `WAIT` counts on the connection that wrote, MULTI and WATCH work inside one
slot, many tasks may share a connection to each node, and nothing is sent twice that may have been carried out: only
what a node refused because the slot is elsewhere, or on its way, is asked again, for `PATIENCE_S`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import redis.asyncio
from redis.asyncio.client import Pipeline
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.exceptions import AskError, MovedError, RedisClusterException, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from console.store.server import slots
from console.store.server.nodes import Known, at_home, known_to, moves, remember, unfound
from console.store.server.options import Wanted, connection_arguments, place_arguments, retry_arguments
from console.store.server.standing import Move
from console.store.server.url import Node

_AWAY = (RedisConnectionError, RedisTimeoutError, OSError)


class AsyncCluster(redis.asyncio.Redis):
    """A client of every node.

    Args:
        wanted: how it is connected; the endpoint's nodes are some of the Cluster's.
    """

    by_slots = True
    """That it goes to the nodes of a Cluster."""

    def __init__(self, wanted: Wanted) -> None:
        arguments = connection_arguments(wanted)
        super().__init__(**arguments, **place_arguments(wanted.endpoint))
        self.connection_pool: Any = _Pools(self, self.connection_pool.connection_kwargs)
        self.home: int | None = None
        """The slot of the agent that this client is about: what has no key goes to its node."""
        self.roams = False
        """Whether it is about many agents: what has no key goes to any node that answers."""
        self.unscanned: set[Node] = set()
        """Nodes that did not answer `scan` when they were asked last: what they hold was not seen."""
        self._away: dict[Node, float] = {}
        """Nodes that did not answer, and until when they are given none of that."""
        self._wanted = wanted
        self.named = wanted.endpoint.nodes
        """The nodes by which the Cluster is named."""
        self._clients: dict[Node, redis.asyncio.Redis] = {}
        self._doubted: str | None = ""
        """The node whose loss makes us ask anew who owns what; empty for never asked; None while all is well."""
        del arguments["db"]
        first = known_to(wanted.endpoint)
        self._nodes = RedisCluster(
            startup_nodes=[ClusterNode(*node) for node in first],
            require_full_coverage=False,
            **arguments,
        ).nodes_manager

    def shared(self) -> AsyncCluster:
        """The same with one connection to each node, which many tasks share; before anything is asked of an agent."""
        self._wanted = self._wanted._replace(shared=True)
        self._clients = {}
        return self

    # -- who owns what -------------------------------------------------------------------------------------------------

    async def learn(self) -> None:
        """Ask who owns what, where that is in doubt.

        Raises:
            ConnectionError: no node says so.
        """
        if self._doubted is None:
            return
        lost, self._doubted = self._doubted, None
        try:
            try:
                await self._nodes.initialize(last_failed_node_name=lost or None)
            except RedisClusterException:  # none that was there last: what the URL names may be others by now
                if not self._named_anew():
                    raise
                await self._nodes.initialize()
        except RedisClusterException as error:
            self._doubted = lost
            raise unfound(self._wanted.endpoint, error)  # noqa: B904 - its cause is what is told
        except BaseException:
            self._doubted = lost
            raise
        remember(self._wanted.endpoint, Known.of(self._nodes))

    def _named_anew(self) -> bool:
        """Ask the nodes that the URL names, too; whether any of them was not asked."""
        named = [ClusterNode(*node, **self._nodes.connection_kwargs) for node in self.named]  # type: ignore[abstract]
        fresh = {node.name: node for node in named if node.name not in self._nodes.startup_nodes}
        self._nodes.startup_nodes.update(fresh)
        return bool(fresh)

    def doubt(self, node: Node | None = None) -> None:
        """Ask anew before the next command.

        Args:
            node: that is away.
        """
        self._doubted = f"{node.host}:{node.port}" if node is not None else ""
        if node is not None:
            self._away[node] = time.monotonic() + slots.AWAY_S

    def primaries(self) -> list[Node]:
        """Every primary that owns slots, as far as is known."""
        return sorted({Node(one[0].host, int(one[0].port)) for one in self._nodes.slots_cache.values() if one})

    def owner(self, slot: int | None) -> Node:
        """The node that owns a slot; without one the home's, or any.

        Raises:
            ConnectionError: nobody does.
        """
        slot = self.home if slot is None else slot
        if slot is None:
            nodes = self.primaries()
            if nodes:
                now = time.monotonic()
                return next((node for node in nodes if self._away.get(node, 0.0) <= now), nodes[0])
            raise RedisConnectionError("no node of the Cluster owns a slot")
        owners = self._nodes.slots_cache.get(slot)
        if not owners:
            self.doubt()
            raise RedisConnectionError(f"no node of the Cluster owns slot {slot}")
        node = Node(owners[0].host, int(owners[0].port))
        if slot == self.home:
            at_home(self._wanted.endpoint, slot, node)
        return node

    @property
    def moves(self) -> tuple[Move, ...]:
        """Where the home went since this process knows of it."""
        return moves(self._wanted.endpoint, self.home) if self.home is not None else ()

    def on(self, node: Node) -> redis.asyncio.Redis:
        """The client of one node; kept."""
        client = self._clients.get(node)
        if client is None:
            kind: type[redis.asyncio.Redis] = redis.asyncio.Redis
            if self._wanted.shared:
                from console.store.server.shared import SharedRedis

                kind = SharedRedis
            arguments = connection_arguments(self._wanted) | {"host": node.host, "port": node.port}
            client = kind(**arguments, retry=Retry(*retry_arguments(self._wanted.retries)))
            self._clients[node] = client
        return client

    async def _redirected(self, node: Node, error: BaseException) -> Node | None:
        """After a refusal that did nothing: learn from it; the node to ask this once, if it names one."""
        if not isinstance(error, AskError):
            self.doubt()
            return None
        error.host = error.host or node.host  # none is named where it is the same
        if not isinstance(error, MovedError):
            return Node(error.host, error.port)
        if error.slot_id in self._nodes.slots_cache:
            await self._nodes.move_slot(error)  # whom we asked otherwise may not have heard of it yet
        else:
            self.doubt()
        return None

    # -- commands ------------------------------------------------------------------------------------------------------

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """One command; as in the base class."""
        if slots.goes_everywhere(args):
            return await self._everywhere(args, options)
        if self.home is None and slots.slot_of(args) is None:
            return await self._anywhere(args, options)
        reply = (await self.together([(args, options)]))[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def _anywhere(self, args: tuple[Any, ...], options: Any) -> Any:
        """What has no key, of a client that is about nobody: any node that answers is asked."""
        for _ in range(slots.MOST_PRIMARIES):
            await self.learn()
            node = self.owner(None)
            try:
                return await self.on(node).execute_command(*args, **options)  # type: ignore[no-untyped-call]
            except _AWAY:
                others = [one for one in self.primaries() if self._away.get(one, 0.0) <= time.monotonic()]
                self.doubt(node)
                if not set(others) - {node}:
                    raise
        raise RedisConnectionError("no node of the Cluster answers")

    async def _everywhere(self, args: tuple[Any, ...], options: Any) -> Any:
        """A command of every primary; the reply of one, as long as one carries it out."""
        await self.learn()
        calls = [self.on(node).execute_command(*args, **options) for node in self.primaries()]  # type: ignore[no-untyped-call]
        replies: list[Any] = await asyncio.gather(*calls, return_exceptions=True)
        good = [reply for reply in replies if not isinstance(reply, BaseException)]
        if not good:
            raise replies[0] if replies else RedisConnectionError("no node of the Cluster owns a slot")
        return good[0]

    async def together(self, commands: Sequence[slots.Command], *, atomic: bool = False) -> list[Any]:
        """Replies to several commands, in order; what was refused is an exception in there, and so is what got no
        answer while others did.

        Args:
            commands: each as its arguments and its options.
            atomic: whether they are one transaction, all in one slot.

        Raises:
            RedisError: no answer to any of them.
        """
        replies: list[Any] = [None] * len(commands)
        left = slots.transaction(commands) if atomic else slots.units(commands)
        deadline = time.monotonic() + slots.PATIENCE_S
        while left:
            await self.learn()
            parts: dict[Node, list[slots.Unit]] = {}
            for unit in left:
                parts.setdefault(self.owner(unit.slot), []).append(unit)
            asked = [self._part(node, part, commands, replies, atomic) for node, part in parts.items()]
            again = await asyncio.gather(*asked) if len(asked) > 1 else [await one for one in asked]
            left = sorted((unit for part in again for unit in part), key=lambda unit: unit.at)
            if left and time.monotonic() >= deadline:
                break
            if left and not slots.moved(left, replies):
                await asyncio.sleep(slots.PAUSE_S)
        away = [reply for reply in replies if isinstance(reply, _AWAY)]
        if replies and len(away) == len(replies):
            raise away[0]
        return replies

    async def _part(
        self,
        node: Node,
        part: Sequence[slots.Unit],
        commands: Sequence[slots.Command],
        replies: list[Any],
        atomic: bool,
    ) -> list[slots.Unit]:
        """What one node is asked; the units that have to be asked again."""
        places = [place for unit in part for place in unit.at]
        try:
            got = await self._send(node, [commands[place] for place in places], atomic)
        except _AWAY as error:
            self.doubt(node)
            error.node = f"{node.host}:{node.port}"  # type: ignore[union-attr]
            got = [error] * len(places)
        except ResponseError as error:  # a transaction that was refused as a whole
            got = [error] * len(places)
        for place, reply in zip(places, got, strict=True):
            replies[place] = reply
        again: list[slots.Unit] = []
        for unit in part:
            refusal = next((replies[place] for place in unit.at if slots.not_carried_out(replies[place])), None)
            if refusal is None:
                continue
            there = await self._redirected(node, refusal)
            args, options = commands[unit.at[-1]]
            if there is not None and len(unit.at) == 1 and not atomic and not slots.is_script(args):
                try:
                    _asking, reply = await self._send(there, [(("ASKING",), {}), (args, options)], False)
                except _AWAY as error:
                    reply = error
                replies[unit.at[0]] = reply
                if not slots.not_carried_out(reply):
                    continue
            again.append(unit)
        return again

    async def _send(self, node: Node, commands: Sequence[slots.Command], atomic: bool) -> list[Any]:
        client = self.on(node)
        if len(commands) == 1 and not atomic:
            ((args, options),) = commands
            try:
                return [await client.execute_command(*slots.sent_as(args), **options)]  # type: ignore[no-untyped-call]
            except ResponseError as error:
                return [error]
        pipe: Any
        async with client.pipeline(transaction=atomic) as pipe:
            for args, options in commands:
                pipe.execute_command(*slots.sent_as(args), **options)
            return list(await pipe.execute(raise_on_error=False))

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """Commands that go out together; a transaction's keys lie in one slot."""
        return _ClusterPipeline(self, transaction, shard_hint)

    # -- of the whole Cluster ------------------------------------------------------------------------------------------

    async def dbsize(self, **_options: Any) -> int:
        """Keys of all primaries that answer."""
        await self.learn()
        sizes = await asyncio.gather(*(self.on(node).dbsize() for node in self.primaries()), return_exceptions=True)
        known = [size for size in sizes if isinstance(size, int)]
        if sizes and not known:
            raise next(size for size in sizes if isinstance(size, BaseException))
        return sum(known)

    async def scan(
        self, cursor: int = 0, match: Any = None, count: int | None = None, _type: str | None = None, **options: Any
    ) -> tuple[int, list[Any]]:
        """Some keys of one primary after the other; the cursor tells where it goes on.

        Keys that move to a primary which was looked at already are missed in this pass.
        """
        await self.learn()
        nodes = self.primaries()
        number, inner = cursor % slots.MOST_PRIMARIES, cursor // slots.MOST_PRIMARIES
        if number >= len(nodes):
            return 0, []  # there are fewer than there were
        node, after, keys = nodes[number], 0, list[Any]()
        try:
            after, keys = await self.on(node).scan(inner, match=match, count=count, _type=_type, **options)
            self.unscanned.discard(node)
        except _AWAY:
            self.doubt(node)
            self.unscanned.add(node)
            if self.unscanned.issuperset(nodes):
                raise
        if int(after):
            return int(after) * slots.MOST_PRIMARIES + number, list(keys)
        self.unscanned.intersection_update(nodes)
        return (number + 1 if number + 1 < len(nodes) else 0), list(keys)

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close every connection."""
        clients, self._clients = self._clients, {}
        await asyncio.gather(*(client.aclose() for client in clients.values()), return_exceptions=True)
        await asyncio.gather(
            self._nodes.aclose(), self._nodes.aclose("startup_nodes"), return_exceptions=True
        )  # what was broken already is closed, too


class _Pools:
    """All connections of a Cluster's client, where one pool is expected."""

    def __init__(self, client: AsyncCluster, arguments: dict[str, Any]) -> None:
        self._client = client
        self.connection_kwargs = arguments

    async def get_connection(self, *args: Any, **options: Any) -> Any:
        """A connection to the home's node."""
        client = self._client
        await client.learn()
        return await client.on(client.owner(None)).connection_pool.get_connection()  # type: ignore[no-untyped-call]

    async def release(self, connection: Any) -> None:
        """Give a connection back."""
        for client in self._client._clients.values():
            if (connection.host, connection.port) == (
                client.connection_pool.connection_kwargs["host"],
                client.connection_pool.connection_kwargs["port"],
            ):
                await client.connection_pool.release(connection)
                return
        await connection.disconnect()

    async def disconnect(self, inuse_connections: bool = True) -> None:
        """Cut every connection; the next command makes new ones."""
        for client in self._client._clients.values():
            await client.connection_pool.disconnect(inuse_connections)

    async def aclose(self) -> None:
        """As `disconnect`."""
        await self.disconnect()

    def get_encoder(self) -> Any:
        """How words become bytes."""
        return redis.asyncio.ConnectionPool(**self.connection_kwargs).get_encoder()  # type: ignore[no-untyped-call]


class _ClusterPipeline(Pipeline):
    """A pipeline whose commands go to their slots' nodes; with WATCH it stays with one of them."""

    def __init__(self, cluster: AsyncCluster, transaction: bool, shard_hint: str | None) -> None:
        super().__init__(cluster.connection_pool, cluster.response_callbacks, transaction, shard_hint)
        self._cluster = cluster

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """WATCH, and what is read under it."""
        if self.connection is None:
            await self._cluster.learn()
            node = self._cluster.owner(slots.slot_of(args))
            self.connection_pool = self._cluster.on(node).connection_pool
        try:
            return await super().immediate_execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except ResponseError as error:
            if slots.not_carried_out(error):
                self._cluster.doubt()
            raise

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Send what was collected and give the replies; as in the base class."""
        if self.watching or self.connection is not None:
            return list(await super().execute(raise_on_error))
        stack, self.command_stack = list(self.command_stack), []
        if not stack:
            return []
        replies = await self._cluster.together(stack, atomic=bool(self.is_transaction or self.explicit_transaction))
        if raise_on_error:
            self.raise_first_error(stack, replies)
        return replies
