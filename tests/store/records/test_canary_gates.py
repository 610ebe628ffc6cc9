"""What those report who ask the gates for a canary, written down and read back from a store that may hold anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from console.domain.canary.gate_report import GateReport, let_nothing_rise, take_back
from console.domain.errors import Refused
from console.domain.text import clean
from console.store.keys import Keys
from console.store.records.canary_gates import KEPT, MOST, keep, reports_from

if TYPE_CHECKING:
    from redis.asyncio import Redis

NOW = datetime(2026, 3, 14, 9, 0, 0, 250_000, tzinfo=UTC)
REPORT = GateReport(clean("guard g1"), clean("r1"), NOW, ("disputes (escrow e1)", "doubts (1)"), ("rehearsal (none)",))


async def back(valkey: Redis, keys: Keys) -> tuple[GateReport, ...]:
    return reports_from(await valkey.hgetall(keys.canary_gates))


async def test_a_report_is_read_back_as_it_was_written(valkey: Redis, keys: Keys) -> None:
    for one in (REPORT, REPORT._replace(by=clean("guard g2"), closed=(), held=())):
        await keep(valkey, keys, one)
    assert set(await back(valkey, keys)) == {REPORT, REPORT._replace(by=clean("guard g2"), closed=(), held=())}


async def test_what_a_gate_says_can_neither_end_a_line_nor_part_a_list(valkey: Redis, keys: Keys) -> None:
    await keep(valkey, keys, REPORT._replace(closed=("a\nb\tc\x1b[31m", "x" * 10_000), held=()))
    (read,) = await back(valkey, keys)
    assert len(read.closed) == 2 and read.held == () and len(read.closed[1]) < 200


async def test_old_reports_and_what_is_none_are_taken_out_with_the_next(valkey: Redis, keys: Keys) -> None:
    junk: dict[str, Any] = {f"junk-{number}": "\x00" * (number % 50) for number in range(2_000)}
    await valkey.hset(keys.canary_gates, mapping=junk)
    await keep(valkey, keys, REPORT._replace(by=clean("old"), at=NOW - KEPT - timedelta(seconds=1)))
    await keep(valkey, keys, REPORT)
    assert await valkey.hlen(keys.canary_gates) == 1


async def test_a_key_of_another_type_is_refused_and_left_alone(valkey: Redis, keys: Keys) -> None:
    await valkey.set(keys.canary_gates, "text")
    with pytest.raises(Refused):
        await keep(valkey, keys, REPORT)
    assert await valkey.get(keys.canary_gates) == b"text"


def test_a_torn_report_is_none_and_lets_nothing_rise() -> None:
    whole = "r1\n1773478800250\n\n"
    assert let_nothing_rise(reports_from({b"g": whole.encode()}), "r1", NOW) == ()
    for end in range(len(whole)):
        torn = reports_from({b"g": whole[:end].encode()})
        assert let_nothing_rise(torn, "r1", NOW) != (), whole[:end]
    for odd in (
        None,
        "text",
        [],
        5,
        {b"g": b"r1\nNaN\n\n"},
        {b"g": b"r1\n1e3\n\n"},
        {b"g": b"r1\n" + b"9" * 50 + b"\n\n"},
    ):
        assert reports_from(odd) == ()


def test_no_more_is_read_than_anybody_writes() -> None:
    many = {f"g{number}": "r1\n1773478800250\n" + "a\t" * 100_000 + "\n" for number in range(1_000)}
    read = reports_from(many)
    assert len(read) <= MOST and all(len(one.closed) <= MOST for one in read)


@pytest.mark.parametrize("off_s", [-6.0, 6.0])
def test_a_report_from_long_ago_or_from_the_future_lets_nothing_rise(off_s: float) -> None:
    open_one = REPORT._replace(closed=(), held=(), at=NOW + timedelta(seconds=off_s))
    assert let_nothing_rise([open_one], "r1", NOW) != ()


def test_what_was_seen_in_this_step_does_not_age_and_what_was_seen_before_it_takes_nothing_back() -> None:
    assert take_back([REPORT], "r1", NOW - timedelta(days=1)) == REPORT.closed
    assert take_back([REPORT], "r1", NOW + timedelta(seconds=1)) == ()
    assert take_back([REPORT], "r2", NOW - timedelta(days=1)) == ()
