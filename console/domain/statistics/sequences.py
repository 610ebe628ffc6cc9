"""Confidence sequences: intervals for a difference of means that stay valid however often they are looked at.

Every class takes one round at a time, in constant memory and time; how far its estimate may be off is said by
`console.domain.statistics.boundary`. Source:

- [WS] Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, *Time-uniform central limit theory and asymptotic confidence
  sequences*, arXiv:2103.06476 (version 9): Theorem 2.2 (Gaussian mixture, equation 8), Proposition 2.5 (its Lyapunov
  form, for means and variances that move), section 3 (AIPW pseudo-outcomes; Theorem 3.3, equation 29, for effects
  that move).
"""

from __future__ import annotations

from math import inf, sqrt
from typing import Any, Final

from console.domain.statistics.moments import Blocks
from console.domain.statistics.pricing import Slope

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


class FixedAllocation:
    """Form A: two means under one unchanging share ([WS] Theorem 2.2 in units of the standard error).

    The variance of either version has a floor (`VARIANCE_FLOOR`), the canary's also by its own spread where that is
    known: who pays out more rarely and more at a time has not shown it yet.

    Args:
        block: rounds of one version in a block.
        sigma: standard deviation of a round's return, from the stable version's history.
        sigma_canary: of the canary's; None where nothing is known of it.
    """

    __slots__ = ("_own", "_prior", "_rounds", "_squared_weights", "canary", "stable")

    def __init__(self, block: int, sigma: float, sigma_canary: float | None = None) -> None:
        self.canary = Blocks(block)
        self.stable = Blocks(block)
        self._prior = sigma * sigma / block
        self._own = None if sigma_canary is None else sigma_canary * sigma_canary / block
        self._rounds = 0
        self._squared_weights = 0.0

    def add(self, canary: bool, value: float, probability: float, weight: float = 1.0) -> None:
        """One round of one version; the probability plays no part in this form.

        Args:
            canary, value: which version played it, and its return.
            weight: of the round, by the money at stake in it; known before it was drawn.
        """
        self._rounds += 1
        self._squared_weights += weight * weight
        (self.canary if canary else self.stable).add(value * weight)

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
        prior = self._prior * self._squared_weights / self._rounds
        pooled = (canary.squares + stable.squares + HISTORY_WEIGHT * prior) / (count + HISTORY_WEIGHT)
        own = pooled if self._own is None else max(pooled, self._own * self._squared_weights / self._rounds)
        of_canary = max(canary.variance, VARIANCE_FLOOR * own) / canary.count
        of_stable = max(stable.variance, VARIANCE_FLOOR * pooled) / stable.count
        return float(count), sqrt((of_canary + of_stable) / count)

    def state(self) -> list[Any]:
        """What `restore` goes on from, as plain JSON values."""
        return [self.canary.state(), self.stable.state(), self._rounds, self._squared_weights]

    def restore(self, state: Any) -> None:
        """Go on from a state of a sequence with the same settings."""
        canary, stable, rounds, squared = state
        self.canary.restore(canary)
        self.stable.restore(stable)
        self._rounds, self._squared_weights = int(rounds), float(squared)


