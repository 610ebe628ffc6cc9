"""Operators and guards as they are in life: processes of `agent-console`, killed when it is least convenient."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import ROOT


def run(url: str, environment: dict[str, str], *words: str, timeout_s: float = 60.0) -> tuple[int, Any]:
    """One command line to its end: exit code and document; None where there was none."""
    done = subprocess.run(
        [sys.executable, "-m", "console", "--url", url, "--yes", "--json", "--reason", "chaos", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=ROOT,
        env=environment,
        timeout=timeout_s,
    )
    return done.returncode, _document(done.stdout)


def _document(output: bytes) -> Any:
    try:
        return json.loads(output)
    except ValueError:
        return None


@dataclass
class Operator:
    """Somebody who moves the active side by command lines, one after the other, in a thread, until `stop`.

    Args:
        url: of the store, through whatever stands between.
        environment: the processes'.
        seed: of what is done.
    """

    url: str
    environment: dict[str, str]
    seed: int
    acknowledged: list[int] = field(default_factory=list)
    """Epochs that receipts of switches, halts and resumes named."""
    counts: Counter[str] = field(default_factory=Counter)
    _over: bool = False

    def start(self) -> Operator:
        """Begin."""
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Come to an end after the command that is running."""
        self._over = True
        self._thread.join(60.0)

    def _work(self) -> None:
        dice, target, halted = random.Random(self.seed), "green", False
        while not self._over:
            if halted and dice.random() < 0.8:
                words = ["resume", target]
            elif dice.random() < 0.1:
                words = ["halt"]
            else:
                words = ["switch", target, *(["--now"] if dice.random() < 0.5 else [])]
            told = self._command(words, dice)
            halted = words[0] == "halt" or "alted" in str(told)
            target = "blue" if target == "green" else "green"

    def _command(self, words: list[str], dice: random.Random) -> Any:
        """One command line; the document it wrote."""
        process = subprocess.Popen(
            [sys.executable, "-m", "console", "--url", self.url, "--yes", "--json", "--reason", "chaos", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env=self.environment,
        )
        with process:
            if dice.random() < 0.1:  # its terminal is closed on it, somewhere in the middle
                time.sleep(0.25 + dice.random() * 0.4)
                process.kill()
                self.counts["cli_kills"] += 1
            try:
                output = process.communicate(timeout=60.0)[0]
            except subprocess.TimeoutExpired:
                process.kill()
                output = b""
                self.counts["cli_hung"] += 1
        receipt = _document(output)
        if process.returncode == 0 and receipt:  # that it was so already is an acknowledgement, too
            self.acknowledged.append(int(receipt["epoch"]))
            self.counts["cli_acknowledged"] += 1
        else:
            self.counts["cli_unacknowledged"] += 1
        return receipt


@dataclass
class GuardProcess:
    """`agent-console guard`, begun again after each death.

    Args:
        url: of the store.
        environment: its process's.
        folder: where it writes what it says.
    """

    url: str
    environment: dict[str, str]
    folder: Path
    kills: int = 0
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> GuardProcess:
        """Begin; it watches a moment later."""
        with (self.folder / "guard.log").open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "console", "--url", self.url, "guard", "--name", "chaos"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=file,
                cwd=ROOT,
                env=self.environment,
            )
        return self

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self.kills += 1

    def said(self) -> list[str]:
        """The names of what it said, through all its lives."""
        lines = (self.folder / "guard.log").read_text("utf-8", "replace").splitlines()
        return [str(document["event"]) for line in lines if (document := _document(line.encode()))]
