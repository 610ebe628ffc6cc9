"""Figures over 24 hours cover 24 hours, whoever began to read when, or say what they cover."""

from __future__ import annotations

import json
import random
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from console.domain.seen.observation import LogReading, VersionReading
from console.logs.follower import LogSet
from console.logs.options import LogOptions

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MUCH = 64 * 1024 * 1024


def line(at: datetime, version: str = "blue-1", pnl: str | None = "1", **fields: object) -> bytes:
    output = {} if pnl is None else {"pnl": pnl, "currency": "USD", "dry": False}
    record = {"agent_version": version, "timestamp": at.timestamp(), "decision_type": "bet", "output": output}
    return json.dumps(record | {"latency_ms": at.minute, "reasoning": "x" * 200} | fields).encode() + b"\n"


def every(minutes: int, *, hours: float, until: datetime = NOW, **fields: object) -> list[bytes]:
    """Lines so many minutes apart over so many hours, the last one at `until`."""
    count = int(hours * 60 / minutes)
    return [line(until - timedelta(minutes=minutes) * number, **fields) for number in range(count)][::-1]  # type: ignore[arg-type]


def follow(*paths: Path, last_lines: int = 10, back_bytes: int = MUCH) -> LogSet:
    return LogSet(paths, options=LogOptions(last_lines=last_lines, back_bytes=back_bytes))


def read(logs: LogSet, now: datetime = NOW) -> LogReading:
    logs.poll(now)
    while logs.behind:
        logs.poll(now)
    return logs.reading(now)


def blue(reading: LogReading) -> VersionReading:
    return reading.by_slot["blue"]


def day(reading: LogReading) -> Decimal:
    (total,) = blue(reading).pnl
    return total.last_24h


