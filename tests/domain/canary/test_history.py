"""What past returns say of a plan's settings."""

from __future__ import annotations

import random
import statistics
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.canary.history import ENOUGH, Returns, doubts
from console.domain.canary.history import History as Past
from console.domain.statistics.evidence import Settings

SETTINGS = Settings(margin=0.05, sigma=1.0, lowest=-1.0, highest=9.0)
FITS = Past(rounds=500, mean=-0.02, sigma=1.1, lowest=-1.0, highest=8.0, correlation=0.02)


def measure(values: list[float]) -> Past:
    returns = Returns()
    for value in values:
        returns.add(value)
    return returns.history()


@given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=60))
def test_mean_spread_and_bounds_are_those_of_the_textbook(values: list[float]) -> None:
    history = measure(values)
    assert history.rounds == len(values)
    assert history.mean == pytest.approx(statistics.fmean(values), abs=1e-9)
    assert history.sigma == pytest.approx(statistics.stdev(values), abs=1e-6)
    assert (history.lowest, history.highest) == (min(values), max(values))


def test_the_correlation_is_the_sample_autocorrelation_at_lag_one() -> None:
    rng, values = random.Random(1), [0.0]
    for _ in range(3000):
        values.append(0.3 * values[-1] + rng.gauss(0.5, 1.0))
    mean = statistics.fmean(values)
    cross = sum((a - mean) * (b - mean) for a, b in pairwise(values))
    expected = cross / sum((value - mean) ** 2 for value in values)
    assert measure(values).correlation == pytest.approx(expected, abs=1e-9)
    assert expected == pytest.approx(0.3, abs=0.06)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 1.0, 1.0]])
def test_what_is_not_defined_is_none_and_not_zero(values: list[float]) -> None:
    history = measure(values)
    assert history.correlation is None
    assert (history.sigma is None) == (len(values) < 2)
    assert (history.lowest is None) == (not values)


def test_a_history_that_fits_raises_no_doubt() -> None:
    assert doubts(SETTINGS, FITS) == ()


CONTRADICTIONS = {
    "fewer than 100": replace(FITS, rounds=ENOUGH - 1),
    "below lowest": replace(FITS, lowest=-1.2),
    "above highest": replace(FITS, highest=9.5),
    "sigma = 1 is declared, 2.1 measured": replace(FITS, sigma=2.1),
    "sigma = 1 is declared, 0.1 measured": replace(FITS, sigma=0.1),
    "block = 19": replace(FITS, correlation=0.31),
    "block = 190": replace(FITS, correlation=0.9),
    "block = 990": replace(FITS, correlation=0.98),
}


@pytest.mark.parametrize(("says", "past"), CONTRADICTIONS.items(), ids=CONTRADICTIONS)
def test_each_contradiction_is_said_alone(says: str, past: Past) -> None:
    (only,) = doubts(SETTINGS, past)
    assert says in only


def test_rounds_that_hang_together_are_fine_in_blocks() -> None:
    assert doubts(replace(SETTINGS, block=20), replace(FITS, correlation=0.31)) == ()


def test_a_correlation_within_three_standard_errors_is_no_doubt() -> None:
    assert doubts(SETTINGS, replace(FITS, rounds=ENOUGH, correlation=0.29)) == ()
