"""Several commands in one go, of which some may fail without the others: what was refused, and what a node of a Cluster
that is away would have said, stands where its reply would."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

from console.store.server.cluster import is_away, is_cluster
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis


async def together(client: Redis, commands: Iterable[tuple[Any, ...]]) -> list[Any]:
    """The replies, in order; an error among them is what that command was answered with.

    Args:
        client: connected.
        commands: in words.

    Raises:
        StoreUnreachable: no answer; on a Cluster, from no node that was asked.
    """
    pipe: Any = client.pipeline(transaction=False)
    for command in commands:
        pipe.execute_command(*command)
    with wrap_errors():
        replies: list[Any] = await pipe.execute(raise_on_error=False)
        for reply in replies:
            if isinstance(reply, Exception) and not isinstance(reply, ResponseError) and not absent(client, reply):
                raise reply
    return replies


def absent(client: Redis, reply: object) -> bool:
    """Whether what stands for a reply is that a Cluster's node is away: of what lies there nobody knows now."""
    return is_cluster(client) and is_away(reply)
