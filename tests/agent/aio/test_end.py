"""An asyncio agent that is told to end; what both worlds share is in `tests/agent/blocking/test_end.py`."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import Any

import pytest

from console.agent import Settings, StandBy
from console.agent.aio import AgentController
from console.agent.aio.waits import Termination
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from tests.waiting import until_async


@pytest.fixture
async def fence(valkey: Any, keys: Keys) -> AsyncFence:
    fence = AsyncFence(valkey, keys)
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    return fence


async def nothing(_state: object) -> None:
    return None


async def test_what_is_not_over_in_time_is_named_and_is_in_doubt_when_its_lease_ends(
    store_url: str, fence: AsyncFence, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(lease_ms=1_000, margin_ms=100)
    controller = AgentController(store_url, slot="blue", version="1", settings=settings)
    await controller.start()
    entered, leave = asyncio.Event(), asyncio.Event()

    async def act() -> None:
        async with controller.action("bet-1"):
            entered.set()
            await leave.wait()

    task = asyncio.create_task(act())
    await entered.wait()
    assert (await controller.drain(timeout_s=0.2)).acting == ("bet-1",)
    assert "bet-1" in caplog.text
    with pytest.raises(StandBy):
        async with controller.action("bet-2"):
            pytest.fail("it must not run")
    await controller.stop()

    async def doubtful() -> bool:
        await fence.tend()
        return [claim.key for claim in await fence.open_claims() if claim.in_doubt] == ["bet-1"]

    await until_async(doubtful)
    leave.set()
    await task


async def test_each_of_several_loops_hears_the_signal_and_the_handler_before_is_there_again(
    store_url: str, fence: AsyncFence
) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))
    try:
        both = [AgentController(store_url, slot=slot, version="1", decide=nothing) for slot in ("blue", "green")]
        first = asyncio.create_task(both[0].run(interval_s=60))
        second = asyncio.create_task(both[1].run(interval_s=60, until=lambda: both[1].changes > 1_000))
        await until_async(lambda: _both_beat(fence))
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(asyncio.gather(first, second), 20)
        assert await fence.heartbeats() == {}
        assert heard == []
        os.kill(os.getpid(), signal.SIGTERM)
        await until_async(lambda: heard == [signal.SIGTERM])
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_a_loop_s_own_handler_is_not_left_deaf() -> None:
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGTERM)
    try:
        loop.add_signal_handler(signal.SIGTERM, lambda: None)
        Termination(lambda: None, lambda: None).over()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL  # it ends the process, instead of being lost
    finally:
        signal.signal(signal.SIGTERM, before)


def test_on_another_thread_nothing_is_heard_and_nothing_breaks(store_url: str, valkey_sync: Any) -> None:
    failed: list[BaseException] = []

    async def brief() -> None:
        ending = Termination(lambda: None, lambda: None)
        ending.over()

    def run() -> None:
        try:
            asyncio.run(brief())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    assert failed == []


async def test_a_stop_by_another_task_ends_the_loop_at_once(store_url: str, fence: AsyncFence) -> None:
    controller = AgentController(store_url, slot="blue", version="1", decide=nothing)
    running = asyncio.create_task(controller.run(interval_s=600))
    await until_async(lambda: _beats(fence))
    await controller.stop()
    await asyncio.wait_for(running, 20)
    assert await fence.heartbeats() == {}


async def _beats(fence: AsyncFence) -> int:
    return len(await fence.heartbeats())


async def _both_beat(fence: AsyncFence) -> bool:
    return await _beats(fence) == 2
