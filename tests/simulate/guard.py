"""The guard's PnL rule, many runs at once: the same arithmetic as `console.domain.triggers.pnl`, a row of runs a step.

`tests/domain/triggers/test_simulated.py` feeds the same rounds to the real rule and asks for the same verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from console.domain.statistics.boundary import radius, rho_squared
from console.domain.triggers.pnl import BASELINE_SHARE
from console.domain.triggers.settings import TriggerSettings
from tests.simulate.shapes import Floats

NEVER = np.iinfo(np.int64).max


@dataclass
class Fired:
    """After how many rounds each run was first called HARM, and first frozen (`NEVER` for never)."""

    harm: NDArray[np.int64]
    frozen: NDArray[np.int64]


def _first(hits: NDArray[np.bool_], rounds: NDArray[np.int64]) -> NDArray[np.int64]:
    found: NDArray[np.int64] = np.where(hits.any(axis=1), rounds[hits.argmax(axis=1)], NEVER)
    return found


def _moments(values: Floats) -> tuple[Floats, Floats]:
    """Running mean and sum of squared deviations along each row."""
    counts = np.arange(1, values.shape[1] + 1)
    total = np.cumsum(values, axis=1)
    squares = np.cumsum(values**2, axis=1) - total**2 / counts
    return total / counts, np.maximum(squares, 0.0)


def _block_means(values: Floats, block: int) -> Floats:
    whole = values.shape[1] // block * block
    means: Floats = values[:, :whole].reshape(values.shape[0], -1, block).mean(axis=2)
    return means


def play(settings: TriggerSettings, before: Floats, after: Floats) -> Fired:
    """Judge every run after every round.

    Args:
        settings: of the rule.
        before: the old version's rounds, a run a row; the baseline.
        after: the new version's.
    """
    block = settings.pnl_block
    old, new = _block_means(before, block), _block_means(after, block)
    old_mean, old_squares = old.mean(axis=1)[:, None], (old.var(axis=1) * old.shape[1])[:, None]
    mean, squares = _moments(new)
    counts = np.arange(1, new.shape[1] + 1)
    of_old, of_new = settings.pnl_alpha * BASELINE_SHARE, settings.pnl_alpha * (1 - BASELINE_SHARE)
    rho_new = rho_squared(2 * of_new, max(1.0, settings.pnl_due / block))
    reach_new = np.array([radius(count, count, rho_new, of_new) for count in counts])
    reach_old = radius(old.shape[1], old.shape[1], rho_squared(2 * of_old, old.shape[1]), of_old)
    pooled = (squares + old_squares) / (counts + old.shape[1])
    spread_new = np.sqrt(np.maximum(squares / counts, pooled))
    spread_old = np.sqrt(np.maximum(old_squares / old.shape[1], pooled))
    estimate = mean - old_mean
    upper = estimate + spread_new * reach_new + spread_old * reach_old
    margin = settings.pnl_margin * np.abs(before.mean(axis=1))[:, None]
    harm = (upper < 0) & (estimate < -margin) & (counts >= settings.pnl_blocks)
    return Fired(_first(harm, counts * block), _frozen(settings, before, after))


def _frozen(settings: TriggerSettings, before: Floats, after: Floats) -> NDArray[np.int64]:
    rounds = np.arange(1, after.shape[1] + 1)
    n = np.minimum(rounds, settings.pnl_window)
    total = np.cumsum(after, axis=1)
    newest = total.copy()
    newest[:, settings.pnl_window :] -= total[:, : -settings.pnl_window]
    variance = before.var(axis=1, ddof=1)[:, None]
    error = np.sqrt(variance / n + variance / before.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (newest / n - before.mean(axis=1)[:, None]) / error
    below = (z <= -settings.pnl_sigmas) & (rounds >= settings.pnl_rounds) & (variance > 0)
    return _first(below, rounds)
