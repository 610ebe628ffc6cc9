"""When each side was last healthy and reconciled: hash `…:good`, one field a side.

Written by guards, at each round of their housekeeping, and by an upgrade's steps; read by whatever goes back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from console.domain.fence.last_good import LastGood
from console.store.records.states import readable

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.store.keys import Keys


async def keep_good(client: Redis, keys: Keys, records: Iterable[LastGood]) -> None:
    """Put records in the place of those of their sides.

    Raises:
        Refused: the key is of another type.
        StoreUnreachable: there was no answer.
    """
    kept: dict[Any, Any] = {one.side.value: json.dumps(one.document()) for one in records}
    if kept:
        with readable():
            await client.hset(keys.good, mapping=kept)
