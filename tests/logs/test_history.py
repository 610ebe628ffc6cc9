"""Past returns are read as carefully as decision logs are everywhere: bounded, counted, and never by guessing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from console.domain.errors import UsageError
from console.logs.history import Read, read_returns
from console.logs.options import LogOptions


def record(pnl: float, **more: object) -> bytes:
    output = {"pnl": pnl, "amount_bet": 2, "currency": "USD"}
    return json.dumps(
        {"agent_version": "blue", "timestamp": 1.7e9, "decision_type": "bet", "output": output, **more}
    ).encode()


def returns_of(path: Path) -> Read:
    return read_returns([path], "output.amount_bet", LogOptions(max_line_bytes=4096), slot="blue", currency="USD")


def test_lines_that_are_too_long_are_counted_wherever_they_end(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    padded = record(1.0, reasoning="x" * 5000)
    path.write_bytes(b"\n".join([record(1.0), padded, record(-1.0), b"y" * 400_000]))
    returns = returns_of(path)
    assert (returns.history.rounds, returns.history.lowest, returns.history.highest) == (2, -0.5, 0.5)
    assert returns.refused == 2


def test_the_last_line_counts_without_its_newline_and_bytes_that_are_no_text_do_not(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.write_bytes(b"\n".join([record(1.0), b"\xff\xfe", record(3.0)]))
    returns = returns_of(path)
    assert (returns.history.rounds, returns.history.highest, returns.refused) == (2, 1.5, 1)


def test_a_record_whose_stake_can_not_be_read_is_left_out_and_not_the_end(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    deep = record(1.0, inputs=None).replace(b'"inputs": null', b'"inputs": ' + b"[" * 1500 + b"]" * 1500)
    path.write_bytes(b"\n".join([record(1.0), deep, record(1.0)]))
    returns = returns_of(path)
    assert returns.history.rounds + returns.without_stake + returns.refused == 3
    assert returns.history.rounds >= 2


def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(UsageError, match="can't be read"):
        returns_of(path)
