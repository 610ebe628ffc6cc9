"""A ladder that nobody attends climbs while somebody asks the gates; one that closes takes the capital back."""

from __future__ import annotations

import os
from pathlib import Path

from console.domain.canary.plan import RunState
from console.domain.fence.intent import Source
from tests.guard.unattended import Unattended


def test_a_gate_that_closes_unattended_at_step_three_brings_the_capital_back(store_url: str, tmp_path: Path) -> None:
    with Unattended(store_url, tmp_path, os.environ) as play:
        play.climb()
        taken = play.close_the_gate()
    run = taken.reading.run
    assert (run.state, run.share, run.position.step) == (RunState.ABORTED, 0, 0)
    assert run.source in (Source.GUARD, Source.AGENT)
    assert "volatility" in run.why and "at 50% of the capital" in run.why
    closed_at = min(one.at for one in taken.reading.gates if one.closed)
    assert closed_at <= run.step_began_at, "it was known before it was acted on"
