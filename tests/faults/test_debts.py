"""What is owed, in short: whatever is killed and switched, it is what the venue holds open, and each has one owner."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import debts


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", [1])
def test_no_commitment_is_lost_or_doubled_whoever_dies_and_whoever_switches(short_dir: Path, seed: int) -> None:
    outcome = debts.run(short_dir, seconds=5, seed=seed)
    assert outcome["violations"] == []
    assert outcome["opened"] > 20 and outcome["closed"] > 10 and outcome["kill"] > 3
