"""What kind of server answers, and as whom it knows us: what can't be worked on is refused with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.domain.errors import Refused
from console.domain.text import clean
from console.store.server.login import remember
from console.store.server.trouble import is_refusal, wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis


async def refuse_unless_primary(client: Redis) -> None:
    """Refuse a node of a Cluster, a Sentinel and a replica; where the server may not be asked, nothing is refused.

    Raises:
        Refused: it is one of these; nothing was changed.
        StoreUnreachable: there was no answer.
    """
    with wrap_errors():
        pipe: Any = client.pipeline(transaction=False)
        pipe.info("server")
        pipe.info("replication")
        pipe.execute_command("ACL WHOAMI")
        *info, login = await pipe.execute(raise_on_error=False)
        for reply in info:
            if isinstance(reply, Exception) and not is_refusal(reply):
                raise reply
    remember(client, login)
    told = {name: value for reply in info if not isinstance(reply, Exception) for name, value in _fields(reply).items()}
    mode = told.get("redis_mode") or told.get("server_mode", "")
    if mode == "cluster":
        raise Refused(
            "This is a node of a Cluster: an agent's keys would lie on several nodes, and a halt would reach one.",
            "Name a server that stands on its own, or a primary with replicas.",
        )
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
