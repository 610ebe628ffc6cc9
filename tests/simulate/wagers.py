"""Form D for many runs at once: when its bets first say that the canary is worse, at one stake for all rounds.

The places, bets and capitals are those of `console.domain.statistics.betting`, a row of runs at a time. Of a look only
the question of harm is asked, and most runs answer it by a single supposed mean; who is not refused by a few of them is
asked by the real look, cell by cell. `tests/domain/statistics/test_rivals.py` holds it against the real bets.
"""

from __future__ import annotations

from math import ceil, log, sqrt

import numpy as np
from numpy.typing import NDArray

from console.domain.statistics.betting import (
    CELLS,
    EVERY,
    FINE,
    FINEST,
    GROWTH,
    MOST_BET,
    SIZES,
    Purse,
    _Look,
    lattice,
)
from console.domain.statistics.evidence import Settings
from console.domain.statistics.judge import RECENT_LASTS, RECENT_SHARE, STEP_SHARE
from tests.simulate.shapes import Floats
from tests.simulate.vector import NEVER, Bools

ASKED = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Where between stable's mean and the canary's a mean is supposed before all cells are asked."""
WITHOUT = -log(1 + len(SIZES))


class _Arm:
    """As `Purse`, a row of runs: how often each place was met."""

    def __init__(self, runs: int, places: Floats, sigma: float, block: int) -> None:
        self.places, self.sigma = places, sigma
        self.met, self.count, self.total = np.zeros((runs, len(places))), np.zeros(runs), np.zeros(runs)
        self._block, self._filled, self._sum = block, np.zeros(runs), np.zeros(runs)

    def add(self, here: Bools, x: Floats) -> None:
        """One round of the runs that are `here`; x on the scale of 0 to 1."""
        self._filled += here
        self._sum += np.where(here, x, 0.0)
        rows = np.flatnonzero(self._filled >= self._block)
        value = self._sum[rows] / self._block
        self._filled[rows] = self._sum[rows] = 0.0
        above = np.minimum(np.searchsorted(self.places, value, side="right"), len(self.places) - 1)
        low = self.places[above - 1]
        part = (value - low) / (self.places[above] - low)
        self.met[rows, above] += part
        self.met[rows, above - 1] += 1.0 - part
        self.count[rows] += 1.0
        self.total[rows] += value

    def mean(self, rows: NDArray[np.int64]) -> Floats:
        """Of these runs."""
        return np.asarray((self.met[rows] * self.places).sum(axis=1) / self.count[rows])

    def capital(self, rows: NDArray[np.int64], mean: Floats, *, below: bool) -> Floats:
        """As `Purse.capital`, a supposed mean for each of these runs."""
        apart = (mean[:, None] - self.places) * (1.0 if below else -1.0)
        room = 1.0 - mean if below else mean
        with np.errstate(divide="ignore"):
            most = MOST_BET / room
        logs = [np.full(len(rows), WITHOUT)]
        met = self.met[rows]
        for size in SIZES:
            bet = np.minimum(size / self.sigma, most)
            logs.append(WITHOUT + (met * np.log1p(bet[:, None] * apart)).sum(axis=1))
        return np.asarray(np.logaddexp.reduce(logs, axis=0))

    def purse(self, run: int) -> Purse:
        """The real one of a run, as far as it has come."""
        purse = Purse(self.places.tolist(), self.sigma)
        met = self.met[run]
        purse.restore([int(self.count[run]), [[at, met[at]] for at in np.flatnonzero(met)]])
        return purse


class _Bets:
    """As `TwoSample`, a row of runs that are asked for harm."""

    def __init__(self, runs: int, settings: Settings) -> None:
        span, block = settings.highest - settings.lowest, settings.block
        self._lowest, self._span = settings.lowest, span
        spread = max(min(settings.sigma, span) / sqrt(block), FINE * span)
        own = settings.sigma if settings.sigma_canary is None else settings.sigma_canary
        places = (np.array(lattice(settings.lowest, settings.highest, spread)) - settings.lowest) / span
        places[0], places[-1] = 0.0, 1.0
        self._sigma = spread / span
        self.canary = _Arm(runs, places, min(own, span) / sqrt(block) / span, block)
        self.stable = _Arm(runs, places, self._sigma, block)
        self._next, self._worse = np.zeros(runs), np.zeros(runs, bool)
        self._enough = settings.min_blocks_harm

    def add(self, canary: Bools, value: Floats) -> None:
        """One round of every run."""
        x = (value - self._lowest) / self._span
        self.canary.add(canary, x)
        self.stable.add(~canary, x)

    @property
    def fell(self) -> Bools:
        """Which runs' canary returned less than stable so far; a version without a round returned 0."""
        origin = -self._lowest / self._span
        canary, stable = (
            np.where(arm.count > 0.0, arm.total / np.maximum(arm.count, 1.0), origin)
            for arm in (self.canary, self.stable)
        )
        return np.asarray(canary < stable)

    def worse(self, alpha: float, asked: Bools) -> Bools:
        """Which of the runs that are asked are called worse, as of their last look."""
        rounds = self.canary.count + self.stable.count
        due = asked & (rounds >= self._next)
        self._next = np.where(due, np.maximum(rounds * GROWTH, rounds + EVERY), self._next)
        due &= np.minimum(self.canary.count, self.stable.count) > 0.0
        rows = np.flatnonzero(due)
        if len(rows):
            self._worse[rows] = self._refuted(rows, -log(alpha))
        return asked & self._worse & (np.minimum(self.canary.count, self.stable.count) >= self._enough)

    def _refuted(self, rows: NDArray[np.int64], level: float) -> Bools:
        """Of these runs: whether it is refuted that the canary is less than a cell worse, or better."""
        error = self._sigma * np.sqrt(1.0 / self.canary.count[rows] + 1.0 / self.stable.count[rows])
        cells = 2.0 ** np.minimum(FINEST, np.maximum(5, np.ceil(np.log2(CELLS / error))))
        of_c, of_s = self.canary.mean(rows), self.stable.mean(rows)
        left = np.flatnonzero((of_c - of_s) * cells < -1.0)
        for part in ASKED:
            at = np.rint((of_s[left] + part * (of_c[left] - of_s[left])) * cells[left])
            at = np.clip(at, 1.0, cells[left])
            below = self.canary.capital(rows[left], (at - 1.0) / cells[left], below=True)
            above = self.stable.capital(rows[left], at / cells[left], below=False)
            left = left[below + above >= level]
        refuted = np.zeros(len(rows), bool)
        for one in left:
            run = int(rows[one])
            look = _Look(self.canary.purse(run), self.stable.purse(run), int(cells[one]), mirrored=False)
            look.start(round(float(of_s[one]) * int(cells[one])))
            refuted[one] = look.refutes(-1, level)
        return refuted


