"""A guard judges the active side against what a priced shadow of the other made of the very same rounds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

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


async def test_a_shadow_of_the_active_side_itself_or_of_none_says_nothing_of_it(stage: Stage) -> None:
    guard = await stage.guard()
    for slot in ("green", "", "purple"):
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
