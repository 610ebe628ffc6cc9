"""What kind of server answers, and as whom it knows us: what can't be worked on is refused with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.domain.errors import NotPrimary, Refused
from console.domain.text import clean
from console.store.server.cluster import is_cluster
from console.store.server.greeting import fields_told, role_told
from console.store.server.login import remember
from console.store.server.trouble import is_refusal, wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis


REPLICA_HINT = "Name the primary's address; or the Sentinels' (redis+sentinel://HOST,HOST,HOST/MASTER), who know it."


async def refuse_unless_primary(client: Redis) -> None:
    """Refuse a Sentinel and a replica; where the server may not be asked, nothing is refused.

    Raises:
        Refused: it is one of these; nothing was changed.
        StoreUnreachable: there was no answer.
    """
    with wrap_errors():
        pipe: Any = client.pipeline(transaction=False)
        if is_cluster(client):  # it goes to primaries alone: a replica there answers MOVED, and nothing else
            pipe.execute_command("ACL WHOAMI")
            remember(client, *await pipe.execute(raise_on_error=False))
            return
        pipe.info("server")
        pipe.info("replication")
        pipe.execute_command("ACL WHOAMI")
        *info, login = await pipe.execute(raise_on_error=False)
        for reply in info:
            if isinstance(reply, Exception) and not is_refusal(reply):
                raise reply
    remember(client, login)
    told = {name: value for reply in info for name, value in fields_told(reply).items()}
    mode = told.get("redis_mode") or told.get("server_mode", "")
    if mode == "sentinel":
        raise Refused(
            "This is a Sentinel's port: it knows where the store is, and holds none.",
            "Write redis+sentinel://HOST,HOST,HOST/MASTER; `SENTINEL MASTERS` lists the names.",
        )
    if told.get("role") in ("slave", "replica"):
        host, port = clean(told.get("master_host", "?"), 80), clean(told.get("master_port", "?"), 8)
        raise NotPrimary(
            f"This is a replica of {host}:{port}: what it shows may be old, and nothing can be changed on it.",
            REPLICA_HINT,
        )


def refuse_replica(told: Any, where: str = "") -> None:
    """Refuse a server that calls itself a replica in its answer to HELLO, which everybody who may connect may ask, or
    to ROLE.

    Args:
        told: the answer; whatever else it is, nothing is refused.
        where: the server's address, where the URL does not say it.

    Raises:
        NotPrimary: it is one.
    """
    if role_told(told) == "replica":
        server = f"The store's server {where}" if where else "The store's server"
        raise NotPrimary(
            f"{server} has become a replica: what it shows may be old, and nothing can be changed on it.", REPLICA_HINT
        )
