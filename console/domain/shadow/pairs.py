"""What the priced decisions of both versions on the same rounds add up to: a market that moves moves both."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, sqrt
from typing import Final

from console.domain.statistics.boundary import Boundary, tuned

ENOUGH: Final = 30
"""Pairs below which no bound is told: it rests on many small differences."""
STAKED: Final = 0.9
"""Pairs are compared per usual stake where so many of them can be."""


@dataclass(frozen=True, slots=True)
class PairSums:
    """Differences of priced rounds, live less shadow, in money; they can be added to and taken apart again.

    Args:
        rounds: priced for both.
        mean: of the differences.
        squares: sum of their squared deviations from the mean.
    """

    rounds: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, difference: float) -> PairSums:
        """With one more round (Welford 1962)."""
        rounds = self.rounds + 1
        delta = difference - self.mean
        mean = self.mean + delta / rounds
        return PairSums(rounds, mean, self.squares + delta * (difference - mean))

    def since(self, before: PairSums) -> PairSums:
        """The rounds after those before; all of them where these are not a beginning of them: the shadow began anew."""
        rounds = self.rounds - before.rounds
        if rounds < 0:
            return self
        if not rounds:
            return PairSums()
        mean = (self.rounds * self.mean - before.rounds * before.mean) / rounds
        apart = (mean - before.mean) ** 2 * rounds * before.rounds / self.rounds
        return PairSums(rounds, mean, max(0.0, self.squares - before.squares - apart))

    @property
    def turned(self) -> PairSums:
        """The same rounds seen from the other version: shadow less live."""
        return PairSums(self.rounds, -self.mean, self.squares)

    @property
    def readable(self) -> bool:
        """Whether its figures are such."""
        return self.rounds >= 0 and isfinite(self.mean) and isfinite(self.squares) and self.squares >= 0.0

    def bounds(self, alpha: float, due: float) -> tuple[float, float]:
        """Below and above which the true difference does not lie, each at its level, however often one looks.

        Args:
            alpha: one-sided level.
            due: pairs after which they should be tightest.

        Returns:
            Infinite both while there are fewer than `ENOUGH` pairs, or all of them are the same.
        """
        if self.rounds < ENOUGH or self.squares <= 0.0:
            return -inf, inf
        reach = Boundary(alpha, *tuned(alpha, due)).reach(self.rounds) / self.rounds
        reach *= sqrt(self.squares / self.rounds)
        return self.mean - reach, self.mean + reach


def judged(pairs: PairSums, returned: PairSums | None) -> tuple[PairSums, bool]:
    """The differences that are judged, and whether they are per usual stake: where most rounds say what was at risk, so
    that stakes that changed are no harm; else they are money."""
    if returned is not None and returned.rounds and returned.rounds >= STAKED * pairs.rounds:
        return returned, True
    return pairs, False
