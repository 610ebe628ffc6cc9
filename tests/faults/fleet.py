"""The processes of a fault run: server, venue, workers, and who kills them."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any

from console.store.fence.blocking import Fence
from console.store.keys import Keys
from console.store.server.connect import connect_sync
from tests import ROOT
from tests.faults.venue import Venue
from tests.servers import Server


class Worker:
    """One agent process; started again after each death.

    Args:
        environment: its process's; ours by default.
        errors: where it logs to; our own by default.
        options: what `worker.py` is told.
    """

    def __init__(
        self, environment: dict[str, str] | None = None, errors: IO[bytes] | None = None, **options: Any
    ) -> None:
        self.environment = environment
        self.errors = errors
        self.options = options
        self.kills = 0
        self.freezes = 0
        self.instance = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, seed: int = 0) -> Worker:
        """Start it and wait until it has registered."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.worker", json.dumps({**self.options, "seed": seed})],
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=self.environment,
            cwd=ROOT,
        )
        return self

    def wait_ready(self) -> Worker:
        """Wait until it has started; its instance id is known then."""
        assert self._process is not None and self._process.stdout is not None
        self.instance = self._process.stdout.readline().decode().strip()
        assert self.instance, "the worker did not start"
        return self

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None
            self.kills += 1

    def freeze(self) -> None:
        """SIGSTOP."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        self.freezes += 1

    def thaw(self) -> None:
        """SIGCONT."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGCONT)


class Fleet:
    """A server, a venue and workers of both sides, all ended when the block is left.

    Args:
        folder: for everything; what the agents remember of the store, too.
        program: the server's binary.
        moods: the venue's.
        environment: the server's process is given it.
        options: the server's.
    """

    def __init__(
        self,
        folder: Path,
        program: Path | None = None,
        *,
        moods: dict[str, float] | None = None,
        environment: dict[str, str] | None = None,
        **options: str,
    ) -> None:
        self.folder = folder
        self.cleanup = ExitStack()
        told = {name.replace("_", "-"): value for name, value in options.items()}
        self.server = Server(folder, told, program, environment or {})
        self.moods = moods
        self.workers: list[Worker] = []
        self.dice = random.Random(0)

    @property
    def environment(self) -> dict[str, str]:
        """Of agents, operators and guards: a user of their own."""
        names = {"XDG_STATE_HOME": "state", "AGENT_CONSOLE_CONFIG_DIR": "config", "AGENT_CONSOLE_DATA_DIR": "data"}
        return {**os.environ, **{name: str(self.folder / folder) for name, folder in names.items()}}

    def __enter__(self) -> Fleet:
        self._errors = self.cleanup.enter_context((self.folder / "agents.log").open("ab"))
        self.server.start()
        self.cleanup.callback(self.server.kill)
        self.venue = Venue(self.folder, self.moods)
        self.cleanup.callback(self.venue.stop)
        return self

    def __exit__(self, *_error: object) -> None:
        for worker in self.workers:
            worker.kill()
        self.cleanup.close()

    def fence(self, timeout_s: float = 1.0) -> Fence:
        """A new connection of the operator's."""
        client = connect_sync(self.server.url, timeout_s=timeout_s)
        self.cleanup.callback(client.close)
        return Fence(client, Keys.of())

    def add(self, slot: str, **options: Any) -> Worker:
        """One more worker, started."""
        told = {"url": self.server.url, "venue": str(self.venue.path), "slot": slot, **options}
        worker = Worker(self.environment, self._errors, **told)
        self.workers.append(worker)
        return worker.start(len(self.workers))
