"""What both versions' decisions on the same rounds would have brought, as it adds up round by round."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from console.domain.fence.claims import as_money
from console.domain.shadow.pairs import PairSums
from console.domain.statistics.absurd import ABSURD, FIRST, too_large
from console.domain.statistics.stakes import UsualStake

ZERO: Final = Decimal(0)


class Priced(NamedTuple):
    """What a decision brought, or would have.

    Args:
        pnl: in the currency of all prices.
        stake: the money at risk for it; None where that is not known. With it rounds are compared per usual stake, so
            that a version that stakes more or less is not taken for a better or worse one.
    """

    pnl: Decimal
    stake: Decimal | None = None


def priced(price: object) -> Priced | None:
    """A price as an author's function gives it: an amount, or `Priced`; None for none, and for what is no amount.

    Whoever takes prices takes them by this: the desk, a shadow and the side that stands by read the same of the same.
    """
    pnl, stake = (price.pnl, price.stake) if isinstance(price, Priced) else (price, None)
    amount, risk = _amount(pnl), _amount(stake)
    if amount is None or (risk is None and stake is not None) or (risk is not None and risk < 0):
        return None
    return Priced(amount, risk)


def _amount(value: object) -> Decimal | None:
    if not isinstance(value, int | Decimal):  # a float has lost what it was written as
        return None
    try:
        return as_money(value)
    except ValueError:
        return None


class Pricing:
    """Adds priced rounds up; the fields are those of `ShadowReading`."""

    def __init__(self) -> None:
        self.unpriced = 0
        self._largest = 0.0
        self._first: list[tuple[Priced, Priced]] | None = []
        self._begin()

    def _begin(self) -> None:
        self.live_pnl = self.shadow_pnl = ZERO
        self.pairs, self.returned, self.own = PairSums(), PairSums(), PairSums()
        self._usual = UsualStake(), UsualStake()

    def add(self, live: Priced, shadow: Priced) -> None:
        """Take in one round; one that is absurdly large beside all others is not priced."""
        size = max(abs(float(live.pnl)), abs(float(shadow.pnl)))
        if self._first is None and size > ABSURD * self._largest > 0.0:
            self.unpriced += 1
            return
        self._take(live, shadow, size)
        if self._first is not None:
            self._first.append((live, shadow))
            if len(self._first) == FIRST:
                self._look_back(self._first)

    def _look_back(self, first: list[tuple[Priced, Priced]]) -> None:
        self._first = None
        sizes = [max(abs(float(live.pnl)), abs(float(shadow.pnl))) for live, shadow in first]
        limit = too_large(sizes)
        if max(sizes) <= limit:
            return
        self._largest = 0.0
        self._begin()
        for (live, shadow), size in zip(first, sizes, strict=True):
            if size > limit:
                self.unpriced += 1
            else:
                self._take(live, shadow, size)

    def _take(self, live: Priced, shadow: Priced, size: float) -> None:
        self._largest = max(self._largest, size)
        self.live_pnl += live.pnl
        self.shadow_pnl += shadow.pnl
        self.pairs = self.pairs.add(float(live.pnl - shadow.pnl))
        own, theirs = _per_usual(live, self._usual[0]), _per_usual(shadow, self._usual[1])
        if own is not None and theirs is not None:
            self.returned = self.returned.add(own - theirs)
        if shadow.stake:
            self.own = self.own.add(float(shadow.pnl / shadow.stake))


def _per_usual(one: Priced, usual: UsualStake) -> float | None:
    """A result over the version's usual stake; None where that is not known."""
    if one.stake:
        return float(one.pnl) / usual.add(float(one.stake))
    if usual.count:
        return float(one.pnl) / usual.mean
    return None if one.pnl else 0.0
