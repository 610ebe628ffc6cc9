"""What the proving screens write to a real terminal: nothing that a store or a file said, and the same again when drawn
anew."""

from __future__ import annotations

import os
import re
import sys

import pytest

from tests import ROOT
from tests.bench.terminal import Terminal
from tests.picture import Picture
from tests.screens.terminal.test_frames_pty import read_until_quiet
from tests.widgets.test_pty import ALLOWED, CONTROLS

KEYS = (
    "3",
    "\t",
    "\r",
    "\x1b",
    "\t",
    "j",
    "\r",
    "\x1b",
    "4",
    "j",
    "\r",
    "j",
    "\x1b",
    "z",
    "\t",
    "z",
    "9",
    "j",
    "\r",
    "\x1b",
    "1",
)


_POINTER = re.compile(r"\x1b\]22;[a-z]+(?:\x1b\\|\x07)")
"""Textual's own word on the shape of the mouse pointer."""


class Listening:
    """A picture that also keeps every byte."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.picture = Picture(*size)
        self.written = b""

    def feed(self, data: bytes) -> None:
        self.written += data
        self.picture.feed(data)


@pytest.mark.parametrize("size", [pytest.param((160, 48), marks=pytest.mark.long), (80, 24)])
def test_nothing_hostile_reaches_the_terminal_and_drawing_anew_changes_nothing(size: tuple[int, int]) -> None:
    command = [sys.executable, "-m", "tests.screens.console_process", "hostile-proofs"]
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    seen = Listening(size)
    with Terminal(command, env=env, size=size, cwd=ROOT) as terminal:
        while not seen.picture.has("quit") and not seen.picture.has("help"):  # a slow start is quiet too
            read_until_quiet(terminal, seen)  # type: ignore[arg-type]
        seen.written = b""
        for keys in KEYS:
            terminal.type(keys.encode())
            read_until_quiet(terminal, seen)  # type: ignore[arg-type]
        text = _POINTER.sub("", seen.written.decode("utf-8"))
        for forbidden in ("\x1b[2J", "\x1b]", "\x1bP", "\x1b[6n", "\x1b[?1049l"):
            assert forbidden not in text
        assert [char for char in ALLOWED.sub("", text) if char in CONTROLS] == []
        assert "[@click=app.quit]" in text, "the words are drawn, not obeyed"
        anew = Picture(*size)
        terminal.type(b"\x0c")
        read_until_quiet(terminal, anew)
        assert anew.visible() == seen.picture.visible()
