"""Real processes for the guard's fault tests: a store, guards, and plain agents that poll their key and log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from console.store.fence.blocking import Fence
from console.store.fence.calls import Limits, SwitchRequest
from console.store.keys import Keys
from console.store.server.connect import connect_sync
from tests import waiting
from tests.guard.records import history, record, write
from tests.servers import Server

TIMEOUT_S = 30.0
until = partial(waiting.until, every_s=0.002)  # how soon a guard acts is measured by it


class Scene:
    """Blue ran and stands by, warm; green is active; any number of guards watch.

    Args:
        server: an empty store.
        fenced: whether both sides are fenced agents (their heartbeats are written here).
        rate: how fast the guards' clock runs; see `tests.faults.fast_guard`.
    """

    def __init__(self, server: Server, *, fenced: bool = False, rate: float = 1.0) -> None:
        self.rate, self.origin_s = rate, time.time()
        self.server, self.keys = server, Keys.of()
        self.folder = Path(tempfile.mkdtemp(prefix="ac-guard-"))
        self.log = self.folder / "decisions.jsonl"
        self.client = connect_sync(server.url, timeout_s=10.0)
        self.fence = Fence(self.client, self.keys)
        self.fenced = fenced
        self.guards: dict[str, subprocess.Popen[bytes]] = {}
        self.client.set(self.keys.active, "blue")
        write(self.log, history(time.time() - 200, 150, "blue"))
        self.fence.switch(SwitchRequest("green", expected_epoch=0, mode="now", by="op"))
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
        now_s = self.now_s()
        write(self.log, [record(now_s, "blue", pnl=None), record(now_s, "green", pnl=None)])
        self.beat()

    def beat(self) -> None:
        """Fenced agents beat, once: a side is healthy for five seconds by that, however long a guard takes to start."""
        if self.fenced:
            from console.store.fence.calls import Heartbeat

            epoch = self.epoch
            for slot in ("blue", "green"):
                self.fence.beat(Heartbeat(f"{slot}-1", slot), epoch=epoch, seen=epoch)

    def guard(self, name: str, *more: str) -> subprocess.Popen[bytes]:
        """Start a guard and wait until it watches."""
        self.begin(name, *more)
        process = self.begun(name)
        self.beat()
        return process

    def begin(self, name: str, *more: str) -> None:
        """Start a guard; with a clock of its own where the scene has one."""
        words = ["--url", self.server.url, "--decisions", str(self.log)]
        if self.rate == 1.0:
            words = ["-m", "console", *words, "guard", "--name", name, *more]
        else:
            rate = ["--rate", str(self.rate), "--origin", str(self.origin_s)]
            words = ["-m", "tests.faults.fast_guard", *words, *rate, "--name", name, *more]
        with (self.folder / f"{name}.log").open("wb") as file:
            self.guards[name] = subprocess.Popen(
                [sys.executable, *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=file,
                env={**os.environ, "AGENT_CONSOLE_CONFIG_DIR": str(self.folder)},
            )

    def begun(self, name: str) -> subprocess.Popen[bytes]:
        """Wait until a guard that was started watches."""
        errors = self.folder / f"{name}.log"
        until(lambda: "started" in self.said(name), f"{name} did not start: {errors.read_text()}")
        return self.guards[name]

    def now_s(self) -> float:
        """The time by the guards' clock."""
        return self.origin_s + (time.time() - self.origin_s) * self.rate

    def lines(self, name: str) -> list[dict[str, Any]]:
        """What a guard said."""
        whole = (self.folder / f"{name}.log").read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines() if line]

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
        self.fence.set_limits(Limits(), by="op")  # an event that tells of nobody; all before it are forgotten
        self.client.xtrim(self.keys.log, maxlen=1, approximate=False)
        self.fence.switch(
            SwitchRequest("green", expected_epoch=self.epoch, mode="now", by="op", why="again", resume=True)
        )
        self.warm()

    def rollbacks(self) -> int:
        """Automatic roll backs in the control stream."""
        entries: Any = self.client.xrange(self.keys.log)
        return sum(
            fields[b"k"] == b"rollback" or (fields[b"k"] == b"switched" and fields[b"by"].startswith(b"guard "))
            for _id, fields in entries
        )

    def fact_to_switch_s(self, *records: dict[str, Any]) -> float:
        """Write the fact; seconds until the other side is told to act."""
        began = time.perf_counter()
        write(self.log, list(records))
        until(lambda: self.active == "blue", f"nobody rolled back: {self.active}")
        return time.perf_counter() - began
