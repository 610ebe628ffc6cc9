"""Guards of a Cluster: they watch the agents of every shard, and those of one go on without another's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.guard.fleet.membership import call_roll
from console.guard.fleet.roll import GROUPS, group_of, lists
from console.store.server.cluster import roaming
from console.store.server.connect import connect
from tests.cli.conftest import Cli
from tests.clusters import Cluster, slot_of_agent, until
from tests.guard.fleet_stage import FleetStage
from tests.waiting import until_async


@pytest.fixture
async def many(cluster: Cluster, tmp_path: Path) -> AsyncIterator[FleetStage]:
    """One fenced agent on each shard."""
    client = roaming(await connect(cluster.url, timeout_s=2.0))
    stage = FleetStage(client, cluster.url, tmp_path)
    for node in cluster.primaries:
        await stage.fenced(cluster.agent_on(node))
    yield stage
    await client.aclose()


def test_each_part_of_the_slots_has_a_list_of_guards_in_it() -> None:
    assert len(set(lists())) == GROUPS
    for agent in ("agent", "atlas", "zeta"):
        assert group_of(agent) == slot_of_agent(agent) // 1024


@pytest.mark.long
async def test_guards_find_each_other_on_every_shard_and_leave_every_list(many: FleetStage, cluster: Cluster) -> None:
    agents = [cluster.agent_on(node) for node in cluster.primaries]
    one, two = many.fleet("f1"), many.fleet("f2")
    async with many.running(one, two):
        await many.watched(one, two, agents=agents)

        async def both() -> bool:
            roll = await call_roll(many.client)
            return {roll.sharers, *roll.groups} == {("f1", "f2")}

        await until_async(both)
    assert (await call_roll(many.client)).members == ()


async def stopped(many: FleetStage, agent: str) -> None:
    """Wait until green acts no more: blue does, or nobody where blue was not heard of lately."""

    async def so() -> bool:
        return await many.active(agent) in ("blue", "halted")

    await until_async(so)


@pytest.mark.long
async def test_a_shard_that_is_away_keeps_no_guard_from_the_agents_of_the_others(
    many: FleetStage, cluster: Cluster
) -> None:
    lost, *others = [cluster.agent_on(node) for node in cluster.primaries]
    fleet = many.fleet(pnl__budget="5")
    async with many.running(fleet):
        await many.watched(fleet, agents=(lost, *others))
        cluster.primaries[0].kill()
        try:
            for agent in others:
                await many.loses(agent, 6)
                await stopped(many, agent)
            late = many.fleet("f2")
            async with many.running(late):  # who begins meanwhile watches whoever is there
                await many.watched(fleet, late, agents=others)
                assert str(cluster.primaries[0].port) in " ".join(many.events("found")[-1]["notes"])
            told = [one["reason"] for one in many.events("store unreachable")]
            assert told and len(told) < 6 and all(f":{cluster.primaries[0].port} " in one for one in told)
        finally:
            cluster.primaries[0].start()
            until(lambda: "cluster_state:ok" in cluster.primaries[0].command("CLUSTER", "INFO"))
        await many.loses(lost, 6)
        await stopped(many, lost)  # it is watched again


def test_what_fleet_and_halt_do_not_reach_is_named(cli: Cli, cluster: Cluster) -> None:
    agents = [cluster.agent_on(node) for node in cluster.primaries]
    for agent in agents:
        assert cli("switch", "blue", "--yes", "--agent", agent, url=cluster.url).code == 0
    cluster.primaries[0].kill()
    try:
        url = cluster.url_of(cluster.nodes[1])
        assert "one shard that is lost leaves the others" in cli("doctor", "--agent", agents[1], url=url).out
        shown = cli("fleet", url=url)
        assert f":{cluster.primaries[0].port}" in shown.out + shown.err
        done = cli("fleet", "halt", *agents, "--yes", url=url)
        assert done.code != 0
        assert f"node 127.0.0.1:{cluster.primaries[0].port}" in done.out
        reached = [cli("status", "--agent", agent, "--json", url=url).json["active"] for agent in agents[1:]]
        assert reached == ["halted", "halted"]
        every = cli("fleet", "halt", "--all", "--yes-all", "halt 2", url=url)
        assert every.code != 0 and f":{cluster.primaries[0].port}" in every.out + every.err
    finally:
        cluster.primaries[0].start()
        until(lambda: "cluster_state:ok" in cluster.primaries[0].command("CLUSTER", "INFO"))
