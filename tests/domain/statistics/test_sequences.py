"""Confidence sequences against independent oracles: scipy, brute force, and the formulas written out in one piece."""

from itertools import product
from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from console.domain.statistics.boundary import Boundary, radius, rho_squared, tuned
from console.domain.statistics.bounded import Bounded
from console.domain.statistics.moments import Blocks, Moments
from console.domain.statistics.sequences import VARIANCE_FLOOR, Adjusted, FixedAllocation, Paired

FINITE = st.floats(-1e6, 1e6)


def reach(sequence: FixedAllocation | Adjusted | Paired, rho2: float, alpha: float) -> float:
    """One-sided distance from the estimate."""
    variance, factor = sequence.spread()
    return factor * Boundary(alpha, (rho2, 1.0)).reach(variance)


@given(st.lists(FINITE, min_size=1, max_size=60))
def test_moments_are_those_of_the_whole_list(values: list[float]) -> None:
    moments = Moments()
    for value in values:
        moments.add(value)
    assert moments.count == len(values)
    assert moments.mean == pytest.approx(np.mean(values), rel=1e-9, abs=1e-6)
    assert moments.variance == pytest.approx(np.var(values), rel=1e-6, abs=1e-3)


def test_moments_keep_their_digits_far_from_zero() -> None:
    moments = Moments()
    for value in (1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16):
        moments.add(value)
    assert moments.variance == pytest.approx(22.5)


def test_a_block_is_the_mean_of_its_rounds_and_an_unfinished_one_waits() -> None:
    blocks = Blocks(3)
    assert [blocks.add(value) for value in (1.0, 2.0, 6.0, 10.0)] == [False, False, True, False]
    assert (blocks.moments.count, blocks.moments.mean) == (1, 3.0)


@pytest.mark.parametrize("alpha", [0.005, 0.01, 0.05])
@pytest.mark.parametrize("variance", [1.0, 50.0, 2000.0, 1e6])
def test_one_side_is_where_the_half_normal_mixture_martingale_reaches_one_over_alpha(
    alpha: float, variance: float
) -> None:
    rho2 = rho_squared(2 * alpha, 1000.0)
    reach = radius(variance, 1.0, rho2, alpha)
    spread = variance * rho2 + 1
    at_reach = 2 * exp(reach**2 * rho2 / (2 * spread)) * stats.norm.cdf(reach * sqrt(rho2 / spread)) / sqrt(spread)
    assert (1 - 1e-9) / alpha <= at_reach <= 1.0001 / alpha, "valid, and not wider than it has to be"


@pytest.mark.parametrize("alpha", [0.005, 0.01, 0.05])
def test_of_several_scales_the_nearest_counts_and_together_they_spend_no_more_than_alpha(alpha: float) -> None:
    scales = tuned(alpha, 500.0)
    assert sum(part for _rho2, part in scales) <= 1.0
    for variance in (1.0, 20.0, 500.0, 1e5):
        each = [Boundary(alpha * part, (rho2, 1.0)).reach(variance) for rho2, part in scales]
        assert Boundary(alpha, *scales).reach(variance) == pytest.approx(min(each))


@pytest.mark.parametrize("alpha", [0.01, 0.02, 0.1])
def test_rho_makes_the_sequence_tightest_when_the_decision_is_due(alpha: float) -> None:
    def width(rho2: float) -> float:
        spread = 700.0 * rho2 + 1
        return float(2 * spread / rho2 * log(sqrt(spread) / alpha))

    best = optimize.minimize_scalar(lambda x: width(exp(x)), bounds=(-12, 2), method="bounded")
    assert width(rho_squared(alpha, 700.0)) <= width(exp(best.x)) * 1.002


@pytest.mark.parametrize(
    ("ratio", "multiplier"), [(0.03, 5.68), (0.1, 3.86), (0.3, 3.20), (1, 3.04), (3, 3.10), (10, 3.24), (30, 3.39)]
)
def test_the_two_sided_multiplier_is_the_published_one(ratio: float, multiplier: float) -> None:
    rho2 = rho_squared(0.05, 1.0)
    one_sided_at_half = radius(ratio, ratio, rho2, 0.025) * sqrt(ratio)
    assert one_sided_at_half == pytest.approx(multiplier, rel=0.02)


def test_fixed_allocation_is_the_difference_of_means_in_units_of_its_standard_error() -> None:
    rng = np.random.default_rng(1)
    canary, stable = rng.normal(1, 2, 400), rng.normal(0, 1, 900)
    sequence = FixedAllocation(1, 1e-9)
    for value in canary:
        sequence.add(True, float(value), 0.3)
    for value in stable:
        sequence.add(False, float(value), 0.3)
    assert sequence.estimate == pytest.approx(canary.mean() - stable.mean())
    pooled = (400 * canary.var() + 900 * stable.var()) / 1400
    floor = VARIANCE_FLOOR * pooled
    assert stable.var() < floor < canary.var(), "one is below the floor, one above"
    error = sqrt(canary.var() / 400 + floor / 900)
    expected = error * radius(1300, 1300, 0.01, 0.05) * sqrt(1300)
    assert reach(sequence, 0.01, 0.05) == pytest.approx(expected)


