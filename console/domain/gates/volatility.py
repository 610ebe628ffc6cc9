"""Realised volatility against its own trailing median."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from math import isfinite, log, sqrt
from statistics import median
from typing import NamedTuple

from console.domain.gates.rules import VolatilityRules

Points = Sequence[tuple[datetime, float]]


class Volatility(NamedTuple):
    """How volatile it is.

    Args:
        current: the newest figure.
        usual: the median of those before it; None where there are too few.
        behind: how many there are before it.
        at: of the newest point.
    """

    current: float
    usual: float | None
    behind: int
    at: datetime

    def high(self, rules: VolatilityRules) -> bool | None:
        """Whether it is high; None where there is nothing to hold it against."""
        if rules.limit is not None and self.current >= rules.limit:
            return True
        if self.usual is None:
            return None if rules.limit is None else False
        return self.current >= rules.factor * self.usual if self.usual > 0 else self.current > 0


def measured(points: Points, rules: VolatilityRules, *, prices: bool) -> Volatility | None:
    """The newest figure and the median of those before it.

    Args:
        points: (when, what), in any order.
        rules: how long a window is, and how many there must be.
        prices: whether they are prices; then each window's figure is the root mean square of its log returns.

    Returns:
        None where there is no figure: the newest point is none, or there are too few prices in the newest window.
    """
    sound = sorted((at, value) for at, value in points if isfinite(value) and (value > 0 if prices else value >= 0))
    if not sound or sound[-1][0] < max(at for at, _value in points):
        return None  # the newest one is no figure, and an older one must not stand for it
    figures = _realised(sound, rules.window_s) if prices else sound
    if not figures or (prices and figures[-1][0] != sound[-1][0]):
        return None
    at, current = figures[-1]
    behind = [value for _at, value in figures[:-1]]
    usual = median(behind) if len(behind) >= rules.windows else None
    return Volatility(current, usual, len(behind), at)


def _realised(prices: Points, window_s: float) -> list[tuple[datetime, float]]:
    """One figure for each window, counted back from the newest price; a window with fewer than 3 prices has none."""
    figures: list[tuple[datetime, float]] = []
    end = len(prices)
    while end > 0:
        until = prices[end - 1][0]
        begin = end
        while begin > 0 and until - prices[begin - 1][0] < timedelta(seconds=window_s):
            begin -= 1
        window = prices[begin:end]
        if len(window) >= 3:
            returns = [log(b[1]) - log(a[1]) for a, b in pairwise(window)]
            figures.append((until, sqrt(sum(r * r for r in returns) / len(returns))))
        elif not figures:
            return []
        end = begin
    return figures[::-1]
