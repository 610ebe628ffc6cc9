"""Connecting to the primary that Sentinels name, and only to a primary: a connection never stays with what is none.

Each connection asks where to go whenever it is made (`console.store.server.lookout`), and asks the server then what it
is: a Sentinel may be behind, and a primary may have been demoted a moment ago. One that turns out to go to a replica is
given up. Nothing is sent twice from here: what was under way when the primary went is an error of whoever asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from console.domain.errors import Refused
from console.domain.text import clean
from console.store.server.greeting import greeted, greeted_sync
from console.store.server.options import Wanted, connection_arguments, retry_arguments
from console.store.server.url import Endpoint, Node

if TYPE_CHECKING:
    import redis
    import redis.asyncio

    from console.store.server.standing import Standing


async def connect_sentinel(url: str, wanted: Wanted) -> redis.asyncio.Redis:
    """A connected client for asyncio, on the primary; after a failover its connections go to the new one.

    Args:
        url: of the store, for messages.
        wanted: how; the endpoint's nodes are the Sentinels.

    Raises:
        StoreUnreachable: no Sentinel names the primary, or what it names is none, or does not answer.
    """
    import redis.asyncio
    from redis.asyncio.retry import Retry

    from console.store.server.following import AsyncFollowing, AsyncFollowingTls

    kind: type[redis.asyncio.Redis] = redis.asyncio.Redis
    if wanted.shared:
        from console.store.server.shared import SharedRedis

        kind = SharedRedis
    client = kind(**connection_arguments(wanted), retry=Retry(*retry_arguments(wanted.retries)))
    _follow(client.connection_pool, AsyncFollowingTls if wanted.endpoint.scheme == "rediss" else AsyncFollowing, wanted)
    return await greeted(client, url, wanted)


def connect_sentinel_sync(url: str, wanted: Wanted) -> redis.Redis:
    """A connected blocking client; everything else is as in `connect_sentinel`."""
    import redis
    from redis.retry import Retry

    from console.store.server.following import Following, FollowingTls

    client = redis.Redis(**connection_arguments(wanted), retry=Retry(*retry_arguments(wanted.retries)))
    _follow(client.connection_pool, FollowingTls if wanted.endpoint.scheme == "rediss" else Following, wanted)
    return greeted_sync(client, url, wanted)


def _follow(pool: Any, kind: type, wanted: Wanted) -> None:
    """Have a pool's connections, of which there is none yet, ask where to go."""
    pool.connection_class = kind
    pool.connection_kwargs["sentinels"] = wanted.endpoint
    for name in ("host", "port"):
        pool.connection_kwargs.pop(name, None)


def sentinels_of(client: Any) -> Endpoint | None:
    """The Sentinels that a client asks where to go; None where it asks nobody."""
    pool = getattr(client, "connection_pool", None)
    endpoint: Endpoint | None = pool.connection_kwargs.get("sentinels") if pool is not None else None
    return endpoint


def standing_of(client: Any) -> Standing | None:
    """How things stand with the Sentinels that a client asks; None where it asks nobody."""
    endpoint = sentinels_of(client)
    if endpoint is None:
        return None
    from console.store.server.lookout import lookout_for

    return lookout_for(endpoint).standing


def doubt(client: Any) -> None:
    """The server that a client is connected to is no primary: whoever connects next asks the Sentinels anew."""
    endpoint = sentinels_of(client)
    if endpoint is not None:
        from console.store.server.lookout import lookout_for

        lookout_for(endpoint).doubt()


def followed(endpoint: Endpoint, masters: Iterable[Any]) -> Endpoint:
    """What a plain URL means that turned out to be a Sentinel's: the one store that this Sentinel knows.

    Args:
        endpoint: of the URL; its user and password are taken for the store's and the Sentinel's alike.
        masters: the names of those that it knows.

    Raises:
        Refused: it knows none, or several.
    """
    names = sorted(name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in masters)
    host, port = endpoint.nodes[0] if endpoint.nodes else Node("", 0)
    scheme = f"{endpoint.scheme}+sentinel"
    if len(names) != 1:
        there = f"it knows {', '.join(clean(name, 40) for name in names)}" if names else "it knows no store"
        example = clean(names[0], 40) if names else "MASTER"
        raise Refused(
            f"{host}:{port} is a Sentinel: it holds no data, it knows where stores are; {there}.",
            f"Write {scheme}://{host}:{port}/{example}/{endpoint.db}, with all Sentinels: HOST,HOST,HOST.",
        )
    return replace(
        endpoint,
        topology="sentinel",
        master=names[0],
        sentinel_username=endpoint.username,
        sentinel_password=endpoint.password,
    )
