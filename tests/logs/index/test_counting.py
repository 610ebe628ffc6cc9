"""Exact sums over 24 hours and since the last switch: "counting" until every line counts, exact from then on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from console.domain.seen.earned import Counted
from console.logs.index import counting as module
from console.logs.index.counting import Counting
from console.logs.options import LogOptions

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
OPTIONS = LogOptions(slots={"blue": ("2.4.0",), "green": ("2.5.0",)})


def line(at: datetime, pnl: str, version: str = "2.4.0") -> bytes:
    output = {"pnl": pnl, "currency": "USD"}
    record = {"timestamp": at.timestamp(), "agent_version": version, "decision_type": "bet", "output": output}
    return msgspec.json.encode(record) + b"\n"


def written(path: Path, hours: int = 30, each: int = 300) -> Decimal:
    """A log of so many hours; the exact sum of the last 24."""
    total = Decimal(0)
    with path.open("wb") as file:
        for number in range(hours * each):
            at = NOW - timedelta(hours=hours) + timedelta(hours=1) * number / each
            amount = Decimal(number % 7) - Decimal("2.9")
            file.write(line(at, str(amount)))
            if at >= NOW - timedelta(hours=24):
                total += amount
    return total


def counted(counting: Counting, now: datetime = NOW) -> Counted:
    for _turn in range(100_000):
        counting.poll(now)
        if counting.reading(now).exact or counting.reading(now).problem:
            return counting.reading(now)
    raise AssertionError("it never ends")


def amount(seen: Counted, slot: str = "blue") -> Decimal | None:
    total = seen.of_day(slot, "USD", dry=False)
    return total.amount if total is not None else None


def test_the_last_24_hours_are_exact_to_the_cent_over_the_whole_log(tmp_path: Path) -> None:
    log = tmp_path / "d.jsonl"
    total = written(log)
    seen = counted(Counting([log], OPTIONS, None))
    assert amount(seen) == total
    assert amount(seen, "green") == 0
    assert seen.read_bytes == seen.of_bytes == log.stat().st_size


def test_a_part_is_never_told_as_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "d.jsonl"
    total = written(log, each=3000)
    monkeypatch.setattr(module, "STEP_S", 0.0)
    counting = Counting([log], OPTIONS, None)
    counting.poll(NOW)
    part = counting.reading(NOW)
    assert counting.behind
    assert not part.exact
    assert amount(part) is None
    assert 0.0 < part.share < 1.0
    assert amount(counted(counting)) == total


def test_progress_is_told_a_hundred_times_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "d.jsonl"
    written(log, each=3000)
    monkeypatch.setattr(module, "STEP_S", 0.0)
    counting = Counting([log], OPTIONS, None)
    monkeypatch.setattr("console.logs.files.openfile.BLOCK_BYTES", 4096)
    polls = told = 0
    while counting.behind:
        told += counting.poll(NOW)
        polls += 1
    assert counting.reading(NOW).exact
    assert polls > 150
    assert told <= 102


def test_sums_since_the_last_switch_are_exact_and_unknown_where_no_switch_is_known(tmp_path: Path) -> None:
    log = tmp_path / "d.jsonl"
    log.write_bytes(line(NOW - timedelta(hours=2), "5") + line(NOW - timedelta(hours=1), "-1.10"))
    counting = Counting([log], OPTIONS, None)
    assert counted(counting).of_switch("blue", "USD", dry=False) is None
    other = Counting([log], OPTIONS, None)
    other.switched_at = NOW - timedelta(minutes=90)
    total = counted(other).of_switch("blue", "USD", dry=False)
    assert total is not None
    assert (total.amount, total.rounds) == (Decimal("-1.10"), 1)


def test_the_24_hours_go_on_and_new_lines_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SUM_EVERY_S", 0.0)
    monkeypatch.setattr(module, "OLDEST_SUM_S", 0.0)
    monkeypatch.setattr(module, "LEAST_SHARE", 0)
    log = tmp_path / "d.jsonl"
    log.write_bytes(line(NOW - timedelta(hours=23), "5") + line(NOW, "-1"))
    counting = Counting([log], OPTIONS, None)
    assert amount(counted(counting)) == 4
    counting.poll(NOW + timedelta(hours=2))
    assert amount(counting.reading(NOW)) == -1
    with log.open("ab") as file:
        file.write(line(NOW, "0.5"))
    counting.poll(NOW + timedelta(hours=2))
    assert amount(counting.reading(NOW)) == Decimal("-0.5")


def test_a_renamed_log_and_the_one_that_follows_it_both_count_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SUM_EVERY_S", 0.0)
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(module, "LEAST_SHARE", 0)
    log = tmp_path / "d.jsonl"
    log.write_bytes(line(NOW, "5"))
    counting = Counting([log], OPTIONS, None)
    assert amount(counted(counting)) == 5
    log.rename(tmp_path / "d.jsonl.1")
    log.write_bytes(line(NOW, "7"))
    counting.poll(NOW)
    counting.poll(NOW)
    assert amount(counting.reading(NOW)) == 12


def test_a_log_that_cannot_count_is_named_and_nothing_is_exact(tmp_path: Path) -> None:
    good = tmp_path / "a.jsonl"
    good.write_bytes(line(NOW, "5"))
    (tmp_path / "b.jsonl").mkdir()
    seen = counted(Counting([good, tmp_path / "b.jsonl"], OPTIONS, None))
    assert not seen.exact
    assert seen.problem.startswith("b.jsonl: ")
    assert amount(seen) is None
