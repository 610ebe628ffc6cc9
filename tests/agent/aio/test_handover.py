"""The asyncio controller hands its state over by the same rules, and the loop goes on meanwhile."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from console.agent import NoState, StandBy, State
from console.agent.aio import AgentController
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from tests.waiting import until_async


@pytest.fixture
async def fence(valkey: Any, keys: Keys) -> AsyncFence:
    fence = AsyncFence(valkey, keys)
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    return fence


@pytest.fixture
async def sides(store_url: str, fence: AsyncFence) -> AsyncIterator[tuple[AgentController, AgentController]]:
    async with (
        AgentController(store_url, slot="blue", version="1") as blue,
        AgentController(store_url, slot="green", version="2") as green,
    ):
        yield blue, green


async def test_what_one_side_kept_the_other_takes_over_with_what_was_done_since(
    sides: tuple[AgentController, AgentController], fence: AsyncFence
) -> None:
    blue, green = sides
    with pytest.raises(NoState):
        await blue.take_over()
    blue.keep(State(version="1", timestamp=1, extra={"n": Decimal("1.10")}), why="a test")
    await until_async(lambda: blue.kept is not None)
    async with blue.action("bet-1") as act:
        await act.settle("won")
    with pytest.raises(StandBy):
        await green.take_over()
    await fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    await until_async(lambda: green.active)
    taken = await green.take_over()
    assert str(taken.state.extra["n"]) == "1.10"
    assert [one.key for one in taken.since] == ["bet-1", "bet-1"]
    assert (taken.kept.why, taken.kept.slot) == ("a test", "blue")


async def test_a_state_is_cut_beside_the_loop_and_never_on_it(
    sides: tuple[AgentController, AgentController], monkeypatch: pytest.MonkeyPatch
) -> None:
    blue, _ = sides
    keeper, threads = blue._handover.keeper, set[int]()
    cut = keeper.cut

    def noted(waiting: Any) -> Any:
        threads.add(threading.get_ident())
        return cut(waiting)

    monkeypatch.setattr(keeper, "cut", noted)
    blue.keep(State(signals=[{"n": number, "words": "w" * 150} for number in range(6_000)]))
    await until_async(lambda: blue.kept is not None)
    assert blue.kept is not None and blue.kept.size > 1_000_000
    assert threads and threading.get_ident() not in threads


async def test_the_end_sends_what_waits(store_url: str, fence: AsyncFence) -> None:
    blue = AgentController(store_url, slot="blue", version="1")
    blue.keep(State(extra={"n": 0}))  # before the start: it waits
    await blue.start()
    await until_async(lambda: blue.kept is not None)
    blue.keep(State(extra={"n": 1}))
    await blue.stop()
    async with AgentController(store_url, slot="blue", version="1") as again:
        await until_async(lambda: again.active)
        assert (await again.take_over()).state.extra == {"n": 1}
