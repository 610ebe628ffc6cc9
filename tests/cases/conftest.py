"""What the situations stand on: the command line, a real store, agents of two sides, a guard as a process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from tests.cases.situation import Situation
from tests.cli.conftest import Cli, cli, home

__all__ = ["cli", "home", "situation"]


@pytest.fixture
def situation(cli: Cli, valkey_sync: redis.Redis, store_url: str, tmp_path: Path) -> Iterator[Callable[..., Situation]]:
    """Begins a situation; a pattern for the logs beside the one log may be named."""
    begun: list[Situation] = []

    def begin(pattern: str = "decisions.jsonl") -> Situation:
        begun.append(Situation(cli, valkey_sync, store_url, tmp_path, pattern))
        return begun[-1]

    yield begin
    for one in begun:
        one.close()
