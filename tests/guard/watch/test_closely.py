"""Looking closely at many agents that are taken over at once: by turns, and the server is asked once for all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from console.guard.watch.closely import LANES, Closely
from console.store.reading.doctor import SETTINGS
from console.store.server.connect import connect
from tests.guard.fleet_stage import FleetStage
from tests.servers import Server
from tests.waiting import until_async

AGENTS = 25


async def test_what_the_server_says_of_itself_is_asked_once_for_all_agents_that_are_taken_over_together(
    valkey_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = valkey_server(appendonly="no")
    client = await connect(server.url, timeout_s=10.0)
    many = FleetStage(client, server.url, tmp_path)
    await asyncio.gather(*(many.fenced(f"a{number}") for number in range(AGENTS)))
    await client.config_resetstat()
    fleet = many.fleet(logs=False)
    async with many.running(fleet):
        await until_async(lambda: len(many.events("alert")) >= AGENTS)  # each is told that its store is unfit
        told = await client.info("commandstats")
    await client.aclose()
    assert {one["agent"] for one in many.events("alert")} == {f"a{number}" for number in range(AGENTS)}
    assert told["cmdstat_config|get"]["calls"] < AGENTS * len(SETTINGS) / 5


async def test_a_look_for_cron_ends_when_the_store_of_every_agent_was_looked_at_closely(
    valkey_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = valkey_server(appendonly="no")
    client = await connect(server.url, timeout_s=10.0)
    many = FleetStage(client, server.url, tmp_path)
    await asyncio.gather(*(many.fenced(f"a{number}") for number in range(AGENTS)))
    fleet = many.fleet(logs=False)
    await fleet.open()
    assert (await fleet.once()).agents == AGENTS
    assert {one["agent"] for one in many.events("alert")} == {f"a{number}" for number in range(AGENTS)}
    await fleet.aclose()
    await client.aclose()


async def test_so_many_are_looked_at_together_and_no_more_and_each_has_its_turn() -> None:
    closely, now, most, seen = Closely(), 0, 0, list[int]()

    async def look(number: int) -> None:
        nonlocal now, most
        async with closely.turn():
            now += 1
            most = max(most, now)
            await asyncio.sleep(0)
            seen.append(number)
            now -= 1

    await asyncio.gather(*map(look, range(40)))
    assert most == LANES
    assert sorted(seen) == list(range(40))


async def test_who_gives_up_waiting_for_its_turn_or_fails_in_it_keeps_nobody_from_theirs() -> None:
    closely, go_on = Closely(), asyncio.Event()

    async def hold() -> None:
        async with closely.turn():
            await go_on.wait()
            raise ValueError("a defect")

    async def wait() -> bool:
        async with closely.turn():
            return True

    holding = [asyncio.create_task(hold()) for _ in range(LANES)]
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(wait()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    go_on.set()
    assert await asyncio.gather(*waiting[1:]) == [True, True]
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
    for outcome in await asyncio.gather(*holding, return_exceptions=True):
        assert isinstance(outcome, ValueError)
    assert await asyncio.wait_for(wait(), 20.0)
