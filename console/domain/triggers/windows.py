"""What the triggers know of one slot: windows over its decisions, in constant memory, built when they are needed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, NamedTuple

from console.domain.statistics.moments import Blocks, Moments
from console.domain.statistics.sketch import Ring, Sketch
from console.domain.text import Safe, clean
from console.domain.triggers.baseline import MAX_CURRENCIES, Baseline, PnlBaseline, deviation_of
from console.domain.triggers.settings import TriggerSettings

LATENCIES: Final = 128
"""Newest latencies over which the present median is taken."""
SAMPLES: Final = 5
"""Ids of decisions kept as evidence."""
MAX_ESCROWS: Final = 1024
"""Escrows watched at a time; more are counted and not watched."""


class Row(NamedTuple):
    """One decision, with what the triggers need of it.

    Args:
        at_s: epoch seconds.
        version, slot: whose it is; `slot` is empty where that can't be told.
        id: names the decision: its own id, or file and offset.
        amount, currency, dry: PnL of the round, where it states one.
        latency_ms: how long it took.
        epoch: in which it was claimed; 0 for a plain agent.
        key: its idempotency key; empty for none.
        content: what it did, to compare with what others did; empty where it is no action, or names nothing by which
            two actions could be told apart.
        fill: whether it reports a part of an order, of which there may be several alike.
        fault: "", "exception" or "auth"; fault_text: in its own words.
        escrow: the escrow it looked at; `escrow_over`: whether that ended it.
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


class Event(NamedTuple):
    """Something that happened once and is harm by itself."""

    at_s: float
    id: str
    text: str


class Events:
    """Events of one kind: the newest, and how many there were."""

    __slots__ = ("count", "newest")

    def __init__(self) -> None:
        self.count = 0
        self.newest: tuple[Event, ...] = ()

    def add(self, event: Event) -> None:
        """Take in one."""
        self.count += 1
        self.newest = (*self.newest, event)[-SAMPLES:]

    def since(self, at_s: float) -> Events:
        """Those of the newest that happened at a time or later, in epoch seconds."""
        later = Events()
        for event in self.newest:
            if event.at_s >= at_s:
                later.add(event)
        return later


class PnlTotals:
    """One currency's rounds, as far as a baseline needs them.

    Args:
        settings: for the size of blocks.
    """

    __slots__ = ("blocks", "moments", "total")

    def __init__(self, settings: TriggerSettings) -> None:
        self.moments = Moments()
        self.blocks = Blocks(settings.pnl_block)
        self.total = Decimal(0)

    def add(self, at_s: float, amount: Decimal, sample: str) -> None:
        """Take in one round."""
        value = float(amount)
        self.moments.add(value)
        self.blocks.add(value)
        self.total += amount

    def frozen(self) -> PnlBaseline:
        """As a baseline."""
        moments, blocks = self.moments, self.blocks.moments
        deviation = deviation_of(moments.squares, moments.count)
        of_blocks = (blocks.count, blocks.mean, blocks.squares, self.blocks.size)
        return PnlBaseline(moments.count, moments.mean, deviation, *of_blocks)


class PnlWindow(PnlTotals):
    """The same, with the newest rounds.

    Args:
        settings: for the sizes of blocks and windows.
    """

    __slots__ = ("recent", "samples")

    def __init__(self, settings: TriggerSettings) -> None:
        super().__init__(settings)
        self.recent = Ring(settings.pnl_window)
        self.samples: tuple[str, ...] = ()

    def add(self, at_s: float, amount: Decimal, sample: str) -> None:
        """Take in one round."""
        super().add(at_s, amount, sample)
        self.recent.add(at_s, float(amount))
        self.samples = (*self.samples, sample)[-SAMPLES:]


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
        self.pnl: dict[str, PnlTotals] = {}
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
            pnl = self.pnl[row.currency] = PnlTotals(self._settings)
        pnl.add(row.at_s, row.amount, row.id)

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
    """

    __slots__ = ("_settings", "count", "last_s", "pnl", "recent_ms", "skipped", "version")

    def __init__(self, settings: TriggerSettings) -> None:
        self._settings = settings
        self.version = ""
        self.count = 0
        self.last_s = 0.0
        self.pnl: dict[str, PnlWindow] = {}
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
            pnl = self.pnl[row.currency] = PnlWindow(self._settings)
        pnl.add(row.at_s, row.amount, row.id)


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
