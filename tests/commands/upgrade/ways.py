"""The states that a run can be in, made on a real store as whatever leads there leaves it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from console.commands.base import Call
from console.commands.context import Context
from console.commands.upgrade.start import UpgradeStart
from console.domain.canary.plan import Plan
from console.domain.canary.plan import Step as CanaryStep
from console.domain.fence.claims import Direction, Level
from console.domain.fence.deployment import Phase
from console.domain.statistics.evidence import Settings
from console.domain.upgrade.run import ORDER, RunState, StepName, StepState, UpgradeRun
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import Heartbeat, SwitchRequest
from console.store.fence.claims import Intent
from console.store.records.canary import Act, RunChange, change

PLAN = "shadow_rounds = 0\nreview = 0\nwatch_s = 3600\nwarm_s = 3600\n"
CANARY = Plan(
    (CanaryStep(Decimal(0)), CanaryStep(Decimal("0.5"), Decimal(60)), CanaryStep(Decimal(1), Decimal(60))),
    Settings(margin=1.0, sigma=1.0, lowest=-1.0, highest=1.0),
)


class Scene(NamedTuple):
    """A console, the fence beside it, and a folder."""

    ctx: Context
    fence: AsyncFence
    folder: Path

    async def run(self) -> UpgradeRun:
        """The current run."""
        run = (await self.ctx.gateway.upgrades.read()).run
        assert run is not None
        return run

    async def beat(self, *slots: str) -> None:
        """Instances of these sides are alive and ready."""
        authority = await self.fence.authority()
        epoch = authority.epoch if authority is not None else 0
        for slot in slots:
            await self.fence.beat(
                Heartbeat(f"{slot}-1", slot, "2.4.0" if slot == "blue" else "2.5.0"), epoch=epoch, seen=epoch
            )

    async def dies(self, slot: str) -> None:
        """Its only instance was heard of two minutes ago."""
        where, name = self.fence.keys.instances, f"{slot}-1"
        record = json.loads(await self.fence.client.hget(where, name))
        await self.fence.client.hset(
            where, name, json.dumps(record | {clock: record[clock] - 120_000 for clock in ("ms", "st")})
        )

    async def begin(self, *, canary: bool = False) -> None:
        """Blue acts, green stands by, and a run to green begins."""
        await self.fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
        await self.beat("blue", "green")
        file = self.folder / "plan.toml"
        file.write_text(PLAN)
        await UpgradeStart().execute(self.ctx, Call({"target": "green", "plan": str(file)}))

    async def to_step(self, name: StepName, state: StepState = StepState.RUNNING) -> None:
        """The run stands at a step; what is before it is over."""
        stored = await self.ctx.gateway.upgrades.read()
        assert stored.run is not None
        run = stored.run
        for one in ORDER[: ORDER.index(name)]:
            run = run.with_step(replace(run.of(one), state=StepState.DONE))
        await self.ctx.gateway.upgrades.step(stored, run.with_step(replace(run.of(name), state=state)))

    async def switched(self) -> None:
        """The run's own switch was carried out, and written down."""
        stored = await self.ctx.gateway.upgrades.read()
        assert stored.run is not None
        epoch = stored.run.epoch
        await self.fence.switch(SwitchRequest("green", expected_epoch=epoch, by="ada", switch_id=stored.run.id))
        authority = await self.fence.authority()
        assert authority is not None
        reading = await self.ctx.read()
        run = replace(stored.run, switched_at=reading.server_at, epoch=authority.epoch)
        await self.ctx.gateway.upgrades.step(stored, run)
        await self.beat("blue", "green")

    async def bet(self) -> None:
        """Blue has an action in flight."""
        authority = await self.fence.authority()
        assert authority is not None
        epoch = authority.epoch
        await self.fence.claim(
            Intent("bet-1", "claim-1", "blue", epoch, "blue-1", Decimal(1), "USD", Direction.ENTER, "", 60_000, epoch)
        )

    async def by_hand(self, target: str) -> None:
        """Somebody switches, and does not say so to the run."""
        await self.fence.switch(SwitchRequest(target, expected_epoch="any", by="bob", mode="now"))
        await self.beat("blue", "green")

    async def over(self, state: RunState) -> None:
        """The run is over."""
        stored = await self.ctx.gateway.upgrades.read()
        assert stored.run is not None
        await self.ctx.gateway.upgrades.step(stored, replace(stored.run, state=state))


async def _at(scene: Scene, name: StepName) -> None:
    await scene.begin()
    await scene.to_step(name)


async def _after(scene: Scene, name: StepName) -> None:
    await scene.begin()
    await scene.to_step(StepName.SWITCH)
    await scene.switched()
    await scene.to_step(name)


