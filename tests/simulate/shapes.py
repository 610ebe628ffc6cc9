"""Six shapes of payoff, each with mean 0 and standard deviation 1, and the ways in which rounds are shared out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

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
    """

    name: str
    draw: Draw
    lowest: float
    highest: float
    block: int = 1


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


def _ar1(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    noise = rng.standard_normal(size)
    noise[:, 1:] *= sqrt(1 - AR_PHI**2)
    for column in range(1, size[1]):
        noise[:, column] += AR_PHI * noise[:, column - 1]
    return noise


SHAPES = (
    Shape("normal", _normal, -7, 7),
    Shape("t3", _t3, -41, 41),
    Shape("10×", *_ticket(0.1, 9, -1)),
    Shape("100×", *_ticket(0.01, 99, -1)),
    Shape("pennies", *_ticket(0.01, -99, 1)),
    Shape("AR(1)", _ar1, -7, 7, AR_BLOCK),
)


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
