"""Rounds of versions that belong to no slot are a warning with their money; a slot's name begins what belongs to it.

From juspay/hyperswitch-helm#315.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.cli.conftest import Cli

OF_GREEN = [
    "green",
    "green-2.5.0",
    "green 2.5.0",
    "green_2.5.0",
    "green2.5.0",
    "green/2.5",
    "green@2.5.0",
    "green:v2",
    "Green",
    "GREEN-2",
]
OF_NOBODY = ["v2", "2.5.0", "greenhouse", "prod-green", "", "main", "GreenField", "rouge"]


def written(path: Path, versions: list[str]) -> str:
    """A log in which each version lost one dollar."""
    now_s = time.time()
    output = {"action": "BET", "pnl": -1.0, "currency": "USD"}
    with path.open("w") as file:
        for number, version in enumerate(versions):
            one = {"agent_version": version, "timestamp": now_s - 30 + number, "decision_type": "bet"}
            file.write(json.dumps(one | {"inputs": {}, "output": output, "reasoning": "r"}) + "\n")
    return str(path)


def test_a_version_that_begins_with_a_slots_name_belongs_to_it(cli: Cli, tmp_path: Path) -> None:
    told = cli("--decisions", written(tmp_path / "a.jsonl", OF_GREEN), "status").out
    assert "−10.00 USD" in told
    assert "belong to no slot" not in told


def test_rounds_that_belong_to_no_slot_are_a_warning_with_their_money(cli: Cli, tmp_path: Path) -> None:
    answer = cli("--decisions", written(tmp_path / "a.jsonl", ["green", "green-2", *OF_NOBODY]), "status")
    assert "8 of 10 rounds belong to no slot, −8.00 USD are counted nowhere" in answer.out
    assert "−2.00 USD" in answer.out
    assert answer.code == 1
