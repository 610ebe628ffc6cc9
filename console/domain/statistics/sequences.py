"""Confidence sequences: intervals for a difference of means that stay valid however often they are looked at.

Every class takes one round at a time, in constant memory and time. Sources:

- [WS] Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, *Time-uniform central limit theory and asymptotic confidence
  sequences*, arXiv:2103.06476 (version 9): Theorem 2.2 (Gaussian mixture, equation 8), Proposition 2.5 (its Lyapunov
  form, for means and variances that move), section 3 (AIPW pseudo-outcomes; Theorem 3.3, equation 29, for effects
  that move).
- [H] Howard, Ramdas, McAuliffe, Sekhon, *Time-uniform, nonparametric, nonasymptotic confidence sequences*,
  arXiv:1810.08240: the two-sided and the one-sided normal mixture boundary, and the rho at which either is tightest at
  a given intrinsic time.
"""

from __future__ import annotations

from math import inf, log, log1p, sqrt
from typing import Any, Final

from console.domain.statistics.moments import Blocks

HISTORY_WEIGHT: Final = 100.0
"""How many rounds the spread known from history counts for, beside the spread seen in the run."""

VARIANCE_FLOOR: Final = 0.8
"""No version's variance is taken to be below this share of that of both pooled with the history.

The sample variance of a version that has not met its rare outcome yet knows nothing of it: a floor stands in for it. At
1 it would also cut off half of the harmless scatter of every sample variance.
"""

LEVEL_MEMORY: Final = 256
"""Rounds over which the expected outcome follows a market that moves."""

OFFSET_PRIOR: Final = 10.0
"""Canary rounds that "no difference" counts for in what is expected of a canary round."""


def rho_squared(alpha: float, intrinsic_time: float) -> float:
    """The tuning constant that makes a two-sided normal mixture tightest at one moment ([H]; within 0.2 % in width).

    Args:
        alpha: two-sided level; for one side at level a it is 2 a.
        intrinsic_time: the cumulative variance due at that moment (a number of rounds where rounds are the unit).
    """
    twice = -2.0 * log(alpha)
    return (twice + log1p(twice)) / intrinsic_time


class Boundary:
    """How far a sum may stray to one side, whenever one looks ([WS] Proposition 2.5, one-sided as in [H]).

    The "1 +" in the logarithm is the closed form that lies above the exact one-sided mixture: at two-sided level
    2 alpha one side is valid at alpha.

    Args:
        rho2: from `rho_squared`, fixed at the start.
        alpha: one-sided level.
    """

    __slots__ = ("_half", "_rho2", "_twice")

    def __init__(self, rho2: float, alpha: float) -> None:
        self._rho2 = rho2
        self._twice = 2.0 / rho2
        self._half = 0.5 / alpha

    def reach(self, cumulative_variance: float) -> float:
        """The distance of the boundary at a cumulative variance."""
        spread = cumulative_variance * self._rho2 + 1.0
        return sqrt(self._twice * spread * log1p(sqrt(spread) * self._half))


def radius(cumulative_variance: float, count: float, rho2: float, alpha: float) -> float:
    """How far one side of the sequence lies from the estimate, a mean.

    Args:
        cumulative_variance: count times the variance of what is averaged.
        count: how many values were averaged.
        rho2, alpha: see `Boundary`.
    """
    return Boundary(rho2, alpha).reach(cumulative_variance) / count


class FixedAllocation:
    """Form A: two means under one unchanging share ([WS] Theorem 2.2 in units of the standard error).

    The variance of either version has a floor (`VARIANCE_FLOOR`).

    Args:
        block: rounds of one version in a block.
        sigma: standard deviation of a round's return, from the stable version's history.
    """

    __slots__ = ("_prior", "canary", "stable")

    def __init__(self, block: int, sigma: float) -> None:
        self.canary = Blocks(block)
        self.stable = Blocks(block)
        self._prior = sigma * sigma / block

    def add(self, canary: bool, value: float, probability: float) -> None:
        """One round of one version; the probability plays no part in this form."""
        (self.canary if canary else self.stable).add(value)

    @property
    def blocks(self) -> int:
        """Finished blocks of the version that has fewer."""
        return min(self.canary.moments.count, self.stable.moments.count)

    @property
    def estimate(self) -> float:
        """Canary's mean less stable's."""
        return self.canary.moments.mean - self.stable.moments.mean

    def intrinsic_time(self, rounds: float, share: float) -> float:
        """What `rho_squared` needs for a decision due after that many rounds."""
        return rounds / self.canary.size

    def spread(self) -> tuple[float, float]:
        """The cumulative variance, and the factor from a boundary's reach to a distance from the estimate.

        The factor is infinite while either version has no finished block.
        """
        canary, stable = self.canary.moments, self.stable.moments
        if not canary.count or not stable.count:
            return 0.0, inf
        count = canary.count + stable.count
        pooled = (canary.squares + stable.squares + HISTORY_WEIGHT * self._prior) / (count + HISTORY_WEIGHT)
        floor = VARIANCE_FLOOR * pooled
        squared_error = max(canary.variance, floor) / canary.count + max(stable.variance, floor) / stable.count
        return float(count), sqrt(squared_error / count)

    def state(self) -> list[Any]:
        """What `restore` goes on from, as plain JSON values."""
        return [self.canary.state(), self.stable.state()]

    def restore(self, state: Any) -> None:
        """Go on from a state of a sequence with the same settings."""
        canary, stable = state
        self.canary.restore(canary)
        self.stable.restore(stable)


