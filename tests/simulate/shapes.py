"""Shapes of payoff, each with mean 0 and standard deviation 1, and of stakes; and how rounds are shared out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]

AR_PHI = 0.3
AR_BLOCK = 20


@dataclass(frozen=True)
class Shape:
    """A payoff.

    Args:
        name: as in the table.
        draw: payoffs, one row a run, one column a round.
        lowest, highest: its bounds, or bounds far beyond what is drawn.
        block: rounds in a block.
        stakes: the money at stake, one row a run; None where it is the same in every round.
        canary: how the canary's payoffs are drawn where its odds are others at the same mean; None where they are not.
        sigma_canary: the standard deviation of those.
        market: what is added to both versions alike, one row a run; None for nothing.
    """

    name: str
    draw: Draw
    lowest: float
    highest: float
    block: int = 1
    stakes: Draw | None = None
    canary: Draw | None = None
    sigma_canary: float = 1.0
    market: Draw | None = None


def _ticket(chance: float, prize: float, otherwise: float) -> tuple[Draw, float, float]:
    mean = chance * prize + (1 - chance) * otherwise
    deviation = abs(prize - otherwise) * sqrt(chance * (1 - chance))

    def draw(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
        return np.where(rng.random(size) < chance, (prize - mean) / deviation, (otherwise - mean) / deviation)

    ends = sorted(((prize - mean) / deviation, (otherwise - mean) / deviation))
    return draw, ends[0] - 1e-9, ends[1] + 1e-9


def _normal(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    return rng.standard_normal(size)


def _t3(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    return np.clip(rng.standard_t(3, size) / sqrt(3), -40, 40)


def _ar(phi: float) -> Draw:
    def draw(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
        noise = rng.standard_normal(size)
        noise[:, 1:] *= sqrt(1 - phi**2)
        for column in range(1, size[1]):
            noise[:, column] += phi * noise[:, column - 1]
        return noise

    return draw


_ar1 = _ar(AR_PHI)


def _uniform(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    return rng.uniform(-sqrt(3), sqrt(3), size)


def _exponential(sign: float) -> Draw:
    return lambda rng, size: sign * (rng.exponential(1.0, size) - 1.0)


def _mostly_nothing(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    return np.where(rng.random(size) < 0.1, rng.standard_normal(size) * sqrt(10), 0.0)


def _calm_and_wild(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    wild = np.repeat(rng.random((size[0], -(-size[1] // 100))) < 0.2, 100, axis=1)[:, : size[1]]
    return np.where(wild, 2.0, 0.5) * rng.standard_normal(size)


def _spells(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    bad = np.repeat(rng.random((size[0], -(-size[1] // 50))) < 0.1, 50, axis=1)[:, : size[1]]
    return 0.9 * rng.standard_normal(size) * 0.5 + np.where(bad, -2.6, 2.6 / 9.0)


def _two_sizes(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    return np.where(rng.random(size) < 0.05, 100.0, 1.0)


def _pareto(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    return np.minimum(1.0 + rng.pareto(2.5, size), 200.0)


def _kelly(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    return np.exp(np.clip(np.cumsum(0.01 * rng.standard_normal(size), axis=1), -3.0, 3.0))


def _shocks(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    return np.cumsum(np.where(rng.random(size) < 0.001, rng.normal(0.0, 1.0, size), 0.0), axis=1)


def advised_block(phi: float) -> int:
    """As `canary plan --history` advises it."""
    return ceil(10 * (1 + phi) / (1 - phi))


def _longer(prize: float) -> Shape:
    """Even odds for stable, and for the canary the same mean at longer ones."""
    even, low, _high = _ticket(0.5, 1.0, -1.0)
    ticket, _low, high = _ticket(1.0 / prize, prize - 1.0, -1.0)
    spread = sqrt(prize - 1.0)

    def draw(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
        return spread * ticket(rng, size)

    return Shape(f"{prize:.0f}× odds", even, low, spread * high, canary=draw, sigma_canary=spread)


SHAPES = (
    Shape("normal", _normal, -7, 7),
    Shape("t3", _t3, -41, 41),
    Shape("10×", *_ticket(0.1, 9, -1)),
    Shape("100×", *_ticket(0.01, 99, -1)),
    Shape("pennies", *_ticket(0.01, -99, 1)),
    Shape("AR(1)", _ar1, -7, 7, AR_BLOCK),
)
"""The usual ones, in every design."""

MORE_SHAPES = (
    Shape("uniform", _uniform, -2, 2),
    Shape("long gains", _exponential(1.0), -2, 20),
    Shape("long losses", _exponential(-1.0), -20, 2),
    Shape("1 in 10", _mostly_nothing, -20, 20),
    Shape("calm, wild", _calm_and_wild, -15, 15),
    Shape("spells", _spells, -7, 7, 200),
    Shape("φ 0.6", _ar(0.6), -7, 7, advised_block(0.6)),
    Shape("φ 0.9", _ar(0.9), -7, 7, advised_block(0.9)),
    Shape("φ 0.98", _ar(0.98), -7, 7, advised_block(0.98)),
    Shape("1 and 100", _normal, -7, 7, stakes=_two_sizes),
    Shape("Pareto", _normal, -7, 7, stakes=_pareto),
    Shape("Kelly", _normal, -7, 7, stakes=_kelly),
    Shape("shocks", _normal, -30, 30, market=_shocks),
    _longer(5.0),
    _longer(20.0),
    _longer(50.0),
)
"""Stranger ones, in the design of the product: pseudo-outcomes at one share, and along a ramp in a drifting market."""


def fixed(share: float) -> Callable[[int], Floats]:
    """The same probability for every round."""
    return lambda rounds: np.full(rounds, share)


def ramp(rounds: int) -> Floats:
    """A third of the rounds each at 5, 20 and 50 %."""
    return np.repeat([0.05, 0.2, 0.5], [rounds // 3, rounds // 3, rounds - 2 * (rounds // 3)])


def drift(rounds: int) -> Floats:
    """A market that falls by two standard deviations and swings by half of one on the way."""
    at = np.arange(rounds) / rounds
    return np.asarray(1.0 - 2.0 * at + 0.5 * np.sin(8 * np.pi * at))
