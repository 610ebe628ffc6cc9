"""Connecting to the store from a URL: time-outs explicit, nothing re-sent behind our back, errors in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from console.store.server.cluster import connect_cluster, connect_cluster_sync
from console.store.server.options import (
    DEFAULT_TIMEOUT_S,
    Wanted,
    connection_arguments,
    place_arguments,
    retry_arguments,
)
from console.store.server.sentinel import connect_sentinel, connect_sentinel_sync
from console.store.server.trouble import answers
from console.store.server.trouble import explain as explain
from console.store.server.trouble import wrap_errors as wrap_errors
from console.store.server.url import parse_url

if TYPE_CHECKING:
    import redis
    import redis.asyncio

READ_RETRIES: Final = 2
"""How often a connection that only reads may ask again."""


async def connect(
    url: str,
    *,
    timeout_s: float | None = DEFAULT_TIMEOUT_S,
    name: str = "agent-console",
    retries: int = 0,
    shared: bool = False,
) -> redis.asyncio.Redis:
    """A connected client for asyncio: RESP3, replies as bytes.

    Args:
        url: of the store.
        timeout_s: the longest wait for a connection, and for each reply; None waits for ever for replies, which only
            a connection that blocks in `XREAD` wants.
        name: shown in the server's `CLIENT LIST`.
        retries: how often the library may send a command again; 0 (never) unless this connection only reads, since a
            command that was sent twice may have been carried out twice. `READ_RETRIES` is meant for readers.
        shared: whether many tasks send over one connection (see `console.store.server.shared`), instead of each over
        its own.

    Raises:
        UsageError: the URL can't be understood.
        StoreUnreachable: there is no store that answers.
    """
    wanted = Wanted(parse_url(url), timeout_s, name, retries, shared)
    if wanted.endpoint.topology == "sentinel":
        return await connect_sentinel(url, wanted)
    if wanted.endpoint.topology == "cluster":
        return await connect_cluster(url, wanted)
    import redis.asyncio
    from redis.asyncio.retry import Retry

    kind: type[redis.asyncio.Redis] = redis.asyncio.Redis
    if shared:
        from console.store.server.shared import SharedRedis

        kind = SharedRedis
    arguments = connection_arguments(wanted) | place_arguments(wanted.endpoint)
    client = kind(**arguments, retry=Retry(*retry_arguments(retries)))
    with wrap_errors(url, timeout_s=timeout_s):
        try:
            await client.ping()
        except BaseException as error:
            if not answers(error):
                await client.aclose()
                raise
    return client


def connect_sync(
    url: str, *, timeout_s: float | None = DEFAULT_TIMEOUT_S, name: str = "agent-console", retries: int = 0
) -> redis.Redis:
    """A connected blocking client; everything else is as in `connect`.

    Raises:
        UsageError: the URL can't be understood.
        StoreUnreachable: there is no store that answers.
    """
    wanted = Wanted(parse_url(url), timeout_s, name, retries)
    if wanted.endpoint.topology == "sentinel":
        return connect_sentinel_sync(url, wanted)
    if wanted.endpoint.topology == "cluster":
        return connect_cluster_sync(url, wanted)
    import redis
    from redis.retry import Retry

    arguments = connection_arguments(wanted) | place_arguments(wanted.endpoint)
    client = redis.Redis(**arguments, retry=Retry(*retry_arguments(retries)))
    with wrap_errors(url, timeout_s=timeout_s):
        try:
            client.ping()
        except BaseException as error:
            if not answers(error):
                client.close()
                raise
    return client
