"""Who has to acknowledge a switch."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis

from console.agent import AgentController, Settings
from console.commands.gateway.door import Door, Order
from console.commands.gateway.fence import FenceGate, Move
from console.domain.fence.deployment import Slot
from console.store.keys import Keys
from console.store.server.connect import connect
from tests.waiting import until


@pytest.fixture
def blue(store_url: str) -> Iterator[AgentController]:
    one = AgentController(store_url, slot="blue", version="2.4.0", settings=Settings(money=False))
    one.start()
    yield one
    one.stop()


@pytest.fixture(params=[-1, 1], ids=["behind", "ahead"])
async def door(store_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Door]:
    """An operator's, whose clock is an hour off."""
    client = await connect(store_url, name="agent-console")
    hour = timedelta(hours=request.param)
    yield Door(client, Keys.of(), url=store_url, registry={}, who="ada", clock=lambda: datetime.now(UTC) + hour)
    await client.aclose()


async def test_the_living_acknowledge_a_switch_and_not_the_dead_whatever_the_operators_clock_says(
    door: Door, blue: AgentController, valkey_sync: redis.Redis
) -> None:
    dead = {"ms": round((time.time() - 20) * 1000), "slot": "blue", "version": "2.4.0"}
    valkey_sync.hset(Keys.of().instances, "blue-dead", json.dumps(dead))
    gate, order = FenceGate(door), Order("switch")
    await gate.switch(Move(Slot.BLUE, (await door.read()).deployment, 0, mode="now"), order)
    until(lambda: valkey_sync.hlen(Keys.of().instances) == 2, "the living one to beat")
    deployment = (await door.read()).deployment
    receipt = await gate.switch(Move(Slot.BLUE, deployment, deployment.epoch, mode="now"), order)
    (living,) = (str(one.name) for one in deployment.instances if one.name != "blue-dead")
    assert receipt.expected_acks == receipt.acknowledged == (living,)
