"""A guard judges the active side against what a priced shadow of the other made of the very same rounds."""

from __future__ import annotations

import json
import random
import time
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from console.agent import ActionRefused, AgentController, Played, Proposal, Settings, StandbyShadow
from console.domain.shadow.pairs import PairSums
from console.domain.triggers.finding import Trigger
from console.guard.run.process import Guard
from console.store.fence.calls import SwitchRequest
from console.store.keys import ProofKeys
from console.store.records.shadows import read_shadows
from tests.guard.records import record
from tests.guard.stage import Stage
from tests.guard.well import well
from tests.waiting import until_async

if TYPE_CHECKING:
    import redis.asyncio


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
    name = more.pop("name", more.get("slot", "blue"))  # the stage's versions are called as their sides
    await stage.client.hset(ProofKeys.of(stage.keys).shadows, name, json.dumps({**document, **more}))


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
    idle = {
        "at": datetime.now(UTC).isoformat(),
        "rounds": 9,
        "fields": [],
        "holder": "h",
        "slot": "blue",
        "acted": True,
    }
    idle["pairs"] = {"rounds": 9, "mean": 1.0, "squares": 1.0}
    await stage.client.hset(ProofKeys.of(stage.keys).shadows, "idle", json.dumps(idle))
    await guard.ward.tend()
    pairs = guard.ward.watch.facts.pairs
    assert pairs is not None
    assert (pairs.version, pairs.sums.rounds) == ("blue", 200)


async def test_a_version_whose_decisions_were_written_down_but_never_carried_out_is_no_control(
    valkey: redis.asyncio.Redis, store_url: str, tmp_path: Path
) -> None:
    stage = Stage(valkey, store_url, tmp_path)
    await valkey.set(stage.keys.active, "green")
    began_s = time.time()
    stage.write(*(record(began_s - 300 + at, "blue", pnl=None) for at in range(200)))
    await stage.fence.switch(SwitchRequest("green", expected_epoch=0, mode="now", by="op"))
    guard = await stage.guard()
    try:
        baseline = guard.ward.watch.facts.baseline
        assert baseline is not None
        assert (str(baseline.version), baseline.slot) == ("blue", "blue")
        for sums in (PairSums(), PairSums(400, -5.0, 400 * 0.3)):
            await tell(stage, sums)
            await guard.ward.tend()
        stage.write(stage.now(pnl=1.0))
        await guard.step(force=True)
        assert await stage.active() == "green"
        assert guard.ward.watch.facts.pairs is None
    finally:
        await stage.close()


@pytest.mark.parametrize(("acted", "active"), [(False, "green"), (True, "blue")])
async def test_nobody_is_rolled_back_to_a_version_that_never_acted_however_well_its_shadow_looks(
    stage: Stage, acted: bool, active: str
) -> None:
    guard = await stage.guard()
    for sums in (PairSums(), PairSums(400, -5.0, 400 * 0.3)):
        await tell(stage, sums, name="2.6.0", slot="blue", acted=acted)
        await guard.ward.tend()
    stage.write(stage.now(pnl=1.0))
    await guard.step(force=True)
    assert await stage.active() == active


async def test_after_a_roll_back_the_version_that_was_rolled_back_from_is_no_control(stage: Stage) -> None:
    guard = await stage.guard()
    stage.write(stage.now(output={"exception": "KeyError"}))
    await guard.step(force=True)
    await until_async(lambda: _active(stage, guard, "blue"))
    for sums in (PairSums(), PairSums(400, -5.0, 400 * 0.3)):
        await tell(stage, sums, name="green", slot="green", acted=True)
        await guard.ward.tend()
    assert guard.ward.watch.facts.tenure is not None
    assert guard.ward.watch.facts.tenure.slot == "blue"
    assert guard.ward.watch.facts.pairs is None


async def _active(stage: Stage, guard: Guard, slot: str) -> bool:
    await guard.step(force=True)
    tenure = guard.ward.watch.facts.tenure
    return tenure is not None and tenure.slot == slot and await stage.active() == slot


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


@pytest.mark.parametrize(("worse", "active"), [(0.0, "green"), (4.0, "blue")], ids=["innocent", "harm"])
async def test_after_a_switch_the_old_versions_process_is_the_control_by_itself_whatever_the_market_does(
    stage: Stage, worse: float, active: str
) -> None:
    chance, settings = random.Random(5), Settings(money=False, memory_dir=None, heartbeat_ms=100)
    fell = [-20.0 + chance.gauss(0.0, 5.0) for _ in range(60)]  # the market: both versions lose in it

    def price(wanted: Proposal, played: Played | None) -> Decimal | None:
        return Decimal(str(fell[int(wanted.key)])) if played is not None else None

    shadow = StandbyShadow(stage.url, price, every_s=0.05)
    with (
        AgentController(stage.url, slot="blue", version="blue", settings=settings, shadow=shadow) as old,
        AgentController(stage.url, slot="green", version="2.5.0", settings=settings) as new,
    ):
        guard = await stage.guard()
        await until_async(lambda: new.active and not shadow.why_not)
        await well(stage.client, stage.keys, "blue", ("blue", ""))
        for number, result in enumerate(fell):
            with new.action(str(number), amount=Decimal(5), currency="USD") as act:
                act.settle("", pnl=Decimal(str(result - worse + chance.gauss(0.0, 1.0))))
            with suppress(ActionRefused), old.action(str(number), amount=Decimal(5), currency="USD"):
                raise AssertionError("the side that stands by was given a claim")

        async def told() -> bool:
            kept = read_shadows(await stage.client.hgetall(ProofKeys.of(stage.keys).shadows))
            return any(one.reading.rounds == len(fell) for one in kept)

        await until_async(told)
        await guard.ward.tend()
        stage.write(*(stage.now(pnl=result - worse) for result in fell))
        await guard.step(force=True)
        assert await stage.active() == active
        finding = next(one for one in guard.ward.watch.last.findings if one.trigger is Trigger.PNL)  # type: ignore[union-attr]
        assert "blue's shadow on the same 60 rounds" in finding.reason
