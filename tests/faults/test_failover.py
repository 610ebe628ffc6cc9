"""Failover of the store under load, by Sentinel and in a Cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import failover, guarded_cluster, resharding


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


@pytest.mark.long
@pytest.mark.timeout(300)
def test_guards_of_a_cluster_act_on_a_fact_soon_after_each_failover(short_dir: Path) -> None:
    outcome = guarded_cluster.run(short_dir, failovers=3)
    assert outcome["violations"] == []
    assert outcome["executions"] > 50 and outcome["rolled_back"] + outcome["halted"] == 3


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_slot_that_moves_and_a_node_that_dies_cost_no_action_and_no_switch(short_dir: Path) -> None:
    outcome = resharding.run(short_dir, moves=4, deaths=1)
    assert outcome["violations"] == []
    assert outcome["executions"] > 50 and outcome["switches_acknowledged"] > 5
