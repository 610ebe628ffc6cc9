"""The published formula and nothing else: what it takes to prove harm with a known variance and the whole of alpha.

Waudby-Smith et al., arXiv:2103.06476, Theorem 2.2, for one side at 2 alpha, the number of rounds as intrinsic time: as
`console.domain.statistics.sequences` has it, less all that a real run has to pay for: an estimated variance and its
floor, alpha shared with the running step, whole blocks.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from console.domain.statistics.boundary import rho_squared
from tests.simulate.shapes import Floats

ALPHA = 0.05
GRID = 8000
AT_ONCE = 200


def rounds_to_prove(effect: float, due: float, runs: int, seed: list[int]) -> int:
    """The median of rounds until the one-sided sequence leaves 0 behind.

    Args:
        effect: the drift of a round's contribution in its standard deviations: d sqrt(s (1 - s)) for a share s.
        due: the number of rounds at which the sequence is tightest.
        runs: random walks.
        seed: of the generator.
    """
    most = int(30.0 / effect**2)
    step = max(1, most // GRID)
    rounds: Floats = np.arange(step, most + 1, step).astype(float)
    rho2 = rho_squared(2.0 * ALPHA, due)
    spread = rounds * rho2 + 1.0
    boundary = np.sqrt(2.0 * spread / rho2 * np.log(np.sqrt(spread) / (2.0 * ALPHA)))
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(-(-runs // AT_ONCE)):
        noise = rng.standard_normal((AT_ONCE, len(rounds)))
        beyond = np.cumsum(noise * sqrt(step) + effect * step, axis=1) > boundary
        found.append(np.where(beyond.any(axis=1), rounds[beyond.argmax(axis=1)], np.inf))
    return int(np.median(np.concatenate(found)))
