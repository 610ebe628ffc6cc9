"""What kind of server answers: one on its own is what the console works on; what is none is refused with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.domain.errors import Refused
from console.domain.text import clean
from console.store.server.cluster import is_cluster
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis


async def refuse_unless_primary(client: Redis) -> None:
    """Refuse a Sentinel and a replica; where the server may not be asked, nothing is refused.

    Raises:
        Refused: it is one of these; nothing was changed.
        StoreUnreachable: there was no answer.
    """
    from redis.exceptions import ResponseError

    if is_cluster(client):
        return  # it goes to primaries alone: a replica there answers MOVED, and nothing else
    with wrap_errors():
        try:
            server: Any = await client.info("server")
            replication: Any = await client.info("replication")
        except ResponseError:
            return  # INFO is not permitted, or renamed away
    told = {**_fields(server), **_fields(replication)}
    mode = told.get("redis_mode") or told.get("server_mode", "")
    if mode == "sentinel":
        raise Refused(
            "This is a Sentinel's port: it knows where the store is, and holds none.",
            "Name the primary's address: `SENTINEL GET-MASTER-ADDR-BY-NAME NAME` tells it.",
        )
    if told.get("role") in ("slave", "replica"):
        host, port = clean(told.get("master_host", "?"), 80), clean(told.get("master_port", "?"), 8)
        raise Refused(
            f"This is a replica of {host}:{port}: what it shows may be old, and nothing can be changed on it.",
            "Name the primary's address.",
        )


def _fields(reply: Any) -> dict[str, str]:
    """The fields of an answer to INFO, parsed by the client or not."""
    if isinstance(reply, dict):
        return {_text(name): _text(value) for name, value in reply.items()}
    lines = (line.partition(":") for line in _text(reply).splitlines())
    return {name: value.strip() for name, colon, value in lines if colon}


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
