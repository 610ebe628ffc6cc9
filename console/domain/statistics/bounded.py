"""An interval for a mean of payoffs between known bounds that is not asymptotic, and conservative: the bounded form of
runs that began before it was `console.domain.statistics.betting`.

Source: [B] Waudby-Smith, Ramdas, *Estimating means of bounded random variables by betting*, arXiv:2010.09686 (version
7), Theorem 2: the predictable plug-in empirical Bernstein sequence.
"""

from __future__ import annotations

from math import log, log1p, sqrt
from typing import Any, Final

MAX_BET: Final = 0.5
"""The largest lambda of [B]: their truncation constant c."""


class Bounded:
    """Form D of earlier runs: the mean of payoffs between known bounds, by empirical Bernstein ([B] Theorem 2).

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
        return [self._count, self._mean, self._squares, self._bets, self._bets_x, self._charge, self.outside]

    def restore(self, state: Any) -> None:
        """Go on from a state of a sequence with the same settings."""
        count, mean, squares, bets, bets_x, charge, outside = state
        self._count, self.outside = int(count), int(outside)
        self._mean, self._squares = float(mean), float(squares)
        self._bets, self._bets_x, self._charge = float(bets), float(bets_x), float(charge)
