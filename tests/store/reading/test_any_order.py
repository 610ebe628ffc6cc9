"""Whatever was written by whom in which order: a reader in turns sees what one sees that begins anew."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

import pytest
import redis.asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.exceptions import RedisError

from console.domain.errors import ConsoleError
from console.domain.experiment.record import ExperimentState
from console.domain.fence.claims import Direction
from console.domain.guard.alerts import Alert, AlertKind
from console.domain.text import Safe
from console.domain.triggers.finding import Severity
from console.domain.venue.deadman import Deadman
from console.guard.keep.state import GuardState
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import Heartbeat, SwitchRequest
from console.store.fence.claims import Intent
from console.store.keys import GuardKeys, Keys, ProofKeys
from console.store.reading import sections
from console.store.reading.reader import StoreReader
from console.store.records import canary, experiments, venue
from console.store.server.connect import connect
from tests.scenarios.proving import experiment
from tests.store.reading.alike import compare
from tests.store.records.test_canary import Act, act

KEYS: Final = Keys.of()
NOW: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PROOFS, GUARDS = ProofKeys.of(KEYS), GuardKeys.of(KEYS)
HELD: Final = (
    KEYS.ctl,
    KEYS.open,
    KEYS.instances,
    KEYS.beats,
    KEYS.changed,
    KEYS.revisions,
    KEYS.log,
    KEYS.upgrades,
    GUARDS.alerts,
    GUARDS.guards,
    PROOFS.run,
    PROOFS.book,
    PROOFS.experiments,
    PROOFS.shadows,
    KEYS.beside("deadman"),
)


class World(NamedTuple):
    """A store, what writes there as ours do, and copies of keys that were taken."""

    client: redis.asyncio.Redis
    fence: AsyncFence
    state: GuardState
    kept: dict[str, bytes]


Deed = Callable[[World, int], Awaitable[object]]


async def _beat(world: World, n: int) -> None:
    told = Heartbeat(f"i{n % 3}", "blue", "v1", info=str(n % 2), in_flight=n % 4)
    await world.fence.beat(told, epoch=n % 2, seen=0, leaving=n % 7 == 6)


async def _claim(world: World, n: int) -> None:
    authority = await world.fence.authority()
    epoch = authority.epoch if authority else 0
    what = (Decimal(n), "USD", Direction.ENTER, "bet", 60_000, 0)
    await world.fence.claim(Intent(f"k{n % 5}", f"c{n}", "blue", epoch, "i1", *what))


async def _experiment(world: World, n: int) -> None:
    view = experiment(f"e{n % 2}", ExperimentState.RUNNING)
    assert view.record is not None
    await world.fence.call(experiments.put(KEYS, view.record, n % 3, before="", after="", audit=None))


async def _report(world: World, n: int) -> None:
    token = (await world.fence.call(canary.take(KEYS, "desk"))).token
    told = json.dumps({"share": "0", "balance": "0", "open": n})
    await world.fence.call(canary.report(KEYS, token, told, f"[{n}]"))


async def _switch(world: World, n: int) -> None:
    target = "green" if n % 2 else "blue"
    await world.fence.switch(SwitchRequest(target, "any", "op", "go on", resume=n % 3 == 0))


async def _alert(world: World, n: int) -> None:
    words = (Safe(f"a{n % 4}"), NOW + timedelta(seconds=n), Safe("agent"))
    await world.state.raise_alert(Alert(*words, AlertKind.WARNING, Severity.LOW, Safe("latency"), Safe(f"slow {n}")))


OURS: Final[tuple[Deed, ...]] = (
    _beat,
    _beat,
    _claim,
    _experiment,
    _report,
    _alert,
    _switch,
    lambda world, n: world.fence.halt("op", "because"),
    lambda world, n: act(world.fence, Act.START, run=f"r{n}"),
    lambda world, n: act(world.fence, Act.ABORT, run=f"r{n}"),
    lambda world, n: world.state.drop(GUARDS.alerts, [f"a{n % 4}"]),
    lambda world, n: venue.keep_deadman(world.client, KEYS, Deadman(epoch=n)),
    lambda world, n: world.client.set(KEYS.active, ("blue", "green", "nonsense")[n % 3]),
    lambda world, n: world.client.connection_pool.disconnect(),
)
"""What our scripts, our other writers, and a plain agent do; and a connection that is lost unnoticed."""


async def _keep(world: World, n: int) -> None:
    key = HELD[n % len(HELD)]
    copy = await world.client.dump(key)
    if copy is not None:
        world.kept[key] = copy


async def _restore(world: World, n: int) -> None:
    for key, copy in world.kept.items():
        await world.client.restore(key, 0, copy, replace=True)


BY_HAND: Final[tuple[Deed, ...]] = (
    lambda world, n: world.client.delete(HELD[n % len(HELD)]),
    lambda world, n: world.client.hset(HELD[n % len(HELD)], f"{'eia'[n % 3]}{n % 3}", f"{n}"),
    lambda world, n: world.client.hset(KEYS.instances, f"i{n % 3}", json.dumps({"ms": n, "slot": "green"})),
    lambda world, n: world.client.xadd(HELD[n % len(HELD)], {"d": str(n)}),
    lambda world, n: world.client.set(HELD[n % len(HELD)], f"text {n}"),
    lambda world, n: world.client.flushall() if n % 5 == 0 else world.client.ping(),
    _keep,
    _restore,
)

DEEDS: Final = st.lists(st.tuples(st.sampled_from(OURS + BY_HAND), st.integers(0, 60)), max_size=14)


async def _played(url: str, deeds: list[tuple[Deed, int]], clock: list[float]) -> None:
    client = await connect(url, timeout_s=10.0)
    try:
        await client.flushall()
        world = World(client, AsyncFence(client, KEYS), GuardState(client, KEYS), {})
        reader = StoreReader(client, KEYS, {})
        await world.fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        await reader.read(NOW)
        touched = False
        for deed, number in deeds:
            with suppress(ConsoleError, RedisError, ValueError):
                await deed(world, number)
            if deed in BY_HAND:
                touched = True
                await reader.read(NOW)
            elif touched:
                clock[0] += sections.AGAIN_MOST_S
                await compare(reader)
                touched = False
            else:
                await compare(reader)
        clock[0] += sections.AGAIN_MOST_S
        await compare(reader)
    finally:
        await client.aclose()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DEEDS)
def test_a_reader_in_turns_sees_what_one_sees_that_begins_anew(store_url: str, deeds: list[tuple[Deed, int]]) -> None:
    clock = [1000.0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sections, "monotonic", lambda: clock[0])
        asyncio.run(_played(store_url, deeds, clock))


@pytest.mark.long
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DEEDS)
def test_and_so_it_does_in_four_hundred_orders(store_url: str, deeds: list[tuple[Deed, int]]) -> None:
    clock = [1000.0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sections, "monotonic", lambda: clock[0])
        asyncio.run(_played(store_url, deeds, clock))
