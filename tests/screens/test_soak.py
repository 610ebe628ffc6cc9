"""A console that is left open for long holds no more after a round of what a day brings than before it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers import Server
from tests.soak import Plan, soak

A_DECISION = 6
"""Objects that each decision in the feed keeps, while that is not full."""
A_SWITCH = 20
"""The same of entries of the audit and the control log."""


@pytest.fixture(autouse=True)
def _nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"AGENT_CONSOLE_{name}_DIR", str(tmp_path / name))


async def test_decisions_switches_and_reconnects_leave_no_task_thread_descriptor_or_object_behind(
    valkey_server: Callable[..., Server], tmp_path: Path
) -> None:
    plan = Plan(rounds=3, decisions=60, switches=6, reconnects=3, screens="6701")
    _cold, first, last = await soak(valkey_server(), tmp_path, plan)
    assert (last.tasks, last.threads, last.descriptors) == (first.tasks, first.threads, first.descriptors)
    rounds = plan.rounds - 2
    kept = (A_DECISION * plan.decisions + A_SWITCH * plan.switches) * rounds // plan.rounds
    assert last.objects - first.objects < kept
