"""How far a sum may stray from its mean, however often one looks: boundaries of confidence sequences.

Sources:

- [WS] Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, *Time-uniform central limit theory and asymptotic confidence
  sequences*, arXiv:2103.06476 (version 9), Proposition 2.5.
- [H] Howard, Ramdas, McAuliffe, Sekhon, *Time-uniform, nonparametric, nonasymptotic confidence sequences*,
  arXiv:1810.08240: the two-sided and the one-sided normal mixture boundary, and the rho at which either is tightest at
  a given intrinsic time.
"""

from __future__ import annotations

from math import erf, inf, log, log1p, sqrt
from typing import Final

_HALF_ROOT: Final = sqrt(0.5)


def rho_squared(alpha: float, intrinsic_time: float) -> float:
    """The tuning constant that makes a two-sided normal mixture tightest at one moment ([H]; within 0.2 % in width).

    Args:
        alpha: two-sided level; for one side at level a it is 2 a.
        intrinsic_time: the cumulative variance due at that moment (a number of rounds where rounds are the unit).
    """
    twice = -2.0 * log(alpha)
    return (twice + log1p(twice)) / intrinsic_time


SCALES: Final = ((1.0, 0.9), (0.05, 0.1))
"""When a boundary is tightest, as a share of the time at which the first decision is due, and with how much of alpha.

The second finds a large harm in half the rounds (1 standard deviation in 54 instead of 93, at even shares), and costs
the first 3 % of its rounds.
"""


class Boundary:
    """How far a sum may stray to one side, whenever one looks ([WS] Proposition 2.5; [H], one-sided normal mixture).

    The mixture over the positive half of a normal distribution crosses 1/alpha where
    `x = sqrt(2 ln(sqrt(V rho2 + 1) / (2 alpha Phi(x))))` standard deviations of the mixed sum lie between. Of several
    scales the nearest counts, each at its own part of alpha.

    Args:
        alpha: one-sided level.
        scales: pairs of a rho2 (from `rho_squared`, fixed at the start) and the part of alpha it is given; these add up
            to at most 1.
    """

    __slots__ = ("_scales",)

    def __init__(self, alpha: float, *scales: tuple[float, float]) -> None:
        self._scales = tuple((rho2, 0.5 / (alpha * part)) for rho2, part in scales)

    def reach(self, cumulative_variance: float) -> float:
        """The distance of the boundary at a cumulative variance."""
        nearest = inf
        for rho2, half in self._scales:
            spread = cumulative_variance * rho2 + 1.0
            twice = 2.0 * log(sqrt(spread) * half)
            x = sqrt(twice)
            for _ in range(3):  # from below and above in turn; after an odd number it lies beyond what it comes to
                x = sqrt(twice - 2.0 * log(0.5 + 0.5 * erf(x * _HALF_ROOT)))
            nearest = min(nearest, x * sqrt(spread / rho2))
        return nearest


def tuned(alpha: float, due: float) -> tuple[tuple[float, float], ...]:
    """The scales of a boundary at a one-sided level for a decision due at an intrinsic time (see `SCALES`)."""
    return tuple((rho_squared(2.0 * alpha * part, due * at), part) for at, part in SCALES)


def radius(cumulative_variance: float, count: float, rho2: float, alpha: float) -> float:
    """How far one side of the sequence lies from the estimate, a mean.

    Args:
        cumulative_variance: count times the variance of what is averaged.
        count: how many values were averaged.
        rho2, alpha: see `Boundary`.
    """
    return Boundary(alpha, (rho2, 1.0)).reach(cumulative_variance) / count
