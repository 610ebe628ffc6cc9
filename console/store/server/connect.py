"""Connecting to the store from a URL: time-outs explicit, nothing re-sent behind our back, errors in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from console.domain.errors import UsageError
from console.domain.text import clean
from console.store.server.trouble import answers
from console.store.server.trouble import explain as explain
from console.store.server.trouble import wrap_errors as wrap_errors

if TYPE_CHECKING:
    import redis
    import redis.asyncio

SCHEMES: Final = ("redis", "rediss", "unix")
DEFAULT_PORT: Final = 6379
DEFAULT_TIMEOUT_S: Final = 0.5
READ_RETRIES: Final = 2
"""How often a connection that only reads may ask again."""

_EXAMPLES: Final = "Use redis://HOST:PORT/DB, rediss://HOST:PORT/DB for TLS, or unix:///PATH/TO/SOCKET?db=0."
_TLS_FILES: Final = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
_OPTIONS: Final = frozenset({"db", "username", "password"}) | _TLS_FILES
_BACKOFF_BASE_S: Final = 0.02
_BACKOFF_CAP_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a store is, taken apart.

    Args:
        scheme: "redis", "rediss" or "unix".
        host, port: of the server; empty and 0 for a Unix socket.
        path: of the Unix socket; empty otherwise.
        db: database number, at least 0.
        username, password: None where none was given; never part of a `repr`.
        tls: names of files for TLS: `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`.
    """

    scheme: str
    host: str = ""
    port: int = 0
    path: str = ""
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: Mapping[str, str] = field(default_factory=dict)


def parse_url(url: str) -> Endpoint:
    """Take a store's URL apart: `redis://`, `rediss://` (TLS) or `unix://`.

    Raises:
        UsageError: it is none of these, or a part of it means nothing; its password is not repeated.
    """
    if any(ord(char) <= 0x20 or ord(char) == 0x7F for char in url):
        raise UsageError("A store's URL holds no spaces or control characters.", "Write them as %20 and so on.")
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in SCHEMES:
        what = f"{clean(scheme, 20)}://" if separator else "text without a scheme"
        raise UsageError(f"A store can't be reached by {what}.", _EXAMPLES)
    _refuse_raw(scheme, rest)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError("The store's URL has a host or port that can't be read.", _EXAMPLES) from error
    options = _options(parts.query, scheme)
    username = unquote(parts.username) if parts.username else options.get("username")
    password = unquote(parts.password) if parts.password else options.get("password")
    if scheme == "unix":
        if parts.hostname and parts.username is None:
            raise UsageError("A Unix socket's URL has three slashes.", "Write unix:///PATH/TO/SOCKET.")
        path = unquote(parts.path)
        if path in ("", "/"):
            raise UsageError("The store's URL names no socket.", "Write unix:///PATH/TO/SOCKET.")
        return Endpoint("unix", path=path, db=_db(options.get("db", "")), username=username, password=password)
    return Endpoint(
        scheme,
        host=unquote(parts.hostname or "localhost"),
        port=DEFAULT_PORT if port is None else port,
        db=_db(options.get("db") or unquote(parts.path).strip("/")),
        username=username,
        password=password,
        tls={name: value for name, value in options.items() if name in _TLS_FILES},
    )


def _refuse_raw(scheme: str, rest: str) -> None:
    """Refuse what ends the user part before its `@`: the rest of a password would be taken for a host or a path.

    Raises:
        UsageError: it doesn't repeat the URL.
    """
    hint = "Write %23 for #, %2F for / and %3F for ? inside a user name or password."
    if "#" in rest:
        raise UsageError("The store's URL holds a raw #, which ends a URL for every reader.", hint)
    authority = re.split(r"[/?]", rest, maxsplit=1)[0]
    if "@" not in rest or "@" in authority or (scheme == "unix" and not authority):
        return
    path = rest[len(authority) :].partition("?")[0]
    if "@" in path or not re.fullmatch(r"(?:[^:]+|\[[^\]]*\])(?::\d*)?", authority):
        raise UsageError("The store's URL holds a raw / or ? before its @.", hint)


def _options(query: str, scheme: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name in options:
        if name not in _OPTIONS or (name in _TLS_FILES and scheme != "rediss"):
            allowed = sorted(_OPTIONS if scheme == "rediss" else _OPTIONS - _TLS_FILES)
            raise UsageError(
                f"{clean(name, 40)!r} is not an option of a {scheme}:// URL.", f"There are {', '.join(allowed)}."
            )
    return options


def _db(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise UsageError("The database in the store's URL is not a number.", _EXAMPLES)
    return int(text)


def _arguments(endpoint: Endpoint, timeout_s: float | None, name: str) -> dict[str, Any]:
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
        arguments |= {"host": endpoint.host, "port": endpoint.port}
    if endpoint.scheme == "rediss":
        arguments |= {"ssl": True, "ssl_cert_reqs": "required", "ssl_check_hostname": True, **endpoint.tls}
    return arguments


def _retry_arguments(retries: int) -> tuple[Any, int]:
    """How often and how soon to ask again; with 0 the library sends each command exactly once."""
    from redis.backoff import ExponentialWithJitterBackoff, NoBackoff

    backoff = ExponentialWithJitterBackoff(base=_BACKOFF_BASE_S, cap=_BACKOFF_CAP_S) if retries else NoBackoff()
    return backoff, retries


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
                raise
    return client
