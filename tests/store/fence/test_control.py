"""Switch, halt, beat and flag, on a real server: who may act, and what an operator is told about it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from console.domain.commitments.commitment import Commitment, Kind
from console.domain.errors import Refused, UsageError
from console.domain.fence.chain import link, verify_chain
from console.domain.fence.claims import Direction, Level, Outcome
from console.domain.fence.deployment import Phase, Slot
from console.store.fence.aio import AsyncFence
from console.store.fence.blocking import Fence
from console.store.fence.calls import FlagWrite, Heartbeat, Limits, SwitchRequest, basis
from console.store.fence.claims import Intent
from console.store.fence.owing import Who, put
from console.store.fence.replies import BeatCode, FlagCode, HaltCode, SwitchCode, TripCode

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.store.keys import Keys


@pytest.fixture(params=[True, False], ids=["functions", "scripts"])
def fence(valkey: Redis, keys: Keys, request: pytest.FixtureRequest) -> AsyncFence:
    return AsyncFence(valkey, keys, functions=request.param)


def alive(slot: str, *, instance: str = "", ready: bool = True, schema: int = 1) -> Heartbeat:
    return Heartbeat(instance or f"{slot}-1", slot, "2.4.0", ready=ready, schema=schema)


def bet(key: str, epoch: int) -> Intent:
    return Intent(
        key, f"claim of {key}", "blue", epoch, "blue-1", Decimal(1), "USD", Direction.ENTER, "", 10_000, epoch
    )


async def events(fence: AsyncFence) -> list[dict[str, str]]:
    entries = await fence.client.xrange(fence.keys.log)
    return [{k.decode(): v.decode() for k, v in fields.items()} for _id, fields in entries]


async def start(fence: AsyncFence, slot: str = "blue") -> int:
    reply = await fence.switch(SwitchRequest(slot, expected_epoch=0, by="op"))
    assert reply.code is SwitchCode.SWITCHED
    return reply.epoch


async def test_a_switch_on_an_untouched_store_makes_its_target_active(fence: AsyncFence) -> None:
    assert await fence.authority() is None
    reply = await fence.switch(SwitchRequest("green", expected_epoch=0, by="op", why="first"))
    assert (reply.code, reply.active, reply.phase, reply.generation) == (SwitchCode.SWITCHED, Slot.GREEN, Phase.RUN, 1)
    assert (reply.epoch_before, reply.plain_before, reply.previous) == (0, "", None)
    assert await fence.client.get(fence.keys.active) == b"green"
    authority = await fence.authority()
    assert authority is not None and authority.epoch == reply.epoch and authority.active is Slot.GREEN


async def test_the_switch_of_a_run_that_was_changed_since_it_was_read_is_refused(fence: AsyncFence) -> None:
    epoch = await start(fence)
    request = SwitchRequest("green", expected_epoch=epoch, by="op", switch_id="run-1", run_revision=3)
    for standing in (None, "4\n{}", "33\n{}", "{}"):
        if standing is not None:
            await fence.client.hset(fence.keys.upgrades, "current", standing)
        reply = await fence.switch(request)
        assert (reply.code, reply.active) == (SwitchCode.CONFLICT, Slot.BLUE), standing
    await fence.client.hset(fence.keys.upgrades, "current", "3\n{}")
    assert (await fence.switch(request)).code is SwitchCode.SWITCHED
    await fence.client.hset(fence.keys.upgrades, "current", "4\n{}")
    assert (await fence.switch(request)).code is SwitchCode.SWITCHED, "said again, it is the same switch"


async def test_a_switch_adopts_a_plain_deployment_first_so_that_there_is_a_way_back(fence: AsyncFence) -> None:
    await fence.client.set(fence.keys.active, "blue")
    reply = await fence.switch(SwitchRequest("green", expected_epoch=0, by="op"))
    assert (reply.code, reply.generation, reply.previous, reply.plain_before) == (
        SwitchCode.SWITCHED,
        2,
        Slot.BLUE,
        "blue",
    )
    assert [(e["k"], e["by"], e["act"]) for e in await events(fence)] == [
        ("adopted", "outside", "blue"),
        ("switched", "op", "green"),
    ]


async def test_an_operator_who_saw_an_authority_is_told_when_the_store_has_none(fence: AsyncFence) -> None:
    assert (await fence.switch(SwitchRequest("green", expected_epoch=7, by="op"))).code is SwitchCode.CONFLICT
    assert await fence.client.exists(fence.keys.ctl, fence.keys.active) == 0


async def test_a_halt_written_by_hand_on_a_plain_deployment_is_not_undone_without_resuming(fence: AsyncFence) -> None:
    await fence.client.set(fence.keys.active, "halted")
    assert (await fence.switch(SwitchRequest("green", expected_epoch=0, by="op"))).code is SwitchCode.HALTED
    assert await fence.client.get(fence.keys.active) == b"halted"
    reply = await fence.switch(SwitchRequest("green", expected_epoch=0, by="op", resume=True, why="checked"))
    assert reply.code is SwitchCode.SWITCHED


async def test_of_two_operators_one_wins_and_the_other_is_told(fence: AsyncFence) -> None:
    epoch = await start(fence)
    first = await fence.switch(SwitchRequest("green", expected_epoch=epoch, by="ann"))
    second = await fence.switch(SwitchRequest("green", expected_epoch=epoch, by="bob"))
    assert (first.code, second.code) == (SwitchCode.SWITCHED, SwitchCode.CONFLICT)
    assert second.epoch == first.epoch
    assert (await fence.switch(SwitchRequest("blue", expected_epoch=0, by="eve"))).code is SwitchCode.CONFLICT


async def otherwise(fence: AsyncFence, part: str) -> None:
    """Change one of the things that gates are asked about."""
    if part == "events":
        await fence.set_flag(FlagWrite("game", None, "dice"))
    elif part == "commitments":
        authority = await fence.authority()
        assert authority is not None
        owed = Commitment("esc_1", Kind.ESCROW, Decimal(5), "USD")
        await fence.owe(Who("blue-1", "blue", "2.4.0", authority.epoch), [put(owed)])
    elif part == "doubts":
        authority = await fence.authority()
        assert authority is not None
        await fence.claim(bet("k1", authority.epoch)._replace(lease_ms=1))
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("part", ["events", "commitments", "doubts"])
async def test_a_switch_is_a_conflict_once_what_gates_were_asked_about_is_otherwise(
    fence: AsyncFence, part: str
) -> None:
    epoch = await start(fence)
    asked = SwitchRequest("green", expected_epoch=epoch, by="op", basis=basis(await fence.authority()))
    await otherwise(fence, part)
    reply = await fence.switch(asked)
    assert (reply.code, reply.detail, reply.active) == (SwitchCode.CONFLICT, part, Slot.BLUE)
    now = asked._replace(basis=basis(await fence.authority()), mode="now")
    assert (await fence.switch(now)).code is SwitchCode.SWITCHED


async def test_what_gates_were_asked_about_is_bound_in_whole_or_refused(fence: AsyncFence) -> None:
    epoch = await start(fence)
    torn = SwitchRequest("green", expected_epoch=epoch, by="op", basis="1/")
    assert (await fence.switch(torn)).detail == "basis"


async def test_expected_any_is_an_emergency_that_compares_nothing(fence: AsyncFence) -> None:
    await start(fence)
    assert (await fence.switch(SwitchRequest("green", expected_epoch="any", by="op"))).code is SwitchCode.SWITCHED


async def test_a_repeated_switch_id_is_the_same_switch(fence: AsyncFence) -> None:
    epoch = await start(fence)
    first = await fence.switch(SwitchRequest("green", expected_epoch=epoch, switch_id="s1", by="op"))
    again = await fence.switch(SwitchRequest("green", expected_epoch=epoch, switch_id="s1", by="op"))
    assert (again.code, again.epoch, again.detail) == (SwitchCode.SWITCHED, first.epoch, "again")
    assert len([e for e in await events(fence) if e["k"] == "switched"]) == 2


async def test_a_switch_to_the_active_side_changes_nothing(fence: AsyncFence) -> None:
    epoch = await start(fence)
    reply = await fence.switch(SwitchRequest("blue", expected_epoch=epoch, by="op"))
    assert (reply.code, reply.epoch) == (SwitchCode.NOOP, epoch)


async def test_a_slot_that_does_not_exist_is_refused(fence: AsyncFence) -> None:
    assert (await fence.switch(SwitchRequest("red", expected_epoch=0, by="op"))).code is SwitchCode.BADTARGET
    epoch = await start(fence)
    for target in ("red", "halted", "draining", ""):
        assert (await fence.switch(SwitchRequest(target, expected_epoch=epoch, by="op"))).code is SwitchCode.BADTARGET
    assert (await fence.authority()).epoch == epoch  # type: ignore[union-attr]


async def test_every_change_of_who_may_act_raises_the_epoch_to_at_least_the_servers_clock(fence: AsyncFence) -> None:
    epoch = await start(fence)
    seconds, _micros = await fence.client.time()
    assert abs(epoch - int(seconds) * 1000) < 60_000
    for target in ("green", "blue", "green"):
        reply = await fence.switch(SwitchRequest(target, expected_epoch=epoch, by="op"))
        assert reply.epoch > epoch
        epoch = reply.epoch


async def test_a_key_written_by_hand_is_adopted_before_epochs_are_compared(fence: AsyncFence) -> None:
    epoch = await start(fence)
    await fence.client.set(fence.keys.active, "green")
    reply = await fence.switch(SwitchRequest("green", expected_epoch=epoch, by="op"))
    assert (reply.code, reply.active) == (SwitchCode.CONFLICT, Slot.GREEN)
    assert (await events(fence))[-1]["by"] == "outside"
    assert (await fence.switch(SwitchRequest("blue", expected_epoch=reply.epoch, by="op"))).code is SwitchCode.SWITCHED


@pytest.mark.parametrize("text", ["red", "", "halted", None])
async def test_a_key_written_by_hand_that_names_no_slot_halts(fence: AsyncFence, text: str | None) -> None:
    epoch = await start(fence)
    if text is None:
        await fence.client.delete(fence.keys.active)
    else:
        await fence.client.set(fence.keys.active, text)
    assert (await fence.tend()).phase is Phase.HALT
    assert (await fence.switch(SwitchRequest("green", expected_epoch=epoch, by="op"))).code is SwitchCode.CONFLICT
    last = (await events(fence))[-1]
    assert (last["k"], last["by"]) == ("halt", "outside")


async def test_a_halt_wins_over_a_hand_written_key(fence: AsyncFence) -> None:
    await start(fence)
    await fence.halt("op", "stop")
    await fence.client.set(fence.keys.active, "blue")
    reply = await fence.tend()
    assert reply.phase is Phase.HALT
    assert await fence.client.get(fence.keys.active) == b"halted"
    assert (await events(fence))[-1]["k"] == "reasserted"


async def test_a_plain_key_of_another_type_is_kept_until_an_operator_replaces_it(fence: AsyncFence) -> None:
    epoch = await start(fence)
    await fence.client.delete(fence.keys.active)
    await fence.client.rpush(fence.keys.active, "x")
    reply = await fence.switch(SwitchRequest("green", expected_epoch=epoch, by="op", audit={"id": "r1"}))
    assert (reply.code, reply.plain_before) == (SwitchCode.SWITCHED, "list")
    assert (await events(fence))[-1]["replaced"] == "list"
    [(_id, entry)] = await fence.client.xrange(fence.keys.audit)
    assert entry[b"before"] == b"a list" and entry[b"after"] == b"green"


async def test_housekeeping_halts_on_a_plain_key_of_another_type_and_leaves_it_alone(fence: AsyncFence) -> None:
    await start(fence)
    await fence.client.delete(fence.keys.active)
    await fence.client.rpush(fence.keys.active, "x")
    assert (await fence.tend()).phase is Phase.HALT
    assert (await fence.tend()).phase is Phase.HALT
    assert await fence.client.lrange(fence.keys.active, 0, -1) == [b"x"]
    assert len([e for e in await events(fence) if e["k"] == "halt"]) == 1


async def test_a_roll_back_goes_to_the_side_that_was_active_before(fence: AsyncFence) -> None:
    epoch = await start(fence)
    assert (await fence.rollback(expected_epoch=epoch, by="op")).code is SwitchCode.NO_PREVIOUS
    epoch = (await fence.switch(SwitchRequest("green", expected_epoch=epoch, by="op"))).epoch
    reply = await fence.rollback(expected_epoch=epoch, by="op", why="bad")
    assert (reply.code, reply.active, reply.previous) == (SwitchCode.SWITCHED, Slot.BLUE, Slot.GREEN)


async def test_a_roll_back_on_an_untouched_store_says_that_there_is_no_previous_side(fence: AsyncFence) -> None:
    assert (await fence.rollback(expected_epoch=0, by="op")).code is SwitchCode.NO_PREVIOUS


async def test_a_switch_that_asks_for_a_healthy_target_is_refused_without_one(fence: AsyncFence) -> None:
    epoch = await start(fence)
    await fence.beat(alive("blue", schema=2), epoch=epoch, seen=epoch)
    ask = {"expected_epoch": epoch, "by": "op", "require_healthy": True}
    reply = await fence.switch(SwitchRequest("green", **ask))  # type: ignore[arg-type]
    assert (reply.code, reply.detail) == (SwitchCode.UNHEALTHY, "green has no instance")
    await fence.beat(alive("green", ready=False), epoch=epoch, seen=epoch)
    assert (await fence.switch(SwitchRequest("green", **ask))).detail == "green is not ready"  # type: ignore[arg-type]
    await fence.beat(alive("green"), epoch=epoch, seen=epoch)
    assert (await fence.switch(SwitchRequest("green", **ask))).detail == "green does not read state schema 2"  # type: ignore[arg-type]
    await fence.beat(alive("green", schema=2), epoch=epoch, seen=epoch)
    assert (await fence.switch(SwitchRequest("green", **ask))).code is SwitchCode.SWITCHED  # type: ignore[arg-type]


async def test_a_halt_is_latched_and_resuming_takes_a_reason(fence: AsyncFence) -> None:
    await start(fence)
    halted = await fence.halt("op", "stop")
    assert (halted.code, halted.phase, halted.level) == (HaltCode.HALTED, Phase.HALT, Level.HALT)
    assert (await fence.halt("op", "stop")).code is HaltCode.AGAIN
    at = {"expected_epoch": halted.epoch, "by": "op"}
    assert (await fence.switch(SwitchRequest("blue", **at))).code is SwitchCode.HALTED  # type: ignore[arg-type]
    assert (await fence.switch(SwitchRequest("blue", **at, resume=True))).code is SwitchCode.NEEDS_REASON  # type: ignore[arg-type]
    reply = await fence.switch(SwitchRequest("blue", **at, resume=True, why="checked"))  # type: ignore[arg-type]
    assert (reply.code, reply.active, reply.level) == (SwitchCode.SWITCHED, Slot.BLUE, Level.NONE)


async def test_a_halt_works_on_an_untouched_store(fence: AsyncFence) -> None:
    assert (await fence.halt("op", "stop")).code is HaltCode.HALTED
    assert await fence.client.get(fence.keys.active) == b"halted"
    assert (await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))).code is SwitchCode.CONFLICT


async def test_levels_only_rise_until_somebody_resumes(fence: AsyncFence) -> None:
    assert (await fence.halt("op", "x", level=Level.REDUCE_ONLY)).code is HaltCode.NOINIT
    await start(fence)
    reduced = await fence.halt("op", "careful", level=Level.REDUCE_ONLY)
    assert (reduced.code, reduced.phase, reduced.active) == (HaltCode.LEVEL, Phase.RUN, Slot.BLUE)
    assert (await fence.halt("op", "x", level=Level.NO_NEW_ENTRIES)).code is HaltCode.AGAIN
    resumed = await fence.switch(SwitchRequest("blue", expected_epoch=reduced.epoch, by="op", resume=True, why="calm"))
    assert (resumed.code, resumed.level) == (SwitchCode.RESUMED, Level.NONE)
    assert resumed.epoch > reduced.epoch


async def test_an_instance_appears_and_acknowledges_each_epoch_once(fence: AsyncFence) -> None:
    epoch = await start(fence)
    for _ in range(2):
        assert (await fence.beat(alive("blue"), epoch=epoch, seen=epoch)).code is BeatCode.OK
    assert [e["seen"] for e in await events(fence) if e["k"] == "ack"] == [str(epoch)]
    await fence.beat(alive("blue"), epoch=epoch, seen=epoch, leaving=True)
    assert await fence.client.hlen(fence.keys.instances) == 0
    assert (await events(fence))[-1]["k"] == "left"


async def test_a_switch_of_many_instances_is_one_event_not_one_for_each_to_read(
    fence: AsyncFence,
) -> None:
    epoch = await start(fence)
    many = [alive("blue")._replace(instance=f"blue-{number}") for number in range(20)]
    for one in many:
        await fence.beat(one, epoch=epoch, seen=epoch)
    assert [e["k"] for e in await events(fence)].count("ack") == 16
    before = len(await events(fence))
    epoch = (await fence.switch(SwitchRequest("green", expected_epoch=epoch, by="op"))).epoch
    for one in many:
        await fence.beat(one, epoch=epoch, seen=epoch)
    assert [e["k"] for e in (await events(fence))[before:]] == ["switched"]
    assert all(beat["epoch"] == epoch for beat in (await fence.heartbeats()).values())


async def test_housekeeping_writes_nothing_where_there_is_nothing_to_do(fence: AsyncFence) -> None:
    await fence.client.set(fence.keys.active, "blue")
    assert (await fence.tend()).code is BeatCode.NOINIT
    assert await fence.client.keys("ac:*") == []
    epoch = (await fence.switch(SwitchRequest("green", expected_epoch=0, by="op"))).epoch
    before = await fence.client.xlen(fence.keys.log)
    assert (await fence.tend()).epoch == epoch
    assert await fence.client.xlen(fence.keys.log) == before


async def test_a_first_fenced_agent_takes_over_a_plain_deployment_as_it_finds_it(fence: AsyncFence) -> None:
    await fence.client.set(fence.keys.active, "blue")
    reply = await fence.beat(alive("green"), epoch=0, seen=0)
    assert (reply.code, reply.active, reply.generation) == (BeatCode.OK, Slot.BLUE, 1)


async def test_an_agent_that_saw_an_epoch_does_not_start_a_store_that_lost_its_data(fence: AsyncFence) -> None:
    epoch = await start(fence)
    await fence.client.flushdb()
    await fence.client.set(fence.keys.active, "blue")
    reply = await fence.beat(alive("blue"), epoch=epoch, seen=epoch)
    assert (reply.code, reply.phase) == (BeatCode.REGRESSED, Phase.HALT)
    fresh = await fence.beat(alive("green"), epoch=0, seen=0)
    assert (fresh.phase, fresh.active) == (Phase.HALT, None)  # latched: nobody begins anew by himself


async def test_a_store_that_went_back_in_time_halts_at_the_next_heartbeat(fence: AsyncFence) -> None:
    epoch = await start(fence)
    reply = await fence.beat(alive("blue"), epoch=epoch, seen=epoch + 5)
    assert (reply.code, reply.phase) == (BeatCode.REGRESSED, Phase.HALT)
    assert reply.epoch > epoch + 5


async def test_actions_that_were_lost_are_missed_although_others_came_after(fence: AsyncFence) -> None:
    epoch = await start(fence)
    await fence.claim(bet("bet-1", epoch))
    seen = (await fence.beat(alive("blue"), epoch=epoch, seen=epoch)).seen
    await fence.client.delete(fence.keys.actions, fence.keys.open, fence.keys.in_flight)
    await fence.client.hset(fence.keys.ctl, mapping={"an": 0, "ah": "", "on": 0, "fn": 0})
    other = await fence.claim(bet("bet-2", epoch))
    assert other.granted
    reply = await fence.beat(alive("blue"), epoch=epoch, seen=seen)
    assert (reply.code, reply.phase) == (BeatCode.REGRESSED, Phase.HALT)


async def test_actions_that_were_archived_are_not_missed(fence: AsyncFence) -> None:
    epoch = await start(fence)
    await fence.claim(bet("bet-1", epoch))
    seen = (await fence.beat(alive("blue"), epoch=epoch, seen=epoch)).seen
    await fence.claim(bet("bet-2", epoch))
    await fence.client.xtrim(fence.keys.actions, maxlen=1, approximate=False)
    reply = await fence.beat(alive("blue"), epoch=epoch, seen=seen)
    assert (reply.code, reply.phase) == (BeatCode.OK, Phase.RUN)


async def test_an_epoch_far_in_the_future_changes_nothing(fence: AsyncFence) -> None:
    epoch = await start(fence)
    reply = await fence.beat(alive("blue"), epoch=epoch, seen=epoch + 10**9)
    assert (reply.code, reply.epoch, reply.phase) == (BeatCode.BADEPOCH, epoch, Phase.RUN)


async def test_a_dead_time_for_plain_agents_ends_early_only_for_its_own_switch(fence: AsyncFence) -> None:
    epoch = await start(fence)
    reply = await fence.switch(SwitchRequest("green", expected_epoch=epoch, switch_id="s1", hold_ms=60_000, by="op"))
    assert (reply.code, reply.target) == (SwitchCode.DRAINING, Slot.GREEN)
    assert await fence.client.get(fence.keys.active) == b"draining"
    assert (await fence.tend()).phase is Phase.DRAIN
    other = await fence.switch(SwitchRequest("green", expected_epoch="any", mode="finish", switch_id="s2", by="op"))
    assert (other.code, other.phase) == (SwitchCode.CONFLICT, Phase.DRAIN)
    done = await fence.switch(SwitchRequest("green", expected_epoch="any", mode="finish", switch_id="s1", by="op"))
    assert (done.code, done.active) == (SwitchCode.SWITCHED, Slot.GREEN)


async def test_a_trigger_rolls_back_once_to_a_healthy_side_and_then_halts(fence: AsyncFence) -> None:
    epoch = (await fence.switch(SwitchRequest("green", expected_epoch=await start(fence), by="op"))).epoch
    await fence.beat(alive("blue"), epoch=epoch, seen=epoch)
    first = await fence.trip(epoch=epoch, why="exception", by="green-1")
    assert (first.code, first.active) == (TripCode.ROLLBACK, Slot.BLUE)
    assert (await fence.trip(epoch=epoch, why="exception", by="green-2")).code is TripCode.STALE
    await fence.beat(alive("green"), epoch=first.epoch, seen=first.epoch)
    assert (await fence.trip(epoch=first.epoch, why="exception", by="blue-1")).code is TripCode.HALT
    assert "roll back already used" in (await events(fence))[-1]["why"]


async def test_a_trigger_halts_where_the_other_side_is_not_known_healthy(fence: AsyncFence) -> None:
    epoch = (await fence.switch(SwitchRequest("green", expected_epoch=await start(fence), by="op"))).epoch
    reply = await fence.trip(epoch=epoch, why="exception", by="green-1")
    assert (reply.code, reply.phase) == (TripCode.HALT, Phase.HALT)
    assert "blue has no instance" in (await events(fence))[-1]["why"]


async def left(fence: AsyncFence, how: str) -> int:
    """Blue acted, and green does now; the epoch."""
    epoch = await start(fence)
    claim = bet("bet-1", epoch)
    assert (await fence.claim(claim)).granted
    if how == "unknown":
        await fence.settle(claim, Outcome.UNKNOWN)
    epoch = (await fence.switch(SwitchRequest("green", expected_epoch=epoch, by="op", mode="now"))).epoch
    await fence.beat(alive("blue"), epoch=epoch, seen=epoch)
    if how == "lease":
        raw = (await fence.client.hget(fence.keys.open, "bet-1") or b"").decode().split("\n")
        await fence.client.hset(fence.keys.open, "bet-1", "\n".join((*raw[:5], "1", *raw[6:])))
        await fence.client.zadd(fence.keys.in_flight, {"bet-1": 1})
    return epoch


@pytest.mark.parametrize("how", ["unknown", "lease"])
async def test_a_trigger_halts_where_the_other_side_left_a_doubt(fence: AsyncFence, how: str) -> None:
    reply = await fence.trip(epoch=await left(fence, how), why="exception", by="green-1")
    assert (reply.code, reply.phase) == (TripCode.HALT, Phase.HALT)
    assert "(blue left 1 actions in doubt)" in (await events(fence))[-1]["why"]


async def test_what_the_other_side_has_in_flight_is_no_doubt(fence: AsyncFence) -> None:
    reply = await fence.trip(epoch=await left(fence, "in flight"), why="exception", by="green-1")
    assert (reply.code, reply.active) == (TripCode.ROLLBACK, Slot.BLUE)


async def test_a_doubt_of_the_side_that_trips_is_no_obstacle(fence: AsyncFence) -> None:
    epoch = (await fence.switch(SwitchRequest("green", expected_epoch=await start(fence), by="op"))).epoch
    await fence.beat(alive("blue"), epoch=epoch, seen=epoch)
    claim = bet("bet-1", epoch)._replace(slot="green")
    assert (await fence.claim(claim)).granted
    await fence.settle(claim, Outcome.UNKNOWN)
    assert (await fence.trip(epoch=epoch, why="exception", by="green-1")).code is TripCode.ROLLBACK


async def test_limits_are_recorded_and_money_limits_need_a_currency(fence: AsyncFence) -> None:
    await start(fence)
    with pytest.raises(UsageError):
        await fence.set_limits(Limits(loss=5), by="op")
    await fence.set_limits(Limits(streak=3), by="op", why="canary")
    assert (await events(fence))[-1]["t_streak"] == "3"


async def test_a_flag_is_set_only_from_the_value_that_was_seen(fence: AsyncFence) -> None:
    first = await fence.set_flag(
        FlagWrite("game", expected=None, value="dice", audit={"id": "r1", "command": "flag set"})
    )
    assert (first.code, first.before) == (FlagCode.SET, None)
    stale = await fence.set_flag(FlagWrite("game", expected=None, value="crash"))
    assert (stale.code, stale.before) == (FlagCode.CONFLICT, "dice")
    assert (await fence.set_flag(FlagWrite("game", expected="dice", value=None))).before == "dice"
    assert await fence.client.get(fence.keys.flag("game")) is None
    [(audit_id, entry)] = await fence.client.xrange(fence.keys.audit)
    assert audit_id.decode() == first.audit_id
    assert entry[b"id"] == b"r1" and entry[b"after"] == b"dice" and b"before" not in entry
    assert [e["k"] for e in await events(fence)] == ["flag", "flag"]


async def test_a_flag_whose_key_is_no_text_is_reported_and_left_alone(fence: AsyncFence) -> None:
    await fence.client.rpush(fence.keys.flag("game"), "x")
    reply = await fence.set_flag(FlagWrite("game", expected="dice", value="crash"))
    assert (reply.code, reply.before) == (FlagCode.WRONGTYPE, "list")


async def test_flag_events_alone_make_no_authority(fence: AsyncFence) -> None:
    await fence.set_flag(FlagWrite("game", expected=None, value="dice"))
    assert await fence.authority() is None
    assert (await fence.tend()).code is BeatCode.NOINIT


async def test_a_switch_writes_its_audit_entry_in_the_same_step_and_only_if_it_changed_something(
    fence: AsyncFence,
) -> None:
    epoch = await start(fence)
    stale = await fence.switch(SwitchRequest("green", expected_epoch=1, by="op", audit={"id": "no"}))
    assert stale.audit_id == ""
    reply = await fence.switch(SwitchRequest("green", expected_epoch=epoch, by="op", audit={"id": "r1", "who": "ann"}))
    [(audit_id, entry)] = await fence.client.xrange(fence.keys.audit)
    assert audit_id.decode() == reply.audit_id
    assert entry == {
        b"id": b"r1",
        b"who": b"ann",
        b"before": b"blue",
        b"after": b"green",
        b"epoch": str(reply.epoch).encode(),
        b"ms": str(reply.server_ms).encode(),
        b"n": b"1",
        b"h": link("", [(name, value) for name, value in entry.items() if name != b"h"]).encode(),
    }


async def test_every_control_event_is_in_a_chain_that_shows_edits_and_cuts(fence: AsyncFence) -> None:
    epoch = await start(fence)
    await fence.set_flag(FlagWrite("game", expected=None, value="dice"))
    await fence.switch(SwitchRequest("green", expected_epoch=epoch, by="ann", why="weil's schön ist ⚡"))
    await fence.halt("op", "stop")
    entries = await fence.client.xrange(fence.keys.log)
    head = (await fence.authority()).log_head  # type: ignore[union-attr]
    assert verify_chain(entries, head=head).ok
    cut = verify_chain(entries[:-1], head=head)
    assert not cut.ok and "newest" in cut.problem
    edited = [(i, {**fields, b"by": b"nobody"} if n == 2 else fields) for n, (i, fields) in enumerate(entries)]
    assert verify_chain(edited).bad_id == entries[2][0].decode()
    assert not verify_chain(entries[1:]).ok
    assert verify_chain(entries[1:], after=entries[0][1][b"h"].decode(), head=head).ok


async def test_a_control_key_of_another_type_is_refused_in_words(fence: AsyncFence) -> None:
    await fence.client.set(fence.keys.ctl, "x")
    with pytest.raises(Refused, match="wrong Redis type"):
        await fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))


async def test_scripts_run_again_after_the_server_forgot_them(fence: AsyncFence) -> None:
    await start(fence)
    await fence.client.script_flush()
    await fence.client.function_flush()
    assert (await fence.tend()).code is BeatCode.OK


def test_the_blocking_fence_has_the_same_names(valkey_sync: object, keys: Keys) -> None:
    names = {name for name in vars(AsyncFence) if not name.startswith("_")}
    assert names == {name for name in vars(Fence) if not name.startswith("_")}
    fence = Fence(valkey_sync, keys)  # type: ignore[arg-type]
    reply = fence.switch(SwitchRequest("blue", expected_epoch=0, by="op"))
    assert fence.authority().epoch == reply.epoch  # type: ignore[union-attr]
    assert fence.halt("op", "stop").code is HaltCode.HALTED
    assert fence.set_flag(FlagWrite("game", expected=None, value="dice")).code is FlagCode.SET


async def last_entry(fence: AsyncFence) -> dict[str, str]:
    ((_id, fields),) = await fence.client.xrevrange(fence.keys.audit, count=1)
    return {k.decode(): v.decode() for k, v in fields.items()}


async def test_a_freeze_is_told_as_what_was_and_is_allowed(fence: AsyncFence) -> None:
    await start(fence)
    for level, before, after in (
        (Level.NO_NEW_ENTRIES, "everything", "no new entries"),
        (Level.REDUCE_ONLY, "no new entries", "reduce only"),
    ):
        reply = await fence.halt("ann", "drift", level=level, audit={"id": "r", "command": "halt", "what": "allowed"})
        assert reply.detail == before
        entry, event = await last_entry(fence), (await events(fence))[-1]
        assert (entry["what"], entry["before"], entry["after"]) == ("allowed", before, after)
        assert (event["from"], event["act"], event["lvl0"], event["lvl"]) == (
            "blue",
            "blue",
            str(level.rank - 1),
            str(level.rank),
        )


async def test_an_event_says_what_stood_before_it(fence: AsyncFence) -> None:
    epoch = await start(fence)
    await fence.switch(SwitchRequest("green", expected_epoch=epoch, by="ann", mode="now"))
    await fence.halt("ann", "odd")
    await fence.switch(SwitchRequest("blue", expected_epoch="any", by="ann", why="seen", resume=True, mode="now"))
    assert [(event["from"], event["act"]) for event in await events(fence)] == [
        ("", "blue"),
        ("blue", "green"),
        ("green", ""),
        ("halted", "blue"),
    ]


async def test_a_lift_that_the_caller_took_for_a_switch_is_told_as_a_lift(fence: AsyncFence) -> None:
    await start(fence)
    frozen = await fence.halt("bob", "drift", level=Level.NO_NEW_ENTRIES)
    request = SwitchRequest(
        "blue", expected_epoch="any", by="ann", why="seen", resume=True, audit={"id": "r", "what": "active version"}
    )
    reply = await fence.switch(request)
    assert (reply.code, reply.detail) == (SwitchCode.RESUMED, "no new entries")
    entry, event = await last_entry(fence), (await events(fence))[-1]
    assert (entry["what"], entry["before"], entry["after"]) == ("allowed", "no new entries", "everything")
    for told in (entry, event):
        assert (told["lifted_by"], told["lifted_side"]) == ("bob", "blue")
        assert int(told["lifted_ms"]) <= frozen.server_ms


@pytest.mark.parametrize(
    ("loss", "words"), [("60.5", "60.5"), ("0.000000000001", "0.000000000001"), ("1234567", "1234567")]
)
async def test_a_trip_for_loss_says_trigger_amount_and_currency(fence: AsyncFence, loss: str, words: str) -> None:
    epoch = await start(fence)
    await fence.set_limits(Limits(currency="USD", loss=Decimal(loss)), by="op")
    await fence.claim(bet("k", epoch))
    await fence.settle(bet("k", epoch), Outcome.OK, pnl=-Decimal(loss))
    event = (await events(fence))[-1]
    assert (event["k"], event.get("trigger"), event.get("currency")) == ("halt", "pnl", "USD")
    assert Decimal(event["amount"]).scaleb(-6) == -Decimal(loss)
    assert event["why"].startswith(f"loss -{words} USD by blue-1")


async def test_a_trip_says_the_name_of_what_was_seen(fence: AsyncFence) -> None:
    epoch = await start(fence)
    await fence.trip(epoch=epoch, why="x", by="w", trigger="exception")
    assert (await events(fence))[-1]["trigger"] == "exception"
