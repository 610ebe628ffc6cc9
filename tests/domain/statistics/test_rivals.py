"""What the simulation sets beside the judge is what its formulas say, round by round in plain Python."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log, log1p, sqrt
from statistics import NormalDist, fmean, pvariance

import numpy as np
import pytest

from console.domain.statistics.evidence import Form, Settings
from tests.simulate import rivals, wagers
from tests.simulate.beside import called
from tests.simulate.shapes import MORE_SHAPES, SHAPES, Floats, Shape, fixed
from tests.simulate.vector import NEVER, Bools, judge

RUNS, ROUNDS, DUE, LOW, HIGH = 5, 300, 150, -6.0, 6.0


def drawn(seed: int, share: float) -> tuple[Bools, Floats]:
    """Runs that are from alike to much worse."""
    rng = np.random.default_rng(seed)
    canary = rng.random((RUNS, ROUNDS)) < share
    return canary, rng.standard_normal((RUNS, ROUNDS)) - canary * np.linspace(0.0, 1.6, RUNS)[:, None]


def moments(canary: list[bool], value: list[float]) -> tuple[int, float, float] | None:
    """Rounds, the difference of the means, and its squared error; None before there are 30 rounds of each."""
    of_c = [x for x, c in zip(value, canary, strict=True) if c]
    of_s = [x for x, c in zip(value, canary, strict=True) if not c]
    if min(len(of_c), len(of_s)) < 30:
        return None
    error2 = pvariance(of_c) / len(of_c) + pvariance(of_s) / len(of_s)
    return len(value), fmean(of_c) - fmean(of_s), error2


def plain(canary: list[bool], value: list[float], share: float) -> dict[str, int]:
    """When each of the rivals that go by moments calls a run worse."""
    first = {"msprt": NEVER, "growthbook": NEVER, "bonferroni": NEVER}
    alpha = 0.1
    rho = -2 * log(alpha) + log(1 - 2 * log(alpha))
    for n in range(1, len(value) + 1):
        if (seen := moments(canary[:n], value[:n])) is None:
            continue
        _, apart, v = seen
        tau2 = rho / (DUE * share * (1 - share))
        ratio = sqrt(v / (v + tau2)) * exp(tau2 * apart**2 / (2 * v * (v + tau2)))
        rho2 = rho / 5000
        reach = sqrt(v) * sqrt(2 * (n * rho2 + 1) / (n * rho2) * log(sqrt(n * rho2 + 1) / alpha))
        looked = n % (ROUNDS // 100) == 0
        for name, beyond in (
            ("msprt", ratio >= 1 / alpha),
            ("growthbook", apart < -reach),
            ("bonferroni", looked and apart < NormalDist().inv_cdf(0.0005) * sqrt(v)),
        ):
            if beyond and apart < 0.0:
                first[name] = min(first[name], n)
    return first


def grid(canary: list[bool], value: list[float]) -> int:
    """The same for the betting grid."""
    level, means = log(40), [(place + 0.5) / 100 for place in range(100)]
    capital = {True: [0.0] * 100, False: [0.0] * 100}
    count, mean, squares = {True: 0, False: 0}, {True: 0.5, False: 0.5}, {True: 0.25, False: 0.25}
    for at, (c, one) in enumerate(zip(canary, value, strict=True), start=1):
        x = min(1.0, max(0.0, (one - LOW) / (HIGH - LOW)))
        count[c] += 1
        bet = sqrt(2 * level / (squares[c] * log1p(count[c])))
        for place, m in enumerate(means):
            size = min(bet, 0.5 / (1 - m if c else m))
            capital[c][place] += log(1 + size * (m - x if c else x - m))
        mean[c] += (x - mean[c]) / (count[c] + 1)
        squares[c] += (x - mean[c]) ** 2
        if at % 10 == 0 and any(min(pair) >= level for pair in zip(capital[True], capital[False], strict=True)):
            return at
    return NEVER


@pytest.mark.parametrize("share", [0.5, pytest.param(0.2, marks=pytest.mark.long)])
def test_each_rival_of_many_runs_at_once_calls_the_rounds_that_its_formula_does(share: float) -> None:
    canary, value = drawn(31, share)
    settings = Settings(margin=0.1, sigma=1.0, lowest=LOW, highest=HIGH, due_rounds=DUE, share=share, sigma_canary=1.0)
    found = called(settings, canary, value, None, share)
    for run in range(RUNS):
        flags, returns = canary[run].tolist(), value[run].tolist()
        told = plain(flags, returns, share) | {"grid": grid(flags, returns)}
        assert {name: int(found[name][run]) for name in told} == told
    assert all(0 < (found[name] < NEVER).sum() < RUNS for name in ("msprt", "growthbook", "bonferroni"))


@pytest.mark.parametrize(
    "shape",
    [SHAPES[2], *(pytest.param(shape, marks=pytest.mark.long) for shape in (SHAPES[0], SHAPES[5], MORE_SHAPES[13]))],
    ids=lambda shape: shape.name,
)
def test_form_d_of_many_runs_at_once_calls_the_rounds_that_the_real_bets_do(shape: Shape) -> None:
    rng = np.random.default_rng(32)
    runs, rounds = 3, 240
    canary = rng.random((runs, rounds)) < 0.4
    value = shape.draw(rng, (runs, rounds)) - canary * np.array([[0.0], [1.0], [2.0]])
    settings = Settings(
        margin=0.1,
        sigma=1.0,
        lowest=shape.lowest - 3,
        highest=shape.highest + 1,
        form=Form.BOUNDED,
        block=min(shape.block, 4),
        due_rounds=100,
        sigma_canary=shape.sigma_canary,
    )
    told = [judge(settings, canary[run : run + 1], value[run : run + 1], fixed(0.4)(rounds)) for run in range(runs)]
    fast = wagers.worse(settings, canary, value)
    assert fast.tolist() == [int(one.worse[0]) for one in told]
    assert min(fast) < NEVER


def test_a_simulation_that_ends_once_half_are_called_worse_has_the_same_median() -> None:
    canary, value = drawn(33, 0.5)
    settings = Settings(margin=0.1, sigma=1.0, lowest=LOW, highest=HIGH, due_rounds=DUE, share=0.5, sigma_canary=1.0)
    whole = called(settings, canary, value, None, 0.5)
    short = called(settings, canary, value, None, 0.5, until=RUNS // 2 + 1)
    assert {name: rivals.rounds_to(one) for name, one in whole.items()} == {
        name: rivals.rounds_to(one) for name, one in short.items()
    }
    assert rivals.rounds_to(whole["judge"]) is not None
    assert "betting" not in called(replace(settings), canary, value, np.ones_like(value), 0.5)
