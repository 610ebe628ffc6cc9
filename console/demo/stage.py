"""A demo's stage: a folder, a store, a venue and two agents, all of them gone when the console is, however it went."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final

from console.demo.document import VENUE_FILE
from console.demo.stagehand import PLAN_FILE, ROLES, Script, script_words
from console.domain.errors import ConsoleError
from console.domain.text import clean
from console.store.server.bare import ask

PERIOD_S: Final = 0.12
"""How often a demo agent looks at the store and plays."""
END_TIMEOUT_S: Final = 10.0
_LONGEST_FOLDER: Final = 70
"""Beyond this a Unix socket in the folder has too long a path; then `/tmp` is used."""


class Stage:
    """Set up on entering, cleared away on leaving; also when the process ends without leaving, by `kill -9` say.

    Args:
        period_s: how often an agent looks at the store, at least 0.05.
        seed: of all chance; None for a new one each time.
        guard: whether a guard runs, and blue's process can share its rounds out between both versions.
        fenced: whether the agents use the library.

    Attributes:
        folder: everything lives in it; mode 0700.
        url: of the demo's own store.
        decision_logs, state_files: of blue and green, in this order.
        processes: process ids of store, venue, blue and green by name, and of the stagehand that clears away.
        venue_url, venue_key: of the simulated venue.
    """

    def __init__(
        self, *, period_s: float = PERIOD_S, seed: int | None = None, guard: bool = False, fenced: bool = False
    ) -> None:
        self._period_s = max(0.05, period_s)
        self._guard = guard
        self._fenced = fenced
        self._seed = random.SystemRandom().randrange(1 << 31) if seed is None else seed
        self._hand: subprocess.Popen[bytes] | None = None
        self._write_end: int | None = None
        self.folder = Path()
        self.url = ""
        self.venue_url = ""
        self.venue_key = ""
        self.processes: dict[str, int] = {}

    @property
    def decision_logs(self) -> tuple[Path, ...]:
        """The agents' decision logs."""
        return tuple(self.folder / f"{role.slot}.jsonl" for role in ROLES)

    @property
    def plan_file(self) -> Path:
        """A canary's plan for this stage."""
        return self.folder / PLAN_FILE

    @property
    def venue_file(self) -> Path:
        """The document of the simulated venue."""
        return self.folder / VENUE_FILE

    @property
    def state_files(self) -> tuple[Path, ...]:
        """The agents' state files."""
        return tuple(self.folder / f"{role.slot}.state.json" for role in ROLES)

    def __enter__(self) -> Stage:
        """Start everything; returns once the store answers and the agents are running.

        Raises:
            ConsoleError: something did not start; then nothing is left.
        """
        base = Path(tempfile.gettempdir())
        if len(os.fsencode(base)) > _LONGEST_FOLDER:
            base = Path("/tmp")  # noqa: S108 - mkdtemp makes a private folder in it
        self.folder = Path(tempfile.mkdtemp(prefix="agent-console-demo-", dir=base))
        try:
            self._begin()
            self._hear()
        except BaseException:
            self.close()
            raise
        return self

    def _begin(self) -> None:
        read_end, self._write_end = os.pipe()
        script = Script(str(self.folder), read_end, self._period_s, self._seed, self._guard, self._fenced)
        try:
            self._hand = subprocess.Popen(
                [sys.executable, "-P", "-m", "console.demo.stagehand", script_words(script)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(read_end,),
                start_new_session=True,
            )
        finally:
            os.close(read_end)

    def _hear(self) -> None:
        assert self._hand is not None
        assert self._hand.stdout is not None
        assert self._hand.stderr is not None
        line = self._hand.stdout.readline()
        try:
            told = json.loads(line)
        except ValueError:
            words = clean(self._hand.stderr.read()[-400:].strip(), 400)
            raise ConsoleError(
                f"The demo did not start ({words}).", "See whether a Valkey server can run here."
            ) from None
        self.url = f"unix://{told['socket']}"
        self.venue_url = f"http://127.0.0.1:{told['venue_port']}"
        self.venue_key = told["venue_key"]
        self.processes = {**told["processes"], "stagehand": self._hand.pid}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Clear everything away."""
        self.close()

    def close(self) -> None:
        """End every process and remove the folder; calling it again does nothing."""
        if self._write_end is not None:
            os.close(self._write_end)
            self._write_end = None
        hand, self._hand = self._hand, None
        if hand is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                hand.communicate(timeout=END_TIMEOUT_S)
            if hand.poll() is None:
                hand.kill()
                hand.communicate()
        if self.folder.is_dir() and self.folder != Path():
            # the stagehand could not: it was killed, or never began
            ask(self.folder / "store" / "store.sock", [["SHUTDOWN", "NOSAVE"]], timeout_s=1.0)
            shutil.rmtree(self.folder, ignore_errors=True)
