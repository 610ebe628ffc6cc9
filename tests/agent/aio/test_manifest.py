"""The same under asyncio: what is declared is in force before the call returns."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
import redis

from console.agent import ActionRefused, Manifest, Settings
from console.agent.aio import AgentController
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.records.manifests import decode


async def test_another_manifest_freezes_new_risk_before_the_call_returns(
    store_url: str, valkey_sync: redis.Redis, keys: Keys
) -> None:
    await asyncio.to_thread(Fence(valkey_sync, keys).switch, SwitchRequest("blue", expected_epoch=0, by="op"))
    old, new = Manifest.of(prompt="careful"), Manifest.of(prompt="bold")
    settings = Settings(money=False)
    async with AgentController(store_url, slot="blue", version="1", settings=settings, manifest=old) as controller:
        async with controller.action("bet-1", amount=Decimal(1), currency="USD") as act:
            await act.settle("done")
        await controller.declare(new)
        with pytest.raises(ActionRefused):
            async with controller.action("bet-2", amount=Decimal(1), currency="USD") as act:
                await act.settle("done")
    held = decode(valkey_sync.hgetall(keys.manifests)).recorded["1"]
    assert held.other is not None and held.other.manifest is not None
    assert held.other.manifest.prompt == new.prompt
