"""A Cluster's replica that takes over without the newest events: who is connected looks at it before it acts there."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path

import pytest
from redis import Redis

from console.agent import AgentController, Settings
from console.agent.aio import AgentController as AioController
from console.agent.fence.errors import Halted
from console.domain.fence.deployment import Phase
from console.store.fence.blocking import Fence
from console.store.fence.calls import Limits, SwitchRequest
from console.store.server.cluster import keys_on
from console.store.server.connect import connect_sync
from tests.clusters import Cluster
from tests.servers import Server
from tests.waiting import until

BETWEEN_BEATS = Settings(money=False, heartbeat_ms=600_000, stale_after_ms=1_200_000)
"""No heartbeat finds out what was lost: only who looks before it acts."""
CAP = Limits(currency="EUR", cap_amount=Decimal(1))


@pytest.fixture
def pair() -> Iterator[Cluster]:
    """A primary of all slots, and its replica."""
    folder = Path(tempfile.mkdtemp(prefix="ac-")).resolve()
    cluster = Cluster(folder, primaries=1, replicas=1)
    yield cluster
    cluster.stop()
    shutil.rmtree(folder, ignore_errors=True)


def told(node: Server, name: str) -> str:
    return next(line for line in node.command("INFO", "replication").splitlines() if line.startswith(name))


def cut_replication(primary: Server, replica: Server) -> None:
    """Once it knows all that there is, the replica learns nothing more."""
    until(lambda: told(replica, "master_repl_offset") == told(primary, "master_repl_offset"))
    for name, value in (("masteruser", "nobody"), ("masterauth", "none")):
        replica.command("CONFIG", "SET", name, value)
    primary.command("CLIENT", "KILL", "TYPE", "replica")


def take_over(primary: Server, replica: Server) -> None:
    """The replica is the primary, whatever it lacks, and the old one sends everybody there."""
    replica.command("CLUSTER", "FAILOVER", "TAKEOVER")
    until(lambda: "slave" in told(primary, "role"))


def fence_of(client: Redis, agent: str) -> Fence:
    return Fence(client, keys_on(client, agent))


async def test_who_is_connected_looks_at_a_new_primary_before_it_acts_there(pair: Cluster) -> None:
    async with AsyncExitStack() as stack:
        control = stack.enter_context(connect_sync(pair.url, timeout_s=5.0))
        fences = [fence_of(control, name) for name in ("tasks", "threads")]
        for fence in fences:
            fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        tasks = await stack.enter_async_context(
            AioController(pair.url, agent="tasks", slot="blue", version="1", settings=BETWEEN_BEATS)
        )
        threads = AgentController(pair.url, agent="threads", slot="blue", version="1", settings=BETWEEN_BEATS)
        stack.enter_context(threads)
        async with tasks.action("before") as act:
            await act.settle()
        with threads.action("before") as done:
            done.settle()
        cut_replication(*pair.nodes)
        for fence, agent in zip(fences, (tasks, threads), strict=True):
            fence.set_limits(CAP, by="op")  # of which the replica will know nothing
            number = int(control.hget(fence.keys.ctl, "ln"))  # type: ignore[arg-type]
            await asyncio.to_thread(until, lambda a=agent, n=number: a.core.seen.events.number == n)
        take_over(*pair.nodes)
        with pytest.raises(Halted):
            async with tasks.action("after", amount=Decimal(5), currency="EUR"):
                pytest.fail("its cap was lost, and what else is not known")
        with pytest.raises(Halted), threads.action("after", amount=Decimal(5), currency="EUR"):
            pytest.fail("its cap was lost, and what else is not known")
        for fence, agent in zip(fences, (tasks, threads), strict=True):
            authority = fence.authority()
            assert authority is not None and authority.phase is Phase.HALT
            assert agent.core.lost and not control.exists(fence.keys.done("after"))
