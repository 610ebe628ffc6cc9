"""A guard on a canary: what a desk that hangs can't do, a guard does; it never promotes."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from console.domain.canary.plan import Plan, Position, RunState, Step
from console.domain.canary.run import DeskReading
from console.domain.canary.stored import report_document
from console.domain.fence.intent import Source
from console.domain.guard.alerts import AlertKind
from console.domain.statistics.evidence import Settings
from console.domain.text import Safe
from console.guard.act.canary import CanaryWatch
from console.guard.keep.charge import Charge
from console.guard.keep.state import GuardState
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import SwitchRequest
from console.store.records.audit import recent
from console.store.records.canary import Act, CanaryCode, CanaryReply, RunChange, change, read_async, report, take
from console.store.records.guards import read_alerts

if TYPE_CHECKING:
    import redis.asyncio

    from console.store.keys import Keys

PLAN = Plan(
    (Step(Decimal(0), min_dwell_s=0), Step(Decimal("0.20"), Decimal(60), min_dwell_s=0), Step(Decimal(1), Decimal(60))),
    Settings(margin=0.05, sigma=1.0, lowest=-1.0, highest=9.0),
)


class Stage:
    def __init__(self, client: redis.asyncio.Redis, keys: Keys) -> None:
        self.fence, self.state, self.keys = AsyncFence(client, keys), GuardState(client, keys), keys
        self.told: list[dict[str, Any]] = []

    def watch(self, name: str = "g1") -> CanaryWatch:
        def tell(event: str, **more: Any) -> None:
            self.told.append({"e": event, **more})

        return CanaryWatch(Charge(name, self.fence, self.state, tell))

    async def begin(self, plan: Plan = PLAN) -> CanaryReply:
        await self.fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        started = await self.act(Act.START, None, 0, plan)
        return await self.act(Act.STEP, started.position, 1, plan)

    async def act(self, act: Act, expected: Position | None, target: int = 0, plan: Plan = PLAN) -> CanaryReply:
        more = {"target": target, "plan": plan, "slot": "green", "currency": "USD", "capital": Decimal(1000)}
        return await self.fence.call(change(self.keys, RunChange(act, "r1", expected, by="op", why="", **more)))

    async def say(self, at: CanaryReply, **more: Any) -> None:
        desk = DeskReading(datetime.now(UTC), Safe("d"), Safe("r1"), at.position, at.share, **more)
        token = (await self.fence.call(take(self.keys, "d"))).token
        await self.fence.call(report(self.keys, token, json.dumps(report_document(desk))))

    async def run(self) -> Any:
        reading = (await read_async(self.fence.client, self.keys)).reading
        assert reading is not None
        return reading.run

    async def alerts(self) -> list[tuple[AlertKind, str]]:
        return [(a.kind, str(a.reason)) for a in read_alerts(await self.state.hash(self.state.names.alerts))]


async def test_capital_goes_back_when_the_loss_budget_is_spent_and_the_desk_does_not(
    valkey: redis.asyncio.Redis, keys: Keys
) -> None:
    stage = Stage(valkey, keys)
    await stage.say(await stage.begin(), balance=Decimal(-60))
    watch = stage.watch()
    assert await watch.look() is CanaryCode.DONE
    run = await stage.run()
    assert (run.state, run.share, str(run.by)) == (RunState.ABORTED, Decimal(0), "guard g1")
    assert await watch.look() is None
    assert await stage.alerts() == [
        (AlertKind.ABORTED, "canary r1: The step's loss budget is spent: -60 of -60, at 20% of the capital.")
    ]


async def test_of_two_guards_one_takes_it_back_and_one_alert_is_raised(valkey: redis.asyncio.Redis, keys: Keys) -> None:
    stage = Stage(valkey, keys)
    await stage.say(await stage.begin(), balance=Decimal(-61))
    one, two = stage.watch("g1"), stage.watch("g2")
    codes = await asyncio.gather(one.look(), two.look())
    assert sorted(code.value for code in codes if code) in (["AGAIN", "DONE"], ["DONE"])
    await asyncio.gather(one.look(), two.look(), one.look())
    assert len(await stage.alerts()) == 1


async def test_the_audit_says_that_it_was_a_guard_who_took_it_back(valkey: redis.asyncio.Redis, keys: Keys) -> None:
    stage = Stage(valkey, keys)
    at = await stage.begin()
    await stage.say(at, balance=Decimal(-60))
    assert await stage.watch().look() is CanaryCode.DONE
    (row,) = [entry for entry in await recent(valkey, keys, 10) if entry.command == "canary abort"]
    assert (row.who, row.source) == ("guard g1", Source.GUARD)


async def test_a_guard_never_promotes(valkey: redis.asyncio.Redis, keys: Keys) -> None:
    stage = Stage(valkey, keys)
    plan = replace(PLAN, automatic=True)
    await stage.fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    started = await stage.act(Act.START, None, 0, plan)
    await stage.say(started, rounds=500, last_round_at=datetime.now(UTC))
    assert await stage.watch().look() is None
    assert (await stage.run()).position == started.position


async def test_a_desk_that_fell_silent_with_money_at_work_is_told_of_once(
    valkey: redis.asyncio.Redis, keys: Keys
) -> None:
    stage = Stage(valkey, keys)
    await stage.begin()
    watch = stage.watch()
    await watch.look()
    await watch.look()
    ((kind, reason),) = await stage.alerts()
    assert (kind, "nothing has shared rounds out" in reason) == (AlertKind.WARNING, True)


async def test_an_operators_abort_is_no_alert(valkey: redis.asyncio.Redis, keys: Keys) -> None:
    stage = Stage(valkey, keys)
    await stage.say(await stage.begin())
    await stage.act(Act.ABORT, None)
    await stage.watch().look()
    assert await stage.alerts() == []


async def test_what_a_desk_said_of_another_step_takes_nothing_back(valkey: redis.asyncio.Redis, keys: Keys) -> None:
    stage = Stage(valkey, keys)
    reply = await stage.begin()
    await stage.say(reply._replace(position=Position(1, 1)), balance=Decimal(-99))
    assert await stage.watch().look() is None
    assert (await stage.run()).share == Decimal("0.20")
