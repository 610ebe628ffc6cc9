"""The judge, many runs at once: the same recurrences as `console.domain`, a whole row of runs a step.

Of the bounded form the bets are the real ones, run by run: their looks are rare, and each is a search of its own.

`tests/domain/statistics/test_simulated.py` feeds the same rounds to the real objects and asks for the same bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from console.domain.statistics.betting import TwoSample
from console.domain.statistics.boundary import tuned
from console.domain.statistics.evidence import STEP_MARGINS, Form, Settings
from console.domain.statistics.judge import ONE_STAKE, RECENT_LASTS, RECENT_SHARE, STEP_SHARE
from console.domain.statistics.sequences import (
    HISTORY_WEIGHT,
    LEVEL_MEMORY,
    OFFSET_PRIOR,
    VARIANCE_FLOOR,
    Adjusted,
    FixedAllocation,
    Paired,
)
from tests.simulate.shapes import Floats

Bools = NDArray[np.bool_]
NEVER = np.iinfo(np.int64).max


@dataclass
class Outcome:
    """When each run was first called HARM and first called SAFE, in rounds (`NEVER` for never), and the last bounds.

    `worse` is when the upper bound first fell below 0: HARM for a margin of nothing, the strictest count of alarms.
    """

    harm: NDArray[np.int64]
    worse: NDArray[np.int64]
    safe: NDArray[np.int64]
    estimate: Floats
    lower: Floats
    upper: Floats


def _reach(variance: Floats, alpha: float, scales: tuple[tuple[float, float], ...]) -> Floats:
    nearest = np.full_like(variance, np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        for rho2, part in scales:
            spread = variance * rho2 + 1.0
            twice = 2.0 * np.log(np.sqrt(spread) * 0.5 / (alpha * part))
            x = np.sqrt(twice)
            for _ in range(3):
                x = np.sqrt(twice - 2.0 * log_ndtr(x))
            nearest = np.minimum(nearest, x * np.sqrt(spread / rho2))
    return nearest


class _Blocks:
    def __init__(self, runs: int, size: int) -> None:
        self.size = size
        self.count, self.mean, self.squares = np.zeros(runs), np.zeros(runs), np.zeros(runs)
        self._filled, self._sum = np.zeros(runs), np.zeros(runs)

    def add(self, value: Floats, here: Bools) -> Bools:
        self._filled += here
        self._sum += np.where(here, value, 0.0)
        done: Bools = self._filled >= self.size
        self.count += done
        delta = np.where(done, self._sum / self.size - self.mean, 0.0)
        self.mean += delta / np.maximum(self.count, 1.0)
        self.squares += delta * np.where(done, self._sum / self.size - self.mean, 0.0)
        self._filled[done] = 0.0
        self._sum[done] = 0.0
        return done


class _Fixed:
    def __init__(self, runs: int, settings: Settings) -> None:
        self.canary, self.stable = _Blocks(runs, settings.block), _Blocks(runs, settings.block)
        self._prior = settings.sigma**2 / settings.block
        self._own = None if settings.sigma_canary is None else settings.sigma_canary**2 / settings.block
        self._rounds, self._weights = 0, np.zeros(runs)

    def add(self, canary: Bools, value: Floats, probability: float, other: Floats, weight: Floats) -> None:
        self._rounds += 1
        self._weights += weight**2
        self.canary.add(value * weight, canary)
        self.stable.add(value * weight, ~canary)

    @property
    def blocks(self) -> Floats:
        return np.minimum(self.canary.count, self.stable.count)

    @property
    def estimate(self) -> Floats:
        return self.canary.mean - self.stable.mean

    def spread(self) -> tuple[Floats, Floats]:
        c, s = self.canary, self.stable
        count = c.count + s.count
        scale = self._weights / self._rounds
        pooled = (c.squares + s.squares + HISTORY_WEIGHT * scale * self._prior) / (count + HISTORY_WEIGHT)
        own = pooled if self._own is None else np.maximum(pooled, self._own * scale)
        with np.errstate(divide="ignore", invalid="ignore"):
            error = (
                np.maximum(np.nan_to_num(c.squares / c.count), VARIANCE_FLOOR * own) / c.count
                + np.maximum(np.nan_to_num(s.squares / s.count), VARIANCE_FLOOR * pooled) / s.count
            )
            return count, np.sqrt(error / count)


class _Adjusted:
    def __init__(self, runs: int, settings: Settings) -> None:
        self.values = _Blocks(runs, settings.block)
        self._prior = HISTORY_WEIGHT * settings.sigma**2
        self._own = None if settings.sigma_canary is None else settings.sigma_canary**2
        self._level, self._offset, self._offsets = np.zeros(runs), np.zeros(runs), np.zeros(runs)
        self._squares = np.zeros(runs)
        self._weight, self._filling = np.zeros((2, runs)), np.zeros((2, runs))
        self._rounds = 0
        self._all = np.ones(runs, dtype=bool)

    @property
    def level(self) -> Floats:
        return self._level

    def add(
        self, canary: Bools, value: Floats, probability: float, other: Floats, weight: Floats, moved: Any = 0.0
    ) -> None:
        if not self._rounds:
            self._level = value.copy()
        residual = value + moved - self._level - np.where(canary, self._offset, 0.0)
        if self._rounds:
            self._filling[0] += weight**2 / probability
            self._filling[1] += weight**2 / (1.0 - probability)
            scaled = np.where(canary, residual / probability, -residual / (1.0 - probability))
            done = self.values.add(weight * (self._offset + scaled), self._all)
            self._weight += np.where(done, self._filling / self.values.size**2, 0.0)
            self._filling[:, done] = 0.0
        self._rounds += 1
        self._squares += residual**2
        self._offsets += canary
        self._offset += np.where(canary, residual / (self._offsets + OFFSET_PRIOR), 0.0)
        self._level = self._level + (residual - moved) / min(self._rounds, LEVEL_MEMORY)

    @property
    def blocks(self) -> Floats:
        return np.minimum(self.values.count, np.minimum(self._offsets, self._rounds - self._offsets))

    @property
    def estimate(self) -> Floats:
        return self.values.mean

    def spread(self) -> tuple[Floats, Floats]:
        pooled = (self._squares + self._prior) / (self._rounds + HISTORY_WEIGHT)
        own = pooled if self._own is None else np.maximum(pooled, self._own)
        floor = VARIANCE_FLOOR * (own * self._weight[0] + pooled * self._weight[1])
        with np.errstate(divide="ignore"):
            return np.maximum(self.values.squares, floor), 1.0 / self.values.count


class _Paired:
    def __init__(self, runs: int, settings: Settings) -> None:
        self.values = _Blocks(runs, settings.block)
        self._all = np.ones(runs, dtype=bool)

    def add(self, canary: Bools, value: Floats, probability: float, other: Floats, weight: Floats) -> None:
        self.values.add(weight * (value - other), self._all)

    @property
    def blocks(self) -> Floats:
        return self.values.count

    @property
    def estimate(self) -> Floats:
        return self.values.mean

    def spread(self) -> tuple[Floats, Floats]:
        with np.errstate(divide="ignore"):
            return self.values.squares, 1.0 / self.values.count


class _Met:
    """As `console.domain.statistics.strand.Met`, a row of runs; sizes are those of this run's stakes."""

    def __init__(self, runs: int, sizes: NDArray[np.int64]) -> None:
        self._low, self._count = sizes.min(), int(sizes.max() - sizes.min()) + 1
        self._rounds, self._money = np.zeros((self._count, runs)), np.zeros((self._count, runs))
        self._rows = np.arange(runs)
        self.earned = np.zeros(runs)

    def add(self, here: Bools, size: NDArray[np.int64], stake: Floats, value: Floats) -> None:
        at = (size - self._low, self._rows)
        self._rounds[at] += here
        self._money[at] += np.where(here, stake, 0.0)
        self.earned += np.where(here, stake * value, 0.0)

    @property
    def rounds(self) -> Floats:
        return self._rounds.sum(axis=0)

    @property
    def money(self) -> Floats:
        return self._money.sum(axis=0)

    def mean(self) -> Floats:
        return self.earned / np.maximum(self.money, 1e-300)

    def unmet(self, level: float) -> Floats:
        rounds, money = np.cumsum(self._rounds[::-1], axis=0), np.cumsum(self._money[::-1], axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            worst = np.nan_to_num(np.minimum(1.0, level / rounds) * money).max(axis=0)
            return np.where(money[-1] > 0.0, worst / money[-1], 1.0)


class _Strand:
    def __init__(self, runs: int, settings: Settings, sizes: NDArray[np.int64]) -> None:
        self._settings = settings
        self.sequence = _KINDS[settings.form](runs, settings)
        self.canary, self.stable = _Met(runs, sizes), _Met(runs, sizes)
        low, high, sigma, own = settings.lowest, settings.highest, settings.sigma, settings.sigma_canary
        bounded = settings.form is Form.BOUNDED
        self.bets = [TwoSample(low, high, sigma, own, settings.block) for _ in range(runs)] if bounded else []

    def add(
        self, c: Bools, x: Floats, pi: float, mate: Floats, weight: Floats, stake: Floats, size: Any, moved: Any = 0.0
    ) -> None:
        if isinstance(self.sequence, _Adjusted):
            self.sequence.add(c, x, pi, mate, weight, moved)
        else:
            self.sequence.add(c, x, pi, mate, weight)
        if self._settings.form is Form.PAIRED:
            self.canary.add(c, size, stake, x)
            self.stable.add(c, size, stake, mate)
        else:
            self.canary.add(c, size, stake, x)
            self.stable.add(~c, size, stake, x)
        if self.bets:
            for bets, canary, value in zip(self.bets, c.tolist(), x.tolist(), strict=True):
                bets.add(canary, value)

    def upper(self, alpha: float) -> Floats:
        return np.array([bets.upper(alpha) for bets in self.bets])

    def lower(self, alpha: float) -> Floats:
        return np.array([bets.lower(alpha, -self._settings.margin) for bets in self.bets])

    def reach(self, alpha: float, scales: tuple[tuple[float, float], ...]) -> Floats:
        variance, factor = self.sequence.spread()
        with np.errstate(invalid="ignore"):
            return factor * _reach(np.asarray(variance, float), alpha, scales)

    def hidden(self, level: float, first: float, second: float) -> Floats:
        """`first` of the canary and `second` of stable are the bounds of what was not met."""
        canary = np.abs(self.canary.mean() - first) * self.canary.unmet(level)
        stable = np.abs(second - self.stable.mean()) * self.stable.unmet(level)
        played = (self.canary.rounds > 0) & (self.stable.rounds > 0)
        return np.where(played, np.maximum(canary, stable), np.inf)


_KINDS = {Form.FIXED: _Fixed, Form.ADJUSTED: _Adjusted, Form.PAIRED: _Paired, Form.BOUNDED: _Fixed}


def judge(
    settings: Settings,
    canary: Bools,
    value: Floats,
    probability: Floats,
    other: Floats | None = None,
    new_steps: frozenset[int] = frozenset(),
    stop: bool = False,
    stake: Floats | None = None,
    until: int | None = None,
    settled: NDArray[np.int64] | None = None,
) -> Outcome:
    """Judge every run after every round.

    Args:
        settings: of the judge.
        canary: runs by rounds: whether the canary played it (all true where both did).
        value: runs by rounds: its return.
        probability: by rounds.
        other: stable's return in the same round, for pairs.
        new_steps: rounds (from 0) before which the share was changed.
        stop: end as soon as every run was called HARM or SAFE.
        stake: runs by rounds: the money at stake; None where it is the same in all.
        until: end as soon as so many runs were called worse.
        settled: runs by rounds: how many rounds had been judged when this one was given out; None where each was judged
            before the next one. Rounds are in the order in which they are judged; for the adjusted form.
    """
    runs, rounds = value.shape
    stakes = np.ones_like(value) if stake is None else stake
    sizes = np.frexp(stakes)[1].astype(np.int64)
    run, step, recent = _Strand(runs, settings, sizes), None, None
    share = 1.0 / len(settings.metrics)
    safe = settings.alpha_safe * share / 2.0
    bounded = settings.form is Form.BOUNDED
    known = settings.sigma_canary is not None or bounded
    of_harm = settings.alpha_harm * share * (1.0 if known else 0.5)
    harm = of_harm * (1.0 - STEP_SHARE - RECENT_SHARE)
    of_step = of_recent = 0.0
    number = stretches = began = 0
    stretch = ceil(RECENT_LASTS * settings.due_rounds)
    real = {Form.ADJUSTED: Adjusted, Form.PAIRED: Paired}.get(settings.form, FixedAllocation)
    due = real(settings.block, settings.spread).intrinsic_time(settings.due_rounds, settings.share)
    tuned_safe, tuned_harm = tuned(safe, due), tuned(harm, due)
    first_harm, first_safe, first_worse = (np.full(runs, NEVER) for _ in range(3))
    outside, total = np.zeros(runs), np.zeros(runs)
    paired = settings.form is Form.PAIRED
    low, high = settings.lowest, settings.highest
    clipped = np.clip(value, low, high)
    mates = clipped if other is None else np.clip(other, low, high)
    beyond = ((value < low) | (value > high)).astype(float)
    if paired and other is not None:
        beyond += (other < low) | (other > high)
    columns, flags, mates, beyond = clipped.T.copy(), canary.T.copy(), mates.T.copy(), beyond.T.copy()
    stakes, sizes = stakes.T.copy(), sizes.T.copy()
    estimate = lower = upper = np.zeros(runs)
    least, most = np.full(runs, np.inf), np.zeros(runs)
    one = np.ones(runs, bool)
    levels = np.zeros((rounds, runs) if settled is not None else (0, runs))

    def gain(strand: _Strand, alpha: float) -> Floats | float:
        return 0.0 if known else strand.hidden(-log(alpha), high, low)

    def proves(strand: _Strand | None, alpha: float) -> tuple[Bools, Bools]:
        nothing = np.zeros(runs, bool)
        if strand is None:
            return nothing, nothing
        worst = strand.sequence.estimate
        if not (worst < 0.0).any():
            return nothing, nothing
        bound = worst + strand.reach(alpha, tuned(alpha, due)) + gain(strand, alpha)
        if bounded:
            sure = strand.upper(alpha)
            bound = np.where(one, sure, np.maximum(bound, sure))
        below = (strand.sequence.blocks >= settings.min_blocks_harm) & (bound < 0.0)
        return below & (worst < -settings.margin), below

    for at in range(rounds):
        if at in new_steps:
            number += 1
            step = _Strand(runs, settings, sizes)
            of_step = of_harm * STEP_SHARE / (number * (number + 1))
        x, c, pi, mate = columns[at], flags[at], float(probability[at]), mates[at]
        total += stakes[at]
        weight = stakes[at] * (at + 1) / total
        moved: Floats | float = 0.0
        if settled is not None and isinstance(run.sequence, _Adjusted):
            levels[at] = run.sequence.level
            before = settled[:, at]
            moved = np.where(before > 0, levels[at] - levels[before, np.arange(runs)], 0.0)
        for strand in (run, step, recent):
            if strand is not None:
                strand.add(c, x, pi, mate, weight, stakes[at], sizes[at], moved)
        least, most = np.minimum(least, stakes[at]), np.maximum(most, stakes[at])
        one = most <= least * (1.0 + ONE_STAKE)
        outside += beyond[at]
        if at + 1 - began >= stretch:
            stretches += 1
            began = at + 1
            recent = _Strand(runs, settings, sizes)
            of_recent = of_harm * RECENT_SHARE / (stretches * (stretches + 1))
        estimate = run.sequence.estimate
        upper = estimate + run.reach(harm, tuned_harm) + gain(run, harm)
        lower = estimate - run.reach(safe, tuned_safe) - run.hidden(-log(safe) * settings.block, low, high)
        if bounded:
            sure_lower, sure_upper = run.lower(safe), run.upper(harm)
            lower = np.where(one, sure_lower, np.minimum(lower, sure_lower))
            upper = np.where(one, sure_upper, np.maximum(upper, sure_upper))
        in_step: Floats | float = np.inf
        if step is not None:
            in_step = step.sequence.estimate - step.reach(safe, tuned_safe)
        enough = run.sequence.blocks >= settings.min_blocks
        below = (run.sequence.blocks >= settings.min_blocks_harm) & (upper < 0.0)
        harmed = below & (estimate < -settings.margin)
        for strand, alpha in ((step, of_step), (recent, of_recent)):
            proven, worse = proves(strand, alpha)
            harmed, below = harmed | proven, below | worse
        first_worse = np.where(below & (first_worse == NEVER), at + 1, first_worse)
        first_harm = np.where(harmed & (first_harm == NEVER), at + 1, first_harm)
        safe_now = enough & (lower > -settings.margin) & (outside == 0) & ~harmed
        safe_now &= np.asarray(in_step > -STEP_MARGINS * settings.margin)
        first_safe = np.where(safe_now & (first_safe == NEVER), at + 1, first_safe)
        if stop and at % 50 == 0 and (np.minimum(first_harm, first_safe) < NEVER).all():
            break
        if until is not None and at % 50 == 0 and (first_worse < NEVER).sum() >= until:
            break
    return Outcome(first_harm, first_worse, first_safe, estimate, lower, upper)
