"""The fleet is found and read a slice a turn, beside the loop that draws, and only while somebody looks."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import redis.asyncio

from console.domain.fleet.agents import FleetAgent, Standing
from console.live import roll as live_roll
from console.live.fleet import LiveFleet
from console.live.roll import Roll, read_whole
from console.store.keys import Keys
from console.store.reading import discovery
from console.store.reading.fleet import BATCH
from console.store.server.connect import connect
from tests.servers import Server
from tests.waiting import until_async


class Door:
    """Connects for a fleet, and remembers where."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.threads: set[int] = set()

    async def __call__(self) -> redis.asyncio.Redis:
        self.threads.add(threading.get_ident())
        return await connect(self.url, name="fleet")


Make = Callable[[], tuple[LiveFleet, Door]]


@pytest.fixture
async def make(store_url: str) -> AsyncIterator[Make]:
    made: list[LiveFleet] = []

    def fleet() -> tuple[LiveFleet, Door]:
        door = Door(store_url)
        made.append(LiveFleet(door))
        return made[-1], door

    yield fleet
    for one in made:
        await one.aclose()


async def plain(client: redis.asyncio.Redis, count: int) -> list[str]:
    names = [f"a{number:04d}" for number in range(count)]
    await client.mset({Keys.of(name).active: "blue" for name in names})
    return names


def agents(fleet: LiveFleet) -> dict[str, FleetAgent]:
    reading = fleet.seen.reading
    return {agent.name: agent for agent in reading.agents} if reading is not None else {}


async def test_everybody_is_found_and_read_on_another_thread_and_told_on_this_one(
    make: Make, valkey: redis.asyncio.Redis
) -> None:
    names = await plain(valkey, BATCH * 2 + 10)
    fleet, door = make()
    told: set[int] = set()
    fleet.told = lambda: told.add(threading.get_ident())
    fleet.look(names[-3:])
    await until_async(lambda: (reading := fleet.seen.reading) is not None and reading.round_s is not None)
    assert sorted(agents(fleet)) == names
    reading = fleet.seen.reading
    assert reading is not None
    assert (reading.found.whole, reading.unread) == (True, 0)
    assert told == {threading.get_ident()}
    assert threading.get_ident() not in door.threads


async def test_a_turn_reads_no_more_than_a_slice_and_who_is_on_screen_with_each(valkey: redis.asyncio.Redis) -> None:
    names = await plain(valkey, BATCH * 3)
    roll = Roll(valkey)
    await roll.seek(60)
    seen: set[str] = set()
    for _turn in range(3):
        assert await roll.read(names[-2:]) <= BATCH
        await valkey.set(Keys.of(names[-1]).active, "green")
        read = {one.name for one in roll.reading(roll.server_at, 0, 0).agents if one.read_at == roll.server_at}
        assert set(names[-2:]) <= read
        seen |= read
    assert len(seen) > 2 * BATCH


async def test_a_search_that_was_broken_off_goes_on_where_it_stood_and_shows_how_far_it_is(
    valkey: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "BITE", 50)
    await valkey.mset({f"other:{number}": "x" for number in range(2_000)})
    await plain(valkey, 20)
    roll = Roll(valkey)
    await roll.seek(0)
    first = roll.reading(roll.server_at, 0, 0).found
    assert 0 < first.share < 1
    assert not first.whole
    roll.moved(valkey)
    await roll.seek(0)
    assert roll.reading(roll.server_at, 0, 0).found.share > first.share
    while not roll.search.passes:
        await roll.seek(60)
    assert len(roll.reading(roll.server_at, 0, 0).agents) == 20


async def test_who_vanished_is_shown_as_gone_and_then_not_at_all(
    make: Make, valkey: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_roll, "SEARCH_AGAIN_S", 0.0)
    await plain(valkey, 3)
    fleet, _door = make()
    fleet.look()
    await until_async(lambda: len(agents(fleet)) == 3 and agents(fleet)["a0001"].read_at is not None)
    await valkey.delete(Keys.of("a0001").active)
    fleet.ask("a0001")
    await until_async(lambda: "a0001" not in agents(fleet) or agents(fleet)["a0001"].gone)

    def left() -> bool:
        fleet.ask()
        return sorted(agents(fleet)) == ["a0000", "a0002"]

    await until_async(left)


async def test_a_store_that_is_lost_is_a_named_state_and_what_was_read_stays(short_dir: Path) -> None:
    server = Server(short_dir).start()
    fleet = LiveFleet(Door(server.url))
    try:
        async with await connect(server.url, name="test") as client:
            await plain(client, 3)
        fleet.look()
        await until_async(lambda: len(agents(fleet)) == 3)
        server.kill()
        await until_async(lambda: bool(fleet.seen.problem))
        assert len(agents(fleet)) == 3
        server.start()
        await until_async(lambda: not fleet.seen.problem)
    finally:
        await fleet.aclose()
        server.kill()


async def test_nothing_is_read_once_nobody_looks(make: Make, valkey: redis.asyncio.Redis) -> None:
    await plain(valkey, 1)
    fleet, _door = make()
    fleet.look()
    await until_async(lambda: bool(agents(fleet)))
    fleet.leave()
    fleet.ask()
    fleet.look()
    before = fleet.seen
    await until_async(lambda: fleet.seen is not before, "looking again reads again")


async def test_who_asks_once_gets_everybody_read(valkey: redis.asyncio.Redis) -> None:
    await plain(valkey, BATCH + 1)
    reading = await read_whole(valkey)
    assert {agent.standing for agent in reading.agents} == {Standing.ACTIVE}
    assert len(reading.agents) == BATCH + 1
    await valkey.flushdb()
    assert (await read_whole(valkey)).agents == ()
