"""Connecting to the store from a URL: time-outs explicit, nothing re-sent behind our back, errors in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from console.store.server.cluster import connect_cluster, connect_cluster_sync, seen_as_cluster
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
    if wanted.endpoint.topology == "cluster" or seen_as_cluster(wanted.endpoint):
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
            pipe = client.pipeline(transaction=False)
            first_words(pipe)
            mode = mode_of(await pipe.execute(raise_on_error=False))
        except BaseException:
            await client.aclose()
            raise
    if mode != "cluster":
        return client
    await client.aclose()
    return await connect_cluster(url, wanted)


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
    if wanted.endpoint.topology == "cluster" or seen_as_cluster(wanted.endpoint):
        return connect_cluster_sync(url, wanted)
    import redis
    from redis.retry import Retry

    arguments = connection_arguments(wanted) | place_arguments(wanted.endpoint)
    client = redis.Redis(**arguments, retry=Retry(*retry_arguments(retries)))
    with wrap_errors(url, timeout_s=timeout_s):
        try:
            pipe = client.pipeline(transaction=False)
            first_words(pipe)
            mode = mode_of(pipe.execute(raise_on_error=False))
        except BaseException:
            client.close()
            raise
    if mode != "cluster":
        return client
    client.close()
    return connect_cluster_sync(url, wanted)


def first_words(pipe: Any) -> None:
    """Ask a server whether it answers, and what it is: HELLO is permitted to everybody who may connect."""
    pipe.ping()
    pipe.execute_command("HELLO")


def mode_of(replies: Sequence[Any]) -> str:
    """What a server is: "standalone", "sentinel" or "cluster"; "" where it does not say.

    Args:
        replies: to `first_words`.

    Raises:
        Exception: it does not answer, or can't be read.
    """
    pinged, told = replies
    if isinstance(pinged, Exception) and not answers(pinged):
        raise pinged
    mode = told.get(b"mode", b"") if isinstance(told, dict) else b""
    return mode.decode("ascii", "replace") if isinstance(mode, bytes) else ""
