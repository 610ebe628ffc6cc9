"""Money is shown with its sign, its digits and its currency, or it is written shorter, never cut or rounded to nothing.

From taniman/profit-trailer#440, #1621, 3cqs-coder/SymBot#15, grommet/hpe-design-system#1515.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Cli


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Forty rounds a side: satoshis of bitcoin, and millions of won."""
    path, now_s = tmp_path / "decisions.jsonl", time.time()
    money = {"blue": ("BTC", "0.00000031", "-0.00000012"), "green": ("KRW", "-987654.32", "1234567.89")}
    with path.open("w") as file:
        for number in range(40):
            for side, (currency, *amounts) in money.items():
                output = {"action": "BET", "pnl": amounts[number % 2], "currency": currency}
                one = {"agent_version": side, "timestamp": now_s - 60 + number, "decision_type": "bet"}
                file.write(json.dumps(one | {"inputs": {}, "output": output, "reasoning": "x"}) + "\n")
    return path


@pytest.mark.parametrize("screen", ["overview", "decisions"])
def test_money_keeps_its_sign_digits_and_currency(cli: Cli, log: Path, screen: str) -> None:
    drawn = cli("--decisions", str(log), "export", "--screen", screen, "--format", "txt").out
    for amount in ("−0.00000012 BTC", "+0.00000031 BTC", "+1,234,567.89 KRW", "−987,654.32 KRW"):
        assert amount in drawn
    assert re.search(r"[+−]\d[\d,.]*…", drawn) is None, "cut"
    assert re.search(r"(?<![\d.])0\.00 BTC", drawn) is None, "rounded to nothing"


@pytest.mark.parametrize("size", ["80x24", "100x30"])
def test_money_is_cut_on_no_screen_however_small(cli: Cli, log: Path, size: str) -> None:
    for screen in ("overview", "decisions"):
        words = ("export", "--screen", screen, "--size", size, "--format", "txt")
        assert re.search(r"[+−]\d[\d,.]*…", cli("--decisions", str(log), *words).out) is None