class Adjusted:
    """Form B: AIPW pseudo-outcomes ([WS] section 3, Proposition 2.5); right under ramps, drift and unequal stakes.

    What is expected of a round is a level that follows the market plus the canary's offset, both known before the
    round; any such expectation leaves the estimate unbiased as long as the probability was the true one. A round that
    could go only one way (probability 0 or 1) says nothing about the difference and counts only towards expectations.

    Args:
        block: rounds in a block.
        sigma: standard deviation of a round's return, from the stable version's history.
    """

    __slots__ = ("_filling", "_level", "_offset", "_offsets", "_prior", "_rounds", "_squares", "_weight", "values")

    def __init__(self, block: int, sigma: float) -> None:
        self.values = Blocks(block)
        self._prior = HISTORY_WEIGHT * sigma * sigma
        self._level = 0.0
        self._offset = 0.0
        self._offsets = 0.0
        self._rounds = 0
        self._squares = 0.0
        self._weight = 0.0
        self._filling = 0.0

    def add(self, canary: bool, value: float, probability: float) -> None:
        """One round of one version.

        Args:
            canary: which version played it.
            value: its return.
            probability: with which the round was to go to the canary, as announced before it.
        """
        rounds = self._rounds
        if not rounds:
            self._level = value
        offset = self._offset
        residual = value - self._level - (offset if canary else 0.0)
        if rounds and 0.0 < probability < 1.0:
            other = 1.0 - probability
            self._filling += 1.0 / probability + 1.0 / other
            if self.values.add(offset + (residual / probability if canary else -residual / other)):
                self._weight += self._filling / (self.values.size * self.values.size)
                self._filling = 0.0
        self._rounds = rounds + 1
        self._squares += residual * residual
        if canary:
            self._offsets += 1.0
            self._offset = offset + residual / (self._offsets + OFFSET_PRIOR)
        self._level += residual / min(rounds + 1, LEVEL_MEMORY)

    @property
    def blocks(self) -> int:
        """Finished blocks, or the rounds of the version that played fewer, if those are less."""
        canary = int(self._offsets)
        return min(self.values.moments.count, canary, self._rounds - canary)

    @property
    def estimate(self) -> float:
        """Canary less stable, averaged over the rounds seen."""
        return self.values.moments.mean

    def intrinsic_time(self, rounds: float, share: float) -> float:
        """What `rho_squared` needs for a decision due after that many rounds at that share."""
        variance = self._prior / HISTORY_WEIGHT * (1.0 / share + 1.0 / (1.0 - share)) / self.values.size
        return rounds / self.values.size * variance

    def spread(self) -> tuple[float, float]:
        """As in `FixedAllocation.spread`; the factor is infinite while there is no finished block."""
        moments = self.values.moments
        count = moments.count
        if not count:
            return 0.0, inf
        pooled = (self._squares + self._prior) / (self._rounds + HISTORY_WEIGHT)
        return max(moments.squares, VARIANCE_FLOOR * pooled * self._weight), 1.0 / count

    def state(self) -> list[Any]:
        """What `restore` goes on from, as plain JSON values."""
        offsets = (self._level, self._offset, self._offsets)
        return [self.values.state(), *offsets, self._rounds, self._squares, self._weight, self._filling]

    def restore(self, state: Any) -> None:
        """Go on from a state of a sequence with the same settings."""
        values, level, offset, offsets, rounds, squares, weight, filling = state
        self.values.restore(values)
        self._level, self._offset, self._offsets = float(level), float(offset), float(offsets)
        self._rounds, self._squares = int(rounds), float(squares)
        self._weight, self._filling = float(weight), float(filling)


class Paired:
    """Form C: both versions play each round; the differences of their returns in [WS] Proposition 2.5.

    Args:
        block: rounds in a block.
        sigma: standard deviation of a difference over the root of two, from history; tunes, and is never trusted.
    """

    __slots__ = ("_sigma", "values")

    def __init__(self, block: int, sigma: float) -> None:
        self.values = Blocks(block)
        self._sigma = sigma

    def add_pair(self, canary: float, stable: float) -> None:
        """One round that both played: their returns."""
        self.values.add(canary - stable)

    @property
    def blocks(self) -> int:
        """Finished blocks."""
        return self.values.moments.count

    @property
    def estimate(self) -> float:
        """Canary less stable."""
        return self.values.moments.mean

    def intrinsic_time(self, rounds: float, share: float) -> float:
        """What `rho_squared` needs for a decision due after that many rounds."""
        return rounds / self.values.size * 2.0 * self._sigma * self._sigma / self.values.size

    def spread(self) -> tuple[float, float]:
        """As in `FixedAllocation.spread`; the factor is infinite while there is no finished block."""
        moments = self.values.moments
        return (moments.squares, 1.0 / moments.count) if moments.count else (0.0, inf)

    def state(self) -> list[Any]:
        """What `restore` goes on from, as plain JSON values."""
        return self.values.state()

    def restore(self, state: Any) -> None:
        """Go on from a state of a sequence with the same settings."""
        self.values.restore(state)
