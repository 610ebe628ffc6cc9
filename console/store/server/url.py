"""A store's URL, taken apart: one server, the Sentinels that know where it is, or the nodes of a Cluster."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from console.domain.errors import UsageError
from console.domain.text import clean

Topology = Literal["server", "sentinel", "cluster"]
DEFAULT_PORT: Final = 6379
SENTINEL_PORT: Final = 26379
MOST_NODES: Final = 64

_KINDS: Final[Mapping[str, Topology]] = {"": "server", "+sentinel": "sentinel", "+cluster": "cluster"}
SCHEMES: Final[Mapping[str, tuple[str, Topology]]] = {
    "unix": ("unix", "server"),
    **{
        f"{name}{ending}{kind}": (f"redis{ending}", topology)
        for name in ("redis", "valkey")
        for ending in ("", "s")
        for kind, topology in _KINDS.items()
    },
}
"""What stands before `://` in a store's URL: redis or rediss (TLS) or unix, and what listens there."""
_EXAMPLES: Final = (
    "Use redis://HOST:PORT/DB (rediss:// for TLS), unix:///PATH/TO/SOCKET?db=0, "
    "redis+sentinel://HOST,HOST,HOST/MASTER/DB or redis+cluster://HOST,HOST."
)
_TLS_FILES: Final = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
_SENTINEL: Final = frozenset({"sentinel_username", "sentinel_password"})


class Node(NamedTuple):
    """Where one server listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a store is, taken apart.

    Args:
        scheme: "redis", "rediss" (TLS) or "unix".
        topology: what listens at `nodes`: the server itself, Sentinels, or nodes of a Cluster.
        nodes: at least one; exactly one of a server, none of a Unix socket.
        master: by which name the Sentinels know the store; empty otherwise.
        path: of the Unix socket; empty otherwise.
        db: database number, at least 0; a Cluster has 0 alone.
        username, password: of the store; None where none was given; never part of a `repr`.
        sentinel_username, sentinel_password: of the Sentinels, which have users of their own.
        tls: names of files for TLS: `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`.
    """

    scheme: str
    topology: Topology = "server"
    nodes: tuple[Node, ...] = ()
    master: str = ""
    path: str = ""
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    sentinel_username: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)
    tls: Mapping[str, str] = field(default_factory=dict)


def parse_url(url: str) -> Endpoint:
    """Take a store's URL apart: `redis://`, `rediss://` (TLS), `unix://`, `redis+sentinel://` or `redis+cluster://`;
    `valkey` means what `redis` means.

    Raises:
        UsageError: it is none of these, or a part of it means nothing; its password is not repeated.
    """
    if any(ord(char) <= 0x20 or ord(char) == 0x7F for char in url):
        raise UsageError("A store's URL holds no spaces or control characters.", "Write them as %20 and so on.")
    written, separator, rest = url.partition("://")
    if not separator or written.lower() not in SCHEMES:
        what = f"{clean(written, 20)}://" if separator else "text without a scheme"
        raise UsageError(f"A store can't be reached by {what}.", _EXAMPLES)
    scheme, topology = SCHEMES[written.lower()]
    _refuse_raw(scheme, rest)
    try:
        parts = urlsplit(f"{scheme}://{rest}")
    except ValueError as error:
        raise UsageError("The store's URL has a host or port that can't be read.", _EXAMPLES) from error
    options = _options(parts.query, scheme, topology, written.lower())
    before, _, hosts = parts.netloc.rpartition("@")
    name, _, word = before.partition(":")
    username = unquote(name) or options.get("username")
    password = unquote(word) or options.get("password")
    if scheme == "unix":
        if hosts and not before:
            raise UsageError("A Unix socket's URL has three slashes.", "Write unix:///PATH/TO/SOCKET.")
        path = unquote(parts.path)
        if path in ("", "/"):
            raise UsageError("The store's URL names no socket.", "Write unix:///PATH/TO/SOCKET.")
        return Endpoint("unix", path=path, db=_db(options.get("db", "")), username=username, password=password)
    master, db = _place(parts.path, options.get("db", ""), topology)
    return Endpoint(
        scheme,
        topology,
        nodes=_nodes(hosts, SENTINEL_PORT if topology == "sentinel" else DEFAULT_PORT, topology),
        master=master,
        db=db,
        username=username,
        password=password,
        sentinel_username=options.get("sentinel_username"),
        sentinel_password=options.get("sentinel_password"),
        tls={name: value for name, value in options.items() if name in _TLS_FILES},
    )


def _place(path: str, db: str, topology: Topology) -> tuple[str, int]:
    """The name by which Sentinels know the store, and the database.

    Raises:
        UsageError: the path says neither, or what there is not.
    """
    parts = [unquote(part) for part in path.strip("/").split("/")] if path.strip("/") else []
    if topology == "sentinel":
        if not parts:
            raise UsageError(
                "The URL doesn't say by which name the Sentinels know the store.",
                "Write redis+sentinel://HOST,HOST,HOST/MASTER/DB; SENTINEL MASTERS lists the names.",
            )
        master, *parts = parts
    else:
        master = ""
    if len(parts) > 1:
        raise UsageError("The store's URL has a path that means nothing.", _EXAMPLES)
    number = _db(db or (parts[0] if parts else ""))
    if topology == "cluster" and number:
        raise UsageError("A Cluster has database 0 alone.", "Leave the database out of the URL.")
    return master, number


def _nodes(hosts: str, default: int, topology: Topology) -> tuple[Node, ...]:
    """Every address before the path.

    Raises:
        UsageError: one can't be read, or there are several where there can be one.
    """
    addresses = hosts.split(",") if hosts else ["localhost"]
    if topology == "server" and len(addresses) > 1:
        raise UsageError(
            "The store's URL names several servers, and doesn't say what they are to each other.",
            "Write redis+sentinel://HOST,HOST/MASTER for Sentinels, redis+cluster://HOST,HOST for a Cluster.",
        )
    if len(addresses) > MOST_NODES:
        raise UsageError(
            f"The store's URL names more than {MOST_NODES} servers.", "A few are enough to find the others."
        )
    nodes: dict[Node, None] = {}
    for address in addresses:
        try:
            parts = urlsplit(f"//{address}")
            port = parts.port
        except ValueError as error:
            raise UsageError("The store's URL has a host or port that can't be read.", _EXAMPLES) from error
        if not parts.hostname and (len(addresses) > 1 or topology != "server"):
            raise UsageError("The store's URL names a server without a host.", _EXAMPLES)
        nodes[Node(unquote(parts.hostname or "localhost"), default if port is None else port)] = None
    return tuple(nodes)


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
    if "@" in path or not all(
        re.fullmatch(r"(?:[^:]+|\[[^\]]*\])(?::\d*)?", address) for address in authority.split(",")
    ):
        raise UsageError("The store's URL holds a raw / or ? before its @.", hint)


def _options(query: str, scheme: str, topology: Topology, written: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    allowed = {"db", "username", "password"}
    if scheme == "rediss":
        allowed |= _TLS_FILES
    if topology == "sentinel":
        allowed |= _SENTINEL
    for name in options:
        if name not in allowed:
            there_are = f"There are {', '.join(sorted(allowed))}."
            raise UsageError(f"{clean(name, 40)!r} is not an option of a {written}:// URL.", there_are)
    return options


def _db(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise UsageError("The database in the store's URL is not a number.", _EXAMPLES)
    return int(text)
