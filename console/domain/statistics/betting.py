"""Form D: two means of payoffs between known bounds, by betting; it holds for any number of rounds and any payoffs.

Who bets at fair odds can't expect to gain. For a supposed mean m, K_c(m) is the capital of somebody who bets that
canary's rounds return less than m, K_s(m) of one who bets that stable's return more. If canary is no worse than stable,
some m lies between the two means, and at that m neither bet is better than fair: their product is a supermartingale,
and so E = inf over m of K_c(m) K_s(m) reaches 1/alpha with probability at most alpha, however often one looks (Ville).
Bets are mixed over sizes, zero among them: so neither capital ever falls below the part that was not bet, and an m far
off is refuted by the arm that it is far from.

Sources:

- [B] Waudby-Smith, Ramdas, *Estimating means of bounded random variables by betting*, arXiv:2010.09686 (version 7):
  capital processes (section 4, equation 24), bets below c / m (section 4.3), mixtures of bets (section 5.4).
- [C] Orabona, Jun, *Tight concentrations and confidence sequences from the regret of universal portfolio*,
  arXiv:2110.14099: mixed bets, and why they lose little.

What is kept of an arm is how often each place of a lattice was met. A return between two places counts as part of
either, with its own mean: the logarithm of a capital is concave in the return, so that is never to the bettor's favour.
K_c rises with m and K_s falls, so over a cell of means the product is at least what it is at the two near ends: an
alarm is given only where all cells are beyond the threshold.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import ceil, exp, floor, inf, isfinite, log, log1p, log2, sqrt
from operator import mul
from typing import Any, Final

PLACES: Final = 4
"""Of the lattice, within a standard deviation; that costs 1 % of the rounds."""
NEAR: Final = 6
"""Standard deviations beyond which places lie ever further apart, by `WIDER`."""
WIDER: Final = 1.25
MOST_BET: Final = 0.9
"""The largest bet, of what a round can win from the supposed mean on."""
SIZES: Final = (1.6, 0.8, 0.4, 0.2, 0.1, 0.05)
"""Bets are right for a difference of so many standard deviations."""
_PART: Final = -log(1 + len(SIZES))
"""The logarithm of the part of the capital that is bet at each of these sizes, and of the part that is not bet."""
CELLS: Final = 16
"""Supposed means within a standard error of the difference."""
COARSE: Final = 4
"""Cells between two bounds that are tried; whether there is harm, and whether it is safe, is asked to a cell."""
_NEARBY: Final = 6 * CELLS
"""Beyond it a supposed mean is refuted by one arm alone, as a rule: one cell is asked."""
GROWTH: Final = 1.05
"""A look is worth its price again when the rounds have grown by so much: looking less often is never wrong."""
EVERY: Final = 5
"""And by no fewer than so many."""
FINE: Final = 1e-9
"""A spread smaller than this share of the bounds is taken to be that."""
FINEST: Final = 22
"""The logarithm (base 2) of the number of cells at the most."""


def lattice(lowest: float, highest: float, sigma: float) -> list[float]:
    """The places of a lattice from bound to bound."""

    def outwards(end: float) -> list[float]:
        places: list[float] = []
        at, step, count = 0.0, sigma / PLACES, 0
        while True:
            count += 1
            step *= WIDER if count > NEAR * PLACES else 1.0
            at += step
            if not at < abs(end):
                return [*places, abs(end)]
            places.append(at)

    return [*(-place for place in reversed(outwards(lowest))), 0.0, *outwards(highest)]


class Purse:
    """What an arm's rounds would have made of every bet: how often each place was met.

    Args:
        places: of the lattice, scaled to 0 to 1.
        sigma: the standard deviation of a return, on that scale.
    """

    __slots__ = ("_bets", "_met", "_places", "count")

    def __init__(self, places: Sequence[float], sigma: float) -> None:
        self._places = places
        self._met = [0.0] * len(places)
        self._bets = tuple(size / sigma for size in SIZES)
        self.count = 0

    def add(self, x: float) -> None:
        """One return, on the scale."""
        places, met = self._places, self._met
        self.count += 1
        above = min(bisect_right(places, x), len(places) - 1)
        part = (x - places[above - 1]) / (places[above] - places[above - 1])
        met[above] += part
        met[above - 1] += 1.0 - part

    @property
    def mean(self) -> float:
        """Of the returns."""
        total = sum(met * place for met, place in zip(self._met, self._places, strict=True))
        return total / self.count if self.count else 0.5

    def met(self, *, mirrored: bool) -> tuple[list[float], list[float]]:
        """Places met, and how often; mirrored, 0 is the best return and 1 the worst."""
        places = [place for place, met in zip(self._places, self._met, strict=True) if met]
        return [1.0 - place for place in places] if mirrored else places, [met for met in self._met if met]

    def capital(self, met: tuple[list[float], list[float]], mean: float, *, below: bool) -> float:
        """The logarithm of the capital of who bets that returns lie below (or above) a supposed mean."""
        places, times = met
        apart = [mean - place for place in places] if below else [place - mean for place in places]
        room = 1.0 - mean if below else mean
        most = MOST_BET / room if room > 0.0 else inf
        logs = [_PART]
        before = grown = -1.0
        for bet in self._bets:
            size = min(bet, most)
            if size != before:
                before = size
                grown = _PART + sum(map(mul, times, map(log1p, [size * one for one in apart])))
            logs.append(grown)
        top = max(logs)
        return top + log(sum([exp(one - top) for one in logs]))

    def state(self) -> list[Any]:
        """What `restore` goes on from, as plain JSON values."""
        return [self.count, [[at, met] for at, met in enumerate(self._met) if met]]

    def restore(self, state: Any) -> None:
        """Go on from a state of a purse with the same places."""
        count, met = state
        self.count = int(count)
        for at, times in met:
            if not 0 <= at < len(self._met) or not isfinite(float(times)):
                raise ValueError("a place of another lattice, or no number of times")
            self._met[at] = float(times)


class _Look:
    """The bets of both arms as they stand, for one direction; capitals are worked out where they are asked for."""

    def __init__(self, canary: Purse, stable: Purse, cells: int, *, mirrored: bool) -> None:
        self._canary, self._stable, self._cells = canary, stable, cells
        self._met_c, self._met_s = canary.met(mirrored=mirrored), stable.met(mirrored=mirrored)
        self._of_c: dict[int, float] = {}
        self._of_s: dict[int, float] = {}
        self._weakest = 0

    def _below(self, at: int) -> float:
        if at not in self._of_c:
            self._of_c[at] = self._canary.capital(self._met_c, at / self._cells, below=True)
        return self._of_c[at]

    def _above(self, at: int) -> float:
        if at not in self._of_s:
            self._of_s[at] = self._stable.capital(self._met_s, at / self._cells, below=False)
        return self._of_s[at]

    def start(self, at: int) -> None:
        """Where stable's mean is supposed first."""
        self._weakest = at

    def refutes(self, apart: int, level: float) -> bool:
        """Whether the bets refute that canary less stable is so many cells or more: E is beyond exp(level)."""
        low, high = max(0, -apart), min(self._cells, self._cells - apart)
        middle = max(low, min(high, self._weakest))
        if self._below(middle + apart) + self._above(middle) < level:
            return False
        near, far = max(low, middle - _NEARBY), min(high, middle + _NEARBY)
        cells = [(low, near), (near, middle), (middle, far), (far, high)]
        while cells:
            first, last = cells.pop()
            if first >= last or self._below(first + apart) + self._above(last) >= level:
                continue
            if last - first == 1:
                return False
            middle = (first + last) // 2
            if self._below(middle + apart) + self._above(middle) < level:
                self._weakest = middle
                return False
            cells += [(first, middle), (middle, last)]
        return True


