"""Two fills of one order are not two executions.

From hummingbot/hummingbot#5633, #5860.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli

HERE = Path(__file__).parent


@pytest.mark.parametrize(("name", "alerts"), [("fills", 1), ("fills-key-and-trade-id", 0)])
def test_two_fills_of_one_order_are_no_double_spend(cli: Cli, name: str, alerts: int) -> None:
    """An alert at most, where nothing tells them apart; not even that where a trade's id does."""
    triggers = cli("backtest", str(HERE / f"{name}.jsonl"), "--json").json["triggers"]
    assert {name: seen["rolled_back"] for name, seen in triggers.items() if seen["rolled_back"]} == {}
    assert triggers["double-spend"]["alerted"] == alerts
