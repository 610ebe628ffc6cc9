"""Sums of priced pairs: what was added can be taken apart, and what they show holds however often one looks."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.shadow.pairs import ENOUGH, PairSums

VALUES = st.lists(st.floats(-1e6, 1e6), max_size=40)


def sums(values: list[float]) -> PairSums:
    total = PairSums()
    for value in values:
        total = total.add(value)
    return total


@given(VALUES, VALUES)
def test_what_came_after_is_what_is_left_when_what_was_before_is_taken_off(
    before: list[float], after: list[float]
) -> None:
    left, alone = sums([*before, *after]).since(sums(before)), sums(after)
    assert left.rounds == alone.rounds
    scale = max([1.0, *(abs(value) for value in (*before, *after))])
    assert left.mean == pytest.approx(alone.mean, abs=1e-6 * scale)
    assert left.squares == pytest.approx(alone.squares, abs=1e-6 * scale * scale * 80)


def test_of_a_shadow_that_began_anew_everything_counts() -> None:
    assert sums([1.0, 2.0]).since(sums([5.0] * 9)) == sums([1.0, 2.0])


@pytest.mark.parametrize("values", [[], [1.0] * (ENOUGH - 1), [2.0] * 500])
def test_too_few_pairs_or_pairs_that_are_all_the_same_bound_nothing(values: list[float]) -> None:
    assert sums(values).bounds(0.05, 500.0) == (-float("inf"), float("inf"))


def test_alike_versions_are_rarely_told_apart_however_often_one_looks() -> None:
    fired = 0
    for seed in range(100):
        chance, total = random.Random(seed), PairSums()
        for _ in range(1500):
            total = total.add(chance.gauss(0.0, 1.0))
            if total.bounds(0.05, 500.0)[1] < 0.0:
                fired += 1
                break
    assert fired <= 5


@pytest.mark.parametrize("sums", [PairSums(-1), PairSums(1, float("nan")), PairSums(1, 0.0, -1.0)])
def test_figures_that_are_none_are_not_readable(sums: PairSums) -> None:
    assert not sums.readable
