"""Real processes for the guard's fault tests: a store, guards, and plain agents that poll their key and log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from console.store.connect import connect_sync
from console.store.fence import Fence
from console.store.keys import Keys
from tests.guard.records import history, record, write
from tests.servers import Server

TIMEOUT_S = 30.0


def wait_for(holds: Callable[[], object], what: str, timeout_s: float = TIMEOUT_S) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.002)


class Scene:
    """Blue ran and stands by, warm; green is active; any number of guards watch.

    Args:
        server: an empty store.
        fenced: whether both sides are fenced agents (their heartbeats are written here).
    """

    def __init__(self, server: Server, *, fenced: bool = False) -> None:
        self.server, self.keys = server, Keys.of()
        self.folder = Path(tempfile.mkdtemp(prefix="ac-guard-"))
        self.log = self.folder / "decisions.jsonl"
        self.client = connect_sync(server.url, timeout_s=10.0)
        self.fence = Fence(self.client, self.keys)
        self.fenced = fenced
        self.guards: dict[str, subprocess.Popen[bytes]] = {}
        self.client.set(self.keys.active, "blue")
        write(self.log, history(time.time() - 200, 150, "blue"))
        self.fence.switch("green", expected_epoch=0, mode="now", by="op")
        self.warm()

    def __enter__(self) -> Scene:
        return self

    def __exit__(self, *_error: object) -> None:
        for process in self.guards.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait(TIMEOUT_S)
        self.client.close()

    def warm(self) -> None:
        """Both sides are alive now."""
        write(self.log, [record(time.time(), "blue", pnl=None), record(time.time(), "green", pnl=None)])
        if self.fenced:
            from console.store.calls import Heartbeat

            epoch = self.epoch
            for slot in ("blue", "green"):
                self.fence.beat(Heartbeat(f"{slot}-1", slot), epoch=epoch, seen=epoch)

    def guard(self, name: str, *more: str) -> subprocess.Popen[bytes]:
        """Start a guard and wait until it watches."""
        errors = self.folder / f"{name}.log"
        with errors.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "console", "--url", self.server.url, "--decisions", str(self.log), "guard",
                 "--name", name, *more],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=file,
                env={**os.environ, "AGENT_CONSOLE_CONFIG_DIR": str(self.folder)},
            )  # fmt: skip
        self.guards[name] = process
        wait_for(lambda: "started" in self.said(name), f"{name} did not start: {errors.read_text()}")
        return process

    def lines(self, name: str) -> list[dict[str, Any]]:
        """What a guard said."""
        return [json.loads(line) for line in (self.folder / f"{name}.log").read_text().splitlines() if line]

    def said(self, name: str) -> list[str]:
        """The names of what a guard said."""
        return [str(one["event"]) for one in self.lines(name)]

    @property
    def active(self) -> str:
        """What plain agents read."""
        value = self.client.get(self.keys.active)
        return value.decode() if isinstance(value, bytes) else ""

    @property
    def epoch(self) -> int:
        """The running epoch."""
        authority = self.fence.authority()
        assert authority is not None
        return authority.epoch

    def again(self) -> None:
        """Green is active once more by an operator, the past forgotten, as if it were another day."""
        self.client.delete(self.keys.log)
        self.fence.switch("green", expected_epoch=self.epoch, mode="now", by="op", why="again", resume=True)
        self.warm()

    def rollbacks(self) -> int:
        """Automatic roll backs in the control stream."""
        found: Any = self.client.xrange(self.keys.log)
        return sum(
            fields[b"k"] == b"rollback" or (fields[b"k"] == b"switched" and fields[b"by"].startswith(b"guard "))
            for _id, fields in found
        )

    def fact_to_switch_s(self, *records: dict[str, Any]) -> float:
        """Write the fact; seconds until the other side is told to act."""
        began = time.perf_counter()
        write(self.log, list(records))
        wait_for(lambda: self.active == "blue", f"nobody rolled back: {self.active}")
        return time.perf_counter() - began
