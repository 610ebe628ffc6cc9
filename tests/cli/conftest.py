"""Running the command line as a user does: arguments in; exit code, stdout and stderr out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from console.cli.main import run
from console.guard import telling

if TYPE_CHECKING:
    from tests.cli.agents import Two


@dataclass(frozen=True)
class Result:
    """What one command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as JSON."""
        return json.loads(self.out)


Cli = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without configuration or data."""
    monkeypatch.setenv("AGENT_CONSOLE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("AGENT_CONSOLE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("AGENT_CONSOLE_CACHE_DIR", str(tmp_path / "cache"))
    others = ("DECISIONS", "DIVERGENCES", "PROFILE", "READ_ONLY", "WHO", "STATE_FILE", "CONFIG", "VENUE")
    for name in ("URL", "AGENT", *others):
        monkeypatch.delenv(f"AGENT_CONSOLE_{name}", raising=False)
    return tmp_path


@pytest.fixture
def cli(home: Path, store_url: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """`agent-console`, in this process, on an empty store; what a process does as it ends is done after each."""
    at_end: list[Callable[[], None]] = []
    monkeypatch.setattr(telling, "atexit", SimpleNamespace(register=at_end.append))

    def call(*args: str, url: str | None = store_url) -> Result:
        capfd.readouterr()
        code = run([*(("--url", url) if url else ()), *args])
        while at_end:
            at_end.pop()()  # the guard's last lines are written by a thread of its own
        captured = capfd.readouterr()
        return Result(code, captured.out, captured.err)

    return call


@pytest.fixture
def two(store_url: str, cli: Cli) -> Iterator[Two]:
    """A blue and a green agent, blue active."""
    from tests.cli.agents import Two  # here: it needs what stands in this file

    both = Two(store_url, cli)
    yield both
    both.stop()
