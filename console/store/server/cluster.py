"""Connecting to a Cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.domain.errors import UsageError

if TYPE_CHECKING:
    import redis
    import redis.asyncio

    from console.store.server.options import Wanted

_REFUSED = ("Clusters can't be connected to yet.", "Name a server that stands on its own, or Sentinels.")


async def connect_cluster(url: str, wanted: Wanted) -> redis.asyncio.Redis:
    """A connected client for asyncio.

    Args:
        url: of the store, for messages.
        wanted: how.

    Raises:
        UsageError: always, for now.
    """
    raise UsageError(*_REFUSED)


def connect_cluster_sync(url: str, wanted: Wanted) -> redis.Redis:
    """A connected blocking client; everything else is as in `connect_cluster`."""
    raise UsageError(*_REFUSED)
