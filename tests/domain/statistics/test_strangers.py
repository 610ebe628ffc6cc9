"""Payoffs and stakes that nobody named: an innocent version is seldom rolled back, one at the margin never promoted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from console.domain.statistics.evidence import Form, Settings
from tests.simulate.shapes import Floats, fixed
from tests.simulate.vector import NEVER, Bools, judge

RUNS, ROUNDS, SHARE, MARGIN = 100, 2500, 0.2, 0.1
Generator = np.random.Generator
Draw = Callable[[Generator, Bools], Floats]
SIZE = (RUNS, ROUNDS)


def normal(rng: Generator) -> Floats:
    return rng.standard_normal(SIZE)


def clusters(rng: Generator, canary: Bools) -> Floats:
    return np.where(rng.random(SIZE) < 0.5, 1.0, -1.0) + 0.05 * normal(rng)


def lattice(rng: Generator, canary: Bools) -> Floats:
    drawn = rng.random(SIZE)
    return np.where(drawn < 0.01, 7.07, np.where(drawn < 0.02, -7.07, 0.0))


def infinite_variance(rng: Generator, canary: Bools) -> Floats:
    return np.clip(rng.standard_cauchy(SIZE) / 4.0, -20.0, 20.0)


def long_gains(rng: Generator, canary: Bools) -> Floats:
    drawn = np.exp(1.2 * normal(rng))
    return np.minimum((drawn - np.exp(0.72)) / np.sqrt((np.exp(1.44) - 1.0) * np.exp(1.44)), 29.0)


def wilder_by_half(rng: Generator, canary: Bools) -> Floats:
    return normal(rng) * np.where(np.arange(ROUNDS) < ROUNDS // 2, 1.0, 3.2)


def seasons(rng: Generator, canary: Bools) -> Floats:
    return normal(rng) + np.sin(2.0 * np.pi * np.arange(ROUNDS) / 500.0)


def wandering(rng: Generator, canary: Bools) -> Floats:
    return normal(rng) + np.cumsum(0.03 * normal(rng), axis=1)


def to_and_fro(rng: Generator, canary: Bools) -> Floats:
    values = normal(rng)
    for at in range(1, ROUNDS):
        values[:, at] = 0.436 * values[:, at] - 0.9 * values[:, at - 1]
    return values


def certain_canary(rng: Generator, canary: Bools) -> Floats:
    return np.where(canary, 0.0, normal(rng))


def calm_canary(rng: Generator, canary: Bools) -> Floats:
    return np.where(canary, 0.1, 1.0) * normal(rng)


def one_absurd(rng: Generator, canary: Bools) -> Floats:
    values = normal(rng)
    values[np.arange(RUNS), rng.integers(0, ROUNDS, RUNS)] = -1e9
    return values


def crash_of_both(rng: Generator, canary: Bools) -> Floats:
    return np.where(rng.random(SIZE) < 0.0005, -28.0, 0.5 * normal(rng))


def reversed_order(rng: Generator, canary: Bools) -> Floats:
    order = np.concatenate([np.arange(at, at + 100)[::-1] for at in range(0, ROUNDS, 100)])
    canary[:] = canary[:, order]
    return normal(rng)


def plain(rng: Generator, canary: Bools) -> Floats:
    return normal(rng)


def wealth(rule: Callable[[Floats, Floats], Floats]) -> Callable[[Generator, Bools, Floats], Floats]:
    """Stakes that each version makes of what it had and what came."""

    def stakes(rng: Generator, canary: Bools, values: Floats) -> Floats:
        had, found, rows = np.ones((2, RUNS)), np.ones(SIZE), np.arange(RUNS)
        for at in range(ROUNDS):
            arm = np.where(canary[:, at], 0, 1)
            found[:, at] = had[arm, rows]
            had[arm, rows] = rule(had[arm, rows], values[:, at])
        return found

    return stakes


def whales(rng: Generator, canary: Bools, values: Floats) -> Floats:
    late = np.arange(ROUNDS) > 3 * ROUNDS // 4
    return np.where(late & (rng.random(SIZE) < 0.02), 200.0, 1.0)


def three_whales(rng: Generator, canary: Bools, values: Floats) -> Floats:
    found = np.ones(SIZE)
    for _ in range(3):
        found[np.arange(RUNS), rng.integers(0, ROUNDS, RUNS)] = 5000.0
    return found


def large_where_calm(rng: Generator, canary: Bools, values: Floats) -> Floats:
    return np.where(np.abs(values) < 1.0, 10.0, 1.0)


STRANGERS: dict[str, tuple[Draw, Callable[[Generator, Bools, Floats], Floats] | None]] = {
    "two clusters": (clusters, None),
    "2 % of the rounds": (lattice, None),
    "no variance": (infinite_variance, None),
    "lognormal": (long_gains, None),
    "three times as wild": (wilder_by_half, None),
    "seasons": (seasons, None),
    "a market that wanders": (wandering, None),
    "to and fro": (to_and_fro, None),
    "a certain canary": (certain_canary, None),
    "a calm canary": (calm_canary, None),
    "one absurd loss": (one_absurd, None),
    "a crash of both": (crash_of_both, None),
    "order reversed": (reversed_order, None),
    "Kelly, ruin": (plain, wealth(lambda had, came: np.maximum(had * np.maximum(1.0 + 0.5 * came, 0.05), 1e-6))),
    "Kelly, a tenth": (plain, wealth(lambda had, came: np.maximum(had * np.maximum(1.0 + 0.1 * came, 0.05), 1e-6))),
    "doubled when lost": (plain, wealth(lambda had, came: np.where(came < 0.0, np.minimum(2.0 * had, 64.0), 1.0))),
    "doubled when won": (plain, wealth(lambda had, came: np.where(came > 0.0, np.minimum(2.0 * had, 64.0), 1.0))),
    "whales late": (plain, whales),
    "three whales": (plain, three_whales),
    "large where calm": (plain, large_where_calm),
}


@pytest.mark.long
@pytest.mark.parametrize("name", STRANGERS)
def test_a_like_version_is_rolled_back_in_5_of_100_at_most_and_one_at_the_margin_promoted_in_1(name: str) -> None:
    rng = np.random.default_rng([17, sum(name.encode())])
    draw, stakes = STRANGERS[name]
    canary = rng.random(SIZE) < SHARE
    value = draw(rng, canary)
    settings = Settings(MARGIN, 1.0, -30.0, 30.0, form=Form.ADJUSTED, share=SHARE, sigma_canary=1.0)

    def found(values: Floats) -> tuple[float, float]:
        stake = None if stakes is None else stakes(rng, canary, values)
        outcome = judge(settings, canary, values, fixed(SHARE)(ROUNDS), stake=stake)
        return float((outcome.harm < NEVER).mean()), float((outcome.safe < NEVER).mean())

    assert found(value)[0] <= 0.05
    assert found(value - MARGIN * canary)[1] <= 0.01
