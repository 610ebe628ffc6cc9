"""Rounds of one version that stay open for longer are of another market: that is neither harm nor an excuse."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest
from numpy.typing import NDArray

from console.domain.errors import UsageError
from console.domain.statistics.evidence import Form, Settings, Verdict
from console.domain.statistics.judge import Judge
from tests.simulate.shapes import Floats, fixed
from tests.simulate.vector import NEVER, Bools, judge

SHARE = 0.2
SETTINGS = Settings(
    margin=0.1,
    sigma=1.0,
    lowest=-30.0,
    highest=30.0,
    due_rounds=1500,
    share=SHARE,
    sigma_canary=1.0,
    form=Form.ADJUSTED,
)


def delayed(
    runs: int, rounds: int, wait: int, of_canary: bool, trend: float, effect: float = 0.0
) -> tuple[Bools, Floats, NDArray[np.int64]]:
    """Rounds of a market that goes one way, in the order in which they are over; the last says after how many each was
    given out.
    """
    rng = np.random.default_rng(1)
    canary = rng.random((runs, rounds)) < SHARE
    value = rng.standard_normal((runs, rounds)) + np.linspace(0.0, trend, rounds) + effect * canary
    over = np.arange(rounds) + np.where(canary == of_canary, wait, 0) + 0.5
    order = np.argsort(over, axis=1, kind="stable")
    ends = np.take_along_axis(over, order, 1)
    given = np.stack([np.searchsorted(ends[run], np.arange(rounds)) for run in range(runs)])
    return (
        np.take_along_axis(canary, order, 1),
        np.take_along_axis(value, order, 1),
        np.take_along_axis(given, order, 1),
    )


@pytest.mark.parametrize(
    ("of_canary", "trend"), [(True, 1.5), pytest.param(False, -0.6, marks=pytest.mark.long)], ids=["canary", "stable"]
)
def test_a_like_version_whose_rounds_are_over_later_is_not_rolled_back_for_the_way_the_market_went(
    of_canary: bool, trend: float
) -> None:
    canary, value, given = delayed(60, 1500, 150, of_canary, trend)
    found = judge(SETTINGS, canary, value, fixed(SHARE)(1500), settled=given)
    assert (found.harm < NEVER).mean() <= 0.05
    assert (found.safe < NEVER).sum() == 0


def test_harm_of_a_version_whose_rounds_are_over_later_is_found_all_the_same() -> None:
    canary, value, given = delayed(20, 1500, 150, True, 1.5, effect=-0.7)
    found = judge(SETTINGS, canary, value, fixed(SHARE)(1500), settled=given)
    assert (found.harm < NEVER).mean() >= 0.9


def test_the_vectorised_judge_is_the_real_one_where_rounds_are_over_out_of_order() -> None:
    canary, value, given = delayed(2, 500, 60, True, 1.0, effect=-0.4)
    outcome = judge(SETTINGS, canary, value, fixed(SHARE)(500), settled=given)
    for run in range(2):
        real, harm = Judge(SETTINGS), NEVER
        expected: list[float | None] = [real.expected]
        for at in range(500):
            then = expected[given[run, at]]
            real.round(bool(canary[run, at]), value[run, at], SHARE, expected=then)
            expected.append(real.expected)
            harm = min(harm, at + 1) if real.evidence.verdict is Verdict.HARM else harm
        assert harm == outcome.harm[run]
        assert real.evidence.estimate == pytest.approx(outcome.estimate[run], abs=1e-9)
        assert real.evidence.upper == pytest.approx(outcome.upper[run], abs=1e-9)


def test_a_round_that_is_over_before_the_next_is_given_out_is_judged_as_ever() -> None:
    rng, told, untold = np.random.default_rng(4), Judge(SETTINGS), Judge(SETTINGS)
    for value, draw in zip(rng.standard_normal(300), rng.random(300), strict=True):
        told.round(bool(draw < SHARE), float(value), SHARE, expected=told.expected)
        untold.round(bool(draw < SHARE), float(value), SHARE)
    assert told.state() == untold.state()


@pytest.mark.parametrize("wrong", [nan, inf])
def test_an_expectation_that_is_no_number_is_refused_and_blinds_nothing(wrong: float) -> None:
    judged = Judge(SETTINGS)
    judged.round(True, 0.1, SHARE)
    before = judged.state()
    with pytest.raises(UsageError):
        judged.round(True, 0.1, SHARE, expected=wrong)
    assert judged.state() == before
