"""Failover of the store under load, by Sentinel and in a Cluster."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis.cluster import RedisCluster

from console.agent import AgentController, Flags, FlagSpec, FlagType, Settings
from console.store.fence.blocking import Fence
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from tests import topologies
from tests.faults import failover
from tests.topologies import Cluster, cluster_connect


@pytest.mark.long
@pytest.mark.timeout(180)
def test_an_isolated_side_does_not_act_when_claims_wait_for_a_replica(short_dir: Path) -> None:
    outcome = failover.isolated_primary(short_dir, replicas=1, seconds=2)
    assert (outcome["isolated_executions"], outcome["twice"]) == (0, 0)
    assert outcome["in_flight_at_the_cut"] <= 1, "what was claimed and sent before the cut may arrive after it"
    assert outcome["other_side_executions"] > 0


@pytest.mark.long
@pytest.mark.timeout(180)
def test_without_waiting_an_isolated_side_acts_on_which_is_why_doctor_says_unprotected(short_dir: Path) -> None:
    outcome = failover.isolated_primary(short_dir, replicas=0, seconds=8)
    assert outcome["isolated_executions"] > 0


@pytest.mark.timeout(180)
def test_a_switch_that_was_lost_at_failover_is_detected_and_halts(short_dir: Path) -> None:
    outcome = failover.lost_switch_is_detected(short_dir)
    assert outcome["why"].startswith("epoch regression") and outcome["halt_epoch"] > outcome["lost_epoch"]


@pytest.mark.timeout(180)
def test_a_cluster_goes_on_after_the_death_of_the_slots_primary(short_dir: Path) -> None:
    outcome = failover.cluster_failover(short_dir)
    assert (outcome["twice"], outcome["chains_whole"]) == (0, True)
    assert outcome["executions"] > 50


@pytest.mark.timeout(180)
def test_an_agent_on_a_cluster_reads_flags_that_lie_on_other_nodes(short_dir: Path) -> None:
    cluster = Cluster(short_dir)
    try:
        connect = cluster_connect(cluster.ports)
        names = [f"flag{number}" for number in range(12)]
        nodes = RedisCluster(host="127.0.0.1", port=cluster.ports[0])
        for name in names[1:]:
            nodes.set(f"flag:{name}", "7")
        flags = Flags([FlagSpec(name, FlagType.NUMBER, "1") for name in names])
        with connect(1.0) as client:
            Fence(client, Keys.of(cluster=True)).switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        play = Settings(money=False)  # claims wait for no replica here
        with AgentController(
            slot="blue", version="1", connect=connect, cluster=True, flags=flags, settings=play
        ) as agent:
            topologies.until(lambda: flags["flag11"] == 7)
            assert [flags[name] for name in names] == [1, *[7] * 11] and flags.problems == {}
            with agent.action("bet-1") as act:
                act.settle("done")
        nodes.close()
    finally:
        cluster.stop()
