"""A canary that nobody attends: somebody asks the gates for it, and what closes takes its capital back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from console.commands.base import Call
from console.commands.canary.attend import Attendant
from console.commands.canary.set import CanarySet
from console.commands.context import Context
from console.commands.gateway.gateway import Gateway
from console.commands.sources import GateSources
from console.domain.canary.plan import Plan, RunState, Step
from console.domain.canary.run import CanaryReading
from console.domain.gates.rules import DEFAULT_RULES, VolatilityRules
from console.domain.statistics.evidence import Settings
from console.store.fence.calls import SwitchRequest
from console.store.keys import Keys
from console.store.records.canary import Act, CanaryCode, RunChange, change

if TYPE_CHECKING:
    import redis.asyncio

SHARES = ("0.05", "0.20", "0.50", "1")
PLAN = Plan(
    (Step(Decimal(0), min_dwell_s=0), *(Step(Decimal(share), Decimal(60), min_dwell_s=0) for share in SHARES)),
    Settings(margin=0.05, sigma=1.0, lowest=-1.0, highest=9.0),
    automatic=True,
)
CALM, WILD = "0.1", "9"
"""Figures of the key that the operator's settings name for volatility: high from 1 on."""


@dataclass
class Stage:
    ctx: Context

    async def at_step(self, step: int, plan: Plan = PLAN) -> None:
        gateway = self.ctx.gateway
        await gateway.fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        more: dict[str, Any] = {"plan": plan, "slot": "green", "currency": "USD", "capital": Decimal(1000)}
        reply = await gateway.fence.call(change(gateway.keys, RunChange(Act.START, "r1", by="op", why="", **more)))
        for target in range(1, step + 1):
            more["target"] = target
            step_up = RunChange(Act.STEP, "r1", reply.position, by="op", why="", **more)
            reply = await gateway.fence.call(change(gateway.keys, step_up))

    async def volatility(self, figure: str) -> None:
        await self.ctx.gateway.client.set("vol", figure)

    async def reading(self) -> CanaryReading:
        reading = (await self.ctx.gateway.canaries.read()).reading
        assert reading is not None
        return reading


@pytest.fixture
async def stage(valkey: redis.asyncio.Redis, keys: Keys, store_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    gateway = Gateway(valkey, keys, url=store_url, registry={}, who="ann", read_only=False)
    rules = replace(DEFAULT_RULES, volatility=VolatilityRules(limit=1.0))
    made = Stage(Context(gateway, {}, tmp_path, rules=rules, sources=GateSources(key="vol")))
    await made.volatility(CALM)
    yield made


async def test_open_gates_are_reported_and_change_nothing(stage: Stage) -> None:
    await stage.at_step(3)
    assert await Attendant(stage.ctx, "guard g1").look() is None
    reading = await stage.reading()
    ((by, closed, held),) = [(str(one.by), one.closed, one.held) for one in reading.gates]
    assert (by, closed, held, reading.run.share) == ("guard g1", (), (), Decimal("0.50"))


async def test_a_gate_that_closes_unattended_at_step_three_takes_the_capital_back_at_once(stage: Stage) -> None:
    await stage.at_step(3)
    attendant = Attendant(stage.ctx, "guard g1")
    await attendant.look()
    await stage.volatility(WILD)
    assert await attendant.look() is CanaryCode.DONE
    run = (await stage.reading()).run
    assert (run.state, run.share, str(run.by), run.source.value) == (RunState.ABORTED, 0, "guard g1", "guard")
    assert "volatility" in run.why and "at 50% of the capital" in run.why
    assert await attendant.look() is None


async def test_a_closed_gate_takes_nothing_back_before_capital_is_out(stage: Stage) -> None:
    await stage.at_step(0)
    await stage.volatility(WILD)
    assert await Attendant(stage.ctx, "guard g1").look() is None
    reading = await stage.reading()
    assert reading.run.state is RunState.RUNNING
    assert [name.partition(" ")[0] for name in reading.gates[0].closed] == ["volatility"]


@pytest.mark.parametrize("acts", ["blue", "green"])
async def test_a_finished_canary_is_attended_until_its_own_side_acts(stage: Stage, acts: str) -> None:
    await stage.at_step(4)
    gateway, run = stage.ctx.gateway, (await stage.reading()).run
    finish = RunChange(Act.FINISH, "r1", run.position, target=4, plan=PLAN, by="op", why="")
    assert (await gateway.fence.call(change(gateway.keys, finish))).code is CanaryCode.DONE
    await gateway.fence.switch(SwitchRequest(acts, expected_epoch="any", by="op", mode="now"))
    await stage.volatility(WILD)
    code = await Attendant(stage.ctx, "guard g1").look()
    after = (await stage.reading()).run
    expected = (CanaryCode.DONE, RunState.ABORTED, 0) if acts == "blue" else (None, RunState.DONE, 1)
    assert (code, after.state, after.share) == expected


async def test_what_an_operator_went_over_lets_nothing_rise_and_takes_nothing_back(stage: Stage) -> None:
    await stage.at_step(0)
    await stage.volatility(WILD)
    over = {"share": "5", "override": "the source is known to be odd", "confirm": "agent"}
    await CanarySet().execute(stage.ctx, Call(over, "go on"))
    assert await Attendant(stage.ctx, "guard g1").look() is None
    reading = await stage.reading()
    assert reading.run.share == Decimal("0.05")
    assert (reading.gates[0].closed, [name.partition(" ")[0] for name in reading.gates[0].held]) == ((), ["volatility"])


async def test_what_is_unknown_holds_for_a_moment_and_takes_back_once_it_stays_so(stage: Stage) -> None:
    await stage.at_step(2, replace(PLAN, stale_after_s=0.2))
    rules = replace(stage.ctx.rules, require=frozenset({"rehearsal"}))
    attendant = Attendant(replace(stage.ctx, rules=rules), "guard g1")
    assert await attendant.look() is None
    assert [name.partition(" ")[0] for name in (await stage.reading()).gates[0].held] == ["rehearsal"]
    code = None
    while code is None:
        code = await attendant.look()
    assert code is CanaryCode.DONE
    assert "rehearsal" in (await stage.reading()).run.why
