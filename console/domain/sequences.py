"""Confidence sequences: intervals for a difference of means that stay valid however often they are looked at.

Every class takes one round at a time, in constant memory and time. Sources:

- [WS] Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, *Time-uniform central limit theory and asymptotic confidence
  sequences*, arXiv:2103.06476: Theorem 2.2 (Gaussian mixture boundary), Proposition 2.5 (Lyapunov form, for means and
  variances that move), section 3 (AIPW pseudo-outcomes), appendix B (choice of rho).
- [H] Howard, Ramdas, McAuliffe, Sekhon, *Time-uniform, nonparametric, nonasymptotic confidence sequences*,
  arXiv:1810.08240: Proposition 6 (the one-sided normal mixture; its "1 +" makes one side at 2 alpha exactly valid).
- [B] Waudby-Smith, Ramdas, *Estimating means of bounded random variables by betting*, arXiv:2010.09686: Theorem 2
  (predictable plug-in empirical Bernstein).
"""

from __future__ import annotations

from math import inf, log, log1p, sqrt
from typing import Any, Final

MAX_BET: Final = 0.5
"""The largest lambda of [B]: their truncation constant c."""

HISTORY_WEIGHT: Final = 100.0
"""How many rounds the spread known from history counts for, beside the spread seen in the run."""

LEVEL_MEMORY: Final = 256
"""Rounds over which the expected outcome follows a market that moves."""

OFFSET_PRIOR: Final = 10.0
"""Canary rounds that "no difference" counts for in what is expected of a canary round."""


def rho_squared(alpha: float, intrinsic_time: float) -> float:
    """The tuning constant that makes a two-sided sequence tightest at one moment ([WS], appendix B).

    Args:
        alpha: two-sided level; for one side at level a it is 2 a.
        intrinsic_time: the cumulative variance due at that moment (a number of rounds where rounds are the unit).
    """
    twice = -2.0 * log(alpha)
    return (twice + log1p(twice)) / intrinsic_time


def radius(cumulative_variance: float, count: float, rho2: float, alpha: float) -> float:
    """How far one side of the sequence lies from the estimate ([WS] Proposition 2.5 with [H] Proposition 6).

    Args:
        cumulative_variance: count times the variance of what is averaged.
        count: how many values were averaged.
        rho2: from `rho_squared`, fixed at the start.
        alpha: one-sided level.
    """
    spread = cumulative_variance * rho2 + 1.0
    return sqrt(2.0 * spread / rho2 * log1p(sqrt(spread) / (2.0 * alpha))) / count


class Moments:
    """Count, mean and sum of squared deviations, updated one value at a time (Welford 1962)."""

    __slots__ = ("count", "mean", "squares")

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self.squares = 0.0

    def add(self, value: float) -> None:
        """Take in one value."""
        self.count += 1
        delta = value - self.mean
        self.mean += delta / self.count
        self.squares += delta * (value - self.mean)

    @property
    def variance(self) -> float:
        """Mean squared deviation; 0 while there is no value."""
        return self.squares / self.count if self.count else 0.0

    def state(self) -> list[float]:
        """What `restore` goes on from, as plain JSON values."""
        return [self.count, self.mean, self.squares]

    def restore(self, state: Any) -> None:
        """Go on from a state."""
        count, mean, squares = state
        self.count, self.mean, self.squares = int(count), float(mean), float(squares)


