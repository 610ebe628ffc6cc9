"""How a connection is wanted, and what that means to the client library: the same for whatever listens there."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from console.store.server.url import Endpoint, Node

DEFAULT_TIMEOUT_S: Final = 0.5
_BACKOFF_BASE_S: Final = 0.02
_BACKOFF_CAP_S: Final = 0.25


class Wanted(NamedTuple):
    """A connection that somebody wants; the arguments of `console.store.server.connect.connect`.

    Args:
        endpoint: where to, taken apart.
        timeout_s: the longest wait for a connection and for each reply; None waits for ever for replies.
        name: shown in the server's `CLIENT LIST`.
        retries: how often the library may send a command again.
        shared: whether many tasks send over one connection.
        protocol: 3; 2 for a server that does not speak RESP3, or refuses its handshake (HELLO).
    """

    endpoint: Endpoint
    timeout_s: float | None = DEFAULT_TIMEOUT_S
    name: str = "agent-console"
    retries: int = 0
    shared: bool = False
    protocol: int = 3

    @property
    def connect_timeout_s(self) -> float:
        """The longest wait for a connection."""
        return self.timeout_s or DEFAULT_TIMEOUT_S


def connection_arguments(wanted: Wanted) -> dict[str, Any]:
    """What a connection of the client library is made with, but for where it goes: replies are bytes, in the same shape
    whatever the protocol."""
    from redis.maint_notifications import MaintNotificationsConfig

    endpoint = wanted.endpoint
    arguments: dict[str, Any] = {
        "db": endpoint.db,
        "username": endpoint.username,
        "password": endpoint.password,
        "socket_timeout": wanted.timeout_s,
        "socket_connect_timeout": wanted.connect_timeout_s,
        "client_name": "".join(letter if "!" <= letter <= "~" else "_" for letter in wanted.name) or None,
        "driver_info": None,
        "protocol": wanted.protocol,
        "legacy_responses": True,
        "decode_responses": False,
        "encoding_errors": "surrogateescape",  # so that text read from bytes is compared as the same bytes
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }
    if endpoint.scheme == "rediss":
        arguments |= {"ssl": True, "ssl_cert_reqs": "required", "ssl_check_hostname": True, **endpoint.tls}
    return arguments


def place_arguments(endpoint: Endpoint, node: Node | None = None) -> dict[str, Any]:
    """Where a connection goes: the endpoint's socket or first node, or the node that is given."""
    if endpoint.scheme == "unix":
        return {"unix_socket_path": endpoint.path}
    host, port = node or endpoint.nodes[0]
    return {"host": host, "port": port}


def retry_arguments(retries: int) -> tuple[Any, int]:
    """How often and how soon to ask again; with 0 the library sends each command exactly once."""
    from redis.backoff import ExponentialWithJitterBackoff, NoBackoff

    backoff = ExponentialWithJitterBackoff(base=_BACKOFF_BASE_S, cap=_BACKOFF_CAP_S) if retries else NoBackoff()
    return backoff, retries
