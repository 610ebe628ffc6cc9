"""The judge, many runs at once: the same recurrences as `console.domain`, a whole row of runs a step.

`tests/domain/statistics/test_simulated.py` feeds the same rounds to the real objects and asks for the same bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from console.domain.statistics.evidence import Form, Settings
from console.domain.statistics.judge import STEP_SHARE
from console.domain.statistics.sequences import (
    HISTORY_WEIGHT,
    LEVEL_MEMORY,
    OFFSET_PRIOR,
    VARIANCE_FLOOR,
    Adjusted,
    FixedAllocation,
    Paired,
    rho_squared,
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


def _radius(variance: Floats, count: Floats, rho2: float, alpha: float) -> Floats:
    spread = variance * rho2 + 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(2.0 * spread / rho2 * np.log1p(np.sqrt(spread) / (2.0 * alpha))) / count


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

    def add(self, canary: Bools, value: Floats, probability: float, other: Floats) -> None:
        self.canary.add(value, canary)
        self.stable.add(value, ~canary)

    @property
    def blocks(self) -> Floats:
        return np.minimum(self.canary.count, self.stable.count)

    @property
    def estimate(self) -> Floats:
        return self.canary.mean - self.stable.mean

    def variance_and_count(self) -> tuple[Floats, Floats]:
        c, s = self.canary, self.stable
        count = c.count + s.count
        floor = VARIANCE_FLOOR * (c.squares + s.squares + HISTORY_WEIGHT * self._prior) / (count + HISTORY_WEIGHT)
        with np.errstate(divide="ignore", invalid="ignore"):
            return (
                np.maximum(np.nan_to_num(c.squares / c.count), floor) / c.count
                + np.maximum(np.nan_to_num(s.squares / s.count), floor) / s.count
            ) * count, count

    def radius(self, rho2: float, alpha: float) -> Floats:
        error, count = self.variance_and_count()
        return np.sqrt(error) * _radius(count, count, rho2, alpha)


class _Adjusted:
    def __init__(self, runs: int, settings: Settings) -> None:
        self.values = _Blocks(runs, settings.block)
        self._prior = HISTORY_WEIGHT * settings.sigma**2
        self._level, self._offset, self._offsets = np.zeros(runs), np.zeros(runs), np.zeros(runs)
        self._squares, self._weight, self._filling = np.zeros(runs), np.zeros(runs), np.zeros(runs)
        self._rounds = 0
        self._all = np.ones(runs, dtype=bool)

    def add(self, canary: Bools, value: Floats, probability: float, other: Floats) -> None:
        if not self._rounds:
            self._level = value.copy()
        residual = value - self._level - np.where(canary, self._offset, 0.0)
        if self._rounds:
            self._filling += 1.0 / probability + 1.0 / (1.0 - probability)
            scaled = np.where(canary, residual / probability, -residual / (1.0 - probability))
            done = self.values.add(self._offset + scaled, self._all)
            self._weight += np.where(done, self._filling / self.values.size**2, 0.0)
            self._filling[done] = 0.0
        self._rounds += 1
        self._squares += residual**2
        self._offsets += canary
        self._offset += np.where(canary, residual / (self._offsets + OFFSET_PRIOR), 0.0)
        self._level += residual / min(self._rounds, LEVEL_MEMORY)

    @property
    def blocks(self) -> Floats:
        return np.minimum(self.values.count, np.minimum(self._offsets, self._rounds - self._offsets))

    @property
    def estimate(self) -> Floats:
        return self.values.mean

    def radius(self, rho2: float, alpha: float) -> Floats:
        floor = VARIANCE_FLOOR * (self._squares + self._prior) / (self._rounds + HISTORY_WEIGHT)
        return _radius(np.maximum(self.values.squares, floor * self._weight), self.values.count, rho2, alpha)


class _Paired:
    def __init__(self, runs: int, settings: Settings) -> None:
        self.values = _Blocks(runs, settings.block)
        self._all = np.ones(runs, dtype=bool)

    def add(self, canary: Bools, value: Floats, probability: float, other: Floats) -> None:
        self.values.add(value - other, self._all)

    @property
    def blocks(self) -> Floats:
        return self.values.count

    @property
    def estimate(self) -> Floats:
        return self.values.mean

    def radius(self, rho2: float, alpha: float) -> Floats:
        return _radius(self.values.squares, self.values.count, rho2, alpha)


_KINDS = {Form.FIXED: _Fixed, Form.ADJUSTED: _Adjusted, Form.PAIRED: _Paired}
_REAL = {Form.FIXED: FixedAllocation, Form.ADJUSTED: Adjusted, Form.PAIRED: Paired}


def judge(
    settings: Settings,
    canary: Bools,
    value: Floats,
    probability: Floats,
    other: Floats | None = None,
    new_steps: frozenset[int] = frozenset(),
    stop: bool = False,
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
    """
    runs, rounds = value.shape
    others = value if other is None else other
    run, step = _KINDS[settings.form](runs, settings), None
    share = 1.0 / len(settings.metrics)
    safe, harm = settings.alpha_safe * share / 2.0, settings.alpha_harm * share * (1.0 - STEP_SHARE)
    of_step, rho_step, number = 0.0, 0.0, 0
    due = _REAL[settings.form](settings.block, settings.spread).intrinsic_time(settings.due_rounds, settings.share)
    rho_safe, rho_harm = (rho_squared(2.0 * alpha, due) for alpha in (safe, harm))
    first_harm, first_safe, first_worse = (np.full(runs, NEVER) for _ in range(3))
    played, outside = np.zeros(runs), np.zeros(runs)
    columns, flags, mates = value.T.copy(), canary.T.copy(), others.T.copy()
    paired = settings.form is Form.PAIRED
    estimate = lower = upper = np.zeros(runs)
    for at in range(rounds):
        if at in new_steps:
            number += 1
            step = _KINDS[settings.form](runs, settings)
            of_step = settings.alpha_harm * share * STEP_SHARE / (number * (number + 1))
            rho_step = rho_squared(2.0 * of_step, due)
        x, c, pi, mate = columns[at], flags[at], float(probability[at]), mates[at]
        run.add(c, x, pi, mate)
        played += c
        outside += (x < settings.lowest) | (x > settings.highest)
        if paired:
            outside += (mate < settings.lowest) | (mate > settings.highest)
        estimate = run.estimate
        upper = estimate + run.radius(rho_harm, harm)
        stable = played if paired else at + 1 - played
        with np.errstate(divide="ignore", invalid="ignore"):
            hidden = -log(safe) * np.maximum(-settings.lowest / played, settings.highest / stable)
            lower = estimate - run.radius(rho_safe, safe) - hidden
        enough = run.blocks >= settings.min_blocks
        below = (run.blocks >= settings.min_blocks_harm) & (upper < 0.0)
        harmed = below & (estimate < -settings.margin)
        if step is not None:
            step.add(c, x, pi, mate)
            worst = step.estimate
            below_now = (step.blocks >= settings.min_blocks_harm) & (worst + step.radius(rho_step, of_step) < 0.0)
            harmed |= below_now & (worst < -settings.margin)
            below |= below_now
        first_worse = np.where(below & (first_worse == NEVER), at + 1, first_worse)
        first_harm = np.where(harmed & (first_harm == NEVER), at + 1, first_harm)
        safe_now = enough & (lower > -settings.margin) & (outside == 0) & ~harmed
        first_safe = np.where(safe_now & (first_safe == NEVER), at + 1, first_safe)
        if stop and at % 50 == 0 and (np.minimum(first_harm, first_safe) < NEVER).all():
            break
    return Outcome(first_harm, first_worse, first_safe, estimate, lower, upper)
