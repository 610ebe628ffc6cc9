"""Handovers under load with kill -9, freezes and server deaths: nothing executed twice, nothing lost in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import chaos


@pytest.mark.timeout(180)
def test_handovers_under_load_with_killed_and_frozen_agents_execute_nothing_twice(short_dir: Path) -> None:
    outcome = chaos.run(short_dir, handovers=40, seconds=4)
    assert outcome["violations"] == []
    assert outcome["handovers"] >= 40 and outcome["executions"] > 50 and outcome["kills"] > 4 and outcome["freezes"] > 0


@pytest.mark.timeout(180)
def test_an_acknowledged_switch_survives_the_death_of_the_server_in_the_middle_of_it(short_dir: Path) -> None:
    outcome = chaos.run(short_dir, handovers=30, seconds=4, kill_server=True, seed=2)
    assert outcome["violations"] == []
    assert outcome["server_kills"] > 0 and outcome["switches"] > 20 and outcome["lost_switches"] == 0
