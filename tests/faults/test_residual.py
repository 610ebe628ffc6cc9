"""What remains when a holder sleeps longer than `wake`: it may happen, and is never silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import residual


@pytest.mark.timeout(180)
def test_a_double_execution_after_a_wrong_proof_is_always_in_sight(short_dir: Path) -> None:
    outcome = residual.run(short_dir, rounds=1)
    assert outcome["violations"] == []
    assert outcome["self_taken"] == 0 and outcome["burned_twice"] == 0
    assert outcome["gone_twice"] == outcome["silent_twice"] == 1  # the documented residual: this test sees it happen
