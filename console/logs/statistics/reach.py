"""How far back one file was read: what its figures cover."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_SAMPLE: Final = 9


class Reach:
    """Of one file that was there at the start.

    Attributes:
        first_s: the earliest time read in it, epoch seconds; infinity where nothing was.
        unread_s: up to which time lines were left out; None where none was.
    """

    __slots__ = ("first_s", "unread_s")

    def __init__(self) -> None:
        self.first_s = float("inf")
        self.unread_s: float | None = None

    @property
    def begun(self) -> bool:
        """Whether anything was read."""
        return self.first_s < float("inf")

    def begins(self, times: Sequence[float]) -> None:
        """Lines before these were left out: up to the time at which these begin, as several of them tell it, so that
        one line out of order does not decide."""
        first = sorted(times[:_SAMPLE])
        self.unread_s = first[len(first) // 2]
