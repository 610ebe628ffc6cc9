"""Every probe of a venue: what it read, or why that is unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from console.domain.document import Report
from console.domain.text import Safe, clean
from console.domain.venue.books import Comparison, Standing
from console.domain.venue.judge import Item
from console.domain.venue.reading import Reading, Why
from console.domain.venue.things import Balance, Escrow, Health, History, Key, Monitor

Hide = Callable[[object], Safe]


@dataclass(frozen=True, slots=True)
class Probed:
    """One probe.

    Args:
        probe: what was asked for.
        why: why nobody may rely on it; null where it is fine.
        detail: in words.
        value: what was read, in words; null where that is unknown.
        source: method and address.
        taken_at: when the answer was complete, or given up.
        took_ms: how long it took.
        until: when it makes sense to ask again, where the venue said so.
    """

    probe: Safe
    why: Why | None
    detail: Safe
    value: Safe | None
    source: Safe
    taken_at: datetime
    took_ms: float
    until: datetime | None

    def line(self) -> str:
        """The probe in one line."""
        mark = "ok     " if self.why is None else "UNKNOWN"
        why = "" if self.why is None else f"  {self.why.value}"
        value = "" if self.value is None else f"  {self.value}"
        detail = f"  ({self.detail})" if self.detail else ""
        return f"{mark}  {self.probe}{why}{value}{detail}  {self.took_ms:.0f} ms  {self.source}"


@dataclass(frozen=True, slots=True)
class VenueCheck(Report):
    """What every probe of a venue brought.

    Args:
        venue: its name.
        at: when it was asked.
        agent: for whom.
        fine: whether nothing is unknown.
        probes: one by one.
        not_configured: what its document has no probe for.
        terms: what it says of time-outs, keys and the dead man's switch, in words.
    """

    venue: Safe
    at: datetime
    agent: str
    fine: bool
    probes: tuple[Probed, ...]
    not_configured: tuple[str, ...]
    terms: tuple[Safe, ...]

    @property
    def well(self) -> bool:
        return self.fine

    def lines(self) -> Iterator[str]:
        yield from (probe.line() for probe in self.probes)
        if self.not_configured:
            yield f"not configured: {', '.join(self.not_configured)}"
        yield from (f"terms: {term}" for term in self.terms)
        unknown = sum(probe.why is not None for probe in self.probes)
        yield f"{self.venue}: {len(self.probes)} read, {unknown} unknown"


def probed(readings: Sequence[Reading[Any]], items: Sequence[Item], hide: Hide) -> tuple[Probed, ...]:
    """Readings with what follows from them.

    Args:
        readings: of a look.
        items: as it was judged, found by their names.
        hide: takes secrets out of what the venue said.
    """
    judged = {item.what: item for item in items}
    made = []
    for reading in readings:
        item = judged.get(reading.probe)
        why, detail = (item.why, item.detail) if item else (reading.why, reading.detail)
        value = None if reading.value is None else hide(_words(reading.value))
        made.append(
            Probed(
                hide(reading.probe),
                why,
                Safe("") if why is None else hide(detail),
                value,
                reading.source,
                reading.taken_at,
                reading.took_ms,
                reading.until,
            )
        )
    return tuple(made)


def _words(value: object) -> str:
    """What was read, in a few words."""
    match value:
        case Health():
            gone = [f"{one.name} {one.says}" for one in value.dependencies]
            return ", ".join([str(value.says), *gone])
        case Key():
            return f"taken, for {value.says}" if value.says else "taken"
        case Balance():
            return f"{value.amount:f} {value.currency}"
        case Monitor():
            return "running" if value.running else "stopped"
        case Escrow():
            ends = f", ends {value.release_at.isoformat(timespec='seconds')}" if value.release_at else ""
            return f"{value.status}, {value.amount:f} {value.currency}{ends}"
        case History():
            return f"{len(value.acts)} entries" + ("" if value.whole else ", not all there were")
        case tuple():
            return _listed(value)
    return str(clean(value, 80))


def _listed(items: tuple[Any, ...]) -> str:
    if not items:
        return "none"
    names = [_name(item) for item in items[:5]]
    return ", ".join(names) + (f", and {len(items) - 5} more" if len(items) > 5 else "")


def _name(item: Any) -> str:
    if hasattr(item, "remaining"):
        return f"{item.name}: {item.remaining} left"
    size = getattr(item, "size", None)
    amount = size if isinstance(size, Decimal) else getattr(item, "amount", None)
    return f"{item.id or 'nobody' + chr(39) + 's'} {getattr(item, 'symbol', '')} {amount:f}".replace("  ", " ")


@dataclass(frozen=True, slots=True)
class BalancesReport(Report):
    """Local books beside the venue's.

    Args:
        venue: its name.
        at: when it was asked.
        agent: whose.
        books: where the local books stand; null where there are none.
        books_at: when they were written; null where there are none.
        rows: one by one.
    """

    venue: Safe
    at: datetime
    agent: str
    books: Safe | None
    books_at: datetime | None
    rows: tuple[Comparison, ...]

    @property
    def well(self) -> bool:
        return bool(self.rows) and all(row.standing is Standing.AGREES for row in self.rows)

    def lines(self) -> Iterator[str]:
        yield f"{'':<10}{'ours':>24}{'venue':>24}{'difference':>14}  {'age: ours':>12}{'venue':>9}"
        for row in self.rows:
            ours, venue = row.ours or "-", row.venue or "unknown"
            difference = (
                "-" if row.difference is None else f"{row.difference:+f}" if row.currency else f"{row.difference}"
            )
            age = "-" if row.ours_age_s is None else f"{row.ours_age_s:.0f} s"
            yield (
                f"{row.what:<10}{clean(ours, 23):>24}{clean(venue, 23):>24}{difference:>14}  {age:>12}"
                f"{row.venue_age_s:>7.1f} s  {row.standing.value}" + (f": {row.detail}" if row.detail else "")
            )
        yield f"{self.venue}: {self.books or 'no local books: name a state file'}"
