"""Quantiles and recent values in constant memory.

The sketch keeps counts in buckets whose edges grow by a fixed ratio, so every quantile is right within that ratio
whatever the values are (Masson, Rim, Lee, *DDSketch*, VLDB 2019, section 2).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from math import ceil, log
from typing import Final

RATIO: Final = 1.02
"""Neighbouring edges; a quantile is at most about 1 % off."""
LOWEST: Final = 1e-3
"""Values up to here share one bucket."""
HIGHEST: Final = 1e9
_LOG_RATIO: Final = log(RATIO)
_EMPTY: Final = array("d")
"""Of every ring without values; never written to."""


class Sketch:
    """Quantiles of positive values; at most 1,396 buckets, of which a latency's spread uses about a hundred."""

    __slots__ = ("_buckets", "count")

    def __init__(self) -> None:
        self.count = 0
        self._buckets: dict[int, int] = {}

    def add(self, value: float) -> None:
        """Take in one value; one that is not above 0 counts as the lowest."""
        value = min(value, HIGHEST)
        place = ceil(log(value / LOWEST) / _LOG_RATIO) if value > LOWEST else 0
        self._buckets[place] = self._buckets.get(place, 0) + 1
        self.count += 1

    def quantile(self, share: float) -> float | None:
        """The smallest value that at least `share` of all values do not exceed; None without values."""
        if not self.count:
            return None
        wanted, seen = max(1, ceil(share * self.count)), 0
        for place in sorted(self._buckets):
            seen += self._buckets[place]
            if seen >= wanted:
                return LOWEST * RATIO ** (place - 0.5) if place else LOWEST
        raise AssertionError("unreachable: the counts add up")


class Ring:
    """The newest values, each with its time, and their sum.

    Args:
        size: how many are kept.
    """

    __slots__ = ("_next", "_size", "_times", "_values")

    def __init__(self, size: int) -> None:
        self._size = size
        self._values = self._times = _EMPTY
        self._next = 0

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[float]:
        return iter(self._values)

    def add(self, at_s: float, value: float) -> None:
        """Take in one value, letting go of the oldest if there are enough."""
        if len(self._values) < self._size:
            if not self._values:
                self._values, self._times = array("d"), array("d")
            self._values.append(value)
            self._times.append(at_s)
            return
        self._values[self._next] = value
        self._times[self._next] = at_s
        self._next = (self._next + 1) % self._size

    @property
    def mean(self) -> float:
        """Of the values kept; 0 without any."""
        return sum(self._values) / len(self._values) if self._values else 0.0

    def since(self, at_s: float) -> list[float]:
        """The values kept that are not older, in no order; times are taken to rise."""
        if self._times and self._times[self._next if len(self._times) == self._size else 0] >= at_s:
            return self._values.tolist()
        return [value for value, time in zip(self._values, self._times, strict=True) if time >= at_s]
