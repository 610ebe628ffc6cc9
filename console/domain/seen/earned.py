"""Exact sums over whole logs, and how far they are counted: a part is never told as the whole."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from console.domain.text import Safe


class EarnedTotal(NamedTuple):
    """Exact profit and loss of one slot in one currency.

    Args:
        slot: "blue", "green", or "" for neither.
        currency: as stated; empty where none is.
        dry: whether no real money moved.
        rounds: that state a PnL.
        amount: their sum.
    """

    slot: str
    currency: Safe
    dry: bool
    rounds: int
    amount: Decimal


class Counted(NamedTuple):
    """What whole logs say of two times, as far as they are counted.

    Args:
        exact: whether every line of every log counts; the sums are empty until it does.
        read_bytes, of_bytes: how far the logs are counted.
        day: sums over the last 24 hours.
        switched_at: when who acts was changed last; None where that is not known.
        since_switch: sums since then; empty where that is not known.
        problem: why a log can't count, so that nothing will be exact; empty where all do.
    """

    exact: bool = False
    read_bytes: int = 0
    of_bytes: int = 0
    day: tuple[EarnedTotal, ...] = ()
    switched_at: datetime | None = None
    since_switch: tuple[EarnedTotal, ...] = ()
    problem: Safe = Safe("")

    @property
    def share(self) -> float:
        """How much of the logs is counted, from 0 to 1."""
        return min(1.0, self.read_bytes / self.of_bytes) if self.of_bytes else 0.0

    def of_day(self, slot: str, currency: str, *, dry: bool) -> EarnedTotal | None:
        """The sum of a slot and currency over 24 hours, zero where nothing was earned; None until it is exact."""
        return self._of(self.day, slot, currency, dry=dry) if self.exact else None

    def of_switch(self, slot: str, currency: str, *, dry: bool) -> EarnedTotal | None:
        """The same since the last switch; None until it is exact, or where nothing is known of a switch."""
        known = self.exact and self.switched_at is not None
        return self._of(self.since_switch, slot, currency, dry=dry) if known else None

    @staticmethod
    def _of(sums: tuple[EarnedTotal, ...], slot: str, currency: str, *, dry: bool) -> EarnedTotal:
        same = (one for one in sums if (one.slot, one.currency, one.dry) == (slot, currency, dry))
        return next(same, EarnedTotal(slot, Safe(currency), dry, 0, Decimal(0)))
