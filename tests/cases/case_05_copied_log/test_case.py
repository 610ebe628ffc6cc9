"""A copy of a log repeats the log: nothing in it is news.

From elastic/beats#39731, fluent/fluent-bit#375.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest

from tests.cases.situation import Situation, record

LOOK_UP_S = 2.5
"""Longer than a guard takes to look its pattern up again: what it found it has read."""


@pytest.mark.parametrize("how", ["copytruncate", "copy"])
def test_a_copied_log_is_no_double_spend(situation: Callable[..., Situation], how: str) -> None:
    scene = situation("*.jsonl")
    scene.both()
    scene.guard()
    for number in range(12):
        scene.write(
            record(inputs={"round_id": f"r{number}"}, output={"action": "BET", "pnl": -0.01, "currency": "USD"}),
            record("blue", output={"action": "HOLD"}),
        )
    scene.looked()
    shutil.copyfile(scene.log, scene.folder / "decisions-20261127.jsonl")
    if how == "copytruncate":
        os.truncate(scene.log, 0)
    scene.looked(LOOK_UP_S)
    assert scene.acts() == []
    assert scene.status["active"] == "green"
    scene.fault()
    assert [act[:2] for act in scene.acts()] == [("rolled back", "exception")], "it was watching all the time"
