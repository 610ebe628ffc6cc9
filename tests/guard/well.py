"""Sides that somebody saw to be healthy and reconciled: without that no guard rolls back to one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from console.domain.fence.deployment import Slot
from console.domain.fence.last_good import LastGood, running
from console.domain.text import Safe
from console.store.records.good import keep_good

if TYPE_CHECKING:
    import redis.asyncio

    from console.store.keys import Keys


async def well(client: redis.asyncio.Redis, keys: Keys, side: str, *runs: tuple[str, str]) -> None:
    """A record of a side.

    Args:
        client: connected.
        keys: whose.
        side: which.
        runs: versions with their manifests.
    """
    seconds, micros = await client.time()
    now = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
    await keep_good(client, keys, [LastGood(Slot(side), running(runs), now, now, Safe("guard g0"))])
