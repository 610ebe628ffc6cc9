"""What is owed has the same names and the same rules for asyncio agents."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from console.agent import Commitment, Direction, Kind
from console.agent.aio import AgentController
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys


async def test_an_asyncio_agent_opens_lists_watches_and_closes_what_it_owes(
    store_url: str, valkey: Any, keys: Keys
) -> None:
    fence = AsyncFence(valkey, keys)
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    async with AgentController(store_url, slot="blue", version="1") as blue:
        async with blue.action("create", opens=Commitment("esc_1", Kind.ESCROW, Decimal(5), "USD")) as act:
            await act.settle("created")
        await blue.commitments.put(Commitment("esc_2", Kind.ESCROW))
        mine = [one.id for one in await blue.commitments.mine()]
        assert mine == ["esc_1", "esc_2"]
        await blue.commitments.watch(mine)
        assert await fence.watched(blue.instance) == {"esc_1", "esc_2"}
        async with blue.action("release", direction=Direction.REDUCE, closes="esc_1") as act:
            await act.settle("released")
        await blue.commitments.over("esc_2", why="expired")
        assert await blue.commitments.all() == ()
