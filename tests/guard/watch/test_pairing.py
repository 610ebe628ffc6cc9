"""A guard judges the active side against what a priced shadow of the other made of the very same rounds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from console.domain.shadow.pairs import PairSums
from console.store.keys import ProofKeys
from tests.guard.stage import Stage


async def tell(stage: Stage, sums: PairSums, **more: Any) -> None:
    """A shadow's report as its reporter writes it."""
    document = {
        "rounds": sums.rounds,
        "fields": [],
        "at": datetime.now(UTC).isoformat(),
        "holder": "host-1",
        "currency": "USD",
        "slot": "blue",
        "pairs": {"rounds": sums.rounds, "mean": sums.mean, "squares": sums.squares},
    }
    await stage.client.hset(ProofKeys.of(stage.keys).shadows, "blue-2.4.0", json.dumps({**document, **more}))


async def test_proven_against_the_shadow_the_active_side_is_rolled_back(stage: Stage) -> None:
    guard = await stage.guard()
    await tell(stage, PairSums())
    await guard.ward.tend()
    await tell(stage, PairSums(200, -0.5, 200 * 0.3))
    await guard.ward.tend()
    stage.write(stage.now(pnl=1.0))
    await guard.step(force=True)
    assert await stage.active() == "blue"


async def test_what_a_shadow_had_counted_before_the_tenure_counts_for_nothing(stage: Stage) -> None:
    guard = await stage.guard()
    await tell(stage, PairSums(200, -0.5, 200 * 0.3))
    await guard.ward.tend()
    stage.write(stage.now(pnl=1.0))
    await guard.step(force=True)
    assert await stage.active() == "green"


@pytest.mark.parametrize(("mean", "active"), [(0.5, "blue"), (-0.5, "green")])
async def test_the_new_versions_own_shadow_that_goes_on_beside_the_old_one_tells_the_same_with_its_sign_turned(
    stage: Stage, mean: float, active: str
) -> None:
    guard = await stage.guard()
    await tell(stage, PairSums(), slot="green")
    await guard.ward.tend()
    await tell(stage, PairSums(200, mean, 200 * 0.3), slot="green")
    await guard.ward.tend()
    stage.write(stage.now(pnl=1.0))
    await guard.step(force=True)
    assert await stage.active() == active


async def test_a_shadow_that_counts_the_tenure_alone_is_believed_by_a_guard_that_began_later(stage: Stage) -> None:
    guard = await stage.guard()
    epoch = (await stage.state.control()).tenure.epoch  # type: ignore[union-attr]
    await tell(stage, PairSums(200, -0.5, 200 * 0.3), tenure=epoch - 1)
    await guard.ward.tend()
    stage.write(stage.now(pnl=1.0))
    await guard.step(force=True)
    assert await stage.active() == "green"
    await tell(stage, PairSums(200, -0.5, 200 * 0.3), tenure=epoch)
    await guard.ward.tend()
    stage.write(stage.now(pnl=1.0))
    await guard.step(force=True)
    assert await stage.active() == "blue"


async def test_of_several_shadows_the_one_with_the_most_rounds_of_the_tenure_is_judged(stage: Stage) -> None:
    guard = await stage.guard()
    epoch = (await stage.state.control()).tenure.epoch  # type: ignore[union-attr]
    await tell(stage, PairSums(200, -0.5, 200 * 0.3), tenure=epoch)
    idle = {"at": datetime.now(UTC).isoformat(), "rounds": 9, "fields": [], "holder": "h", "slot": "blue"}
    idle["pairs"] = {"rounds": 9, "mean": 1.0, "squares": 1.0}
    await stage.client.hset(ProofKeys.of(stage.keys).shadows, "idle", json.dumps(idle))
    await guard.ward.tend()
    pairs = guard.ward.watch.facts.pairs
    assert pairs is not None
    assert (pairs.version, pairs.sums.rounds) == ("blue-2.4.0", 200)


async def test_a_shadow_of_no_side_says_nothing_of_it(stage: Stage) -> None:
    guard = await stage.guard()
    for slot in ("", "purple"):
        await tell(stage, PairSums(), slot=slot)
        await guard.ward.tend()
        await tell(stage, PairSums(200, -0.5, 200 * 0.3), slot=slot)
        await guard.ward.tend()
        assert guard.ward.watch.facts.pairs is None


async def test_a_report_that_can_not_be_read_is_none(stage: Stage) -> None:
    guard = await stage.guard()
    for broken in (
        {"rounds": 5, "mean": "NaN", "squares": 1},
        {"rounds": 5},
        [],
        "x",
        {"rounds": -1, "mean": 0, "squares": 0},
    ):
        await tell(stage, PairSums(), pairs=broken)
        await guard.ward.tend()
        assert guard.ward.watch.facts.pairs is None or not guard.ward.watch.facts.pairs.sums.rounds
