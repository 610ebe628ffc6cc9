"""Whether a field differs from the record more often than the version differs from itself: an exact sign test.

If the new version decided like the recorded one, the record, its first and its second run could change places. Then
rounds in which the record alone stands apart from two runs that agree are as likely as rounds in which the second run
alone does (exchangeability; McNemar, Psychometrika 12 (1947), its exact form).
"""

from __future__ import annotations

import math
from typing import Final

ALPHA: Final = 0.05
"""Of what happens by chance with less probability, noise is no explanation."""
EXACT_UP_TO: Final = 200
"""Up to so many rounds the probability is calculated exactly; beyond, by the normal approximation with its correction
for continuity."""


def beyond_noise(apart: int, unsteady: int) -> bool:
    """Whether noise does not explain how often the record stands apart.

    Args:
        apart: rounds in which the record differs and two runs agree.
        unsteady: rounds in which two runs differ and the record agrees with the first.
    """
    rounds = apart + unsteady
    if not apart:
        return False
    if rounds <= EXACT_UP_TO:
        ways = sum(math.comb(rounds, count) for count in range(apart, rounds + 1))
        return ways / (1 << rounds) < ALPHA
    score = (apart - 0.5 - rounds / 2) / (math.sqrt(rounds) / 2)
    return 0.5 * math.erfc(score / math.sqrt(2)) < ALPHA
