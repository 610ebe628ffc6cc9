"""An upgrade in which whoever walks it, an agent, the guard and the store are killed; `make faults` kills 200 times."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.domain.upgrade.run import StepName
from tests.faults import upgrade_chaos
from tests.faults.upgrade_chaos import VICTIMS, Kill

KILLS = [
    Kill("agent", StepName.CANARY, 0.0),
    Kill("console", StepName.SWITCH, 0.01),
    Kill("store", StepName.REVIEW, 0.0),
    Kill("guard", StepName.WATCH, 0.0),
]


@pytest.mark.timeout(900)
def test_whoever_is_killed_in_an_upgrade_with_a_ladder_it_ends_and_nothing_is_lost_doubled_or_played_twice(
    short_dir: Path,
) -> None:
    outcome = upgrade_chaos.run(short_dir, [KILLS], laddered=1.0)
    assert outcome["violations"] == []
    assert outcome["laddered"] == outcome["on the ladder"] == 1
    assert [outcome[f"kill {victim}"] for victim in VICTIMS] == [1, 1, 1, 1]
    assert outcome.get("done", 0) + outcome.get("aborted", 0) == outcome["runs"] == 1
    assert outcome["twice"] == 0 and outcome["orders"] > 2


def test_a_storm_kills_everybody_at_every_step_before_it_kills_anybody_there_again() -> None:
    plans = upgrade_chaos.storm(88, seed=5)
    pairs = [(kill.victim, kill.step) for plan in plans for kill in plan]
    assert len(pairs) == 88 and set(pairs[:44]) == set(pairs[44:])
    assert set(pairs) == {(victim, step) for victim in VICTIMS for step in StepName}
