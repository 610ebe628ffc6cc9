"""The recording is streamed: what is not of the time or can't be rehearsed is left out and counted, and never held."""

from __future__ import annotations

import json
import tracemalloc
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.commands.rehearse import recording
from console.commands.rehearse.recording import Recording, Wanted
from console.domain.errors import UsageError
from console.domain.rehearsal.money import Money
from tests.commands.rehearse.recorded import BEGAN, record, write


def test_only_rounds_of_the_time_the_type_and_other_versions_are_rehearsed(tmp_path: Path) -> None:
    records = [record(number) for number in range(10)]
    records[4]["decision_type"] = "hold"
    records[5]["agent_version"] = "2.5.0"
    wanted = Wanted(BEGAN + timedelta(seconds=3), BEGAN + timedelta(seconds=8), frozenset({"bet"}), "2.5.0")
    asked = Recording([write(tmp_path / "d.jsonl", records)], wanted)
    assert [given.recorded.at.second for given in asked.rounds()] == [3, 6, 7]
    assert asked.skipped == {recording.OTHER_TYPE: 1, recording.OWN: 1, recording.TOO_LONG: 0}


def test_inputs_are_given_byte_by_byte_as_they_were_recorded(tmp_path: Path) -> None:
    told = b'"timestamp":"2026-03-13T09:00:00Z","decision_type":"b\\u00e4t"'
    inputs = b'"inputs":{"p":0.10,"p":1e-30, "n":12345678901234567890123.456}'
    (tmp_path / "d.jsonl").write_bytes(b'{"agent_version":"1",%b,%b,"output":{}}\n' % (told, inputs))
    (given,) = Recording([tmp_path / "d.jsonl"], Wanted()).rounds()
    assert given.line == b'{"round":1,%b,%b}\n' % (told, inputs)
    assert given.recorded.at == BEGAN


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", recording.UNREADABLE),
        (b"\xff\xfe\x00", recording.UNREADABLE),
        (b"[1, 2]", recording.UNREADABLE),
        (b'{"timestamp": NaN}', recording.UNREADABLE),
        (b'{"timestamp": -1, "decision_type": "b", "inputs": 1, "output": 1}', recording.UNREADABLE),
        (b'{"timestamp": 1773392400, "decision_type": "b", "output": 1}', recording.NO_DECISION),
        (b'{"timestamp": 1773392400, "decision_type": "b", "inputs": 1}', recording.NO_DECISION),
        (b'{"timestamp": 1773392400, "decision_type": "b", "inputs": NaN, "output": 1}', recording.UNREADABLE),
        (b'{"timestamp": 1773392400, "decision_type": 7, "inputs": 1, "output": 1}', recording.UNREADABLE),
        (b'{"timestamp": 1773392400, "decision_type": "b", "inputs": 1, "output": 1e999}', recording.UNREADABLE),
        (b'{"timestamp": 1773392400, "decision_type": "b", "inputs": ' + b"[" * 99_999, recording.UNREADABLE),
        (b'{"x": "' + b"y" * (1 << 20) + b'"}', recording.TOO_LONG),
    ],
)
def test_a_line_that_can_not_be_rehearsed_is_counted_and_takes_nothing_else_with_it(
    tmp_path: Path, line: bytes, why: str
) -> None:
    good = json.dumps(record(0)).encode()
    (tmp_path / "d.jsonl").write_bytes(good + b"\n" + line + b"\n\n" + good)
    asked = Recording([tmp_path / "d.jsonl"], Wanted())
    assert len(list(asked.rounds())) == 2
    assert {name for name, count in asked.skipped.items() if count} == {why}


def test_what_a_round_earned_is_its_price_and_without_one_it_has_none(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [record(0), record(1, output={"bet": "1"})]
    prices = [given.recorded.price for given in Recording([write(tmp_path / "d", records)], Wanted()).rounds()]
    assert prices == [Money(prices[0].amount if prices[0] else prices[0], "USD"), None]  # type: ignore[arg-type]


def test_more_rounds_than_are_asked_for_are_left_and_it_is_said(tmp_path: Path) -> None:
    log = write(tmp_path / "d.jsonl", [record(number) for number in range(5)])
    asked = Recording([log], Wanted(most=3))
    assert (len(list(asked.rounds())), asked.capped) == (3, True)
    asked = Recording([log], Wanted(most=5))
    assert (len(list(asked.rounds())), asked.capped) == (5, False)


def test_several_logs_are_merged_by_time_and_a_copy_counts_once(tmp_path: Path) -> None:
    blue = write(tmp_path / "blue.jsonl", [record(number) for number in range(0, 6, 2)])
    green = write(tmp_path / "green.jsonl", [record(number) for number in range(1, 6, 2)])
    copy = write(tmp_path / "copy.jsonl", [record(number) for number in range(0, 6, 2)])
    given = list(Recording([blue, green, copy], Wanted()).rounds())
    assert [one.recorded.at.second for one in given] == [0, 1, 2, 3, 4, 5]
    assert [one.recorded.number for one in given] == [1, 2, 3, 4, 5, 6]


def test_a_log_that_is_none_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone.jsonl"):
        with pytest.raises(UsageError, match="can't be read"):
            list(Recording([path], Wanted()).rounds())


def test_a_long_log_costs_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    line = json.dumps(record(0)) + "\n"
    (tmp_path / "d.jsonl").write_text(line * 100_000)
    asked = Recording([tmp_path / "d.jsonl"], Wanted(since=BEGAN + timedelta(days=1)))
    tracemalloc.start()
    try:
        assert list(asked.rounds()) == []
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12 << 20 < 100_000 * len(line)
