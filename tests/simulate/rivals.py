"""What others' tests made for many looks say on the same rounds, each written down from its formula.

All are one-sided at 5 % (two-sided ones at 10 %), take every round alike, and look after every round with 30 of each
version, but for Bonferroni's, which must fix its looks before.
"""

from __future__ import annotations

from math import log

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tests.simulate.peers import FIRST_LOOK, Bools
from tests.simulate.shapes import Floats
from tests.simulate.vector import NEVER

ALPHA = 0.05
LOOKS = 100
GROWTHBOOK_TUNED = 5000.0
"""GrowthBook's default of its tuning parameter, in units."""
GRID = 100

Found = NDArray[np.int64]


class Arms:
    """Running means and variances of both versions, runs by rounds."""

    def __init__(self, canary: Bools, value: Floats) -> None:
        c = canary.astype(float)
        self.canary, self.stable = np.cumsum(c, axis=1), np.cumsum(1.0 - c, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            of_c, of_s = np.cumsum(c * value, axis=1) / self.canary, np.cumsum((1.0 - c) * value, axis=1) / self.stable
            squares_c = np.cumsum(c * value**2, axis=1) / self.canary - of_c**2
            squares_s = np.cumsum((1.0 - c) * value**2, axis=1) / self.stable - of_s**2
            self.apart = of_c - of_s
            self.error2 = np.maximum(squares_c, 0.0) / self.canary + np.maximum(squares_s, 0.0) / self.stable
        self.ready = (self.canary >= FIRST_LOOK) & (self.stable >= FIRST_LOOK) & (self.error2 > 0.0)

    def first(self, beyond: Bools) -> Found:
        """The first round at which a run is called worse."""
        called = beyond & self.ready & (self.apart < 0.0)
        return np.where(called.any(axis=1), called.argmax(axis=1) + 1, NEVER)


def msprt(arms: Arms, due: int, share: float) -> Found:
    """The mixture sequential probability ratio test of A/B testing platforms.

    Johari, Pekelis, Walsh, *Always valid inference: continuous monitoring of A/B tests*, arXiv:1512.04922, section 5:
    with V the variance of the difference of means and N(0, tau2) over the effects, the ratio is
    sqrt(V / (V + tau2)) exp(tau2 d2 / (2 V (V + tau2))). tau2 makes it tightest when the first decision is due.
    """
    alpha = 2.0 * ALPHA
    tau2 = (-2.0 * log(alpha) + log(1.0 - 2.0 * log(alpha))) / (due * share * (1.0 - share))
    return arms.first(log_ratio(arms.error2, arms.apart, tau2) >= -log(alpha))


def log_ratio(variance: Floats, apart: Floats, tau2: float) -> Floats:
    """The logarithm of the likelihood ratio of a difference of means, mixed over normal effects."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mixed = variance + tau2
        return np.asarray(0.5 * np.log(variance / mixed) + tau2 * apart**2 / (2.0 * variance * mixed))


def growthbook(arms: Arms) -> Found:
    """GrowthBook's sequential test: the asymptotic confidence sequence with its default tuning.

    https://docs.growthbook.io/statistics/sequential, after Waudby-Smith et al., arXiv:2103.06476, Theorem 2.2, with
    rho2 = (-2 ln alpha + ln(1 - 2 ln alpha)) / N*.
    """
    alpha = 2.0 * ALPHA
    rho2 = (-2.0 * log(alpha) + log(1.0 - 2.0 * log(alpha))) / GROWTHBOOK_TUNED
    n = arms.canary + arms.stable
    width = np.sqrt(n) * np.sqrt(2.0 * (n * rho2 + 1.0) / (n**2 * rho2) * np.log(np.sqrt(n * rho2 + 1.0) / alpha))
    return arms.first(arms.apart < -np.sqrt(arms.error2) * width)


def bonferroni(arms: Arms) -> Found:
    """Welch's test at a hundredth of 5 %, looked at a hundred times."""
    z = -float(stats.norm.ppf(ALPHA / LOOKS))
    rounds = arms.apart.shape[1]
    looked = np.zeros(rounds, bool)
    looked[rounds // LOOKS - 1 :: max(1, rounds // LOOKS)] = True
    return arms.first((arms.apart < -z * np.sqrt(arms.error2)) & looked)


def betting_grid(canary: Bools, value: Floats, lowest: float, highest: float, until: int | None = None) -> Found:
    """Two betting sequences, one of each mean at half the level, on a grid of means.

    Waudby-Smith, Ramdas, *Estimating means of bounded random variables by betting*, arXiv:2010.09686, Theorem 3 with
    the predictable plug-in bets of equation 26, truncated at half of what would end them: canary is worse where one
    mean of the grid is refuted from above by its rounds and from below by stable's. Ends as soon as `until` runs were
    called worse.
    """
    runs, rounds = value.shape
    means = (np.arange(GRID) + 0.5) / GRID
    x, level = np.clip((value - lowest) / (highest - lowest), 0.0, 1.0), log(2.0 / ALPHA)
    capital = np.zeros((2, runs, GRID))
    count, mean, squares = np.zeros((2, runs)), np.full((2, runs), 0.5), np.full((2, runs), 0.25)
    found, rows = np.full(runs, NEVER), np.arange(runs)
    for at in range(rounds):
        arm = np.where(canary[:, at], 0, 1)
        now, place = x[:, at], (arm, rows)
        count[place] += 1.0
        n = count[place]
        bet = np.sqrt(2.0 * level / (squares[place] * np.log1p(n)))
        sign = np.where(canary[:, at], -1.0, 1.0)
        room = np.where(canary[:, at][:, None], 1.0 - means, means)
        size = np.minimum(bet[:, None], 0.5 / room)
        capital[place] += np.log1p(sign[:, None] * size * (now[:, None] - means))
        apart = now - mean[place]
        mean[place] += apart / (n + 1.0)
        squares[place] += (now - mean[place]) ** 2
        if at % 10 == 9:
            worse = ((capital[0] >= level) & (capital[1] >= level)).any(axis=1)
            found = np.where(worse & (found == NEVER), at + 1, found)
            if until is not None and (found < NEVER).sum() >= until:
                break
    return found


def rounds_to(found: Found) -> int | None:
    """The median, or None where more than half of the runs never got there."""
    middle = float(np.median(np.where(found == NEVER, np.inf, found)))
    return int(middle) if np.isfinite(middle) else None
