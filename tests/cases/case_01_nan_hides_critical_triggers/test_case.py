"""Whatever else a record holds, its signals are read: NaN, Infinity, 1e999 and half an emoji hide none.

From richkuo/go-trader#153, freqtrade/freqtrade#9550, rllm-org/rllm#879.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cases.situation import Situation
from tests.cli.conftest import Cli

HERE = Path(__file__).parent
RIGHT = {
    "clean": "exception",
    "nan": "exception",
    "huge": "exception",
    "surrogate": "exception",
    "infinity": "auth",
    "nan-double-spend": "double-spend",
}


@pytest.mark.parametrize(("name", "trigger"), RIGHT.items())
def test_whatever_else_a_record_holds_its_critical_trigger_fires(cli: Cli, name: str, trigger: str) -> None:
    answer = cli("backtest", str(HERE / f"{name}.jsonl"), "--json").json
    fired = {name: seen["rolled_back"] for name, seen in answer["triggers"].items() if seen["rolled_back"]}
    assert (fired, answer["rejected"]) == ({trigger: 1}, 0)


def test_a_running_guard_acts_on_it_too(situation: Callable[..., Situation]) -> None:
    scene = situation()
    scene.both()
    scene.guard()
    scene.both()
    scene.fault(atr=float("nan"))
    assert [act[:2] for act in scene.acts()] == [("rolled back", "exception")]
    assert scene.status["active"] == "blue"
