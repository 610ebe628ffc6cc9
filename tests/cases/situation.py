"""Plain agents of two sides that write one log, green active, and a guard beside them in a process of its own."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import redis

from console.domain.guard.alerts import GuardReading
from console.guard.keep.state import GuardState
from console.store.keys import Keys
from console.store.records.guards import read_guards
from tests.cli.conftest import Cli
from tests.processes import Process
from tests.waiting import until


def record(version: str = "green", kind: str = "bet", **members: Any) -> dict[str, Any]:
    """A decision of this moment: a bet that moved no money, unless told otherwise."""
    return {
        "agent_version": version,
        "timestamp": time.time(),
        "decision_type": kind,
        "inputs": {"x": 1},
        "output": {"action": "BET", "pnl": 0.0, "currency": "USD"},
        "reasoning": "edge",
    } | members


class Situation:
    """One agent of two plain sides.

    Args:
        cli: of the store.
        client: of the store.
        url: of the store, which is empty.
        folder: for the logs.
        pattern: of the logs that the guard follows, within the folder.
    """

    def __init__(self, cli: Cli, client: redis.Redis, url: str, folder: Path, pattern: str) -> None:
        self.cli, self.client, self.url, self.folder = cli, client, url, folder
        self.log, self.pattern = folder / "decisions.jsonl", folder / pattern
        self.log.touch()
        self.process: Process | None = None
        for side in ("blue", "green"):
            assert cli("switch", side, "--yes").code == 0

    def write(self, *records: dict[str, Any]) -> None:
        """Append to the log."""
        with self.log.open("a") as file:
            file.writelines(json.dumps(one) + "\n" for one in records)

    def both(self) -> None:
        """Both sides decide once: green bets, blue holds."""
        self.write(record(), record("blue", output={"action": "HOLD"}))

    def guard(self, *words: str) -> None:
        """Start a guard, and wait until it has read what there is."""
        self.process = Process(
            "console", "--url", self.url, "--decisions", str(self.pattern), "guard", "--json", *words
        )
        until(lambda: self.reading() and self.reading().evaluated_at, "a guard that has looked")

    def reading(self) -> GuardReading | None:
        """What the guard says of itself."""
        heard = self.client.hgetall(GuardState(self.client, Keys.of()).names.guards)
        return next(iter(read_guards(heard)), None)

    def looked(self, longer_s: float = 0.0) -> None:
        """Wait until the guard has looked at what there is now, or so long after it."""
        from_now = datetime.now(UTC) + timedelta(seconds=longer_s)
        until(lambda: (self.reading() or GuardReading).evaluated_at > from_now, "another look of the guard")

    def acts(self) -> list[tuple[str, str, str]]:
        """What the guard did: what, for which trigger, and why."""
        assert self.process is not None
        lines = [*self.process.lines, *self.process.errors]
        events = [json.loads(line) for line in lines if line.startswith("{")]
        return [(one["done"], one["trigger"], one["reason"]) for one in events if one["event"] == "acted"]

    def fault(self, text: str = "boom", **inputs: Any) -> None:
        """Green ends with an exception, and the guard acts on it."""
        before = len(self.acts())
        self.write(record(kind="exception", inputs=inputs, output={"exception": text}))
        until(lambda: len(self.acts()) > before, "the guard acts")

    @property
    def status(self) -> Any:
        """What `status --json` answers."""
        return self.cli("--decisions", str(self.pattern), "status", "--json").json

    def close(self) -> None:
        """End the guard."""
        if self.process is not None:
            self.process.__exit__(None, None, None)