def test_a_version_that_has_not_met_its_rare_outcome_is_not_taken_to_be_certain() -> None:
    sequence = FixedAllocation(1, 1.0)
    for at in range(1000):
        sequence.add(False, 99.0 if at % 100 == 50 else -1.0, 0.05)
        if at % 20 == 0:
            sequence.add(True, -1.0, 0.05)
    assert sequence.canary.moments.variance == 0
    assert reach(sequence, 0.01, 0.05) > sqrt(98 / 50)


def test_nor_is_it_where_the_share_may_change() -> None:
    sequence = Adjusted(1, 1.0)
    for at in range(1000):
        canary = at % 20 == 10
        sequence.add(canary, 99.0 if at % 100 == 55 else -1.0, 0.05)
    lucky = Adjusted(1, 1.0)
    for at in range(1000):
        lucky.add(at % 20 == 10, -1.0, 0.05)
    assert lucky.values.moments.squares == 0
    assert reach(lucky, 0.01, 0.05) > 0.08, "a run without any spread has the history's"
    assert reach(sequence, 0.01, 0.05) > reach(lucky, 0.01, 0.05)


@given(
    st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.05, 0.95)), min_size=2, max_size=7),
)
def test_pseudo_outcomes_are_unbiased_whatever_the_outcomes_and_however_the_share_moves(
    rounds: list[tuple[float, float, float]],
) -> None:
    expected = 0.0
    for plays in product((True, False), repeat=len(rounds)):
        sequence, chance = Adjusted(1, 1.0), 1.0
        for canary, (as_canary, as_stable, probability) in zip(plays, rounds, strict=True):
            chance *= probability if canary else 1 - probability
            sequence.add(canary, as_canary if canary else as_stable, probability)
        expected += chance * sequence.estimate
    effects = [as_canary - as_stable for as_canary, as_stable, _ in rounds[1:]]
    assert expected == pytest.approx(np.mean(effects), abs=1e-9)


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_a_round_that_could_go_only_one_way_says_nothing_about_the_difference(probability: float) -> None:
    sequence = Adjusted(1, 1.0)
    for value in (1.0, 2.0, 3.0):
        sequence.add(probability == 1.0, value, probability)
    assert sequence.estimate == 0
    assert reach(sequence, 0.01, 0.05) == float("inf")


def test_pairs_are_the_mean_of_differences_with_their_own_spread() -> None:
    rng = np.random.default_rng(2)
    canary, stable = rng.normal(0, 1, 500), rng.normal(0, 1, 500)
    sequence = Paired(1, 1.0)
    for c, s in zip(canary, stable, strict=True):
        sequence.add_pair(float(c), float(s))
    differences = canary - stable
    variance = 500 * differences.var()
    expected = radius(variance, 500, 0.01, 0.05)
    assert sequence.estimate == pytest.approx(differences.mean())
    assert reach(sequence, 0.01, 0.05) == pytest.approx(expected)


@given(st.lists(st.floats(-1, 9), min_size=1, max_size=80))
def test_the_bounded_form_is_the_published_sum(values: list[float]) -> None:
    sequence = Bounded(-1.0, 9.0, 0.05)
    x = (np.array(values) + 1) / 10
    t = np.arange(1, len(x) + 1)
    means = (0.5 + np.cumsum(x)) / (t + 1)
    variances = (0.25 + np.cumsum((x - means) ** 2)) / (t + 1)
    before, spread = np.append(0.5, means[:-1]), np.append(0.25, variances[:-1])
    bets = np.minimum(np.sqrt(2 * log(20) / (spread * t * np.log1p(t))), 0.5)
    reach = (log(20) + np.sum((x - before) ** 2 * (-np.log1p(-bets) - bets))) / bets.sum()
    centre = (bets * x).sum() / bets.sum()
    for value in values:
        sequence.add(value)
    low, high = sequence.bounds
    assert low == pytest.approx(-1 + 10 * max(0, centre - reach), abs=1e-9)
    assert high == pytest.approx(-1 + 10 * min(1, centre + reach), abs=1e-9)


def test_the_bounded_form_covers_the_mean_at_every_look() -> None:
    rng = np.random.default_rng(3)
    missed = 0
    for _ in range(200):
        sequence = Bounded(0.0, 1.0, 0.05)
        wrong = False
        for hit in rng.random(400) < 0.03:
            sequence.add(float(hit))
            wrong = wrong or sequence.bounds[0] > 0.03
        missed += wrong
    assert missed <= 10


def test_a_value_beyond_the_bounds_is_counted() -> None:
    sequence = Bounded(-1.0, 1.0, 0.05)
    for value in (0.0, 1.5, -2.0):
        sequence.add(value)
    assert sequence.outside == 2
