"""Words typed into the wrong window do nothing: any key but y, n, esc, tab and enter means no.

From jesseduffield/lazygit#1873, derailed/k9s#21.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests import ROOT
from tests.bench.terminal import Terminal
from tests.cli.conftest import Cli
from tests.picture import Picture
from tests.screens.terminal.test_frames_pty import read_until_quiet

WORDS = ("Hey", "Ready", "Xylophone", "yes")
LETTER_S = 0.15


def line_of(cli: Cli) -> str:
    """Who is active, and in which epoch."""
    return cli("status").out.splitlines()[1]


def test_words_typed_into_the_wrong_window_do_nothing(cli: Cli, store_url: str, tmp_path: Path) -> None:
    for side in ("blue", "green"):
        assert cli("switch", side, "--yes").code == 0
    before = line_of(cli)
    assert "GREEN" in before
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    env["PYTHONPATH"] = str(ROOT)  # a letter that draws a picture of the screen draws it into the test's folder
    size = (140, 40)
    seen = Picture(*size)
    with Terminal([sys.executable, "-m", "console", "--url", store_url], env=env, size=size, cwd=tmp_path) as terminal:
        while not seen.has("GREEN"):
            read_until_quiet(terminal, seen)
        for word in WORDS:
            for letter in word:
                terminal.type(letter.encode())
                seen.feed(terminal.pump(LETTER_S))
            read_until_quiet(terminal, seen)
            assert line_of(cli) == before, word
            terminal.type(b"\x1b")
            read_until_quiet(terminal, seen)
