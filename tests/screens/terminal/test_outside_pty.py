"""A program in the console's terminal: however it ends, the console is drawn again, and nothing is left behind."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from console.screens.terminal.outside import EDITOR, PAGER, read_outside, words_of
from tests import ROOT
from tests.bench.terminal import Gone, Terminal
from tests.screens.doubles import console

SIZE = (80, 24)


def script(folder: Path, name: str, body: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    return str(path)


def bring(terminal: Terminal, key: bytes, text: str) -> None:
    """Press a key until it shows what it shows: a key may come before the screen that it is meant for."""
    for _ in range(20):
        terminal.type(key)
        try:
            terminal.until(text, 3.0)
        except Gone:
            continue
        return
    raise AssertionError(terminal.shown)


LEAVES_IT_UPSIDE_DOWN = "printf '\\033[?1049h\\033[?25l'; exit 1"


@pytest.mark.parametrize(
    "end",
    [
        "kill -KILL $$",
        pytest.param("exit 3", marks=pytest.mark.long),
        pytest.param(LEAVES_IT_UPSIDE_DOWN, marks=pytest.mark.long),
    ],
)
def test_the_terminal_is_the_consoles_again_however_the_program_ended(tmp_path: Path, end: str) -> None:
    seen = tmp_path / "seen"
    pager = script(tmp_path, "pager", f'stat -c "%a %n" "$1" > {seen}; cat "$1" >> {seen}; echo OUTSIDE; {end}')
    env = {**os.environ, "PAGER": pager, "TMPDIR": str(tmp_path), "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "tests.screens.console_process", "blue-active"]
    with Terminal(command, env=env, size=SIZE, cwd=ROOT) as terminal:
        terminal.until("ACTIVE")
        bring(terminal, b"2", "following")
        bring(terminal, b"\r", "| pager")
        terminal.type(b"|")
        terminal.until("ended with")
        terminal.type(b"\x1b")
        terminal.run(0.5)  # else it is the beginning of what follows
        bring(terminal, b"8", "Alerts")
        mode, _name = seen.read_text().split("\n")[0].split(" ", 1)
        assert mode == "600"
        assert "multiplier" in seen.read_text()
        terminal.type(b"q")
        terminal.until_ended()
    assert not list(tmp_path.glob("agent-console-*"))


async def test_a_program_that_is_not_there_is_named_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    app = console()
    async with app.run_test():
        assert "not there" in read_outside(app, PAGER, "text", {"PAGER": "no-such-program -S"})
        assert "$EDITOR" in read_outside(app, EDITOR, "text", {"VISUAL": "no-such-program"})
        assert "can't be read" in read_outside(app, PAGER, "text", {"PAGER": "less '"})
        assert "browser" in read_outside(app, PAGER, "text", {"PAGER": "cat", "TEXTUAL_DRIVER": "web"})
        assert "can't be lent" in read_outside(app, PAGER, "text", {"PAGER": "cat"})
    assert not list(tmp_path.iterdir())


def test_an_editor_is_the_visual_one_first_and_each_has_its_usual_one() -> None:
    assert words_of(EDITOR, {"VISUAL": "code -w", "EDITOR": "vi"}) == ["code", "-w"]
    assert words_of(EDITOR, {"EDITOR": " "}) == ["vi"]
    assert words_of(PAGER, {}) == ["less"]