class Adjusted:
    """Form B: AIPW pseudo-outcomes ([WS] section 3, Proposition 2.5); right under ramps, drift and unequal stakes.

    What is expected of a round is a level that follows the market plus the canary's offset, both known before the
    round, and what the prices of both versions' own decisions on it say (`pricing`); any expectation that does not
    depend on who plays leaves the estimate unbiased as long as the probability was the true one. A round that could go
    only one way (probability 0 or 1) says nothing about the difference and counts only towards expectations.

    Args:
        block: rounds in a block.
        sigma: standard deviation of a round's return, from the stable version's history.
        sigma_canary: of the canary's; None where nothing is known of it.
    """

    __slots__ = (
        "_filling",
        "_level",
        "_offset",
        "_offsets",
        "_own",
        "_prior",
        "_rounds",
        "_squares",
        "_weight",
        "slope",
        "values",
    )

    def __init__(self, block: int, sigma: float, sigma_canary: float | None = None) -> None:
        self.values = Blocks(block)
        self.slope = Slope()
        self._prior = HISTORY_WEIGHT * sigma * sigma
        self._own = None if sigma_canary is None else sigma_canary * sigma_canary
        self._level = 0.0
        self._offset = 0.0
        self._offsets = 0.0
        self._rounds = 0
        self._squares = 0.0
        self._weight = [0.0, 0.0]
        self._filling = [0.0, 0.0]

    def add(
        self,
        canary: bool,
        value: float,
        probability: float,
        weight: float = 1.0,
        priced: tuple[float, float] | None = None,
        moved: float = 0.0,
    ) -> None:
        """One round of one version.

        Args:
            canary: which version played it.
            value: its return.
            probability: with which the round was to go to the canary, as announced before it.
            weight: of the round, by the money at stake in it; known before it was drawn.
            priced: what canary's and stable's own decisions on it would return by one reckoning, whoever plays; None
                where that is not known.
            moved: how far the level went since the round was given out.
        """
        rounds = self._rounds
        if not rounds:
            self._level = value
        offset = self._offset
        whole = value + moved - self._level - (offset if canary else 0.0)
        residual, difference = whole, offset
        if priced is not None:
            of_canary, of_stable = self.slope.of(priced)
            residual -= of_canary if canary else of_stable
            difference += of_canary - of_stable
            self.slope.learn(priced[0 if canary else 1], whole, residual)
        if rounds and 0.0 < probability < 1.0:
            other = 1.0 - probability
            squared = weight * weight
            filling = self._filling
            filling[0] += squared / probability
            filling[1] += squared / other
            psi = difference + (residual / probability if canary else -residual / other)
            if self.values.add(weight * psi):
                size2 = self.values.size * self.values.size
                self._weight[0] += filling[0] / size2
                self._weight[1] += filling[1] / size2
                filling[0] = filling[1] = 0.0
        self._rounds = rounds + 1
        self._squares += residual * residual
        if canary:
            self._offsets += 1.0
            self._offset = offset + residual / (self._offsets + OFFSET_PRIOR)
        self._level += (residual - moved) / min(rounds + 1, LEVEL_MEMORY)

    @property
    def level(self) -> float | None:
        """What is expected of stable's next round; None before any round."""
        return self._level if self._rounds else None

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
        left = 1.0 - max(0.0, self.slope.explained) * min(1.0, self.slope.rounds / self._rounds)
        own = pooled if self._own is None else max(pooled, self._own * left)
        floor = VARIANCE_FLOOR * (own * self._weight[0] + pooled * self._weight[1])
        return max(moments.squares, floor), 1.0 / count

    def state(self) -> list[Any]:
        """What `restore` goes on from, as plain JSON values."""
        offsets = (self._level, self._offset, self._offsets)
        squares = (self._squares, list(self._weight), list(self._filling))
        return [self.values.state(), *offsets, self._rounds, self.slope.state(), *squares]

    def restore(self, state: Any) -> None:
        """Go on from a state of a sequence with the same settings, or of an earlier release."""
        values, level, offset, offsets, rounds, *slope, squares, weight, filling = state
        self.values.restore(values)
        self._level, self._offset, self._offsets = float(level), float(offset), float(offsets)
        self._rounds, self._squares = int(rounds), float(squares)
        self._weight, self._filling = ([float(part) for part in _parts(kept)] for kept in (weight, filling))
        for kept in slope:
            self.slope.restore(kept)


def _parts(kept: Any) -> tuple[Any, Any]:
    """Canary's and stable's; the earlier release kept their sum, and only where both had one spread."""
    canary, stable = kept if isinstance(kept, list) else (0.5 * kept, 0.5 * kept)
    return canary, stable


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

    def add_pair(self, canary: float, stable: float, weight: float = 1.0) -> None:
        """One round that both played: their returns, and the round's weight by the money at stake in it."""
        self.values.add(weight * (canary - stable))

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