class Blocks:
    """Means over blocks of consecutive values, which autocorrelation within a block can't fool.

    Args:
        size: values in a block, at least 1; an unfinished block is not in the moments yet.
    """

    __slots__ = ("_filled", "_sum", "moments", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.moments = Moments()
        self._filled = 0
        self._sum = 0.0

    def add(self, value: float) -> bool:
        """Take in one value; true when it finished a block."""
        self._sum += value
        self._filled += 1
        if self._filled < self.size:
            return False
        self.moments.add(self._sum / self.size)
        self._filled = 0
        self._sum = 0.0
        return True

    def state(self) -> list[Any]:
        """What `restore` goes on from, as plain JSON values."""
        return [self.moments.state(), self._filled, self._sum]

    def restore(self, state: Any) -> None:
        """Go on from a state."""
        moments, filled, total = state
        self.moments.restore(moments)
        self._filled, self._sum = int(filled), float(total)


class FixedAllocation:
    """Form A: two means under one unchanging share ([WS] Theorem 2.2 in units of the standard error).

    The variance of either version is never taken to be smaller than that of both pooled with the history: a version
    that has not met its rare outcome yet has a sample variance that knows nothing of it.

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

    def radius(self, rho2: float, alpha: float) -> float:
        """One-sided distance from the estimate; infinite while either version has no finished block."""
        canary, stable = self.canary.moments, self.stable.moments
        if not canary.count or not stable.count:
            return inf
        count = canary.count + stable.count
        pooled = (canary.squares + stable.squares + HISTORY_WEIGHT * self._prior) / (count + HISTORY_WEIGHT)
        squared_error = max(canary.variance, pooled) / canary.count + max(stable.variance, pooled) / stable.count
        return sqrt(squared_error * count) * radius(count, count, rho2, alpha)

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

    def radius(self, rho2: float, alpha: float) -> float:
        """One-sided distance from the estimate; infinite while there is no finished block."""
        moments = self.values.moments
        if not moments.count:
            return inf
        pooled = (self._squares + self._prior) / (self._rounds + HISTORY_WEIGHT)
        return radius(max(moments.squares, pooled * self._weight), moments.count, rho2, alpha)

    def state(self) -> list[Any]:
        """What `restore` goes on from, as plain JSON values."""
        return [
            self.values.state(), self._level, self._offset, self._offsets, self._rounds, self._squares, self._weight,
            self._filling,
        ]  # fmt: skip

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

    def radius(self, rho2: float, alpha: float) -> float:
        """One-sided distance from the estimate; infinite while there is no finished block."""
        moments = self.values.moments
        return radius(moments.squares, moments.count, rho2, alpha) if moments.count else inf

    def state(self) -> list[Any]:
        """What `restore` goes on from, as plain JSON values."""
        return self.values.state()

    def restore(self, state: Any) -> None:
        """Go on from a state of a sequence with the same settings."""
        self.values.restore(state)


class Bounded:
    """Form D: the mean of payoffs between known bounds, by empirical Bernstein ([B] Theorem 2); not asymptotic.

    Args:
        lowest, highest: bounds of a value; one beyond them is counted in `outside` and moved to the bound.
        alpha: one-sided level, fixed at the start since the bets depend on it.
    """

    __slots__ = ("_bets", "_bets_x", "_charge", "_count", "_level", "_lowest", "_mean", "_span", "_squares", "outside")

    def __init__(self, lowest: float, highest: float, alpha: float) -> None:
        self._lowest = lowest
        self._span = highest - lowest
        self._level = -log(alpha)
        self._count = 0
        self._mean = 0.5
        self._squares = 0.25
        self._bets = 0.0
        self._bets_x = 0.0
        self._charge = 0.0
        self.outside = 0

    def add(self, value: float) -> None:
        """Take in one value."""
        x = (value - self._lowest) / self._span
        if not 0.0 <= x <= 1.0:
            self.outside += 1
            x = 0.0 if x < 0.0 else 1.0
        self._count = count = self._count + 1
        variance = self._squares / count
        bet = min(sqrt(2.0 * self._level / (variance * count * log1p(count))), MAX_BET)
        deviation = x - self._mean
        self._bets += bet
        self._bets_x += bet * x
        self._charge += deviation * deviation * (-log1p(-bet) - bet)
        self._mean += deviation / (count + 1)
        self._squares += (x - self._mean) ** 2

    @property
    def count(self) -> int:
        """Values taken in."""
        return self._count

    @property
    def bounds(self) -> tuple[float, float]:
        """The lower and the upper bound of the mean, each at the one-sided level; the given bounds before any value."""
        if not self._count:
            return self._lowest, self._lowest + self._span
        centre = self._bets_x / self._bets
        reach = (self._level + self._charge) / self._bets
        low, high = max(0.0, centre - reach), min(1.0, centre + reach)
        return self._lowest + low * self._span, self._lowest + high * self._span

    def state(self) -> list[Any]:
        """What `restore` goes on from, as plain JSON values."""
        return [
            self._count, self._mean, self._squares, self._bets, self._bets_x, self._charge, self.outside,
        ]  # fmt: skip

    def restore(self, state: Any) -> None:
        """Go on from a state of a sequence with the same settings."""
        count, mean, squares, bets, bets_x, charge, outside = state
        self._count, self.outside = int(count), int(outside)
        self._mean, self._squares = float(mean), float(squares)
        self._bets, self._bets_x, self._charge = float(bets), float(bets_x), float(charge)
