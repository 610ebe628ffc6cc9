"""A Cluster's node that we reach and its peers don't: nothing is done there that the others may not know of."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from console.agent import ActionRefused, Settings
from console.agent.aio import AgentController
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.server.cluster import keys_on
from console.store.server.connect import connect_sync
from tests.clusters import Cluster, until
from tests.waiting import until_async

CAREFUL = Settings(
    money=False, replicas=1, replicas_wait_ms=200, command_timeout_ms=500, claim_patience_ms=600, lease_ms=5_000
)


@pytest.mark.long
@pytest.mark.timeout(180)
async def test_what_is_cut_off_with_its_node_stands_by_and_goes_on_with_the_others(short_dir: Path) -> None:
    cluster = await asyncio.to_thread(Cluster, short_dir, replicas=1)
    alone = cluster.owner()
    peers = [node for node in cluster.nodes if node is not alone]
    executed: Counter[str] = Counter()
    told: list[str] = []

    async def acts(agent: AgentController, key: str) -> bool:
        try:
            async with agent.action(key) as act:
                act.check()
                executed[key] += 1
                await act.settle("done")
        except ActionRefused as refused:
            told.append(refused.message)
            return False
        return True

    try:
        with connect_sync(cluster.url) as control:
            Fence(control, keys_on(control, "agent")).switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        async with AgentController(cluster.url, slot="blue", version="1", settings=CAREFUL) as agent:
            await until_async(lambda: acts(agent, "before"))
            for node in peers:
                node.hang()  # for the node that is left they are away, and it is reachable for us
            for turn in range(3):
                assert not await acts(agent, f"isolated-{turn}")
            await asyncio.to_thread(until, lambda: "cluster_state:fail" in alone.command("CLUSTER", "INFO"))
            assert not await acts(agent, "isolated-and-down")
            alone.hang()
            for node in peers:
                node.wake()
            await asyncio.to_thread(until, lambda: cluster.owner() is not alone)
            assert not await acts(agent, "nobody has it but the new primary")
            alone.wake()  # it believes to be the primary until it hears of the others, and is a replica then
            for turn in range(20):
                await until_async(lambda n=turn: acts(agent, f"healed-{n}"))
            for turn in range(3):
                await until_async(lambda n=turn: acts(agent, f"isolated-{n}"), "what was given up is free again")
            await asyncio.to_thread(until, lambda: "role:slave" in alone.command("INFO", "replication"))
        assert set(executed.values()) == {1} and len(executed) == 1 + 20 + 3
        assert any("0 of 1 replicas" in one for one in told), told
    finally:
        for node in cluster.nodes:
            node.wake()
        await asyncio.to_thread(cluster.stop)
