"""The nodes of a Cluster, who owns which slot, and an asyncio client of each: what a client of the whole is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Self

import redis.asyncio
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.exceptions import MovedError, RedisClusterException

from console.store.server.nodes import Known, known_to, remember, unfound
from console.store.server.options import Wanted, connection_arguments, place_arguments, retry_arguments
from console.store.server.ownership import Ownership
from console.store.server.url import Node


class AsyncNodes(Ownership, redis.asyncio.Redis):  # type: ignore[misc]  # two bases of the library's own differ
    """Knows every node, and who owns what.

    Args:
        wanted: how it is connected; the endpoint's nodes are some of the Cluster's.
    """

    def __init__(self, wanted: Wanted) -> None:
        arguments = connection_arguments(wanted)
        super().__init__(**arguments, **place_arguments(wanted.endpoint))
        self.connection_pool: Any = _Pools(self, self.connection_pool.connection_kwargs)
        self.know(wanted)
        self._learning = asyncio.Lock()
        self._clients: dict[Node, redis.asyncio.Redis] = {}
        self._sole = False
        del arguments["db"]
        first = known_to(wanted.endpoint)
        self._manager = RedisCluster(
            startup_nodes=[ClusterNode(*node) for node in first],
            require_full_coverage=False,
            **arguments,
        ).nodes_manager

    async def share(self) -> Self:
        """The same with one connection to each node, which many tasks share: what loses it sends nothing to that node
        any more, and whoever comes next has to connect anew."""
        clients, self._clients = self._clients, {}
        self._wanted, self._sole = self._wanted._replace(shared=True), True
        await asyncio.gather(*(client.aclose() for client in clients.values()), return_exceptions=True)
        return self

    # -- who owns what -------------------------------------------------------------------------------------------------

    async def learn(self) -> None:
        """Ask who owns what, where that is in doubt.

        Raises:
            ConnectionError: no node says so.
        """
        if self._doubted is None and not self._learning.locked():
            return
        async with self._learning:
            if self._doubted is not None:
                await self._learn_anew()

    async def _learn_anew(self) -> None:
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
        self._primaries = None
        remember(self._wanted.endpoint, Known.of(self._nodes))

    def _named_anew(self) -> bool:
        """Ask the nodes that the URL names, too; whether any of them was not asked."""
        named = [ClusterNode(*node, **self._nodes.connection_kwargs) for node in self.named]
        fresh = {node.name: node for node in named if node.name not in self._nodes.startup_nodes}
        self._nodes.startup_nodes.update(fresh)
        return bool(fresh)

    def on(self, node: Node) -> redis.asyncio.Redis:
        """The client of one node; kept."""
        client = self._clients.get(node)
        if client is None:
            kind: Callable[..., redis.asyncio.Redis] = redis.asyncio.Redis
            if self._wanted.shared:
                from console.store.server.shared import SharedRedis

                kind = partial(SharedRedis, sole=self._sole)
            arguments = connection_arguments(self._wanted) | place_arguments(self._wanted.endpoint, node)
            client = kind(**arguments, retry=Retry(*retry_arguments(self._wanted.retries)))
            self._clients[node] = client
        return client

    async def redirected(self, node: Node, error: BaseException) -> Node | None:
        """After a refusal that did nothing: learn from it; the node to ask this once, if it names one."""
        there = self.elsewhere(node, error)
        if not isinstance(there, MovedError):
            return there
        await self._nodes.move_slot(there)  # whom we asked otherwise may not have heard of it yet
        return None

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close every connection."""
        clients, self._clients = self._clients, {}
        await asyncio.gather(*(client.aclose() for client in clients.values()), return_exceptions=True)
        await asyncio.gather(
            self._nodes.aclose(), self._nodes.aclose("startup_nodes"), return_exceptions=True
        )  # what was broken already is closed, too


class _Pools:
    """All connections of a Cluster's client, where one pool is expected."""

    def __init__(self, client: AsyncNodes, arguments: dict[str, Any]) -> None:
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
