"""The server's clock: the only one that all who use a store share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis


async def server_ms(client: Redis) -> int:
    """Milliseconds since 1970.

    Raises:
        StoreUnreachable: no answer.
    """
    with wrap_errors():
        seconds, micros = await client.time()
    return int(seconds) * 1000 + int(micros) // 1000
