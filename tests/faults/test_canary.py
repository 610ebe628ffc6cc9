"""Kill anything at any line of a step change: capital recorded is capital in force, no step is skipped or repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import canary_chaos


@pytest.mark.long
@pytest.mark.timeout(120)
def test_whatever_is_killed_during_steps_what_is_in_force_is_what_is_recorded(short_dir: Path) -> None:
    outcome = canary_chaos.run(short_dir, seconds=12, seed=3)
    assert outcome["violations"] == []
    assert min(outcome["moves"], outcome["canary_rounds"], outcome["kills"], outcome["server_kills"]) > 0
