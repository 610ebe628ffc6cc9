"""Timestamps as real logs have them are read; a file that holds no lines is named with what to do.

From tstack/lnav#428, #535, #1444; files of HKUDS/AI-Trader, taggaverse/ai-trading-agent, tripolskypetr/backtest-kit.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", ["iso", "isoz", "ms", "ns", "quoted"])
def test_a_timestamp_of_a_real_log_is_read(cli: Cli, name: str) -> None:
    told = cli("--decisions", str(HERE / f"{name}.jsonl"), "status").out
    assert "decisions  20 read, 0 refused" in told
    assert "✔ lines     none refused" in told


@pytest.mark.parametrize(("name", "words"), [("gz.jsonl.gz", "gunzip"), ("utf16.jsonl", "UTF-16")])
def test_a_file_that_holds_no_lines_is_named_with_what_to_do(cli: Cli, name: str, words: str) -> None:
    answer = cli("--decisions", str(HERE / name), "status")
    assert f"✖ log       {name}: is" in answer.out
    assert words in answer.out
    assert "Is the agent running?" not in answer.out
    assert "Map one: --slot" not in answer.out
    assert answer.code == 1
