"""A store that goes back, is damaged, unfit or has another time under load: all halts in sight, and nothing is done
twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import losses


@pytest.mark.long
@pytest.mark.timeout(180)
def test_a_store_that_is_put_back_under_load_halts_until_an_operator_has_looked(short_dir: Path) -> None:
    outcome = losses.travel(short_dir, rounds=2)
    assert outcome["violations"] == []
    assert outcome["twice"] == 0 and outcome["resumed"] == 2 and outcome["lost_in_the_travels"] > 0


@pytest.mark.long
@pytest.mark.timeout(180)
def test_a_store_that_is_damaged_under_load_halts_and_forgets_nothing(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = ("ctl deleted", "open of another type", "acts cut", "log of another type")
    monkeypatch.setattr(losses, "DAMAGES", [one for one in losses.DAMAGES if one[0] in few])
    outcome = losses.damage(short_dir, rounds=len(few))
    assert outcome["violations"] == []
    assert outcome["twice"] == 0 and outcome["unrecorded"] == 0
    assert outcome["resumed"] + outcome.get("holes_named", 0) == len(few)


@pytest.mark.long
@pytest.mark.timeout(180)
def test_a_server_that_is_made_unfit_under_load_gets_no_more_claims_until_it_is_fit_again(short_dir: Path) -> None:
    outcome = losses.fitness(short_dir, rounds=2)
    assert outcome["violations"] == [] and outcome["made_unfit"] == 2


@pytest.mark.long
@pytest.mark.timeout(180)
def test_a_server_whose_clock_jumps_by_hours_under_load_has_nothing_executed_twice(short_dir: Path) -> None:
    outcome = losses.clock(short_dir, seconds=4)
    if "skipped" in outcome:
        pytest.skip(outcome["skipped"])
    assert outcome["violations"] == [] and outcome["twice"] == 0 and outcome["jumps_named"] > 0
