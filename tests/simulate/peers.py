"""What others would have said on the same rounds: Welch's test at every round, Mann-Whitney every hundred."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tests.simulate.shapes import Floats

Bools = NDArray[np.bool_]
LEVEL_WELCH = 0.05
LEVEL_RANKS = 0.02
FIRST_LOOK = 30
EVERY = 100


def welch(canary: Bools, value: Floats) -> Bools:
    """Which runs are ever called worse, one-sided at 5 %, looking after every round with 30 of each version."""
    z = -float(stats.norm.ppf(LEVEL_WELCH))
    called = np.zeros(len(value), dtype=bool)
    for run in range(len(value)):
        c, x = canary[run].astype(float), value[run]
        n1, n0 = np.cumsum(c), np.cumsum(1 - c)
        ready = (n1 >= FIRST_LOOK) & (n0 >= FIRST_LOOK)
        with np.errstate(divide="ignore", invalid="ignore"):
            m1, m0 = np.cumsum(c * x) / n1, np.cumsum((1 - c) * x) / n0
            v1, v0 = np.cumsum(c * x * x) / n1 - m1**2, np.cumsum((1 - c) * x * x) / n0 - m0**2
            error = np.sqrt(np.maximum(v1, 0) / (n1 - 1) + np.maximum(v0, 0) / (n0 - 1))
            called[run] = bool(np.any(ready & (m1 - m0 < -z * error - 1e-12)))
    return called


def paired_t(canary: Floats, stable: Floats) -> Bools:
    """The same for pairs: one-sided t-test on the differences at every round from the thirtieth."""
    z = -float(stats.norm.ppf(LEVEL_WELCH))
    d = canary - stable
    n = np.arange(1, d.shape[1] + 1)
    mean = np.cumsum(d, axis=1) / n
    variance = np.maximum(np.cumsum(d * d, axis=1) / n - mean**2, 0)
    found = mean < -z * np.sqrt(variance / np.maximum(n - 1, 1)) - 1e-12
    return np.asarray(found[:, FIRST_LOOK - 1 :].any(axis=1))


def mann_whitney(canary: Bools, value: Floats) -> Bools:
    """Which runs are ever called worse by ranks, one-sided at 98 %, every hundred rounds (normal, ties counted)."""
    z = -float(stats.norm.ppf(LEVEL_RANKS))
    called = np.zeros(len(value), dtype=bool)
    rounds = value.shape[1]
    for run in range(len(value)):
        order = np.argsort(value[run], kind="stable")
        sorted_value, sorted_canary = value[run][order], canary[run][order]
        for look in range(EVERY, rounds + 1, EVERY):
            seen = order < look
            if rank_z(sorted_value[seen], sorted_canary[seen]) < -z:
                called[run] = True
                break
    return called


def rank_z(sorted_value: Floats, canary: Bools) -> float:
    """The rank-sum statistic of the canary in units of its standard error; values sorted, ties given mean ranks."""
    n = len(sorted_value)
    n1 = int(canary.sum())
    n0 = n - n1
    if min(n1, n0) < FIRST_LOOK:
        return 0.0
    starts = np.flatnonzero(np.append(True, sorted_value[1:] != sorted_value[:-1]))
    sizes = np.diff(np.append(starts, n))
    ranks = np.repeat(starts + (sizes + 1) / 2, sizes)
    spread = n1 * n0 / 12 * (n + 1 - float((sizes.astype(float) ** 3 - sizes).sum()) / (n * (n - 1)))
    if spread <= 0:
        return 0.0
    return float((ranks[canary].sum() - n1 * (n + 1) / 2) / np.sqrt(spread))
