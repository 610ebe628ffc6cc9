"""A guard looks at the venue on its own clock, tells people of what differs, and holds up nothing by it."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.demo.faulty import Fault
from console.domain.commitments.commitment import Commitment, Kind
from console.domain.triggers.finding import Severity
from console.domain.venue.reading import Why
from console.guard.venue.alarm import CONFIRM
from console.store.fence.owing import OweCode, Who, put
from console.store.records.venue import VenueKeys, read_deadman, read_seen
from tests.guard.stage import Stage
from tests.guard.venue.conftest import MORE, Care
from tests.venue.stage import PATIENT_S, write_document
from tests.waiting import until_async


async def looks(care: Care, count: int, name: str = "g1") -> None:
    watch, prober, doubts = care.watch(name)
    for _ in range(count):
        assert await watch.turn(prober, doubts) is not None


async def test_a_look_is_kept_in_the_store_and_comes_back_as_it_was(care: Care) -> None:
    watch, prober, doubts = care.watch()
    seen = await watch.turn(prober, doubts)
    assert seen is not None
    assert seen.closed == 0, seen.items
    assert await read_seen(care.client, care.keys) == seen


async def test_a_difference_that_stays_is_told_once_and_ends_when_it_is_gone(care: Care) -> None:
    care.venue.turn(Fault.DRIFTED)
    watch, prober, doubts = care.watch()
    for _ in range(CONFIRM - 1):
        seen = await watch.turn(prober, doubts)
        assert seen is not None
        assert seen.closed == 1  # gates are closed at once
    assert await care.alerts() == ()
    for _ in range(3):
        await watch.turn(prober, doubts)
    (alert,) = await care.alerts()
    assert alert.severity is Severity.HIGH
    assert "-12.34" in alert.reason
    care.venue.turn("")
    await watch.turn(prober, doubts)
    care.venue.turn(Fault.DRIFTED)
    for _ in range(CONFIRM):
        await watch.turn(prober, doubts)
    assert len(await care.alerts()) == 2


async def test_books_that_are_written_a_moment_after_the_money_has_moved_are_no_difference(care: Care) -> None:
    watch, prober, doubts = care.watch()
    ask = prober.look

    async def moved(*args: Any, **kwargs: Any) -> Any:
        care.venue.holdings.balance -= 5
        look = await ask(*args, **kwargs)
        care.write_books()
        return look

    prober.look = moved  # type: ignore[method-assign]
    for _ in range(CONFIRM):
        seen = await watch.turn(prober, doubts)
        assert seen is not None
        assert seen.closed == 0, seen.items


@pytest.mark.parametrize("fault", [Fault.MONITOR_STOPPED, Fault.NULL_POSITION, Fault.UNAUTHORISED])
async def test_what_no_second_look_makes_better_is_told_at_once(care: Care, fault: Fault) -> None:
    care.venue.turn(fault)
    await looks(care, 1)
    assert await care.alerts()


async def test_an_escrow_that_nobody_watches_is_told(care: Care) -> None:
    escrow = care.venue.holdings.add_escrow("9.00", 5)
    await looks(care, 1)
    (alert,) = [one for one in await care.alerts() if "unwatched" in one.reason]
    assert escrow in alert.reason


async def test_of_two_guards_one_looks_and_people_are_told_once(care: Care) -> None:
    care.venue.turn(Fault.MONITOR_STOPPED)
    first, second = care.watch("g1"), care.watch("g2")
    assert await first[0].turn(*first[1:]) is not None
    assert await second[0].turn(*second[1:]) is None
    await care.fence.lease("venue", "g1", ttl_ms=1, release=True)
    assert await second[0].turn(*second[1:]) is not None
    assert len(await care.alerts()) == 1


@pytest.mark.parametrize("spoilt", ["{", "[]", '{"balance": "NaN"}'])
async def test_books_that_can_not_be_read_close_gates(care: Care, spoilt: str) -> None:
    care.books.write_text(spoilt)
    watch, prober, doubts = care.watch()
    seen = await watch.turn(prober, doubts)
    assert seen is not None
    assert ("local books", Why.MALFORMED) in {(one.what, one.why) for one in seen.items}


@pytest.mark.parametrize("spoilt", ["{", "[]", '{"at": 5}', '{"at": "x", "closed": -1}', "x" * 200_000])
async def test_a_spoilt_record_is_none(care: Care, spoilt: str) -> None:
    names = VenueKeys.of(care.keys)
    for name in (names.seen, names.deadman):
        await care.client.set(name, spoilt)
    assert await read_seen(care.client, care.keys) is None
    await care.client.delete(names.seen, names.deadman)
    await care.client.lpush(names.seen, "x")
    await care.client.lpush(names.deadman, "x")
    assert await read_seen(care.client, care.keys) is None
    assert await read_deadman(care.client, care.keys) is None


async def test_no_key_reaches_the_store_or_the_log(care: Care) -> None:
    care.venue.turn(Fault.ECHO)
    await looks(care, CONFIRM)
    kept = await care.client.get(VenueKeys.of(care.keys).seen)
    assert care.venue.key not in kept.decode() + json.dumps(care.told, default=str)
    assert await care.alerts()


async def test_a_slow_venue_holds_up_no_step_of_the_guard(
    care: Care, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    care.venue.turn(Fault.SLOW)
    stage = Stage(care.client, store_url, tmp_path)
    stage.log.touch()
    guard = await stage.guard(venue=write_document(tmp_path, care.venue, "rest", MORE, timeout_s=PATIENT_S))
    try:
        for _ in range(20):
            await guard.tend()
            await guard.step(force=True)
        await until_async(lambda: care.venue.sent_bytes, "the venue to be asked")
        assert await read_seen(care.client, care.keys) is None, "twenty steps, and it has not answered once"
    finally:
        await stage.close()


async def test_a_document_that_can_not_be_gone_by_is_said_and_tried_again(care: Care) -> None:
    watch, _prober, _doubts = care.watch()
    text = care.document.read_text()
    care.document.write_text("nonsense = 1\n")
    watch.begin()
    assert "nonsense" in watch.problem
    care.document.write_text(text)
    watch.begin()
    await until_async(lambda: read_seen(care.client, care.keys))
    await until_async(lambda: watch.problem == "")


async def test_a_venue_that_is_down_in_changing_ways_is_one_piece_of_news(care: Care) -> None:
    watch, prober, doubts = care.watch()
    for fault in (Fault.SERVER_ERROR, Fault.MALFORMED, Fault.CUT, Fault.REDIRECT):
        care.venue.turn("")
        care.venue.turn(fault)
        await watch.turn(prober, doubts)
    (alert,) = await care.alerts()
    assert "balance" in alert.reason


async def test_a_guard_that_says_goodbye_leaves_the_venue_to_another(care: Care) -> None:
    first, _prober, _doubts = care.watch("g1")
    first.begin()
    await until_async(lambda: read_seen(care.client, care.keys))
    await first.aclose()
    watch, prober, doubts = care.watch("g2")
    assert await watch.turn(prober, doubts) is not None


async def test_an_escrow_that_an_agent_told_the_store_is_watched_and_asked_for(care: Care) -> None:
    escrow = care.venue.holdings.add_escrow("9.00", 5)
    step = put(Commitment(escrow, Kind.ESCROW, Decimal(9), "USD"))
    authority = await care.fence.authority()
    assert authority is not None
    agent = Who("green-1", "green", "v1", authority.epoch)
    assert (await care.fence.owe(agent, [step])).code is OweCode.DONE
    watch, prober, doubts = care.watch()
    seen = await watch.turn(prober, doubts)
    assert seen is not None
    assert seen.closed == 0, seen.items
    assert f"escrow {escrow}" in {item.what for item in seen.items}
    care.venue.turn(Fault.EARLY_SWEEP)
    seen = await watch.turn(prober, doubts)
    assert seen is not None
    assert Why.EARLY in {item.why for item in seen.items}
