"""After a failover everything is on the new primary by itself: agents of both kinds, a guard, a console, verbs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from console.agent import AgentController, Settings
from console.agent.aio import AgentController as AsyncAgentController
from console.cli.options import Session
from console.cli.runtime import context_on, primary, reader_on
from console.domain.fence.deployment import Slot
from console.domain.seen.observation import LinkState, Observation
from console.domain.seen.rows import FAILOVER
from console.guard.run.process import Guard
from console.guard.setup.options import GuardOptions
from console.live.source import Identity, LiveSource
from console.logs.options import LogOptions
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.keys import GuardKeys, Keys
from console.store.server.connect import connect
from console.views.failover import failover_text, newest_failover
from console.views.fence.link import header_view
from console.views.health import health_view
from tests.faults.following import failovers
from tests.topologies import Sentinels
from tests.waiting import until_async

MONEY = Settings(replicas=1, heartbeat_ms=50, command_timeout_ms=1000, replicas_wait_ms=1000)


async def acts(agent: AsyncAgentController, key: str) -> None:
    async with agent.action(key) as act:
        act.check()
        await act.settle("done")


def acts_blocking(agent: AgentController, key: str) -> None:
    with agent.action(key) as act:
        act.check()
        act.settle("done")


async def test_agents_a_guard_a_console_and_verbs_are_on_the_new_primary_after_a_failover(short_dir: Path) -> None:
    setup = await asyncio.to_thread(Sentinels, short_dir, down_ms=500)
    keys, url = Keys.of(), setup.url
    told: list[tuple[str, dict[str, Any]]] = []
    seen: list[Observation] = []
    stop = asyncio.Event()
    settings = Session({"url": url, "who": "op"}).settings(environ={})
    blue = AsyncAgentController(url, slot="blue", version="1", settings=MONEY)
    green = AgentController(url, slot="green", version="2", settings=MONEY)
    guard = Guard(
        GuardOptions(url, "agent", (), LogOptions(), name="g"), lambda event, **more: told.append((event, more))
    )
    source = LiveSource(Identity("agent", url), reader_on(settings, url, "view"))
    try:
        client = await primary(url, name="op")
        await AsyncFence(client, keys).switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        await client.execute_command("WAIT", 2, 5000)
        await blue.start()
        await asyncio.to_thread(green.start)
        await acts(blue, "before")
        await guard.open()
        running = [asyncio.create_task(guard.run(stop)), asyncio.create_task(source.run(seen.append))]
        await until_async(lambda: seen and seen[-1].link.state is LinkState.LIVE and seen[-1].store is not None)
        before, old = seen[-1], setup.current
        assert before.store is not None and f"127.0.0.1:{old.port}, by 3 of 3 Sentinels" in before.store.place

        new = await asyncio.to_thread(setup.fail_over)
        await until_async(lambda: any(event == "failover" for event, _more in told), "the guard's log")
        await until_async(lambda: seen[-1].link.state is LinkState.LIVE and newest_failover(seen[-1]), "the console")
        assert dict(told)["failover"]["after"] == f"127.0.0.1:{new.port}"
        last, entry = seen[-1], newest_failover(seen[-1])
        assert entry is not None and entry.command == FAILOVER and last.store is not None
        assert failover_text(entry) == f"primary of main: 127.0.0.1:{old.port} → 127.0.0.1:{new.port}"
        assert f"at 127.0.0.1:{new.port}" in health_view(last)[0].text
        assert header_view(last).mode == "RW" and last.store.damage == ()

        ctx = await context_on(settings, url, logs=lambda: None)  # the verb `switch`, as an operator gives it
        moved = await AsyncFence(ctx.gateway.client, keys).switch(
            SwitchRequest("green", expected_epoch="any", mode="now", by="op")
        )
        await ctx.gateway.aclose()
        await until_async(lambda: (blue.epoch, green.epoch) == (moved.epoch, moved.epoch), "both agents hear of it")
        await until_async(lambda: not green.core.unexamined, "its replicas are back")
        await asyncio.to_thread(acts_blocking, green, "after")
        direct = await connect(f"redis://127.0.0.1:{new.port}")
        assert (await AsyncFence(direct, keys).authority()).active is Slot.GREEN  # type: ignore[union-attr]
        await direct.hdel(GuardKeys.of(keys).guards, "g")
        await until_async(lambda: direct.hexists(GuardKeys.of(keys).guards, "g"), "the guard beats there")
        await direct.aclose()
        await client.aclose()
        stop.set()
        await running[0]
        running[1].cancel()
        await asyncio.gather(*running, return_exceptions=True)
    finally:
        stop.set()
        await guard.aclose()
        await blue.stop()
        await asyncio.to_thread(green.stop)
        setup.stop()


@pytest.mark.long
@pytest.mark.timeout(400)
def test_failovers_under_load_are_followed_in_time_and_do_nothing_twice(short_dir: Path) -> None:
    outcome = failovers(short_dir, count=4)
    assert (outcome["twice"], outcome["lost_switches"]) == (0, 0)
    assert [one for one in outcome["violations"] if "followed" not in one] == [], "how fast is a figure, not a test"
