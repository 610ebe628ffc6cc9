"""A question on a slow link: what has to be written until it can be read, counted in bytes and not in time."""

from __future__ import annotations

import os
import sys
import time

import pytest

from tests import ROOT
from tests.bench.terminal import Terminal

MOST = {(160, 48): 3500, (80, 24): 2400}
"""Bytes from the key to the question: 300 ms are 6,000 at 20 kB/s and 2,400 at 8 kB/s."""
QUIET_S = 0.5


def written_until_quiet(terminal: Terminal) -> int:
    """How many bytes come until nothing does for a while."""
    before, quiet_since = terminal.bytes, time.monotonic()
    deadline = quiet_since + 30
    while time.monotonic() - quiet_since < QUIET_S:
        assert time.monotonic() < deadline, "the console never rests"
        if terminal.pump(0.1):
            quiet_since = time.monotonic()
    return terminal.bytes - before


@pytest.mark.parametrize("size", MOST, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_question_costs_few_bytes_to_ask_and_to_take_away(size: tuple[int, int]) -> None:
    command = [sys.executable, "-m", "tests.screens.console_process", "fenced"]
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    costs: dict[str, tuple[int, int]] = {}
    with Terminal(command, env=env, size=size, cwd=ROOT) as terminal:
        terminal.until("blue")
        written_until_quiet(terminal)
        for key, question in (("R", "rollback?"), ("H", "halt?"), ("X", "canary abort?"), ("s", "switch?")):
            before = terminal.bytes
            terminal.type(key.encode())
            terminal.until(question)
            written_until_quiet(terminal)
            asked = terminal.bytes - before
            assert terminal.picture.has("No") and terminal.picture.has("plain agents obey at their next poll")
            terminal.type(b"n")
            costs[key] = (asked, written_until_quiet(terminal))
            assert not terminal.picture.has(question)
    assert {key: cost for key, cost in costs.items() if max(cost) > MOST[size]} == {}, costs
