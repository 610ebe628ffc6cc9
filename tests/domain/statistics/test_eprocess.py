"""The e-process for shares."""

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betaln

from console.domain.statistics.eprocess import CONCENTRATION, ShareProcess, Side


@given(st.lists(st.booleans(), max_size=200), st.floats(0.01, 0.99))
def test_the_process_is_the_ratio_of_beta_functions(hits: list[bool], expected: float) -> None:
    process = ShareProcess(expected)
    for hit in hits:
        process.add(hit)
    a, b = CONCENTRATION * expected, CONCENTRATION * (1 - expected)
    k, n = sum(hits), len(hits)
    oracle = betaln(a + k, b + n - k) - betaln(a, b) - k * log(expected) - (n - k) * log(1 - expected)
    assert process.log_e == pytest.approx(oracle, abs=1e-9)


@pytest.mark.parametrize("expected", [0.01, 0.05, 0.5])
def test_it_rarely_alarms_when_nothing_is_wrong_however_often_it_is_looked_at(expected: float) -> None:
    rng = np.random.default_rng(4)
    alarms = 0
    for _ in range(300):
        process = ShareProcess(expected)
        for hit in rng.random(1000) < expected:
            process.add(bool(hit))
            if process.alarm(0.05):
                alarms += 1
                break
    assert alarms <= 15


def test_it_soon_sees_that_a_twentieth_became_a_fiftieth() -> None:
    rng = np.random.default_rng(5)
    process = ShareProcess(0.05)
    rounds = 0
    while not process.alarm(0.01):
        process.add(bool(rng.random() < 0.02))
        rounds += 1
        assert rounds < 3000
    assert process.share < 0.05


def test_fewer_errors_than_expected_are_no_alarm() -> None:
    above, either = ShareProcess(0.2, Side.ABOVE), ShareProcess(0.2)
    for _ in range(300):
        above.add(False)
        either.add(False)
    assert either.alarm(0.01)
    assert not above.alarm(0.01)


@pytest.mark.parametrize("expected", [0.0, 1.0, -0.1, float("nan")])
def test_a_share_that_can_never_be_departed_from_is_refused(expected: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        ShareProcess(expected)
