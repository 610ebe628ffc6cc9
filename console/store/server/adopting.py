"""Clients that an author's own code made: one of a Cluster's node, or the client library's own of a Cluster, becomes
one of ours on the whole Cluster, with the same user, time-outs and certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

from console.store.server.cluster import connect_cluster, connect_cluster_sync, is_cluster
from console.store.server.greeting import mode_told
from console.store.server.options import Wanted
from console.store.server.trouble import wrap_errors
from console.store.server.url import Endpoint, Node

if TYPE_CHECKING:
    import redis
    import redis.asyncio


async def adopt(client: Any) -> redis.asyncio.Redis:
    """The client itself, or one on the whole Cluster in its place, which is closed.

    Args:
        client: as an author's code made it.

    Raises:
        StoreUnreachable: it does not answer.
    """
    if is_cluster(client):
        return client  # type: ignore[no-any-return]
    nodes = _nodes_of(client)
    if not nodes:
        with wrap_errors():
            try:
                told = await client.execute_command("HELLO")
            except ResponseError:  # it speaks RESP2 alone, or it was renamed away
                told = await client.execute_command("INFO", "server")
            if mode_told(told) != "cluster":
                return client  # type: ignore[no-any-return]
    wanted = _wanted(client, nodes)
    await client.aclose()
    return await connect_cluster("", wanted)


def adopt_sync(client: Any) -> redis.Redis:
    """The same for a blocking client."""
    if is_cluster(client):
        return client  # type: ignore[no-any-return]
    nodes = _nodes_of(client)
    if not nodes:
        with wrap_errors():
            try:
                told = client.execute_command("HELLO")
            except ResponseError:
                told = client.execute_command("INFO", "server")
            if mode_told(told) != "cluster":
                return client  # type: ignore[no-any-return]
    wanted = _wanted(client, nodes)
    client.close()
    return connect_cluster_sync("", wanted)


def _nodes_of(client: Any) -> tuple[Node, ...]:
    """The nodes that a client of the client library's own on a Cluster knows; none of any other client."""
    manager = getattr(client, "nodes_manager", None)
    if manager is None:
        return ()
    return tuple(Node(str(node.host), int(node.port)) for node in manager.startup_nodes.values())


def _wanted(client: Any, nodes: tuple[Node, ...]) -> Wanted:
    own = getattr(client, "connection_kwargs", None) or getattr(client, "nodes_manager", client).__dict__.get(
        "connection_kwargs"
    )
    pool = getattr(client, "connection_pool", None)
    options: dict[str, Any] = dict(own or (pool.connection_kwargs if pool is not None else {}))
    kind = options.get("connection_class") or getattr(pool, "connection_class", None)
    tls = "SSL" in getattr(kind, "__name__", "") or bool(options.get("ssl"))
    files = {name: options[name] for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile") if options.get(name)}
    endpoint = Endpoint(
        "rediss" if tls else "redis",
        "cluster",
        nodes=nodes or (Node(str(options.get("host", "localhost")), int(options.get("port", 6379))),),
        username=options.get("username"),
        password=options.get("password"),
        tls=files,
    )
    name, protocol = _text(options.get("client_name") or "agent"), 2 if str(options.get("protocol")) == "2" else 3
    return Wanted(endpoint, options.get("socket_timeout"), name, protocol=protocol)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
