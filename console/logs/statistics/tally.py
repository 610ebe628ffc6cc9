"""What is known of one version, or of one slot: counts, rate, latencies, money; constant memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import ceil, floor
from operator import itemgetter
from typing import Final

from console.domain.seen.observation import VersionReading
from console.domain.text import Safe
from console.logs.statistics.ledger import Ledger
from console.logs.statistics.reach import Reach

RATE_WINDOW_S: Final = 60
LATENCIES: Final = 1024
"""The quantiles are exact over as many newest rows, by their own time, that state a latency."""


class Tally:
    """What is known of one version, or of one slot."""

    __slots__ = (
        "_arrivals",
        "_rate",
        "_reaches",
        "_reading",
        "decisions",
        "first_s",
        "last_s",
        "latencies",
        "ledgers",
        "name",
        "slot",
    )

    def __init__(self, name: Safe, slot: str) -> None:
        self.name = name
        self.slot = slot
        self.decisions = 0
        self.first_s = float("inf")
        self.last_s = float("-inf")
        self.latencies: list[tuple[float, float]] = []
        """Time and latency; up to twice as many as count."""
        self._reaches: set[Reach] = set()
        self.ledgers: dict[tuple[Safe, bool], Ledger] = {}
        self._arrivals: Counter[int] = Counter()
        self._rate = 0.0
        self._reading: VersionReading | None = None

    def count(
        self,
        rows: int,
        first_s: float,
        last_s: float,
        arrivals: Mapping[int, int],
        slot: str,
        reach: Reach,
    ) -> None:
        """Count rows between two timestamps; `arrivals` by second, for those recent enough to matter to the rate."""
        self._reaches.add(reach)
        self.decisions += rows
        self.first_s = min(self.first_s, first_s)
        self.last_s = max(self.last_s, last_s)
        self._arrivals.update(arrivals)
        self.slot = slot
        self._reading = None

    def took(self, times: Sequence[float], latencies: Sequence[float | None]) -> None:
        """Take in how long each of some rows took, where it says so."""
        self.latencies += [
            (time, latency)
            for time, latency in zip(times, latencies, strict=True)
            if latency is not None and latency >= 0.0
        ]
        if len(self.latencies) > 2 * LATENCIES:
            self.latencies.sort(key=itemgetter(0))
            del self.latencies[:-LATENCIES]

    def reached(self) -> None:
        """Files were read further back."""
        self._reading = None

    @property
    def since_s(self) -> float:
        """From when on everything counts that the files hold in which it stands."""
        unread = [reach.unread_s for reach in self._reaches if reach.unread_s is not None]
        return max([min(reach.first_s for reach in self._reaches), *unread])

    def tick(self, now_s: int) -> bool:
        """Let the rate follow the clock; whether it changed."""
        if not self._arrivals and not self._rate:
            return False
        for second in [second for second in self._arrivals if second <= now_s - RATE_WINDOW_S]:
            del self._arrivals[second]
        known_s = min(RATE_WINDOW_S, max(1, now_s - floor(self.first_s) + 1))  # a log that was just opened tells less
        rate = sum(rows for second, rows in self._arrivals.items() if second <= now_s) / known_s
        if rate == self._rate:
            return False
        self._rate = rate
        self._reading = None
        return True

    def expire(self, horizon: int) -> bool:
        """Forget money older than 24 hours; whether there was any."""
        expired = sum(ledger.expire(horizon) for ledger in self.ledgers.values())
        if expired:
            self._reading = None
        return bool(expired)

    def reading(self) -> VersionReading:
        """As of the last row and tick; the same object while nothing changes."""
        if self._reading is None:
            newest = sorted(self.latencies, key=itemgetter(0))[-LATENCIES:]
            ordered = sorted(latency for _, latency in newest)
            self._reading = VersionReading(
                version=self.name,
                slot=self.slot,
                decisions=self.decisions,
                first_at=datetime.fromtimestamp(self.first_s, UTC),
                last_at=datetime.fromtimestamp(self.last_s, UTC),
                rate_per_s=self._rate,
                p50_ms=_quantile(ordered, 0.50),
                p99_ms=_quantile(ordered, 0.99),
                latencies=len(ordered),
                since=datetime.fromtimestamp(self.since_s, UTC),
                pnl=tuple(
                    self.ledgers[key].reading() for key in sorted(self.ledgers, key=lambda key: (key[1], key[0]))
                ),
            )
        return self._reading


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    """Nearest rank: the smallest value that at least `share` of all values do not exceed."""
    if not ordered:
        return None
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
