"""Connecting to the store from a URL: time-outs explicit, nothing re-sent behind our back, errors in words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from console.domain.errors import NoHello, StoreUnreachable
from console.store.server.cluster import connect_cluster, connect_cluster_sync, seen_as_cluster
from console.store.server.greeting import first_words, mode_of
from console.store.server.options import (
    DEFAULT_TIMEOUT_S,
    Wanted,
    connection_arguments,
    place_arguments,
    retry_arguments,
)
from console.store.server.sentinel import connect_sentinel, connect_sentinel_sync, followed
from console.store.server.trouble import explain as explain
from console.store.server.trouble import wrap_errors as wrap_errors
from console.store.server.url import Endpoint, parse_url

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
    """A connected client for asyncio: RESP3 where the server speaks it, replies as bytes.

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
    while True:
        try:
            return await _connected(url, wanted)
        except StoreUnreachable as error:
            wanted = _with_less(wanted, error)


async def _connected(url: str, wanted: Wanted) -> redis.asyncio.Redis:
    """A client on whatever listens there."""
    if wanted.endpoint.topology == "sentinel":
        return await connect_sentinel(url, wanted)
    if wanted.endpoint.topology == "cluster" or seen_as_cluster(wanted.endpoint):
        return await connect_cluster(url, wanted)
    from redis.exceptions import ResponseError

    try:
        client, others = await _answering(url, wanted)
    except (ResponseError, StoreUnreachable) as error:
        if not _knows_no_databases(error):
            raise
        client, others = await _answering(url, wanted._replace(endpoint=replace(wanted.endpoint, db=0)))
        if others is None:
            await client.aclose()
            raise
    if others is None:
        return client
    await client.aclose()
    if others.topology == "cluster":
        return await connect_cluster(url, wanted)
    return await connect_sentinel(url, wanted._replace(endpoint=replace(others, db=wanted.endpoint.db)))


async def _answering(url: str, wanted: Wanted) -> tuple[redis.asyncio.Redis, Endpoint | None]:
    """A client on what answers at a plain URL; and the Sentinels, or the Cluster, to ask where that is one of them."""
    import redis.asyncio
    from redis.asyncio.retry import Retry

    kind: type[redis.asyncio.Redis] = redis.asyncio.Redis
    if wanted.shared:
        from console.store.server.shared import SharedRedis

        kind = SharedRedis
    arguments = connection_arguments(wanted) | place_arguments(wanted.endpoint)
    client = kind(**arguments, retry=Retry(*retry_arguments(wanted.retries)))
    with wrap_errors(url, timeout_s=wanted.timeout_s):
        try:
            pipe = client.pipeline(transaction=False)
            first_words(pipe, wanted.protocol)
            mode = mode_of(await pipe.execute(raise_on_error=False))
            if mode == "cluster":
                return client, replace(wanted.endpoint, topology="cluster")
            if mode == "sentinel":
                return client, followed(wanted.endpoint, await client.sentinel_masters())
        except BaseException:
            await client.aclose()
            raise
    return client, None


def connect_sync(
    url: str, *, timeout_s: float | None = DEFAULT_TIMEOUT_S, name: str = "agent-console", retries: int = 0
) -> redis.Redis:
    """A connected blocking client; everything else is as in `connect`.

    Raises:
        UsageError: the URL can't be understood.
        StoreUnreachable: there is no store that answers.
    """
    wanted = Wanted(parse_url(url), timeout_s, name, retries)
    while True:
        try:
            return _connected_sync(url, wanted)
        except StoreUnreachable as error:
            wanted = _with_less(wanted, error)


def _connected_sync(url: str, wanted: Wanted) -> redis.Redis:
    """A client on whatever listens there."""
    if wanted.endpoint.topology == "sentinel":
        return connect_sentinel_sync(url, wanted)
    if wanted.endpoint.topology == "cluster" or seen_as_cluster(wanted.endpoint):
        return connect_cluster_sync(url, wanted)
    from redis.exceptions import ResponseError

    try:
        client, others = _answering_sync(url, wanted)
    except (ResponseError, StoreUnreachable) as error:
        if not _knows_no_databases(error):
            raise
        client, others = _answering_sync(url, wanted._replace(endpoint=replace(wanted.endpoint, db=0)))
        if others is None:
            client.close()
            raise
    if others is None:
        return client
    client.close()
    if others.topology == "cluster":
        return connect_cluster_sync(url, wanted)
    return connect_sentinel_sync(url, wanted._replace(endpoint=replace(others, db=wanted.endpoint.db)))


def _answering_sync(url: str, wanted: Wanted) -> tuple[redis.Redis, Endpoint | None]:
    import redis
    from redis.retry import Retry

    arguments = connection_arguments(wanted) | place_arguments(wanted.endpoint)
    client = redis.Redis(**arguments, retry=Retry(*retry_arguments(wanted.retries)))
    with wrap_errors(url, timeout_s=wanted.timeout_s):
        try:
            pipe = client.pipeline(transaction=False)
            first_words(pipe, wanted.protocol)
            mode = mode_of(pipe.execute(raise_on_error=False))
            if mode == "cluster":
                return client, replace(wanted.endpoint, topology="cluster")
            if mode == "sentinel":
                return client, followed(wanted.endpoint, client.sentinel_masters())
        except BaseException:
            client.close()
            raise
    return client, None


def _with_less(wanted: Wanted, error: StoreUnreachable) -> Wanted:
    """What is wanted without what a server refuses that it can do without: the handshake of RESP3, or our name.

    Raises:
        StoreUnreachable: the error itself: it is about something else, or about what is left out already.
    """
    if isinstance(error, NoHello) and wanted.protocol == 3:
        return wanted._replace(protocol=2)
    if wanted.name and _is_about_the_name(error):
        return wanted._replace(name="")
    raise error


def _is_about_the_name(error: StoreUnreachable) -> bool:
    """Whether a connection is refused since it may not say its name (CLIENT SETNAME), which it can do without."""
    told = error.message.lower()
    return "client" in told and "setname" in told


def _knows_no_databases(error: Exception) -> bool:
    """Whether what answers has no databases to choose from, as a Sentinel."""
    told = error.__cause__ if isinstance(error, StoreUnreachable) else error
    return "unknown command 'select'" in str(told).lower()
