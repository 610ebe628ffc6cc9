"""A store, its agents, and a venue that counts what it was asked to do."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console.agent import ActionRefused, AgentController, Settings
from console.store.fence.blocking import Fence
from tests import ROOT
from tests.servers import Server

QUICK = Settings(lease_ms=800, margin_ms=100, heartbeat_ms=100, quarantine_ms=0, wake_ms=1_000, stale_after_ms=1_000)
"""Settings under which what takes seconds takes tenths."""


@dataclass
class Scene:
    """One store and what is done on it.

    Args:
        url: the store's.
        fence: the operator's hand on it.
        server: the server behind it, where it is the test's own.
    """

    url: str
    fence: Fence
    server: Server | None = None
    executed: Counter[str] = field(default_factory=Counter)
    """How often the venue was asked for each key."""
    agents: list[AgentController] = field(default_factory=list)

    def agent(self, slot: str = "blue", *, settings: Settings = QUICK, **options: Any) -> AgentController:
        """A controller that has started; it is stopped with the scene."""
        controller = AgentController(self.url, slot=slot, version="1", settings=settings, **options)
        controller.start()
        self.agents.append(controller)
        return controller

    def attempt(self, controller: AgentController, key: str, **options: Any) -> str:
        """Execute a key at the venue; how that went: "ok", or the name of the refusal."""
        try:
            with controller.action(key, **options) as act:
                act.check()
                self.executed[key] += 1
                act.settle(f"result of {key}")
        except ActionRefused as refused:
            return type(refused).__name__
        return "ok"

    def doubt(self, controller: AgentController, key: str) -> None:
        """Ask the venue for a key and get no answer."""
        try:
            with controller.action(key) as act:
                act.check()
                self.executed[key] += 1
                raise TimeoutError("the venue did not answer")
        except TimeoutError:
            pass

    @property
    def client(self) -> Any:
        """The operator's client."""
        return self.fence.client

    @property
    def twice(self) -> dict[str, int]:
        """Which keys the venue was asked for more than once."""
        return {key: count for key, count in self.executed.items() if count > 1}

    def phase(self) -> str:
        """The authority's phase, RUN, DRAIN or HALT."""
        authority = self.fence.authority()
        return str(authority.phase) if authority else "none"

    def open(self) -> dict[str, bool]:
        """The open claims, and of each whether it is in doubt."""
        return {claim.key: claim.in_doubt for claim in self.fence.open_claims()}

    def close(self) -> None:
        """Stop every agent."""
        for controller in self.agents:
            controller.stop()


def program(code: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """A Python process of its own that runs `code`, with its output to be read."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        **options,
    )


def run(code: str, *arguments: str, timeout_s: float = 60, **options: Any) -> str:
    """The output of a process of its own that runs `code` and must end well."""
    process = program(code, *arguments, **options)
    output, _ = process.communicate(timeout=timeout_s)
    assert process.returncode == 0, output
    return output


def lines(path: Path) -> Counter[str]:
    """How often each line stands in a file that several processes append to."""
    return Counter(path.read_text("utf-8").split())
