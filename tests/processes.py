"""Agents and guards in processes of their own, to be killed, frozen and told to end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from types import TracebackType
from typing import Any, Self

from tests import ROOT
from tests.waiting import until


class Process:
    """A program that says what it does, a line each.

    Args:
        words: after `python -m`.
        environment: beside this process's own.
    """

    def __init__(self, *words: str, environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **(environment or {})},
        )
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.lines), (self.process.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream: Any, lines: list[str]) -> None:
        lines.extend(line.rstrip("\n") for line in stream)

    def heard(self, text: str) -> bool:
        """Whether it has said so, on stdout or stderr."""
        if self.process.poll() not in (None, 0, -signal.SIGKILL):
            raise AssertionError("\n".join(self.errors))
        return any(text in line for line in (*self.lines, *self.errors))

    def until(self, text: str) -> Self:
        """Wait until it says so."""
        until(lambda: self.heard(text), f"{text!r} in {self.lines} {self.errors}")
        return self

    def send(self, number: int) -> None:
        """A signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a crash would."""
        self.send(signal.SIGCONT)
        self.process.kill()
        self.process.wait(20)

    def end(self) -> int:
        """Tell it to end (SIGTERM), and wait; its exit code."""
        self.send(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; its exit code."""
        code = self.process.wait(60)
        for reader in self._readers:
            reader.join(20)
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.kill()
        for reader in self._readers:
            reader.join(20)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


class Agent(Process):
    """A fenced agent: `tests.agent_process`.

    Args:
        url: of its store.
        slot: its side.
        settings: of its controller.
        environment: beside this process's own.
        options: `mode` ("idle", "blocking" or "aio"), `decide_s`, `execute_s`, `interval_s`, `keys`, and what else the
            program knows.
    """

    def __init__(
        self,
        url: str,
        slot: str,
        settings: dict[str, Any] | None = None,
        *,
        environment: dict[str, str] | None = None,
        **options: Any,
    ) -> None:
        words = json.dumps({"url": url, "slot": slot, "settings": settings or {}, **options})
        super().__init__("tests.agent_process", words, environment=environment)


class GuardProcess(Process):
    """A guard on the default agent, without any decision log.

    Args:
        url: of its store.
        name: its own.
        environment: beside this process's own.
    """

    def __init__(self, url: str, name: str = "g1", *, environment: dict[str, str] | None = None) -> None:
        super().__init__("console", "--url", url, "guard", "--name", name, environment=environment)

    def said(self, event: str) -> list[dict[str, Any]]:
        """What it said of one kind."""
        entries = [json.loads(line) for line in self.errors if line.startswith("{")]
        return [entry for entry in entries if entry["event"] == event]
