"""What stays bounded: the longest script with very much in flight, and hearing of agents beside keys of others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from console.domain.fence.deployment import Phase
from console.store.fence.aio import AsyncFence
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.reading.discovery import Discovery
from console.store.server.connect import connect, connect_sync
from tests.bench.line import Line, at_most
from tests.bench.stage import Stage
from tests.store.fence.test_bounds import flight

FLIGHT = 50_000
AGENTS = 1_000
FOREIGN = 1_000_000
FILL = "for i=1,ARGV[1] do redis.call('set','celery-task-meta-'..i,'x') end"


def measure(stage: Stage) -> Iterator[Line]:
    """Every line of this part."""
    client = connect_sync(stage.url, timeout_s=60)
    client.flushall()
    yield _drain(Fence(client, Keys.of()))
    client.flushall()
    alone, crowded = asyncio.run(_heard(stage.url))
    note = f"{1000 * alone:.0f} ms without them"
    name = f"agents: {AGENTS:,} heard of beside {FOREIGN:,} other keys"
    yield at_most(name, 1000 * crowded, "ms", 2000, "alone", 1000 * alone, note)
    client.flushall()
    client.close()


def _drain(fence: Fence) -> Line:
    fence.switch(SwitchRequest("blue", expected_epoch=0, by="bench", mode="now"))
    flight(fence, FLIGHT)
    fence.switch(SwitchRequest("green", expected_epoch="any", by="bench", drain_ms=0))
    fence.client.config_set("slowlog-log-slower-than", 0)
    fence.client.slowlog_reset()
    began, calls, phase = time.perf_counter(), 0, Phase.DRAIN
    while phase is Phase.DRAIN:
        phase = fence.tend().phase
        calls += 1
    took = time.perf_counter() - began
    longest = max(entry["duration"] for entry in fence.client.slowlog_get(128)) / 1000
    fence.client.config_set("slowlog-log-slower-than", 10_000)
    note = f"the server's own time, of the last 128; {calls} calls, {took:.1f} s in all"
    return at_most(f"scripts: the longest at a drain's deadline, {FLIGHT:,} in flight", longest, "ms", 50.0, note=note)


async def _heard(url: str) -> tuple[float, float]:
    client = await connect(url, timeout_s=60)
    try:
        for number in range(AGENTS):
            fence = AsyncFence(client, Keys.of(f"a{number}"))
            await fence.switch(SwitchRequest("blue", expected_epoch=0, mode="now", by="bench"))
        alone = await _first(client)
        await client.eval(FILL, 0, str(FOREIGN))  # type: ignore[misc]
        return alone, await _first(client)
    finally:
        await client.aclose()


async def _first(client: object) -> float:
    discovery = Discovery(client)  # type: ignore[arg-type]
    began = time.perf_counter()
    known = await discovery.hear()
    took = time.perf_counter() - began
    assert len(known) == AGENTS
    return took
