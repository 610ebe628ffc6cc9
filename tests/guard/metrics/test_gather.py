"""What a guard at work gathers for its metrics, on a real store; and that it goes on whatever becomes of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from decimal import Decimal

import pytest

from console.domain.fence.claims import Direction
from console.guard.metrics.exposition import Page, Pages
from console.guard.metrics.gather import Gatherer
from console.guard.metrics.server import MetricsServer, listening
from console.guard.run.process import Guard
from console.store.fence.claims import Intent
from tests.guard.fleet_stage import FleetStage
from tests.guard.metrics.sights import Samples, samples_of, states, value
from tests.guard.stage import Stage
from tests.waiting import until_async


class Eyes:
    """Metrics of a guard, gathered when a test says so."""

    def __init__(self, watcher: Guard) -> None:
        self.gatherer = Gatherer(watcher)
        self.pages = Pages(self.gatherer.gathered, watcher.options.clock)

    async def samples(self) -> Samples:
        await self.gatherer.once()
        self.pages.forget()
        return samples_of(self.pages.page().body)


async def test_a_guard_tells_who_acts_what_was_made_and_what_nobody_has_seen_yet(stage: Stage) -> None:
    guard = await stage.guard()
    eyes = Eyes(guard)
    stage.write(stage.now(pnl=2.5), stage.now(pnl=-1.0), stage.now(decision_type="exception", pnl=None))
    await guard.step()
    samples = await eyes.samples()
    assert states(samples, "trigger_verdict", "verdict", trigger="exception") == ["harm"]
    assert value(samples, "pnl", agent="agent", currency="USD") == 1.5
    assert value(samples, "store_up") == 1
    assert value(samples, "store_calls_total", result="ok") == 1
    await guard.step()
    await guard.tend()
    samples = await eyes.samples()
    assert states(samples, "active", "slot") == ["blue"]
    assert value(samples, "alerts_open", agent="agent", severity="critical") == 1
    assert value(samples, "guards") is None, "it has heard nobody yet"


async def test_a_claim_is_in_flight_and_then_in_doubt(stage: Stage) -> None:
    guard = await stage.guard()
    eyes = Eyes(guard)
    authority = await stage.fence.authority()
    assert authority is not None
    intent = Intent(
        "k", "c", "green", authority.epoch, "g-1", Decimal(1), "USD", Direction.ENTER, "bet", 1, authority.epoch
    )
    assert (await stage.fence.claim(intent)).granted

    async def in_doubt() -> bool:
        await guard.tend()
        return value(await eyes.samples(), "actions_in_doubt", agent="agent") == 1

    await until_async(in_doubt)


async def test_a_store_that_is_away_leaves_no_value_and_is_told(stage: Stage) -> None:
    guard = await stage.guard()
    eyes = Eyes(guard)
    await eyes.samples()
    await guard.tools.client.aclose()
    guard.tools.client.connection_pool.connection_kwargs.update({"host": "127.0.0.1", "port": 1, "path": "/nowhere"})
    await eyes.gatherer.call()
    eyes.pages.forget()
    samples = samples_of(eyes.pages.page().body)
    assert value(samples, "store_up") == 0
    assert value(samples, "store_calls_total", result="unreachable") == 1


async def test_alerts_under_a_key_of_another_kind_are_an_error_and_harm_nothing(stage: Stage) -> None:
    guard = await stage.guard()
    await stage.client.set(guard.ward.state.names.alerts, "no hash")
    samples = await Eyes(guard).samples()
    assert states(samples, "source_state", "state", source="alerts") == ["error"]
    assert value(samples, "alerts_open", agent="agent", severity="critical") is None


async def test_a_scrape_that_hangs_delays_no_roll_back(stage: Stage) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Hanging(Pages):
        def page(self, accept: str = "") -> Page:
            begun.set()
            go_on.wait(60)
            return super().page(accept)

    guard = await stage.guard()
    gatherer = Gatherer(guard)
    server = MetricsServer(listening("127.0.0.1", 0), Hanging(gatherer.gathered, stage.clock))
    server.start()
    guard.beside = gatherer.loops
    stop = asyncio.Event()
    running = asyncio.create_task(guard.run(stop))
    try:
        host, port = server.url.removeprefix("http://").removesuffix("/metrics").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await until_async(begun.is_set)
        stage.write(stage.now(decision_type="exception", pnl=None))

        async def rolled_back() -> bool:
            return await stage.active() == "blue"

        await until_async(rolled_back)
        assert not go_on.is_set()
        go_on.set()
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()
    finally:
        go_on.set()
        stop.set()
        await running
        server.close()


async def test_whatever_fails_in_gathering_is_counted_and_told_once_and_the_guard_goes_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = await stage.guard()
    gatherer = Gatherer(guard)
    whole = gatherer.sight

    def broken(_wards: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("console.guard.metrics.gather.RETRY_S", 0.01)
    monkeypatch.setattr(gatherer, "sight", broken)
    guard.beside = gatherer.loops
    stop = asyncio.Event()
    running = asyncio.create_task(guard.run(stop))
    await until_async(lambda: gatherer.gathered.errors > 1)
    monkeypatch.setattr(gatherer, "sight", whole)
    await until_async(lambda: "metrics work again" in stage.events())
    assert stage.events().count("metrics failed") == 1
    assert not running.done()
    stop.set()
    await running


async def test_a_fleet_tells_of_every_agent_and_forgets_who_is_gone(many: FleetStage) -> None:
    for agent in ("atlas", "boreas"):
        await many.fenced(agent)
    fleet = many.fleet(logs=False)
    gatherer = Gatherer(fleet)
    pages = Pages(gatherer.gathered, many.clock)
    fleet.beside = gatherer.loops

    def told() -> Iterator[str]:
        pages.forget()
        for name, key in samples_of(pages.page().body):
            if name == "agent_console_phase":
                yield dict(key)["agent"]

    async with many.running(fleet):
        await until_async(lambda: {*told()} == {"atlas", "boreas"})
        samples = samples_of(pages.page().body)
        assert value(samples, "guards") == 1
        assert value(samples, "guard_agents", care="watched") == 2
    fleet.patrol.wards.pop("boreas")
    gatherer.sight([])
    assert {*told()} == {"atlas"}