def test_24_hours_are_all_of_them_however_few_lines_are_kept_to_be_read(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(b"".join(every(1, hours=50)))
    reading = read(follow(path))
    assert day(reading) == pytest.approx(24 * 60, abs=2)
    assert blue(reading).since is not None and blue(reading).since <= NOW - timedelta(hours=24)
    assert len(reading.recent) == 10


def test_of_a_log_of_years_no_more_is_read_than_24_hours_take(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(b"".join(every(1, hours=24 * 20)))
    reading = read(follow(path))
    assert reading.total < 40 * 60
    assert reading.skipped_bytes > path.stat().st_size * 0.9


def test_where_the_bound_ends_it_the_reading_says_from_when_on_it_covers(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(b"".join(every(1, hours=50)))
    reading = read(follow(path, back_bytes=200_000))
    since = blue(reading).since
    assert since is not None and NOW - timedelta(hours=24) < since < NOW - HOUR
    assert int(day(reading)) == pytest.approx((NOW - since).total_seconds() / 60, abs=6)


def test_two_that_began_at_different_times_agree(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    rows = [
        row
        for pair in zip(every(1, hours=60), every(1, hours=60, version="green-1", pnl="-2"), strict=True)
        for row in pair
    ]
    path.write_bytes(b"".join(rows[: len(rows) // 2]))
    early = follow(path)
    read(early, NOW - 30 * HOUR)
    with path.open("ab") as file:
        file.write(b"".join(rows[len(rows) // 2 :]))
    one, two = read(early), read(follow(path))
    for slot in ("blue", "green"):
        mine, theirs = one.by_slot[slot], two.by_slot[slot]
        assert mine.pnl[0].last_24h == theirs.pnl[0].last_24h
        assert (mine.p50_ms, mine.p99_ms, mine.latencies, mine.rate_per_s) == (
            theirs.p50_ms,
            theirs.p99_ms,
            theirs.latencies,
            theirs.rate_per_s,
        )


def test_a_quiet_spell_does_not_hide_what_was_won_before(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    bets = every(1, hours=2, until=NOW - 5 * HOUR)
    holds = every(1, hours=5, pnl=None)
    path.write_bytes(b"".join([*bets, *holds]))
    assert day(read(follow(path))) == 120


def test_what_lies_more_than_24_hours_back_is_not_in_them_although_nothing_came_since(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(b"".join(every(1, hours=2)))
    logs = follow(path)
    assert day(read(logs)) == 120
    assert day(read(logs, NOW + 23 * HOUR)) == 60
    assert day(read(logs, NOW + 30 * HOUR)) == day(read(follow(path), NOW + 30 * HOUR)) == 0


def test_a_rotated_file_in_the_pattern_counts_and_a_copy_of_one_does_not(tmp_path: Path) -> None:
    rows = every(1, hours=30)
    (tmp_path / "decisions.jsonl.1").write_bytes(b"".join(rows[:1200]))
    (tmp_path / "decisions.jsonl").write_bytes(b"".join(rows[1200:]))
    (tmp_path / "decisions.jsonl.bak").write_bytes(b"".join(rows[1200:]))
    reading = read(follow(tmp_path / "decisions.jsonl*"))
    assert day(reading) == pytest.approx(24 * 60, abs=2)
    alone = read(follow(tmp_path / "decisions.jsonl"))
    assert day(alone) == 600
    assert blue(alone).since == NOW - timedelta(minutes=599)


def test_a_slot_with_a_log_of_its_own_says_what_that_covers(tmp_path: Path) -> None:
    (tmp_path / "blue.jsonl").write_bytes(b"".join(every(1, hours=40)))
    (tmp_path / "green.jsonl").write_bytes(b"".join(every(1, hours=3, version="green-1")))
    reading = read(follow(tmp_path / "*.jsonl"))
    assert blue(reading).since is not None and blue(reading).since <= NOW - 24 * HOUR
    assert reading.by_slot["green"].since == NOW - timedelta(minutes=179)


def test_a_slot_that_came_into_a_log_late_is_covered_as_far_as_the_log(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(b"".join([*every(1, hours=40), *every(1, hours=1, version="green-1")]))
    reading = read(follow(path))
    assert reading.by_slot["green"].since == blue(reading).since


def test_lines_out_of_order_count_where_they_belong_and_end_nothing_early(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    rows = every(1, hours=40)
    for start in range(0, len(rows), 100):
        part = rows[start : start + 100]
        random.Random(start).shuffle(part)
        rows[start : start + 100] = part
    rows.insert(-500, line(NOW - timedelta(days=9)))
    path.write_bytes(b"".join(rows))
    assert day(read(follow(path))) == pytest.approx(24 * 60, abs=2)


def test_a_clock_far_ahead_for_a_while_does_not_bring_yesterday_into_today(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    rows = every(1, hours=40)
    rows[100:110] = [line(NOW + timedelta(days=400))] * 10  # 38 hours ago
    rows[-60:-50] = [line(NOW + timedelta(days=400))] * 10  # an hour ago
    path.write_bytes(b"".join(rows))
    assert day(read(follow(path))) == pytest.approx(24 * 60, abs=2)


def test_a_file_that_is_cut_while_it_is_read_back_is_not_read_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(b"".join(every(1, hours=20)))
    logs = follow(path)
    monkeypatch.setattr("console.logs.follower.MAX_SECONDS_A_POLL", 0.0)
    logs.poll(NOW)
    assert logs.behind
    seen = logs.reading(NOW).total
    path.write_bytes(line(NOW, reasoning="anew") * 3)  # the old last line again were a file that was trimmed
    monkeypatch.undo()
    reading = read(logs)
    assert reading.total == seen + 3
    assert day(reading) == seen + 3


def test_a_line_longer_than_a_block_does_not_end_reading_back(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    rows = every(1, hours=20)
    rows[600:600] = [line(NOW - 10 * HOUR, reasoning="y" * 600_000)]
    path.write_bytes(b"".join(rows))
    assert day(read(follow(path))) == 1201
    rows[700:700] = [line(NOW - 9 * HOUR, reasoning="y" * 3_000_000)]
    path.write_bytes(b"".join(rows))
    reading = read(follow(path))
    assert blue(reading).since is not None and blue(reading).since > NOW - 9 * HOUR


def test_reading_back_takes_no_longer_a_turn_than_reading_on(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(b"".join(line(NOW - timedelta(milliseconds=n)) for n in range(60_000, 0, -1)))
    logs, slowest = follow(path), 0.0
    logs.poll(NOW)
    while logs.behind:
        began = time.thread_time()
        logs.poll(NOW)
        slowest = max(slowest, time.thread_time() - began)
    assert logs.reading(NOW).total == 60_000
    assert slowest < 0.25
