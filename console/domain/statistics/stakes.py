"""The usual stake of a version: what makes rounds of one that stakes otherwise comparable."""

from __future__ import annotations


class UsualStake:
    """The mean of all stakes so far, the present one among them.

    A round counts by its money over this: large stakes weigh more than small ones, and a version that halves all of its
    stakes has the same figures as before. Of stakes drawn alike, stake over usual stake has the mean 1 exactly.
    """

    __slots__ = ("count", "mean")

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0

    def add(self, stake: float) -> float:
        """Take one in, above 0; the usual stake with it."""
        self.count += 1
        self.mean += (stake - self.mean) / self.count
        return self.mean
