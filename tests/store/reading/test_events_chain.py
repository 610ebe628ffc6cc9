"""The console holds the chain of control events against what it read before, as it reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.reading.reader import StoreReader


@pytest.mark.parametrize("read_before", [True, False], ids=["while it reads", "before it reads"])
async def test_an_event_that_is_taken_out_is_seen(valkey: Any, valkey_sync: Any, read_before: bool) -> None:
    keys = Keys.of()
    fence = Fence(valkey_sync, keys)
    for slot in ("blue", "green", "blue", "green"):
        fence.switch(SwitchRequest(slot, expected_epoch="any", by="op", mode="now"))
    reader = StoreReader(valkey, keys, {})
    if read_before:
        assert (await reader.read(datetime.now(UTC))).damage == ()
    fence.switch(SwitchRequest("blue", expected_epoch="any", by="op", mode="now"))
    fence.switch(SwitchRequest("green", expected_epoch="any", by="op", mode="now"))
    valkey_sync.xdel(keys.log, valkey_sync.xrevrange(keys.log, count=2)[-1][0])
    fence.switch(SwitchRequest("blue", expected_epoch="any", by="op", mode="now"))
    [broken] = (await reader.read(datetime.now(UTC))).damage
    assert "chain of control events" in broken


async def test_a_server_that_may_evict_is_not_fit_for_money(valkey: Any) -> None:
    await valkey.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert "evicted" in (await StoreReader(valkey, Keys.of(), {}).read(datetime.now(UTC))).unfit
    finally:
        await valkey.config_set("maxmemory-policy", "noeviction")
    assert (await StoreReader(valkey, Keys.of(), {}).read(datetime.now(UTC))).unfit == ""
