"""What clusters returned before an experiment began: from before alone, by currency, bounded, and nothing guessed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.domain.errors import UsageError
from console.logs.before import Before, read_before

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def record(customer: object, pnl: float, before_s: float = 3600.0, **output: object) -> bytes:
    stated = {"pnl": pnl, "amount_bet": 2, "currency": "USD", **output}
    line = {"agent_version": "blue", "timestamp": BEGAN.timestamp() - before_s, "decision_type": "bet"}
    return json.dumps({**line, "inputs": {"customer": customer}, "output": stated}).encode()


def read(path: Path) -> Before:
    return read_before([path], "inputs.customer", "output.amount_bet", until=BEGAN, currency="USD")


def test_a_clusters_mean_is_that_of_its_rounds_before_the_beginning_and_of_none_after(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    lines = [record("a", 1.0), record("a", -2.0), record(17, 4.0), record("a", 99.0, before_s=30.0)]
    path.write_bytes(b"\n".join([*lines, record("b", 50.0, before_s=-5.0)]))
    assert read(path) == Before({"a": -0.25, "17": 2.0}, 3, 0)


def test_other_currencies_dry_rounds_and_rounds_that_state_no_cluster_or_stake_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    lines = [record("a", 1.0, currency="EUR"), record("", 1.0), record(None, 1.0), record("a", 1.0, amount_bet=0)]
    path.write_bytes(b"\n".join([*lines, record({"x": 1}, 1.0), record(True, 1.0), record("a", 1.0), b"{torn"]))
    assert read(path) == Before({"a": 0.5}, 1, 5)


def test_a_return_that_no_number_holds_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    torn = record("a", 1.0).replace(b'"amount_bet": 2', b'"amount_bet": 1e-17').replace(b'"pnl": 1.0', b'"pnl": 1e300')
    path.write_bytes(b"\n".join([record("a", 1.0), torn, b"\x00" * 70_000, b"\xff\xfe"]))
    assert read(path).means["a"] == 0.5


def test_a_log_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be read"):
        read(tmp_path / "none.jsonl")
