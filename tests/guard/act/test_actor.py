"""What a guard may do to who is active, on a real store: once, on fresh evidence, and never beyond it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from console.domain.fence.claims import Direction, Outcome
from console.domain.fence.deployment import Phase, Slot
from console.domain.fence.intent import Aim
from console.domain.triggers.facts import Tenure
from console.domain.triggers.finding import Arming
from console.guard.act.actor import Actor, Done
from console.guard.act.takeover import Takeover
from console.guard.keep.charge import Charge
from console.guard.keep.state import GuardState
from console.store.fence.aio import AsyncFence
from console.store.fence.calls import Heartbeat, SwitchRequest
from console.store.fence.claims import Intent
from console.store.fence.ids import new_id
from console.store.keys import GuardKeys, Keys, StateKeys
from console.store.records.guards import RestrainCode, read_alerts, restrain
from tests.guard.well import well

if TYPE_CHECKING:
    import redis.asyncio


class Scene:
    """A store where blue was active and green is now."""

    def __init__(self, client: redis.asyncio.Redis, keys: Keys) -> None:
        self.client, self.keys = client, keys
        self.fence, self.state = AsyncFence(client, keys), GuardState(client, keys)
        self.problem = ""

    async def begin(self) -> Scene:
        await self.client.set(self.keys.active, "blue")
        await self.switch("green")
        await well(self.client, self.keys, "blue")
        await well(self.client, self.keys, "green")
        return self

    async def switch(self, target: str, **more: object) -> int:
        epoch = (await self.state.control()).epoch
        reply = await self.fence.switch(SwitchRequest(target, expected_epoch=epoch, mode="now", by="op", **more))  # type: ignore[arg-type]
        return reply.epoch

    def actor(self, name: str = "g1", window_s: float = 3600.0) -> Actor:
        charge = Charge(name, self.fence, self.state, lambda _event, **_fields: None)
        return Actor(charge, window_s=lambda: window_s, alive=lambda _slot: self.problem)

    async def tenure(self) -> tuple[Tenure, int]:
        control = await self.state.control()
        assert control.tenure is not None
        return control.tenure, control.epoch

    async def beat(self, slot: str, **more: object) -> None:
        epoch = (await self.state.control()).epoch
        await self.fence.beat(Heartbeat(f"{slot}-1", slot, **more), epoch=epoch, seen=epoch)  # type: ignore[arg-type]

    async def kinds(self) -> list[str]:
        return [event.kind for event in await self.state.events()]


@pytest.fixture
async def scene(valkey: redis.asyncio.Redis, keys: Keys) -> Scene:
    return await Scene(valkey, keys).begin()


async def test_a_tenure_keeps_its_beginning_while_its_epoch_rises(scene: Scene) -> None:
    before, epoch = await scene.tenure()
    await scene.actor().freeze(before, epoch, "pnl: bad")
    after, higher = await scene.tenure()
    assert after == before
    assert higher > epoch


async def test_a_freeze_stops_new_entries_once(scene: Scene) -> None:
    tenure, epoch = await scene.tenure()
    assert (await scene.actor().freeze(tenure, epoch, "pnl: bad")).done is Done.FROZEN
    assert (await scene.state.control()).level == 1
    assert (await scene.actor("g2").freeze(tenure, epoch, "pnl: bad")).done is Done.NOTHING


async def test_evidence_of_a_tenure_that_is_over_changes_nothing(scene: Scene) -> None:
    tenure, epoch = await scene.tenure()
    await scene.switch("blue")
    await scene.switch("green")
    before = await scene.state.control()
    for result in (
        await scene.actor().freeze(tenure, epoch, "pnl: bad"),
        await scene.actor().roll_back(tenure, epoch, "pnl: bad"),
    ):
        assert result.done is Done.LATE
    assert await scene.state.control() == before


@pytest.mark.parametrize("level", [1, 2, 3])
async def test_a_restraint_needs_the_running_tenure_and_its_side(scene: Scene, level: int) -> None:
    tenure, epoch = await scene.tenure()

    async def code(epoch: int, slot: str) -> RestrainCode:
        call = restrain(scene.keys, epoch=epoch, slot=slot, level=level, by="g", why="w", aim=Aim.STOP)
        return (await scene.fence.call(call)).code

    assert await code(tenure.epoch - 1, "green") is RestrainCode.STALE
    assert await code(epoch + 1, "green") is RestrainCode.STALE
    assert await code(epoch, "blue") is RestrainCode.STALE
    assert await code(epoch, "green") is (RestrainCode.HALTED if level == 3 else RestrainCode.LEVEL)
    again = await code(epoch, "green")
    assert again is (RestrainCode.STALE if level == 3 else RestrainCode.AGAIN)


async def test_a_store_without_authority_is_not_restrained(valkey: redis.asyncio.Redis, keys: Keys) -> None:
    fence = AsyncFence(valkey, keys)
    reply = await fence.call(restrain(keys, epoch=0, slot="blue", level=3, by="g", why="w", aim=Aim.STOP))
    assert reply.code is RestrainCode.NOINIT
    assert await valkey.exists(keys.ctl) == 0


async def test_a_plain_target_is_halted_for_judged_switched_to_and_read_back(scene: Scene) -> None:
    tenure, epoch = await scene.tenure()
    result = await scene.actor().roll_back(tenure, epoch, "exception: boom")
    assert (result.done, result.verified) == (Done.ROLLED_BACK, True)
    control = await scene.state.control()
    assert (control.plain, control.tenure and control.tenure.slot) == ("blue", "blue")
    assert (await scene.kinds())[-2:] == ["halt", "switched"]


async def test_a_plain_target_that_cannot_be_vouched_for_leaves_everything_stopped_and_says_why(scene: Scene) -> None:
    tenure, epoch = await scene.tenure()
    scene.problem = "blue has written no decision for 900 s"
    result = await scene.actor().roll_back(tenure, epoch, "exception: boom")
    assert result.done is Done.HALTED
    assert "no decision for 900 s" in result.detail
    control = await scene.state.control()
    assert (control.phase, control.plain) == (Phase.HALT, "halted")
    scene.problem = ""
    assert await scene.actor("g2").finish(control) is None, "what was decided to stay halted is not taken up again"


async def test_a_fenced_target_is_switched_to_in_one_step(scene: Scene) -> None:
    await scene.beat("blue")
    tenure, epoch = await scene.tenure()
    await scene.beat("green")
    result = await scene.actor().roll_back(tenure, epoch, "exception: boom")
    assert result.done is Done.ROLLED_BACK
    assert (await scene.kinds())[-1] == "rollback"
    assert "no instance acknowledged" in result.detail
    assert (await scene.state.events())[-1].why == "exception: boom by guard g1"


async def test_a_fenced_target_that_is_not_ready_means_halt(scene: Scene) -> None:
    await scene.beat("blue", ready=False, info="flags")
    tenure, epoch = await scene.tenure()
    result = await scene.actor().roll_back(tenure, epoch, "exception: boom")
    assert (result.done, "blue is not ready" in result.detail) == (Done.HALTED, True)


async def test_a_second_automatic_roll_back_within_the_window_becomes_a_halt(scene: Scene) -> None:
    await scene.actor().roll_back(*await scene.tenure(), "exception: boom")
    result = await scene.actor().roll_back(*await scene.tenure(), "exception: boom")
    assert result.done is Done.HALTED
    assert "second automatic roll back within 3600 s" in (await scene.state.events())[-1].why


async def test_outside_of_the_window_it_may_roll_back_again(scene: Scene) -> None:
    await scene.actor().roll_back(*await scene.tenure(), "exception: boom")
    tenure, epoch = await scene.tenure()
    result = await scene.actor(window_s=1e-6).roll_back(tenure, epoch, "exception: boom")
    assert result.done is Done.ROLLED_BACK


async def test_of_many_guards_exactly_one_rolls_back(scene: Scene) -> None:
    tenure, epoch = await scene.tenure()
    actors = [scene.actor(f"g{n}") for n in range(12)]
    results = await asyncio.gather(*(actor.roll_back(tenure, epoch, "exception: boom") for actor in actors))
    assert sorted(result.done for result in results) == [Done.ROLLED_BACK, *[Done.LATE] * 11]
    assert (await scene.kinds()).count("switched") == 2  # the operator's, and one of ours


async def test_a_roll_back_that_a_dead_guard_left_half_done_is_finished_by_another(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    _tenure, epoch = await scene.tenure()
    call = restrain(
        scene.keys,
        epoch=epoch,
        slot="green",
        level=3,
        by="guard g1",
        why="pnl: bad" + ", and more of it" * 40,  # longer than what is shown of a reason
        aim=Aim.GO_BACK,
        target="blue",
    )
    await scene.fence.call(call)
    control = await scene.state.control()
    monkeypatch.setattr("console.guard.act.actor.ABANDONED_S", 3600.0)
    assert await scene.actor("g2").finish(control) is None, "the guard that halted may still be at work"
    monkeypatch.setattr("console.guard.act.actor.ABANDONED_S", 0.0)
    result = await scene.actor("g2").finish(control)
    assert result is not None
    assert result.done is Done.ROLLED_BACK
    assert (await scene.state.control()).plain == Slot.BLUE
    assert (await scene.state.events())[-1].why.startswith("pnl: bad, and more of it")


async def test_an_operators_halt_is_nobodys_to_lift(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.guard.act.actor.ABANDONED_S", 0.0)
    await scene.fence.halt("guard duty", "enough; going back to blue")
    assert await scene.actor().finish(await scene.state.control()) is None


async def claim(scene: Scene, slot: str, outcome: Outcome) -> None:
    """An action of a side, and how it ended."""
    epoch = (await scene.state.control()).epoch
    intent = Intent("bet-1", new_id(), slot, epoch, f"{slot}-1", Decimal(1), "USD", Direction.ENTER, "bet", 5000, epoch)
    assert (await scene.fence.claim(intent)).granted
    await scene.fence.settle(intent, outcome)


async def no_record(scene: Scene) -> None:
    await scene.client.delete(scene.keys.good)


async def another_version(scene: Scene) -> None:
    await well(scene.client, scene.keys, "blue", ("2.3.0", ""))


async def a_torn_record(scene: Scene) -> None:
    await scene.client.hset(scene.keys.good, "blue", '{"side": "blue", "since": "2026')


async def a_record_from_the_future(scene: Scene) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = {"side": "blue", "runs": [], "since": later, "at": later, "by": "g"}
    await scene.client.hset(scene.keys.good, "blue", json.dumps(body))


async def a_doubt(scene: Scene) -> None:
    await scene.switch("blue")
    await claim(scene, "blue", Outcome.UNKNOWN)
    await scene.switch("green")


async def a_claim_that_is_torn(scene: Scene) -> None:
    await scene.client.hset(scene.keys.open, "bet-9", "torn")


async def a_torn_manifest(scene: Scene) -> None:
    await scene.client.hset(scene.keys.manifests, "=2.4.0", "torn")
    await well(scene.client, scene.keys, "blue", ("2.4.0", ""))


async def states_of_another_type(scene: Scene) -> None:
    await scene.client.set(StateKeys.of(scene.keys).states, "text")


async def records_of_another_type(scene: Scene) -> None:
    await no_record(scene)
    await scene.client.set(scene.keys.good, "text")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (no_record, "no record says that blue was ever healthy and reconciled"),
        (another_version, "blue runs 2.4.0; healthy and reconciled was 2.3.0"),
        (a_torn_record, "no record says"),
        (a_record_from_the_future, "no record says"),
        (a_doubt, "blue left 1 action in doubt: bet-1"),
        (a_claim_that_is_torn, "1 claims can't be read"),
        (a_torn_manifest, "the manifest of 2.4.0: It is no record of a manifest"),
        (states_of_another_type, "can't be read"),
        (records_of_another_type, "can't be read"),
    ],
)
async def test_a_guard_freezes_where_the_verb_would_and_where_that_can_not_be_read(
    scene: Scene, spoil: Callable[[Scene], Awaitable[None]], told: str
) -> None:
    await scene.beat("blue", version="2.4.0")
    await scene.beat("green", version="2.5.0")
    await spoil(scene)
    tenure, epoch = await scene.tenure()
    result = await scene.actor().roll_back(tenure, epoch, "exception: boom", "exception")
    assert (result.done, told in result.detail) == (Done.FROZEN, True), result.detail
    control = await scene.state.control()
    assert (control.plain, control.level) == ("green", 1)
    assert "exception: boom (not rolled back: " in (await scene.state.events())[-1].why


async def test_a_plain_side_that_may_not_be_left_is_halted_since_no_freeze_binds_it(scene: Scene) -> None:
    await no_record(scene)
    result = await scene.actor().roll_back(*await scene.tenure(), "exception: boom")
    assert result.done is Done.HALTED
    control = await scene.state.control()
    assert (control.plain, control.phase) == ("halted", Phase.HALT)
    assert not (await scene.state.events())[-1].going_back, "nobody takes it up as a roll back that was left half done"


async def test_where_new_risk_was_frozen_already_people_are_told_why_nothing_goes_back(scene: Scene) -> None:
    await no_record(scene)
    await scene.beat("green")
    tenure, epoch = await scene.tenure()
    actor = scene.actor()
    await actor.freeze(tenure, epoch, "pnl: not known")
    assert (await actor.roll_back(*await scene.tenure(), "exception: boom")).done is Done.NOTHING
    (alert,) = read_alerts(await scene.client.hgetall(GuardKeys.of(scene.keys).alerts))
    assert "not rolled back: no record says" in alert.reason


async def test_a_roll_back_that_was_left_half_done_stays_halted_where_the_side_left_a_doubt(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.guard.act.actor.ABANDONED_S", 0.0)
    await a_doubt(scene)
    _tenure, epoch = await scene.tenure()
    call = restrain(
        scene.keys, epoch=epoch, slot="green", level=3, by="guard g1", why="pnl: bad", aim=Aim.GO_BACK, target="blue"
    )
    await scene.fence.call(call)
    result = await scene.actor("g2").finish(await scene.state.control())
    assert result is not None
    assert (result.done, "blue left 1 action in doubt" in result.detail) == (Done.HALTED, True)
    assert (await scene.state.control()).plain == "halted"


async def test_a_side_that_is_well_now_is_gone_back_to_although_nobody_had_recorded_it_yet(scene: Scene) -> None:
    await no_record(scene)
    charge = Charge("g1", scene.fence, scene.state, lambda _event, **_fields: None)

    async def look() -> None:
        await well(scene.client, scene.keys, "blue")

    actor = Actor(charge, window_s=lambda: 3600.0, alive=lambda _slot: "", look=look)
    assert (await actor.roll_back(*await scene.tenure(), "exception: boom")).done is Done.ROLLED_BACK


@pytest.mark.parametrize("schema", [1, 2])
async def test_a_side_that_can_not_read_the_state_does_not_take_over_from_a_dead_one(scene: Scene, schema: int) -> None:
    charge = Charge("g1", scene.fence, scene.state, lambda _event, **_fields: None)
    takeover = Takeover(charge)
    await scene.beat("green", schema=schema, every_ms=10)
    await scene.beat("blue", schema=1)
    for _ in range(8):  # green beats no more
        control = await scene.state.control()
        if await takeover.look(await scene.fence.heartbeats(), control, Arming.ARMED, 0.05):
            break
        await asyncio.sleep(0.03)
    now = await scene.state.control()
    assert (now.plain, now.level) == (("blue", 0) if schema == 1 else ("green", 1))
    if schema == 2:
        assert "green works with schema 2, and blue reads schema 1" in (await scene.state.events())[-1].why
