"""One endless line costs no more than its bytes: it is dropped while it is read, so neither memory nor time runs away.

From freqtrade/freqtrade#3558 (results exported as one JSON file), #4449.
"""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

RECORD = {
    "agent_version": "green",
    "timestamp": 1_795_800_000,
    "decision_type": "bet",
    "inputs": {"x": 1},
    "output": {"action": "BET", "pnl": -1.0, "currency": "USD"},
    "reasoning": "r",
}
MOST_BYTES, LINES = 12_000_000, 50


def write(path: Path, opening: str, closing: str) -> Path:
    """Fifty lines (none before an array), and then many records without a line break, 25 MB."""
    block = ",".join([json.dumps(RECORD)] * 1_000)
    with path.open("w") as file:
        file.write("" if opening == "[" else (json.dumps(RECORD) + "\n") * LINES)
        file.write(opening)
        file.write(",".join([block] * (25_000_000 // len(block))))
        file.write(closing)
    return path


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"x": [', "]}"), ("", "")])
def test_one_endless_line_costs_no_more_than_its_bytes(cli: Cli, tmp_path: Path, opening: str, closing: str) -> None:
    log = write(tmp_path / "results.json", opening, closing)
    tracemalloc.start()
    try:
        answer = cli("backtest", str(log))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < MOST_BYTES
    if opening == "[":
        assert answer.code == 2
        assert "JSON array" in answer.err
    else:
        assert f"{LINES} decisions" in answer.out
        assert "1 lines refused" in answer.out
