"""A byte order mark before the first record of a log hides nothing of that record.

From vectordotdev/vector#22541, elastic/beats#1349.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli

HERE = Path(__file__).parent


@pytest.mark.parametrize("second", ["b-rotated-bom.jsonl", "b-rotated-nobom.jsonl"])
def test_a_byte_order_mark_hides_no_first_record(cli: Cli, second: str) -> None:
    answer = cli("backtest", str(HERE / "a.jsonl"), str(HERE / second), "--json").json
    assert answer["triggers"]["exception"]["rolled_back"] == 1
    assert (answer["decisions"], answer["rejected"]) == (21, 0)
