"""What every measurement may use: a temporary folder, a store of its own, nothing of the user's settings."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from console.store.server import embedded

CONSOLE: Final = (sys.executable, "-m", "console")


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a run of the benchmarks happens.

    Args:
        quick: fewer rounds, for a first look.
        folder: for files; gone afterwards.
        url: of the store.
        socket: the same store's Unix socket.
    """

    quick: bool
    folder: Path
    url: str
    socket: Path

    def environment(self) -> dict[str, str]:
        """For the processes that are measured: nothing of the user's own settings reaches them."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AGENT_CONSOLE_")}
        for name in ("NO_COLOR", "COLUMNS", "LINES", "PYTHONDONTWRITEBYTECODE"):
            kept.pop(name, None)
        return kept | {
            "AGENT_CONSOLE_CONFIG_DIR": str(self.folder / "config"),
            "AGENT_CONSOLE_DATA_DIR": str(self.folder / "data"),
        }

    def console(self, *words: str) -> list[str]:
        """The command line of a console or a verb on this stage's store."""
        return [*CONSOLE, *words, "--url", self.url]

    def attached(self, *decisions: Path) -> list[str]:
        """The command line of a console that follows these logs."""
        slots = ["--slot", "blue=2.4.0", "--slot", "green=2.5.0"]
        return [*self.console(), *(word for path in decisions for word in ("--decisions", str(path))), *slots]

    def few(self, full: int, quick: int) -> int:
        """How many rounds."""
        return quick if self.quick else full


@contextmanager
def stage(*, quick: bool) -> Iterator[Stage]:
    """A stage, and nothing left of it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="ac-bench-")).resolve()
    try:
        server = embedded.start(folder / "store")
        yield Stage(quick, folder, server.url, server.socket)
    finally:
        embedded.stop(folder / "store")
        shutil.rmtree(folder, ignore_errors=True)
