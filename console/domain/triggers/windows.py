"""What the triggers know of one slot: windows over its decisions, in constant memory, built when they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, NamedTuple

from console.domain.statistics.sketch import Ring, Sketch
from console.domain.text import Safe, clean
from console.domain.triggers.baseline import MAX_CURRENCIES, Baseline
from console.domain.triggers.rounds import PnlWindow
from console.domain.triggers.settings import TriggerSettings

LATENCIES: Final = 128
"""Newest latencies over which the present median is taken."""
MAX_ESCROWS: Final = 1024
"""Escrows watched at a time; more are counted and not watched."""


class Row(NamedTuple):
    """One decision, with what the triggers need of it.

    Args:
        at_s: epoch seconds.
        version, slot: whose it is; `slot` is empty where that can't be told.
        id: names the decision: its own id, or file and offset.
        amount, currency, dry: PnL of the round, where it states one; NaN where what it states is no amount of money.
        latency_ms: how long it took.
        epoch: in which it was claimed; 0 for a plain agent.
        key: its idempotency key; empty for none.
        content: what it did, to compare with what others did; empty where it is no action, or names nothing by which
            two actions could be told apart.
        fill: whether it reports a part of an order, of which there may be several alike.
        fault: "", "exception" or "auth"; fault_text: in its own words.
        escrow: the escrow it looked at; `escrow_over`: whether that ended it.
        stake: the money that was at risk in it, in the same currency; None where it states none.
    """

    at_s: float
    version: str
    slot: str
    id: str
    amount: Decimal | None = None
    currency: str = ""
    dry: bool = False
    latency_ms: float | None = None
    epoch: int = 0
    key: str = ""
    content: bytes = b""
    fill: bool = False
    fault: str = ""
    fault_text: str = ""
    escrow: str = ""
    escrow_over: bool = False
    stake: Decimal | None = None


class Past:
    """What one version ever did, as far as a baseline needs it.

    Args:
        settings: for the sizes of blocks.
        version: whose.
    """

    __slots__ = ("_settings", "count", "first_s", "last_s", "latencies", "pnl", "version")

    def __init__(self, settings: TriggerSettings, version: str) -> None:
        self._settings = settings
        self.version = version
        self.count = 0
        self.first_s = self.last_s = 0.0
        self.pnl: dict[str, PnlWindow] = {}
        self.latencies = Sketch()

    def add(self, row: Row) -> None:
        """Take in one decision."""
        if not self.count:
            self.first_s = row.at_s
        self.count += 1
        self.last_s = max(self.last_s, row.at_s)
        if row.latency_ms is not None:
            self.latencies.add(row.latency_ms)
        if row.amount is None or row.dry:
            return
        pnl = self.pnl.get(row.currency)
        if pnl is None:
            if len(self.pnl) >= MAX_CURRENCIES:
                return  # counted where it matters: in the window of the tenure
            pnl = self.pnl[row.currency] = PnlWindow(self._settings)
        pnl.add(row.at_s, row.amount, row.id, row.stake)

    def frozen(self, slot: str, at: datetime) -> Baseline:
        """As a baseline, from here on unchanged."""
        span = self.last_s - self.first_s
        return Baseline(
            version=clean(self.version, 64),
            slot=slot,
            frozen_at=at,
            decisions=self.count,
            pnl={currency: pnl.frozen() for currency, pnl in self.pnl.items()},
            median_ms=self.latencies.quantile(0.5),
            gap_s=span / (self.count - 1) if self.count > 1 else 0.0,
        )


class Window:
    """What the active side did since it became active.

    Args:
        settings: for the sizes of blocks and windows.
        allowed: by currency, see `PnlWindow`.
    """

    __slots__ = ("_settings", "allowed", "count", "last_s", "pnl", "recent_ms", "skipped", "version")

    def __init__(self, settings: TriggerSettings, allowed: Mapping[str, tuple[float, float]] | None = None) -> None:
        self._settings = settings
        self.version = ""
        self.count = 0
        self.last_s = 0.0
        self.pnl: dict[str, PnlWindow] = {}
        self.allowed = dict(allowed or {})
        self.recent_ms = Ring(LATENCIES)
        self.skipped = 0
        """Rounds in a currency beyond the bound on how many are kept apart."""

    def add(self, row: Row) -> None:
        """Take in one decision."""
        self.version = row.version
        self.count += 1
        self.last_s = max(self.last_s, row.at_s)
        if row.latency_ms is not None:
            self.recent_ms.add(row.at_s, row.latency_ms)
        if row.amount is None or row.dry:
            return
        pnl = self.pnl.get(row.currency)
        if pnl is None:
            if len(self.pnl) >= MAX_CURRENCIES:
                self.skipped += 1
                return
            pnl = self.pnl[row.currency] = PnlWindow(self._settings, self.allowed.get(row.currency))
        pnl.add(row.at_s, row.amount, row.id, row.stake)

    def allow(self, currency: str, bounds: tuple[float, float]) -> None:
        """From now on so much may be returned per unit at risk."""
        self.allowed[currency] = bounds
        if currency in self.pnl:
            self.pnl[currency].allowed = bounds


class Escrows:
    """Who was last looked at when."""

    __slots__ = ("looks", "over", "unwatched")

    def __init__(self) -> None:
        self.looks: dict[Safe, float] = {}
        self.over: dict[Safe, None] = {}
        self.unwatched = 0

    def look(self, row: Row, *, counts: bool) -> None:
        """A decision that names an escrow.

        Args:
            row: it.
            counts: whether it is the active side's: a look by the other side does not protect anything.
        """
        name = clean(row.escrow, 64)
        if row.escrow_over:
            self.looks.pop(name, None)
            self.over[name] = None
            if len(self.over) > MAX_ESCROWS:
                del self.over[next(iter(self.over))]
            return
        if name in self.over:
            return
        if name in self.looks:
            if counts:
                self.looks[name] = max(self.looks[name], row.at_s)
        elif len(self.looks) < MAX_ESCROWS:
            self.looks[name] = row.at_s
        else:
            self.unwatched += 1


def time_of(at_s: float) -> datetime:
    """Epoch seconds as aware UTC."""
    return datetime.fromtimestamp(at_s, UTC)
