"""Whatever an agent writes into its decision log, a line is strict JSON, of a bounded size, and a link of the chain."""

from __future__ import annotations

import inspect
import json
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.agent.decision_record import MAX_NAMES, MAX_RECORD, MIN_RECORD, seal
from console.agent.decisions import DecisionLog, verify_files, verify_lines
from tests.agent.test_plain_values import JUNK, ODD, TEXT, strict, with_odd

PARAMETERS = frozenset(inspect.signature(DecisionLog.write).parameters)
NAMES = st.dictionaries(TEXT.filter(lambda name: name not in PARAMETERS), JUNK, max_size=4)


def bodies(log: DecisionLog) -> list[dict[str, Any]]:
    """The records of a log as a strict reader reads them, its chain verified."""
    assert verify_files(log.path, after="").problem == ""
    return [strict(line) for line in log.path.read_bytes().splitlines()]


@settings(max_examples=25)
@given(st.lists(st.tuples(JUNK, JUNK, JUNK, NAMES), min_size=1, max_size=4))
def test_any_junk_makes_strict_lines_whose_chain_verifies(records: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = DecisionLog(Path(folder) / "d.jsonl", version="1")
        for inputs, output, reasoning, more in records:
            values = {name: with_odd(value) for name, value in more.items()}
            log.write("bet", inputs=with_odd(inputs), output=with_odd(output), reasoning=with_odd(reasoning), **values)
        log.close()
        assert [body["sequence"] for body in bodies(log)] == list(range(1, len(records) + 1))


@pytest.mark.long
@given(st.dictionaries(TEXT, JUNK), st.integers(MIN_RECORD, 2 * MIN_RECORD))
def test_a_line_is_never_longer_than_it_may_be(plan: dict[str, Any], size: int) -> None:
    body = {name: with_odd(value) for name, value in plan.items() if name not in ("prev", "hash", "cut")}
    line, digest, _cut = seal({**body, "inputs": ["x" * 9000] * 9}, "", size)
    assert len(line) <= size
    assert verify_lines([line], after="") == verify_lines([line]) and strict(line)["hash"] == digest


def test_a_record_that_is_too_large_is_cut_in_its_largest_fields_and_says_so(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1", slot="blue")
    log.write("bet", inputs={"book": list(range(200_000))}, output={"pnl": -1}, reasoning="y" * 1_000_000, key="k-1")
    log.write("bet", inputs=1, output=2, reasoning="short")
    log.close()
    large, small = bodies(log)
    assert log.cut == 1 and "cut" not in small
    assert large["cut"] == {"inputs": 1, "reasoning": 1}
    assert (large["output"], large["key"], large["slot"], large["sequence"]) == ({"pnl": -1}, "k-1", "blue", 1)
    assert len(large["reasoning"]) > 100_000 and len(large["inputs"]["book"]) > 10_000
    assert max(map(len, log.path.read_bytes().splitlines())) < MAX_RECORD


def test_the_fields_of_a_record_are_bounded_in_number_too(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1")
    more: dict[str, Any] = {f"{'n' * 90}{number}": "x" * 5000 for number in range(5000)}
    log.write("bet", inputs=1, output=2, reasoning="r", **more)
    log.close()
    (body,) = bodies(log)
    assert body["cut"]["…"] == 5013 - MAX_NAMES and body["inputs"] == 1
    assert log.path.stat().st_size <= MAX_RECORD


def test_a_field_can_not_take_the_name_of_what_the_chain_is_made_of(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1")
    log.write("bet", inputs=1, output=2, reasoning="r", hash="mine", prev=3, sequence=9, cut=None)
    log.close()
    (body,) = bodies(log)
    assert (body["hash_"], body["prev_"], body["sequence_"], body["cut_"]) == ("mine", 3, 9, None)
    assert (body["sequence"], body["prev"]) == (1, "")


def test_half_an_emoji_and_a_number_that_is_none_are_written(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1")
    log.write(
        "bet\ud83d",
        inputs={"odds": float("nan"), "stake": Decimal("0.00012345")},
        output=float("-inf"),
        reasoning="buy the dip \ud83d",
        latency_ms=float("inf"),
    )
    log.close()
    (body,) = bodies(log)
    assert (body["decision_type"], body["reasoning"]) == ("bet\ufffd", "buy the dip \ufffd")
    assert (body["inputs"], body["output"]) == ({"odds": "NaN", "stake": "0.00012345"}, "-Infinity")
    assert body["latency_ms"] == "Infinity"


def test_plain_records_are_written_as_they_always_were(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1", instance="i")
    log.write("bet", inputs={"n": [1, 2.5, None, "ü"]}, output=Decimal("1.10"), reasoning="r", decision_id="d", key="k")
    log.close()
    line = log.path.read_bytes()
    body = json.loads(line)
    again = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    assert line == again + b"\n" and body["output"] == "1.10"


@pytest.mark.parametrize("case", range(len(ODD)))
def test_a_value_that_resists_is_no_reason_to_stop(tmp_path: Path, case: int) -> None:
    log = DecisionLog(tmp_path / "d.jsonl", version="1")
    log.write("bet", inputs=ODD[case], output={"a": ODD[case]}, reasoning=[ODD[case]])  # type: ignore[arg-type]
    log.close()
    assert log.problem == "" and len(bodies(log)) == 1