def worse(settings: Settings, canary: Bools, value: Floats, until: int | None = None) -> NDArray[np.int64]:
    """When each run is first called worse by form D, its newest stretch by itself included; `NEVER` for never.

    Args:
        settings: of the judge; the bounded form.
        canary, value: runs by rounds: who played it, and its return.
        until: end as soon as so many runs were called worse; None to go to the end.
    """
    runs, rounds = value.shape
    of_harm = settings.alpha_harm / len(settings.metrics)
    harm, of_recent = of_harm * (1.0 - STEP_SHARE - RECENT_SHARE), 0.0
    stretch, stretches, began = ceil(RECENT_LASTS * settings.due_rounds), 0, 0
    run = _Bets(runs, settings)
    recent: _Bets | None = None
    columns, flags = np.clip(value, settings.lowest, settings.highest).T.copy(), canary.T.copy()
    found = np.full(runs, NEVER)
    for at in range(rounds):
        x, c, left = columns[at], flags[at], found == NEVER
        for bets in (run, recent):
            if bets is not None:
                bets.add(c, x)
        if at + 1 - began >= stretch:
            stretches, began = stretches + 1, at + 1
            recent = _Bets(runs, settings)
            of_recent = of_harm * RECENT_SHARE / (stretches * (stretches + 1))
        called = run.worse(harm, left)
        if recent is not None:
            called |= recent.worse(of_recent, left & recent.fell)
        found[called] = at + 1
        if until is not None and at % 50 == 0 and (found < NEVER).sum() >= until:
            break
    return found
