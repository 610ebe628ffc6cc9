"""In tmux, where most consoles live: its colours, its sizes, its pastes; and what it shows again afterwards."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT
from tests.waiting import until

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux on this machine"),
]


class Tmux:
    """A tmux server of its own, with a shell in one window."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "s"
        environ = {name: value for name, value in os.environ.items() if name not in ("TMUX", "COLORTERM", "NO_COLOR")}
        self.environ = {**environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        self("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "-c", str(ROOT), "bash", "--norc")
        self.type("PS1='READY''> '; clear", "Enter")
        self.until("READY>")

    def __call__(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self.socket), *words], capture_output=True, text=True, check=True, env=self.environ
        )
        return done.stdout

    def type(self, *keys: str) -> None:
        self("send-keys", *keys)

    @property
    def screen(self) -> str:
        return self("capture-pane", "-p")

    @property
    def coloured(self) -> str:
        return self("capture-pane", "-p", "-e")

    def state(self, name: str) -> str:
        return self("display-message", "-p", f"#{{{name}}}").strip()

    def until(self, text: str) -> None:
        until(lambda: text in self.screen, text, every_s=0.05)

    def console(self, scenario: str = "tripped", rate: int = 0) -> None:
        self.type(f"clear; {sys.executable} -m tests.screens.console_process {scenario} {rate}", "Enter")
        self.until("? help")


@pytest.fixture
def tmux(short_dir: Path) -> Iterator[Tmux]:
    """A tmux, ended after the test."""
    one = Tmux(short_dir)
    yield one
    one("kill-server")


def test_it_is_drawn_in_its_256_colours_and_gives_everything_back(tmux: Tmux) -> None:
    tmux.type("echo what was there before", "Enter")
    tmux.until("what was there before")
    tmux.console()
    assert tmux.state("alternate_on") == "1"
    assert re.search(r"\x1b\[[0-9;]*[34]8;5;", tmux.coloured) and not re.search(r"\x1b\[[0-9;]*[34]8;2;", tmux.coloured)
    tmux.type("q")
    tmux.until("READY>")
    assert tmux.state("alternate_on") == "0" and tmux.state("cursor_flag") == "1"
    assert {tmux.state(f"mouse_{kind}_flag") for kind in ("any", "button", "standard", "sgr")} == {"0"}
    tmux.type("stty -a", "Enter")
    tmux.until(" icanon")
    tmux.until(" echo ")


def test_after_any_sizes_the_screen_is_that_of_the_last(tmux: Tmux) -> None:
    tmux.console("blue-active")
    for size in ("300x100", "20x5", "1x1", "160x48", "40x10", "500x200", "80x24"):
        columns, rows = size.split("x")
        tmux("resize-window", "-x", columns, "-y", rows)
    tmux.until("? help")
    lines = tmux.screen.splitlines()
    until(lambda: len(tmux.screen.splitlines()) == 24)
    assert all(len(line) <= 80 for line in lines)
    tmux.type("?")
    tmux.until("Keys")


def test_a_paste_is_no_command(tmux: Tmux) -> None:
    tmux.console("blue-active")
    tmux("set-buffer", "s\nH\ny\n:halt\n")
    tmux("paste-buffer", "-p")
    tmux.type("?")
    tmux.until("Keys")
    tmux.type("Escape")
    tmux.until("? help")
    assert "switch?" not in tmux.screen and "Halt?" not in tmux.screen


def test_a_window_that_is_killed_leaves_no_process(tmux: Tmux) -> None:
    tmux.console("blue-active", 100)
    shell = int(tmux.state("pane_pid"))
    (console,) = (int(word) for word in Path(f"/proc/{shell}/task/{shell}/children").read_text().split())
    tmux("new-window", "sh")
    tmux("kill-window", "-t", ":0")
    until(lambda: not Path(f"/proc/{console}").exists(), "the console has ended")


def test_suspended_and_resumed_it_draws_everything_anew(tmux: Tmux) -> None:
    tmux.console("blue-active")
    shell = int(tmux.state("pane_pid"))
    (console,) = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
    os.kill(int(console), 20)  # SIGTSTP, as a shell's ctrl+z sends it
    tmux.until("READY>")
    assert tmux.state("alternate_on") == "0"
    tmux.type("fg", "Enter")
    tmux.until("? help")
    assert tmux.state("alternate_on") == "1"
