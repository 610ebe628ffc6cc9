"""Count, mean and spread of values that come one at a time, singly or in blocks."""

from __future__ import annotations

from typing import Any


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
        if self.size == 1:
            self.moments.add(value)
            return True
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
