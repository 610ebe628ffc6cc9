"""The nodes of a Cluster, who owns which slot, and a blocking client of each: what a client of the whole is made of."""

from __future__ import annotations

import time
from typing import Any, Self

import redis
from redis.cluster import ClusterNode, NodesManager
from redis.exceptions import AskError, MovedError, RedisClusterException
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from console.store.server import slots
from console.store.server.nodes import Known, at_home, known_to, moves, remember, unfound
from console.store.server.options import Wanted, connection_arguments, place_arguments, retry_arguments
from console.store.server.standing import Move
from console.store.server.url import Node

AWAY = (RedisConnectionError, RedisTimeoutError, OSError)


class BlockingNodes(redis.Redis):
    """Knows every node, and who owns what.

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
        self._primaries: list[Node] | None = None
        self.unscanned: set[Node] = set()
        """Nodes that did not answer `scan` when they were asked last: what they hold was not seen."""
        self._away: dict[Node, float] = {}
        """Nodes that did not answer, and until when they are given none of that."""
        self._wanted = wanted
        self.named = wanted.endpoint.nodes
        """The nodes by which the Cluster is named."""
        self._clients: dict[Node, redis.Redis] = {}
        self._doubted: str | None = ""
        """The node whose loss makes us ask anew who owns what; empty for never asked; None while all is well."""
        del arguments["db"]
        self._arguments = arguments
        self._manager: NodesManager | None = None
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

    @property
    def _nodes(self) -> NodesManager:
        if self._manager is None:
            raise RedisConnectionError("no node of the Cluster was asked yet")
        return self._manager

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
        if self._primaries is None:
            self._primaries = sorted(
                {Node(one[0].host, int(one[0].port)) for one in self._nodes.slots_cache.values() if one}
            )
        return self._primaries

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

    def on(self, node: Node) -> redis.Redis:
        """The client of one node; kept."""
        client = self._clients.get(node)
        if client is None:
            arguments = connection_arguments(self._wanted) | {"host": node.host, "port": node.port}
            client = redis.Redis(**arguments, retry=Retry(*retry_arguments(self._wanted.retries)))
            if self._alone:
                client = client.client()  # type: ignore[no-untyped-call]
            self._clients[node] = client
        return client

    def redirected(self, node: Node, error: BaseException) -> Node | None:
        """After a refusal that did nothing: learn from it; the node to ask this once, if it names one."""
        if not isinstance(error, AskError):
            self.doubt()
            return None
        error.host = error.host or node.host  # none is named where it is the same
        if not isinstance(error, MovedError):
            return Node(error.host, error.port)
        if error.slot_id in self._nodes.slots_cache:
            self._primaries = None
            self._nodes.move_slot(error)  # whom we asked otherwise may not have heard of it yet
        else:
            self.doubt()
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
