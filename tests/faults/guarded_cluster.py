"""Guards of a Cluster whose primaries are killed one after the other under load: how soon after each failover a fact
makes the other side act, and that nothing is done twice."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from console.domain.errors import ConsoleError
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import Heartbeat, SwitchRequest
from console.store.server.cluster import keys_on, roaming
from console.store.server.connect import connect
from tests.clusters import Cluster, until
from tests.faults.fleet import Worker
from tests.faults.resharding import QUICK
from tests.faults.venue import Venue
from tests.guard.fleet_stage import FleetStage
from tests.waiting import until_async

FOLLOWED_S: Final = 3.0
"""So soon after a fact on a new primary the side that it speaks against acts no more."""


def run(folder: Path, *, failovers: int = 10, program: Path | None = None) -> dict[str, Any]:
    """Kill the primary of one shard after the other; each time an agent there loses more than it may.

    Args:
        folder: for everything.
        failovers: how many.
        program: the server's binary.
    """
    cluster = Cluster(folder, replicas=1, program=program)
    venue = Venue(folder)
    workers = [
        Worker(url=cluster.url, venue=str(venue.path), slot=slot, replicas=1, **QUICK) for slot in ("blue", "green")
    ]
    try:
        outcome = asyncio.run(_run(cluster, workers, folder, failovers))
        for worker in workers:
            worker.kill()
        client = venue.client()
        history = client.history()
        client.close()
    finally:
        for worker in workers:
            worker.kill()
        venue.stop()
        cluster.stop()
    twice = [key for key, count in Counter(one.key for one in history).items() if count > 1]
    outcome["violations"] += [f"{key} was executed twice" for key in twice[:5]]
    return {"executions": len(history), "twice": len(twice), **outcome}


def _agents(cluster: Cluster, count: int) -> Iterator[str]:
    """Names of agents, on one shard after the other."""
    numbers = iter(range(10_000))
    for number in range(count):
        shard = cluster.primaries[number % len(cluster.primaries)]
        yield next(name for name in map("a-{}".format, numbers) if cluster.owner(name) is shard)


async def _run(cluster: Cluster, workers: list[Worker], folder: Path, failovers: int) -> dict[str, Any]:
    client = roaming(await connect(cluster.url, timeout_s=2.0))
    stage = FleetStage(client, cluster.url, folder)
    agents = await asyncio.to_thread(lambda: list(_agents(cluster, failovers)))
    for agent in agents:
        await stage.fenced(agent)
    await AsyncFence(client, keys_on(client, "agent")).switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    for number, worker in enumerate(workers):
        await asyncio.to_thread(worker.start(number).wait_ready)
    fleets = [stage.fleet(name, logs=False, pnl__budget="5") for name in ("f1", "f2")]
    took, ends = list[float](), Counter[str]()
    async with stage.running(*fleets):
        await stage.watched(*fleets, agents=agents)
        for agent in agents:
            owner = await asyncio.to_thread(cluster.owner, agent)
            owner.kill()
            await asyncio.to_thread(until, lambda a=agent, o=owner: cluster.owner(a) is not o)
            await until_async(lambda a=agent: _loses(stage, a), "a loss on the new primary")
            began = time.monotonic()

            async def acted(name: str = agent) -> bool:
                with suppress(ConsoleError):
                    return await stage.active(name) != "green"
                return False

            await until_async(acted, "a guard that acts")
            took.append(time.monotonic() - began)
            ends[await stage.active(agent)] += 1
            new = await asyncio.to_thread(cluster.owner, agent)
            owner.start()
            await asyncio.to_thread(until, lambda n=new: "state=online" in n.command("INFO", "replication"))
    await client.aclose()
    took.sort()
    return {
        "failovers": failovers,
        "fact_to_switch_s_p50": round(took[len(took) // 2], 2),
        "fact_to_switch_s_max": round(took[-1], 2),
        "rolled_back": ends["blue"],
        "halted": ends["halted"],
        "violations": [f"acted after {s:.1f} s, budget {FOLLOWED_S:g}" for s in took if s > FOLLOWED_S],
    }


async def _loses(stage: FleetStage, agent: str) -> bool:
    """Whether green of an agent could settle a loss, with blue standing by in health."""
    fence = AsyncFence(stage.client, keys_on(stage.client, agent))
    try:
        authority = await fence.authority()
        if authority is None:
            return False
        await fence.beat(Heartbeat("blue-1", "blue"), epoch=authority.epoch, seen=authority.epoch)
        await stage.loses(agent, 6)
    except ConsoleError:
        return False
    return True
