"""Other people's programs, each in a virtual environment of its own; where one can't be had, the line says so."""

from __future__ import annotations

import shutil
import subprocess
import sys

from tests.bench.stage import Stage

INSTALL_TIMEOUT_S = 120.0


def toolong(stage: Stage) -> list[str] | None:
    """The command of toolong, a log viewer on Textual: from PATH, else installed for this run; None without either."""
    found = shutil.which("tl")
    if found:
        return [found]
    home = stage.folder / "toolong"
    program = home / "bin" / "tl"
    if not home.exists():
        home.mkdir()
        if not stage.quick:
            _install(str(home), "toolong")
    return [str(program)] if program.exists() else None


def _install(home: str, name: str) -> None:
    for command in (
        [sys.executable, "-m", "venv", home],
        [f"{home}/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", name],
    ):
        try:
            done = subprocess.run(command, capture_output=True, timeout=INSTALL_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            return
        if done.returncode != 0:
            return
