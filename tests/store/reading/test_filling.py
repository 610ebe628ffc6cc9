"""A store that is nearly full says so before it refuses claims."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from console.domain.seen.observation import Observation
from console.domain.text import Safe
from console.store.keys import Keys
from console.store.reading.reader import StoreReader, fills
from console.views.health import health_view, is_healthy
from tests.guard.venue.test_lifeline import LINK

if TYPE_CHECKING:
    import redis.asyncio

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("used", "most", "said"),
    [(79, 100, ""), (81, 100, "81 of 100 MiB used"), (5, 0, ""), ("81", 100, ""), (81, None, ""), (81, -1, "")],
)
def test_a_server_is_nearly_full_where_it_tells_so(used: object, most: object, said: str) -> None:
    def mib(value: object) -> object:
        return value << 20 if isinstance(value, int) else value

    assert fills({"used_memory": mib(used), "maxmemory": mib(most)}) == said
    assert fills(None) == ""


async def test_a_console_tells_it_before_a_claim_is_refused(valkey: redis.asyncio.Redis) -> None:
    used = (await valkey.info("memory"))["used_memory"]
    try:
        await valkey.config_set("maxmemory", int(used * 1.1))
        reading = await StoreReader(valkey, Keys.of(), {}).read(AT)
    finally:
        await valkey.config_set("maxmemory", 0)
    assert "MiB used" in reading.fills
    checks = health_view(Observation(Safe("agent"), AT, LINK, reading))
    (memory,) = [check for check in checks if check.name == "memory"]
    assert not is_healthy((memory,))
