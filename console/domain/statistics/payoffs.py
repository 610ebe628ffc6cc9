"""How one version's rounds went as people meet them: how often it wins, what a win pays, how deep it loses, and on what
stakes.

A mean says how much worse, never in what way. These are counts and sums of what was seen; nothing is concluded here.
"""

from __future__ import annotations

from math import frexp, inf, sqrt
from typing import Any, Final, NamedTuple

TAIL: Final = 0.01
"""What at most this share of stable's rounds loses, or more, is its tail."""
LARGE: Final = 0.5
"""Large stakes are at most this share of the rounds."""


class Mean(NamedTuple):
    """A mean of rounds.

    Args:
        rounds: how many.
        mean: of their returns, or of what they won or lost of a unit at risk; 0 without any.
        error: its standard error; 0 below two rounds.
    """

    rounds: int
    mean: float
    error: float


class Payoff(NamedTuple):
    """One version's rounds.

    Args:
        rounds: how many.
        wins: those that returned more than 0, and what they returned.
        losses: those that returned less than 0, and what they lost, above 0.
        deep: rounds that lost `deep_at` or more.
        deep_at: where stable's tail begins, a loss for a unit at risk; infinite where there is no loss.
        large: rounds on large stakes, and their returns.
        small: those on smaller ones.
        large_at: where large stakes begin, in the rounds' currency; 0 where all are of one size.
    """

    rounds: int
    wins: Mean
    losses: Mean
    deep: int
    deep_at: float
    large: Mean
    small: Mean
    large_at: float


class Payoffs:
    """Takes one version's rounds in: constant time, and memory for the sizes met, each up to twice the one before."""

    __slots__ = ("_losses", "_sizes", "_wins")

    def __init__(self) -> None:
        self._wins = [0.0, 0.0, 0.0]
        """Rounds, sum of returns, sum of their squares."""
        self._losses: dict[int, list[float]] = {}
        """The same of what was lost, by its size."""
        self._sizes: dict[int, list[float]] = {}
        """The same of all returns, by the stake's size."""

    def add(self, stake: float, value: float) -> None:
        """One round: the money at risk in it, and its return on that."""
        squared = value * value
        size = frexp(stake)[1]
        sums = self._sizes.get(size)
        if sums is None:
            sums = self._sizes[size] = [0.0, 0.0, 0.0]
        sums[0] += 1.0
        sums[1] += value
        sums[2] += squared
        if value > 0.0:
            sums = self._wins
        elif value < 0.0:
            value = -value
            depth = frexp(value)[1]
            found = self._losses.get(depth)
            sums = self._losses[depth] = [0.0, 0.0, 0.0] if found is None else found
        else:
            return
        sums[0] += 1.0
        sums[1] += value
        sums[2] += squared

    @property
    def rounds(self) -> int:
        """How many."""
        return int(sum(sums[0] for sums in self._sizes.values()))

    def state(self) -> list[Any]:
        """What `restore` goes on from, as plain JSON values."""
        by_size = ([[size, *sums] for size, sums in sorted(kept.items())] for kept in (self._losses, self._sizes))
        return [list(self._wins), *by_size]

    def restore(self, state: Any) -> None:
        """Go on from a state."""
        wins, losses, sizes = state
        rounds, total, squares = (float(number) for number in wins)
        self._wins = [rounds, total, squares]
        self._losses, self._sizes = (
            {int(size): [float(count), float(sum_of), float(squared)] for size, count, sum_of, squared in kept}
            for kept in (losses, sizes)
        )

    def _payoff(self, deep_from: int | None, large_from: int | None) -> Payoff:
        losses, sizes = sorted(self._losses.items()), sorted(self._sizes.items())  # one order, one sum
        deep = sum(sums[0] for size, sums in losses if deep_from is not None and size >= deep_from)
        large = [sums for size, sums in sizes if large_from is not None and size >= large_from]
        small = [sums for size, sums in sizes if large_from is None or size < large_from]
        return Payoff(
            self.rounds,
            _mean([self._wins]),
            _mean([sums for _size, sums in losses]),
            int(deep),
            inf if deep_from is None else 2.0 ** (deep_from - 1),
            _mean(large),
            _mean(small),
            0.0 if large_from is None else 2.0 ** (large_from - 1),
        )


def payoffs_of(canary: Payoffs, stable: Payoffs) -> tuple[Payoff, Payoff]:
    """Both versions', by the same bounds of what is deep and what is large."""
    deep, large = _deep_from(canary, stable), _large_from(canary, stable)
    return canary._payoff(deep, large), stable._payoff(deep, large)


def _deep_from(canary: Payoffs, stable: Payoffs) -> int | None:
    """The size of loss, the lowest there is, that stable meets in no more than `TAIL` of its rounds."""
    sizes = sorted({*canary._losses, *stable._losses})
    if not sizes:
        return None
    at_least, most = 0.0, TAIL * stable.rounds
    for size in (*reversed(sizes), sizes[0] - 1):
        at_least += stable._losses.get(size, (0.0,))[0]
        if at_least > most:
            return size + 1
    return sizes[0]


def _large_from(canary: Payoffs, stable: Payoffs) -> int | None:
    """The size of stake from which on no more than `LARGE` of the rounds are; None where there is one size."""
    sizes = sorted({*canary._sizes, *stable._sizes})
    most, at_least, found = LARGE * (canary.rounds + stable.rounds), 0.0, None
    for size in reversed(sizes[1:]):
        at_least += sum(kept._sizes[size][0] for kept in (canary, stable) if size in kept._sizes)
        if at_least > most:
            break
        found = size
    return found


def _mean(sums: list[list[float]]) -> Mean:
    count, total, squares = (sum(part) for part in zip(*sums, strict=True)) if sums else (0.0, 0.0, 0.0)
    if not count:
        return Mean(0, 0.0, 0.0)
    mean = total / count
    variance = max(0.0, squares / count - mean * mean)
    return Mean(int(count), mean, sqrt(variance / count) if count > 1 else 0.0)
