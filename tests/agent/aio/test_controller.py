"""The asyncio controller has the same names and the same rules."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.agent import (
    AgentController as Blocking,
)
from console.agent import (
    AlreadyDone,
    Evidence,
    Flags,
    FlagSpec,
    FlagType,
    InDoubt,
    Proposal,
    ResolveCode,
    Settings,
    StandBy,
)
from console.agent.aio import AgentController
from console.domain.fence.deployment import Slot
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import FlagWrite, SwitchRequest
from console.store.keys import Keys
from tests.servers import Server
from tests.waiting import until_async

Make = Callable[..., Awaitable[AgentController]]


@pytest.fixture
async def fence(valkey: Any, keys: Keys) -> AsyncFence:
    fence = AsyncFence(valkey, keys)
    await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    return fence


@pytest.fixture
async def make(store_url: str, fence: AsyncFence) -> AsyncIterator[Make]:
    made: list[AgentController] = []

    async def start(slot: str = "blue", **options: Any) -> AgentController:
        controller = AgentController(options.pop("url", store_url), slot=slot, version="2.4.0", **options)
        await controller.start()
        made.append(controller)
        return controller

    yield start
    for controller in made:
        await controller.stop()


def test_both_controllers_have_the_same_public_names_and_arguments() -> None:
    def public(cls: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(member).parameters)
            for name, member in inspect.getmembers(cls, callable)
            if not name.startswith("_")
        }

    assert public(Blocking) == public(AgentController)


async def test_an_action_is_claimed_sent_and_settled_once(make: Make, fence: AsyncFence) -> None:
    controller = await make()
    async with controller.action("bet-1", amount=Decimal(5), currency="USD") as act:
        assert [c.key for c in await fence.open_claims()] == ["bet-1"]
        await act.settle({"won": True}, pnl=Decimal(1))
    with pytest.raises(AlreadyDone) as refused:
        async with controller.action("bet-1", amount=Decimal(5), currency="USD"):
            pytest.fail("it must not run")
    assert refused.value.done.result == '{"won":true}'


async def test_a_cancelled_action_is_in_doubt(make: Make, fence: AsyncFence) -> None:
    controller = await make()
    inside = asyncio.Event()

    async def work() -> None:
        async with controller.action("bet-1"):
            inside.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [c.in_doubt for c in await fence.open_claims()] == [True]
    with pytest.raises(InDoubt):
        async with controller.action("bet-1"):
            pytest.fail("it must not run")

    async def probe(_claim: object) -> Evidence:
        return Evidence(True, "in the history")

    assert await controller.resolve(probe) == {"bet-1": ResolveCode.RESOLVED}


async def test_a_switch_is_pushed_to_both_sides(make: Make, fence: AsyncFence) -> None:
    quiet = Settings(heartbeat_ms=60_000, stale_after_ms=60_000)
    blue, green = await make("blue", settings=quiet), await make("green", settings=quiet)
    waiting = asyncio.create_task(green.wait_change(10))
    await asyncio.sleep(0)
    await fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    assert await waiting
    await until_async(lambda: green.active and not blue.active)
    with pytest.raises(StandBy):
        async with blue.action("bet-1"):
            pytest.fail("it must not run")


async def test_an_exception_rolls_back(make: Make, fence: AsyncFence) -> None:
    await make("blue")
    await fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    green = await make("green")
    with pytest.raises(RuntimeError):
        async with green.action("bet-1"):
            raise RuntimeError("boom")
    authority = await fence.authority()
    assert authority is not None and authority.active is Slot.BLUE


async def test_a_result_waits_on_disk_while_the_store_is_away(
    make: Make, valkey_server: Callable[..., Server], tmp_path: Path
) -> None:
    from console.store.server.connect import connect

    server = valkey_server()
    client = await connect(server.url, timeout_s=5)
    own = AsyncFence(client, Keys.of())
    await own.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    controller = await make(
        url=server.url, settings=Settings(heartbeat_ms=20, spool_dir=tmp_path, claim_patience_ms=50)
    )
    async with controller.action("bet-1") as act:
        server.kill()
        await act.settle("won")
    assert len(controller.spool) == 1
    with pytest.raises(StandBy):
        async with controller.action("bet-2"):
            pytest.fail("it must not run")
    server.start()
    await until_async(lambda: len(controller.spool) == 0)
    await client.aclose()
    client = await connect(server.url, timeout_s=5)
    assert await client.exists(Keys.of().done("bet-1"))
    await client.aclose()


async def test_flags_are_pushed(make: Make, fence: AsyncFence) -> None:
    flags = Flags([FlagSpec("game", FlagType.STRING, "dice")])
    await make(flags=flags, settings=Settings(heartbeat_ms=60_000))
    await fence.set_flag(FlagWrite("game", expected=None, value="crash"))
    await until_async(lambda: flags["game"] == "crash")


async def test_the_loop_acts_at_once_when_its_side_becomes_active(make: Make, fence: AsyncFence) -> None:
    acted: list[str] = []

    async def decide(_state: object) -> Proposal | None:
        return Proposal("bet-0")

    async def execute(wanted: Proposal, _act: object) -> object:
        acted.append(wanted.key)
        return "done"

    green = await make("green", decide=decide, execute=execute)
    running = asyncio.create_task(green.run(interval_s=60.0, until=lambda: bool(acted)))
    await asyncio.sleep(0)
    await fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))
    await until_async(lambda: acted)
    await fence.halt("op", "enough")
    await asyncio.wait_for(running, 10)
    assert acted == ["bet-0"]
