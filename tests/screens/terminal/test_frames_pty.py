"""Whatever was pressed before, drawing everything anew changes nothing on the terminal."""

from __future__ import annotations

import os
import sys
import time

import pytest

from tests import ROOT
from tests.bench.terminal import Terminal
from tests.picture import Picture

KEYS = (
    "\t",
    "?",
    "\x1b",
    "t",
    "t",
    "2",
    "/",
    "cash",
    "\r",
    "\x1b",
    "3",
    "f",
    "j",
    "j",
    "z",
    "z",
    ":",
    "fl",
    "\x1b",
    "1",
)
QUIET_S = 0.7


def read_until_quiet(terminal: Terminal, picture: Picture) -> None:
    quiet_since = time.monotonic()
    deadline = quiet_since + 30
    while time.monotonic() - quiet_since < QUIET_S:
        assert time.monotonic() < deadline, "the console never rests"
        data = terminal.pump(0.1)
        if data:
            picture.feed(data)
            quiet_since = time.monotonic()


@pytest.mark.parametrize(
    ("scenario", "size"), [("blue-active", (80, 24)), pytest.param("hostile-text", (100, 30), marks=pytest.mark.long)]
)
def test_redrawing_shows_what_was_there(scenario: str, size: tuple[int, int]) -> None:
    command = [sys.executable, "-m", "tests.screens.console_process", scenario]
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    piecemeal = Picture(*size)
    with Terminal(command, env=env, size=size, cwd=ROOT) as terminal:
        read_until_quiet(terminal, piecemeal)
        for keys in KEYS:
            terminal.type(keys.encode())
            read_until_quiet(terminal, piecemeal)
        anew = Picture(*size)
        terminal.type(b"\x0c")
        read_until_quiet(terminal, anew)
        assert sum(bool(line.strip()) for line in anew.lines()) > size[1] // 2
        assert anew.visible() == piecemeal.visible()
