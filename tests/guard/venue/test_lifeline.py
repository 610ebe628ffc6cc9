"""The dead man's switch is kept alive for the active side alone, goes with the epoch, and falls on halt."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from console.demo.faulty import Fault
from console.domain.seen.observation import Link, LinkState, Observation
from console.domain.text import Safe
from console.domain.venue.deadman import State
from console.guard.loops import end
from console.guard.report.deadman import exercise_deadman
from console.guard.venue.lifeline import Lifeline, Sign
from console.store.fence.calls import SwitchRequest
from console.store.reading.reader import read_store
from console.store.records.venue import VenueKeys, keep_deadman, read_deadman
from console.views.guard.guards import LAST_DOOR, guard_checks
from console.views.tone import Tone
from tests.guard.venue.conftest import IMPATIENT, Care
from tests.waiting import until_async

LINK = Link(LinkState.LIVE, Safe("redis://here"))


async def turn(line: Lifeline, **more: Any) -> Sign:
    venue = line._prober.venue
    assert venue.document.deadman is not None
    assert venue.deadman is not None
    return await line.turn(venue.document.deadman, venue.deadman, **more)


async def halt(care: Care) -> None:
    await care.fence.halt("op", "a test")


def now() -> datetime:
    return datetime.now(UTC)


async def test_it_is_kept_alive_while_somebody_is_active_and_shows_its_countdown(care: Care) -> None:
    line = care.lifeline()
    assert (await turn(line)).sent
    assert not (await turn(line)).sent  # not yet due
    record = await read_deadman(care.client, care.keys)
    assert record is not None
    assert record.state(now()) is State.ARMED
    assert record.slot == "green"
    assert record.by == "g1"
    left_s = record.left_s(now())
    assert left_s is not None
    assert 1.0 < left_s <= 2.1
    await asyncio.sleep(0.45)
    assert (await turn(line)).sent
    assert care.venue.holdings.signs == 2


async def test_on_halt_it_is_let_fall_and_the_venue_cancels_what_it_takes(care: Care) -> None:
    care.venue.holdings.add_order("o1")
    line = care.lifeline()
    assert (await turn(line)).sent
    await halt(care)
    assert (await turn(line, force=True)).why_not == "everything is halted"
    record = await read_deadman(care.client, care.keys)
    assert record is not None
    assert record.state(now()) is State.FALLING
    await until_async(lambda: record.state(now()) is State.FALLEN)
    for _ in range(600):  # the venue counts from when the sign reached it
        if (left := (await line._prober.orders(now())).value) == ():
            break
        await asyncio.sleep(0.05)
    assert left == ()
    await turn(line)
    (alert,) = await care.alerts()
    assert "has fallen: everything is halted" in alert.reason
    await turn(line)
    assert len(await care.alerts()) == 1
    assert care.venue.holdings.signs == 1


async def test_it_is_handed_over_with_the_epoch(care: Care) -> None:
    line = care.lifeline()
    await turn(line)
    before = await read_deadman(care.client, care.keys)
    assert before is not None
    await care.fence.switch(SwitchRequest("blue", expected_epoch=before.epoch, mode="now", by="op"))
    assert (await turn(line)).sent  # at once: the new side's own
    after = await read_deadman(care.client, care.keys)
    assert after is not None
    assert (after.slot, after.epoch > before.epoch) == ("blue", True)


async def test_a_side_that_gives_no_sign_of_life_gets_none_sent_for_it(care: Care) -> None:
    care.vouched = "green has been silent for 9 s"
    assert (await turn(care.lifeline())).why_not == care.vouched
    assert care.venue.holdings.signs == 0


async def test_of_two_guards_one_sign_is_enough_and_either_takes_over(care: Care) -> None:
    first, second = care.lifeline("g1"), care.lifeline("g2")
    assert (await turn(first)).sent
    assert not (await turn(second)).sent

    async def taken_over() -> bool:
        return (await turn(second)).sent

    await until_async(taken_over)  # a busy venue may not take the first one in time


@IMPATIENT
async def test_a_venue_that_does_not_take_it_leaves_the_countdown_as_it_was(care: Care) -> None:
    line = care.lifeline()
    await turn(line)
    before = await read_deadman(care.client, care.keys)
    for fault in (Fault.SERVER_ERROR, Fault.TIMEOUT_AFTER_COMMIT, Fault.UNAUTHORISED):
        care.venue.turn("")
        care.venue.turn(fault)
        assert not (await turn(line, force=True)).sent
        assert await read_deadman(care.client, care.keys) == before


async def test_a_venue_that_does_not_take_it_is_not_hammered(care: Care) -> None:
    care.venue.turn(Fault.SERVER_ERROR)
    line = care.lifeline()
    for _ in range(20):
        assert not (await turn(line)).sent
    assert care.venue.received["POST /v1/cancel-all-after"] <= 2


async def test_a_guard_that_was_frozen_does_not_send_what_it_had_decided(care: Care) -> None:
    line = care.lifeline()

    async def frozen(_side: str) -> str:
        await asyncio.sleep(1.1)
        return ""

    line._vouch = frozen
    assert "frozen" in (await turn(line)).why_not
    assert care.venue.holdings.signs == 0


async def test_a_drill_sends_a_sign_in_public_and_times_it(care: Care) -> None:
    running = asyncio.create_task(care.lifeline().run())
    try:
        await until_async(lambda: care.venue.holdings.signs)
        report = await exercise_deadman(care.state, care.client, by="op", for_real=False, timeout_s=5)
    finally:
        await end([running])
    assert report.well, report
    assert report.state is State.ARMED
    assert report.falls_in_s is not None
    assert report.answers["g1"]["took_ms"] < 1000
    assert care.venue.holdings.falls == 0
    assert any("g1: sent a sign of life" in one for one in report.lines())


async def test_a_drill_for_real_lets_it_fall_sees_what_is_left_and_keeps_it_alive_again(care: Care) -> None:
    care.venue.holdings.add_order("o1")
    care.venue.holdings.add_order("o2", "stop")
    running = asyncio.create_task(care.lifeline().run())
    try:
        await until_async(lambda: care.venue.holdings.signs)
        report = await exercise_deadman(care.state, care.client, by="op", for_real=True, timeout_s=5)
        assert report.well, report
        assert report.answers["g1"]["orders_left"] == 0
        assert care.venue.holdings.falls == 1
        signs = care.venue.holdings.signs
        await until_async(lambda: care.venue.holdings.signs > signs)
        record = await read_deadman(care.client, care.keys)
        assert record is not None
        assert record.fallen_on(now()) == 1
    finally:
        await end([running])


async def test_without_a_guard_that_keeps_it_a_drill_fails(care: Care) -> None:
    report = await exercise_deadman(care.state, care.client, by="op", for_real=False, timeout_s=0.2)
    assert not report.well
    assert any("NO GUARD KEEPS" in line for line in report.lines())


async def test_a_switch_that_is_spent_for_today_says_so(care: Care) -> None:
    line = care.lifeline()
    await turn(line)
    record = await read_deadman(care.client, care.keys)
    assert record is not None
    await keep_deadman(care.client, care.keys, type(record)(**{**_fields(record), "falls": 3}))
    kept = await read_deadman(care.client, care.keys)
    assert kept is not None
    assert kept.state(now()) is State.SPENT
    assert "fell 3 of 3 times today" in kept.line(now())


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


async def test_status_shows_it_with_its_countdown(care: Care) -> None:
    await turn(care.lifeline())
    reading = await read_store(care.client, care.keys, {}, now=now())
    assert reading.deadman == await read_deadman(care.client, care.keys)
    observation = Observation(Safe("agent"), now(), LINK, reading)
    (check,) = (one for one in guard_checks(observation) if one.name == LAST_DOOR)
    assert check.tone is Tone.GOOD
    assert "falls in" in check.text
    await halt(care)
    await turn(care.lifeline())
    observation = Observation(Safe("agent"), now(), LINK, await read_store(care.client, care.keys, {}, now=now()))
    (check,) = (one for one in guard_checks(observation) if one.name == LAST_DOOR)
    assert check.tone is Tone.WARN
    assert "everything is halted" in check.text


async def test_a_record_of_another_type_is_no_switch(care: Care) -> None:
    await care.client.lpush(VenueKeys.of(care.keys).deadman, "x")
    assert (await read_store(care.client, care.keys, {}, now=now())).deadman is None
