"""What both versions' own decisions, priced on the round that one of them played, explain of its outcome.

A market that fell in a round moves the outcome and both prices alike: what the prices explain need not be seen as
chance. Any expectation of a round leaves pseudo-outcomes unbiased that does not depend on who plays it ([WS] section 3:
regression in AIPW). Prices may follow the round's outcome, then, as long as one reckoning makes them both, whoever
played; where they differ by who did, `Balance` finds it, and they are not used any more.
"""

from __future__ import annotations

from math import sqrt
from typing import Any, Final

from console.domain.statistics.boundary import Boundary, tuned
from console.domain.statistics.moments import Moments

SLOPE_PRIOR: Final = 10.0
"""Priced rounds that "prices say nothing" counts for in the slope."""

ENOUGH: Final = 30
"""Rounds before which nothing is said: the boundary rests on many small terms."""

EVERY: Final = 8
"""Rounds from look to look."""

ALPHA_BALANCE: Final = 0.001
"""One-sided level, of each version and side, at which prices are said to differ by who played."""


class Slope:
    """How far an outcome follows its price, from earlier rounds alone; and how much of the scatter that explains."""

    __slots__ = ("_about", "_along", "_explained", "_prices", "_scatter")

    def __init__(self) -> None:
        self._prices = Moments()
        self._about = 0.0
        self._along = 0.0
        self._scatter = self._explained = 0.0

    def of(self, priced: tuple[float, float]) -> tuple[float, float]:
        """What the prices of canary and stable say of the round, about what rounds were so far."""
        count = self._prices.count
        if not self._along > 0.0:
            return 0.0, 0.0
        slope = self._about / self._along * count / (count + SLOPE_PRIOR)
        middle = self._prices.mean
        return slope * (priced[0] - middle), slope * (priced[1] - middle)

    def learn(self, price: float, residual: float, left: float) -> None:
        """One round that was priced.

        Args:
            price: of the decision that was played.
            residual: the outcome about its level, without the prices' part.
            left: the same less the prices' part.
        """
        before = price - self._prices.mean
        self._prices.add(price)
        self._about += before * residual
        self._along += before * (price - self._prices.mean)
        self._scatter += residual * residual
        self._explained += residual * residual - left * left

    @property
    def rounds(self) -> int:
        """How many were priced."""
        return self._prices.count

    @property
    def explained(self) -> float:
        """The share of the scatter of outcomes that prices took away; below 0 where they added to it."""
        return self._explained / self._scatter if self._scatter else 0.0

    def state(self) -> list[Any]:
        """What `restore` goes on from, as plain JSON values."""
        return [self._prices.state(), self._about, self._along, self._scatter, self._explained]

    def restore(self, state: Any) -> None:
        """Go on from a state."""
        prices, about, along, scatter, explained = state
        self._prices.restore(prices)
        self._about, self._along = float(about), float(along)
        self._scatter, self._explained = float(scatter), float(explained)


class Balance:
    """Whether the prices of rounds differ by who played them, which honest ones never do: who plays is drawn.

    Args:
        due: rounds after which it looks most closely.
    """

    __slots__ = ("_boundary", "_means", "_sums")

    def __init__(self, due: float) -> None:
        self._boundary = Boundary(ALPHA_BALANCE, *tuned(ALPHA_BALANCE, due))
        self._means = (Moments(), Moments())
        self._sums = (Moments(), Moments())

    def add(self, canary: bool, probability: float, priced: tuple[float, float]) -> None:
        """One round that was drawn; one that could go only one way tells nothing."""
        if not 0.0 < probability < 1.0:
            return
        lean = ((1.0 if canary else 0.0) - probability) / sqrt(probability * (1.0 - probability))
        for price, mean, total in zip(priced, self._means, self._sums, strict=True):
            if mean.count:
                total.add(lean * (price - mean.mean))
            mean.add(price)

    @property
    def apart(self) -> bool:
        """Whether they differ."""
        for total in self._sums:
            count = total.count
            if count % EVERY:
                continue
            about_nothing = total.squares + count * total.mean * total.mean
            if count < ENOUGH or not about_nothing:
                continue
            if abs(total.mean * count) > self._boundary.reach(count) * sqrt(about_nothing / count):
                return True
        return False

    def state(self) -> list[Any]:
        """What `restore` goes on from, as plain JSON values."""
        return [[one.state() for one in (*self._means, *self._sums)]]

    def restore(self, state: Any) -> None:
        """Go on from a state."""
        for one, kept in zip((*self._means, *self._sums), state[0], strict=True):
            one.restore(kept)
