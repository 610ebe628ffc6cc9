"""Upgrade after upgrade: none is blocked, and the store does not grow with them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from console.agent import AgentController, Commitment, Kind, Settings, State
from console.commands.base import Call
from console.commands.context import Context
from console.commands.fence.switch import Switch
from console.commands.gateway.gateway import Gateway
from console.commands.upgrade.start import UpgradeStart
from console.commands.upgrade.walk import walk
from console.domain.upgrade.run import RunState
from console.store.fence.archive import archive
from console.store.keys import GuardKeys, Keys
from console.store.records import upgrades
from console.store.records.upgrades import MAX_OVER
from console.store.server.connect import connect
from tests.waiting import until_async

KEYS = Keys.of()
BLOCKS = 12_288
"""Bytes by which streams of the same length differ, since they are stored in blocks; a run has 4,000."""
PLAN = "shadow_rounds = 0\nreview = 0\nwatch_s = 0\nwarm_s = 0\n"


class Size(NamedTuple):
    """What the store holds: how many keys, and bytes in all of them."""

    keys: int
    memory: int


class Scene(NamedTuple):
    """A console's surroundings, and the agents beside it."""

    ctx: Context
    agents: dict[str, AgentController]


@pytest.fixture
async def scene(store_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """Two living agents that watch what is owed and keep their state, of which blue acts."""
    settings = Settings(money=False, states_kept=3)
    agents = {
        slot: AgentController(store_url, slot=slot, version="2.5.0", settings=settings) for slot in ("blue", "green")
    }
    for one in agents.values():
        await asyncio.to_thread(one.start)
    gateway = Gateway(
        await connect(store_url, name="agent-console", timeout_s=30.0), KEYS, url=store_url, registry={}, who="ada"
    )
    ctx = Context(gateway, {}, tmp_path / "snapshots")
    await Switch().execute(ctx, Call({"slot": "blue"}))
    await until_async(lambda: agents["blue"].active, "blue to be active")
    await asyncio.to_thread(agents["blue"].commitments.put, Commitment("pos-1", Kind.POSITION))
    for one in agents.values():
        await asyncio.to_thread(one.commitments.watch, ["pos-1"])
    beating = asyncio.ensure_future(beat(ctx))
    yield Scene(ctx, agents)
    beating.cancel()
    for one in agents.values():
        await asyncio.to_thread(one.stop)
    await gateway.aclose()


async def beat(ctx: Context) -> None:
    """A guard's heartbeat, as often as a guard says it."""
    while True:
        seconds, micros = await ctx.gateway.client.time()
        ms = int(seconds) * 1000 + int(micros) // 1000
        body = {"ms": ms, "started": ms, "watching": "blue", "every_s": 1.0, "triggers": []}
        await ctx.gateway.client.hset(GuardKeys.of(KEYS).guards, "guard-1", json.dumps(body))
        await asyncio.sleep(0.3)


async def size(ctx: Context) -> Size:
    """What the store holds now."""
    client = ctx.gateway.client
    names = [name async for name in client.scan_iter(count=1000)]
    return Size(len(names), sum([await client.memory_usage(name, samples=0) or 0 for name in names]))


async def upgraded(scene: Scene, number: int, plan: Path) -> None:
    """One run to its end, after which the side that acts takes the state over and keeps its own."""
    ctx, target = scene.ctx, "green" if number % 2 else "blue"
    await UpgradeStart().execute(ctx, Call({"target": target, "plan": str(plan)}))
    told = [turned.next async for turned in walk(ctx, every_s=0.02, patience=600)]
    run = (await ctx.gateway.upgrades.read()).run
    assert run is not None and run.state is RunState.DONE, (run.state, run.note, told[-1])
    agent = scene.agents[target]
    await until_async(lambda: agent.active, f"{target} to have heard that it acts")
    if number > 1:
        old = await asyncio.to_thread(agent.take_over)
        assert old.state.extra == {"n": number - 1} and old.already is None
    agent.keep(State(version="2.5.0", extra={"n": number}))
    await until_async(lambda: agent.kept is not None and not agent.state_error, "the state to be kept")


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize(
    ("runs", "settles", "over", "kept"),
    [(8, 6, 1, 20), pytest.param(1_000, 100, MAX_OVER, 150, marks=pytest.mark.long)],
)
async def test_upgrade_after_upgrade_is_done_and_the_store_holds_no_more_after_them(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: int, settles: int, over: int, kept: int
) -> None:
    monkeypatch.setattr(upgrades, "MAX_OVER", over)
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN)
    every, sizes = max(1, runs // 50), list[Size]()
    for number in range(1, runs + 1):
        await upgraded(scene, number, plan)
        if number % every == 0:
            await archive(scene.ctx.gateway.client, KEYS, tmp_path / "archive", keep=kept)
            sizes.append(await size(scene.ctx))
    settled, *after = sizes[settles // every - 1 :]
    assert {one.keys for one in after} == {settled.keys}
    assert max(one.memory for one in after) <= settled.memory + BLOCKS, sizes
    assert await scene.ctx.gateway.client.hlen(KEYS.upgrades) == over + 1
