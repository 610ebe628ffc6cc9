"""One e-process for every share: sample ratio, errors, skipped rounds, latency above the baseline's.

Source: Lindon, Malek, *Anytime-valid inference for multinomial count data*, NeurIPS 2022, arXiv:2011.03567, for two
outcomes. Under the expected share the process is a martingale that starts at 1, so by Ville's inequality it reaches
1/alpha with probability at most alpha, however often it is looked at.
"""

from __future__ import annotations

from enum import StrEnum
from math import log
from typing import Any, Final

CONCENTRATION: Final = 100.0
"""How close to the expected share the alternatives lie: that many rounds of belief in it."""


class Side(StrEnum):
    """Which departure from the expected share counts."""

    ABOVE = "above"
    BELOW = "below"
    EITHER = "either"


class ShareProcess:
    """Evidence that a share is not what it was expected to be.

    Args:
        expected: the share under "nothing is wrong", between 0 and 1, both excluded.
        side: an alarm needs the observed share on this side of it.
        concentration: see `CONCENTRATION`.
    """

    __slots__ = ("_a", "_b", "_concentration", "expected", "hits", "log_e", "rounds", "side")

    def __init__(self, expected: float, side: Side = Side.EITHER, concentration: float = CONCENTRATION) -> None:
        if not 0.0 < expected < 1.0:
            raise ValueError(f"an expected share lies between 0 and 1, both excluded, not at {expected}")
        self.expected = expected
        self.side = side
        self._concentration = concentration
        self._a = concentration * expected
        self._b = concentration * (1.0 - expected)
        self.hits = 0
        self.rounds = 0
        self.log_e = 0.0

    def add(self, hit: bool) -> None:
        """One round: the mixture's prediction of what happened over the expected one's."""
        total = self._concentration + self.rounds
        if hit:
            self.log_e += log((self._a + self.hits) / (total * self.expected))
            self.hits += 1
        else:
            self.log_e += log((self._b + self.rounds - self.hits) / (total * (1.0 - self.expected)))
        self.rounds += 1

    @property
    def share(self) -> float:
        """The share observed; the expected one before any round."""
        return self.hits / self.rounds if self.rounds else self.expected

    def alarm(self, alpha: float) -> bool:
        """Whether the share is another one than expected, on the side that counts, at level alpha."""
        if self.log_e < -log(alpha):
            return False
        if self.side is Side.ABOVE:
            return self.share > self.expected
        return self.side is Side.EITHER or self.share < self.expected

    def state(self) -> list[float]:
        """What `restore` goes on from, as plain JSON values."""
        return [self.hits, self.rounds, self.log_e]

    def restore(self, state: Any) -> None:
        """Go on from a state of a process with the same expected share."""
        hits, rounds, log_e = state
        self.hits, self.rounds, self.log_e = int(hits), int(rounds), float(log_e)
