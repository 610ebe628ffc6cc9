"""Money of one currency, dry or live, summed exactly in constant memory: in total, over 24 hours, and as a series to
draw."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from console.domain.seen.observation import PnlTotal
from console.domain.text import Safe

MAX_POINTS: Final = 240
WINDOW_SHIFT: Final = 6
"""The 24-hour sum is kept in buckets of 2^6 = 64 s, so that both kinds of bucket are powers of two and one pass fills
both."""
WINDOW_BUCKETS: Final = 86_400 >> WINDOW_SHIFT
_ZERO: Final = Decimal(0)


class Ledger:
    """Running sums; all arithmetic happens in the caller's decimal context, which must be `money.EXACT`.

    Rows may come in any order: the same rows give the same ledger. Time is in whole epoch seconds.
    """

    __slots__ = (
        "_first",
        "_last",
        "_reading",
        "_series",
        "_window",
        "_window_total",
        "currency",
        "dry",
        "rounds",
        "shift",
        "total",
    )

    def __init__(self, currency: Safe, dry: bool) -> None:
        self.currency = currency
        self.dry = dry
        self.total = _ZERO
        self.rounds = 0
        self.shift = 0
        """A step of the series lasts 2^shift seconds."""
        self._first = self._last = -1
        self._series: dict[int, Decimal] = {}
        self._window: dict[int, Decimal] = {}
        self._window_total = _ZERO
        self._reading: PnlTotal | None = None

    def cover(self, first: int, last: int) -> None:
        """Make room for rows between these seconds, doubling the step as often as it takes to stay within
        MAX_POINTS."""
        self._first = first if self._first < 0 else min(first, self._first)
        self._last = max(last, self._last)
        shift = self.shift
        while (self._last >> shift) - (self._first >> shift) >= MAX_POINTS:
            shift += 1
        if shift != self.shift:
            self._series = _coarsen(self._series, shift - self.shift)
            self.shift = shift

    def add(self, sums: Mapping[int, Decimal], shift: int, rounds: int, horizon: int) -> None:
        """Add sums by bucket of 2^shift seconds, of seconds that were covered before.

        Args:
            sums: at most as coarse as both kinds of bucket kept here.
            shift: 0 to the smaller of WINDOW_SHIFT and `self.shift`.
            rounds: how many rows they sum up.
            horizon: the first window bucket still within 24 hours.
        """
        series, to_series = self._series, self.shift - shift
        window, to_window = self._window, WINDOW_SHIFT - shift
        for bucket, amount in sums.items():
            self.total += amount
            step = bucket >> to_series
            series[step] = series.get(step, _ZERO) + amount
            place = bucket >> to_window
            if place >= horizon:
                window[place] = window.get(place, _ZERO) + amount
                self._window_total += amount
        self.rounds += rounds
        self._reading = None

    def expire(self, horizon: int) -> bool:
        """Forget window buckets before `horizon`; whether there were any."""
        old = [place for place in self._window if place < horizon]
        for place in old:
            self._window_total -= self._window.pop(place)
        if old:
            self._reading = None
        return bool(old)

    def reading(self) -> PnlTotal:
        """As of the last row; the same object while nothing changes."""
        if self._reading is None:
            start = self._first >> self.shift
            points, running = [], _ZERO
            for step in range(start, (self._last >> self.shift) + 1):
                running += self._series.get(step, _ZERO)
                points.append(float(running))
            self._reading = PnlTotal(
                currency=self.currency,
                dry=self.dry,
                total=self.total,
                last_24h=self._window_total,
                rounds=self.rounds,
                series=tuple(points),
                series_start=datetime.fromtimestamp(start << self.shift, UTC),
                series_step_s=float(1 << self.shift),
            )
        return self._reading


def _coarsen(sums: Mapping[int, Decimal], by: int) -> dict[int, Decimal]:
    coarse: dict[int, Decimal] = {}
    for bucket, amount in sums.items():
        coarse[bucket >> by] = coarse.get(bucket >> by, _ZERO) + amount
    return coarse
