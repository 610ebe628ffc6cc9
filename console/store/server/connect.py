"""Connecting to the store from a URL: time-outs explicit, nothing re-sent behind our back, errors in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from console.domain.errors import UsageError
from console.store.server.trouble import answers
from console.store.server.trouble import explain as explain
from console.store.server.trouble import wrap_errors as wrap_errors
from console.store.server.url import Endpoint, parse_url

if TYPE_CHECKING:
    import redis
    import redis.asyncio

DEFAULT_TIMEOUT_S: Final = 0.5
READ_RETRIES: Final = 2
"""How often a connection that only reads may ask again."""

_BACKOFF_BASE_S: Final = 0.02
_BACKOFF_CAP_S: Final = 0.25


def _arguments(endpoint: Endpoint, timeout_s: float | None, name: str) -> dict[str, Any]:
    if endpoint.topology != "server":
        raise UsageError("Sentinels and Clusters can't be connected to yet.", "Name the primary's own address.")
    from redis.maint_notifications import MaintNotificationsConfig

    arguments: dict[str, Any] = {
        "db": endpoint.db,
        "username": endpoint.username,
        "password": endpoint.password,
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s or DEFAULT_TIMEOUT_S,
        "client_name": "".join(letter if "!" <= letter <= "~" else "_" for letter in name) or None,
        "driver_info": None,
        "protocol": 3,
        "legacy_responses": True,
        "decode_responses": False,
        "encoding_errors": "surrogateescape",  # so that text read from bytes is compared as the same bytes
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }
    if endpoint.scheme == "unix":
        arguments["unix_socket_path"] = endpoint.path
    else:
        arguments |= {"host": endpoint.nodes[0].host, "port": endpoint.nodes[0].port}
    if endpoint.scheme == "rediss":
        arguments |= {"ssl": True, "ssl_cert_reqs": "required", "ssl_check_hostname": True, **endpoint.tls}
    return arguments


def _retry_arguments(retries: int) -> tuple[Any, int]:
    """How often and how soon to ask again; with 0 the library sends each command exactly once."""
    from redis.backoff import ExponentialWithJitterBackoff, NoBackoff

    backoff = ExponentialWithJitterBackoff(base=_BACKOFF_BASE_S, cap=_BACKOFF_CAP_S) if retries else NoBackoff()
    return backoff, retries


def _nameless(error: BaseException, name: str) -> bool:
    """Whether a connection is refused since it may not say its name (CLIENT SETNAME), which it can do without."""
    from redis.exceptions import RedisError

    told = str(error).lower()
    return bool(name) and isinstance(error, RedisError) and "client" in told and "setname" in told


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
    import redis.asyncio
    from redis.asyncio.retry import Retry

    kind: type[redis.asyncio.Redis] = redis.asyncio.Redis
    if shared:
        from console.store.server.shared import SharedRedis

        kind = SharedRedis
    arguments = _arguments(parse_url(url), timeout_s, name)
    client = kind(**arguments, retry=Retry(*_retry_arguments(retries)))
    with wrap_errors(url, timeout_s=timeout_s):
        try:
            await client.ping()
        except BaseException as error:
            if not answers(error):
                await client.aclose()
            if _nameless(error, name):
                return await connect(url, timeout_s=timeout_s, name="", retries=retries, shared=shared)
            if not answers(error):
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
    import redis
    from redis.retry import Retry

    arguments = _arguments(parse_url(url), timeout_s, name)
    client = redis.Redis(**arguments, retry=Retry(*_retry_arguments(retries)))
    with wrap_errors(url, timeout_s=timeout_s):
        try:
            client.ping()
        except BaseException as error:
            if not answers(error):
                client.close()
            if _nameless(error, name):
                return connect_sync(url, timeout_s=timeout_s, name="", retries=retries)
            if not answers(error):
                raise
    return client
