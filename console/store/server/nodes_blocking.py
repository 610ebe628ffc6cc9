"""The nodes of a Cluster, who owns which slot, and a blocking client of each: what a client of the whole is made of."""

from __future__ import annotations

from typing import Any, Self

import redis
from redis.cluster import ClusterNode, NodesManager
from redis.exceptions import MovedError, RedisClusterException
from redis.retry import Retry

from console.store.server.nodes import Known, known_to, remember, unfound
from console.store.server.options import Wanted, connection_arguments, place_arguments, retry_arguments
from console.store.server.ownership import Ownership
from console.store.server.url import Node


class BlockingNodes(Ownership, redis.Redis):
    """Knows every node, and who owns what.

    Args:
        wanted: how it is connected; the endpoint's nodes are some of the Cluster's.
    """

    def __init__(self, wanted: Wanted) -> None:
        arguments = connection_arguments(wanted)
        super().__init__(**arguments, **place_arguments(wanted.endpoint))
        self.connection_pool: Any = _Pools(self, self.connection_pool.connection_kwargs)
        self.know(wanted)
        self._clients: dict[Node, redis.Redis] = {}
        del arguments["db"]
        self._arguments = arguments
        self._alone = False
        """Whether there is one connection to each node, and no pool in between."""
        self._first = [(node.host, node.port) for node in wanted.endpoint.nodes]

    def client(self) -> Self:
        """The same with one connection to each node and no pool in between; this one is not used any more."""
        self._alone = True
        self.close()
        return self

    # -- who owns what -------------------------------------------------------------------------------------------------

    def learn(self) -> None:
        """Ask who owns what, where that is in doubt.

        Raises:
            ConnectionError: no node says so.
        """
        if self._doubted is None:
            return
        lost, self._doubted = self._doubted, None
        try:
            if self._manager is None:
                first = [ClusterNode(*node) for node in known_to(self._wanted.endpoint)]  # type: ignore[no-untyped-call]
                self._manager = NodesManager(first, require_full_coverage=False, **self._arguments)
            else:
                self._again(lost)
        except RedisClusterException as error:
            self._doubted = lost
            raise unfound(self._wanted.endpoint, error)  # noqa: B904 - its cause is what is told
        except BaseException:
            self._doubted = lost
            raise
        self._primaries = None
        remember(self._wanted.endpoint, Known.of(self._nodes))

    def _again(self, lost: str | None) -> None:
        try:
            self._nodes.initialize(last_failed_node_name=lost or None)
        except RedisClusterException:  # none that was there last: what the URL names may be others by now
            self._nodes.initialize(self._first)

    def on(self, node: Node) -> redis.Redis:
        """The client of one node; kept."""
        client = self._clients.get(node)
        if client is None:
            arguments = connection_arguments(self._wanted) | place_arguments(self._wanted.endpoint, node)
            client = redis.Redis(**arguments, retry=Retry(*retry_arguments(self._wanted.retries)))
            if self._alone:
                client = client.client()  # type: ignore[no-untyped-call]
            self._clients[node] = client
        return client

    def redirected(self, node: Node, error: BaseException) -> Node | None:
        """After a refusal that did nothing: learn from it; the node to ask this once, if it names one."""
        there = self.elsewhere(node, error)
        if not isinstance(there, MovedError):
            return there
        self._nodes.move_slot(there)  # whom we asked otherwise may not have heard of it yet
        return None

    def close(self) -> None:
        """Close every connection."""
        for client in getattr(self, "_clients", {}).values():
            client.connection_pool.disconnect()
            client.close()
        self._clients = {}


class _Pools:
    """All connections of a Cluster's client, where one pool is expected."""

    def __init__(self, client: BlockingNodes, arguments: dict[str, Any]) -> None:
        self._client = client
        self.connection_kwargs = arguments

    def get_connection(self, *args: Any, **options: Any) -> Any:
        """A connection to the home's node."""
        client = self._client
        client.learn()
        return client.on(client.owner(None)).connection_pool.get_connection(*args, **options)

    def release(self, connection: Any) -> None:
        """Give a connection back."""
        for client in self._client._clients.values():
            if (connection.host, connection.port) == (
                client.connection_pool.connection_kwargs["host"],
                client.connection_pool.connection_kwargs["port"],
            ):
                client.connection_pool.release(connection)
                return
        connection.disconnect()

    def disconnect(self, inuse_connections: bool = True) -> None:
        """Cut every connection; the next command makes new ones."""
        for client in self._client._clients.values():
            client.connection_pool.disconnect(inuse_connections)

    def close(self) -> None:
        """As `disconnect`."""
        self.disconnect()

    def get_encoder(self) -> Any:
        """How words become bytes."""
        return redis.ConnectionPool(**self.connection_kwargs).get_encoder()