class TwoSample:
    """The difference of two means between known bounds, canary less stable, bounded from either side by betting.

    Args:
        lowest, highest: bounds of a return; one beyond them is moved to the bound by who calls.
        sigma: standard deviation of a return, from history: the sizes of bets go by it, and are right for any.
        sigma_canary: of the canary's; None where nothing is known of it.
        block: rounds of one version that are one bet, by their mean, where a round tells of the next one; else 1.
    """

    __slots__ = ("_block", "_canary", "_filling", "_lower", "_lowest", "_sigma", "_span", "_stable", "_upper")

    def __init__(
        self, lowest: float, highest: float, sigma: float, sigma_canary: float | None = None, block: int = 1
    ) -> None:
        self._lowest, self._span = lowest, highest - lowest
        self._block = block
        self._filling = [[0, 0.0], [0, 0.0]]
        """Of canary and stable: rounds of the unfinished block, and the sum of their returns."""
        spread = max(min(sigma, self._span) / sqrt(block), FINE * self._span)
        self._sigma = spread / self._span
        own = self._sigma if sigma_canary is None else min(sigma_canary, self._span) / sqrt(block) / self._span
        places = [(place - lowest) / self._span for place in lattice(lowest, highest, spread)]
        places[0], places[-1] = 0.0, 1.0
        self._canary, self._stable = Purse(places, own), Purse(places, self._sigma)
        self._upper: list[float] = []
        self._lower: list[float] = []
        """Each: rounds at the last look, alpha, the bound asked about, the bound found."""

    def add(self, canary: bool, value: float) -> None:
        """One round."""
        if self._block > 1:
            filling = self._filling[0 if canary else 1]
            filling[0] += 1
            filling[1] += value
            if filling[0] < self._block:
                return
            value = filling[1] / self._block
            filling[:] = [0, 0.0]
        (self._canary if canary else self._stable).add((value - self._lowest) / self._span)

    @property
    def _rounds(self) -> int:
        return self._canary.count + self._stable.count

    def upper(self, alpha: float) -> float:
        """Not above this, at a one-sided level; below 0 as soon as that can be said."""
        self._upper = self._bound(self._upper, alpha, 0.0, mirrored=False)
        return self._upper[3]

    def lower(self, alpha: float, asked: float) -> float:
        """Not below this, at a one-sided level; above `asked` as soon as that can be said."""
        self._lower = self._bound(self._lower, alpha, -asked, mirrored=True)
        return -self._lower[3]

    def _bound(self, known: list[float], alpha: float, asked: float, *, mirrored: bool) -> list[float]:
        """The upper bound of canary less stable, mirrored that of stable less canary."""
        rounds, canary, stable = self._rounds, self._canary, self._stable
        if known and known[1:3] == [alpha, asked] and rounds < max(known[0] * GROWTH, known[0] + EVERY):
            return known
        if not canary.count or not stable.count:
            return [rounds, alpha, asked, self._span]
        error = self._sigma * sqrt(1.0 / canary.count + 1.0 / stable.count)
        cells = 2 ** min(FINEST, max(5, ceil(log2(CELLS / error))))
        look, level = _Look(canary, stable, cells, mirrored=mirrored), -log(alpha)
        look.start(round((1.0 - stable.mean if mirrored else stable.mean) * cells))
        before = known[3] / self._span * cells if known else float(cells)
        found = _nearest(look, level, COARSE * ceil(before / COARSE), cells)
        edge = ceil(asked / self._span * cells) - 1
        apart = (stable.mean - canary.mean) if mirrored else (canary.mean - stable.mean)
        if edge < found and apart * cells < edge and look.refutes(edge, level):
            found = edge
        return [rounds, alpha, asked, found / cells * self._span]

    def state(self) -> list[Any]:
        """What `restore` goes on from, as plain JSON values."""
        bounds = list(self._upper), list(self._lower)
        return [self._canary.state(), self._stable.state(), *bounds, [list(filling) for filling in self._filling]]

    def restore(self, state: Any) -> None:
        """Go on from a state of the same settings."""
        canary, stable, upper, lower, filling = state
        (count_c, sum_c), (count_s, sum_s) = filling
        self._filling = [[int(count_c), float(sum_c)], [int(count_s), float(sum_s)]]
        self._canary.restore(canary)
        self._stable.restore(stable)
        self._upper, self._lower = ([float(number) for number in kept] for kept in (upper, lower))
        if {len(self._upper), len(self._lower)} - {0, 4}:
            raise ValueError("a look of another kind")
        if not all(isfinite(number) for number in (*self._upper, *self._lower, sum_c, sum_s)):
            raise ValueError("a bound or a sum that is none")


def _nearest(look: _Look, level: float, start: int, most: int) -> int:
    """The nearest bound, to `COARSE` cells, that the bets refute; `most` where there is none."""
    at, step = max(-most, min(most, start)), COARSE
    if at >= most or look.refutes(at, level):
        good = at
        while good - step > -most and look.refutes(good - step, level):
            good, step = good - step, step * 2
        bad = max(-most, good - step)
    else:
        bad = at
        while (good := min(most, bad + step)) < most and not look.refutes(good, level):
            bad, step = good, step * 2
    while good - bad > COARSE:
        middle = COARSE * floor((good + bad) / 2 / COARSE)
        if middle in (good, bad):
            break
        good, bad = (middle, bad) if look.refutes(middle, level) else (good, middle)
    return good