async def _canary(scene: Scene) -> None:
    await _at(scene, StepName.CANARY)
    stored = await scene.ctx.gateway.upgrades.read()
    assert stored.run is not None
    name = f"upgrade-{stored.run.id[:12]}"
    began = RunChange(
        Act.START,
        name,
        None,
        by="ada",
        why="",
        target=0,
        plan=CANARY,
        slot="green",
        currency="USD",
        capital=Decimal(1000),
    )
    await scene.fence.call(change(scene.fence.keys, began))
    await scene.ctx.gateway.upgrades.step(stored, replace(stored.run, canary=name))


async def _drain(scene: Scene) -> None:
    await _at(scene, StepName.SWITCH)
    await scene.bet()
    run = await scene.run()
    await scene.fence.switch(SwitchRequest("green", expected_epoch=run.epoch, by="ada", switch_id=run.id))
    authority = await scene.fence.authority()
    assert authority is not None and authority.phase is Phase.DRAIN


async def _unwritten(scene: Scene) -> None:
    await _at(scene, StepName.SWITCH)
    run = await scene.run()
    await scene.fence.switch(SwitchRequest("green", expected_epoch=run.epoch, by="ada", switch_id=run.id))
    await scene.beat("blue", "green")


async def _draining_back(scene: Scene) -> None:
    await _after(scene, StepName.WATCH)
    authority = await scene.fence.authority()
    assert authority is not None
    epoch = authority.epoch
    await scene.fence.claim(
        Intent("bet-2", "claim-2", "green", epoch, "green-1", Decimal(1), "USD", Direction.ENTER, "", 60_000, epoch)
    )
    await scene.fence.switch(SwitchRequest("blue", expected_epoch="any", by="bob"))


async def _then(
    scene: Scene, before: Callable[[Scene], Awaitable[None]], *after: Callable[[Scene], Awaitable[object]]
) -> None:
    await before(scene)
    for one in after:
        await one(scene)


Make = Callable[[Scene], Awaitable[object]]


def _chain(*parts: Make) -> Make:
    async def made(scene: Scene) -> None:
        for part in parts:
            await part(scene)

    return made


def _step(name: StepName) -> Make:
    return lambda scene: _at(scene, name)


def _later(name: StepName) -> Make:
    return lambda scene: _after(scene, name)


async def _no_authority(scene: Scene) -> None:
    await scene.fence.client.delete(scene.fence.keys.ctl)


async def _held(scene: Scene) -> None:
    stored = await scene.ctx.gateway.upgrades.read()
    assert stored.run is not None
    await scene.ctx.gateway.upgrades.step(stored, replace(stored.run, state=RunState.HELD, note="changed by bob"))


BEFORE = tuple(name for name in ORDER[: ORDER.index(StepName.SWITCH) + 1] if name is not StepName.CANARY)
AFTER = (StepName.REVIEW, StepName.WATCH, StepName.WARM)
STATES: dict[str, Make] = {
    **{name.value: _step(name) for name in BEFORE},
    "canary": _canary,
    "draining": _drain,
    "switched, not written down": _unwritten,
    **{name.value: _later(name) for name in AFTER},
    "draining back by hand": _draining_back,
    "done": _chain(_later(StepName.WARM), lambda s: s.over(RunState.DONE)),
    "aborted": _chain(_step(StepName.GATES), lambda s: s.over(RunState.ABORTED)),
    "held before the switch": _chain(_step(StepName.GATES), _held),
    "held, switched by hand": _chain(_step(StepName.GATES), lambda s: s.by_hand("green"), _held),
    "held, switched back by hand": _chain(_later(StepName.WATCH), lambda s: s.by_hand("blue"), _held),
    "frozen by hand": _chain(_later(StepName.WATCH), lambda s: s.fence.halt("bob", "odd", level=Level.NO_NEW_ENTRIES)),
    "halted by hand": _chain(_later(StepName.WATCH), lambda s: s.fence.halt("bob", "odd", level=Level.HALT)),
    "halted before the switch": _chain(_step(StepName.GATES), lambda s: s.fence.halt("bob", "odd", level=Level.HALT)),
    "target dead before the switch": _chain(_step(StepName.HEALTH), lambda s: s.dies("green")),
    "target dead after the switch": _chain(_later(StepName.WATCH), lambda s: s.dies("green")),
    "old side dead after the switch": _chain(_later(StepName.WATCH), lambda s: s.dies("blue")),
    "both dead after the switch": _chain(_later(StepName.WATCH), lambda s: s.dies("green"), lambda s: s.dies("blue")),
    "authority missing before the switch": _chain(_step(StepName.GATES), _no_authority),
    "authority missing after the switch": _chain(_later(StepName.WATCH), _no_authority),
    "walked by another operator": _chain(_later(StepName.WATCH), lambda s: s.ctx.gateway.upgrades.hold("bob 1234")),
}
