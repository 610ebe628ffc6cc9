"""Many actions of one process at once, with kill -9, freezes, cancellations and deaths of the server: no key executed
twice, none lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import crowd_chaos


@pytest.mark.timeout(240)
@pytest.mark.parametrize("crowd", ["tasks", "threads"])
def test_sixty_four_at_once_in_one_process_execute_nothing_twice_and_lose_nothing(short_dir: Path, crowd: str) -> None:
    outcome = crowd_chaos.run(short_dir, crowd, harms=3 if crowd == "tasks" else 2)
    assert outcome["violations"] == []
    assert outcome["executions"] >= 3 * 32


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("crowd", ["tasks", "threads"])
def test_the_same_for_a_minute(short_dir: Path, crowd: str) -> None:
    outcome = crowd_chaos.run(short_dir, crowd, harms=9, seconds=60, seed=3)
    assert outcome["violations"] == []
