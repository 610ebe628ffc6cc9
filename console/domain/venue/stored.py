"""What a guard saw of a venue last, as it is kept in the store for whoever shows it or decides by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from console.domain.document import Record, exact
from console.domain.errors import UsageError
from console.domain.lately import lately
from console.domain.text import Safe, clean
from console.domain.untrusted import moment, real
from console.domain.venue.books import Comparison, Standing
from console.domain.venue.judge import Item
from console.domain.venue.reading import Why

MOST: Final = 100
"""Items kept of a look: those that close gates first."""


@dataclass(frozen=True, slots=True)
class VenueSeen(Record):
    """A look at a venue, as it was judged.

    Args:
        venue: its name.
        at: when it was asked, by the guard's clock.
        by: which guard asked.
        every_s: how often it asks; a look that is older than three times that is unknown.
        closed: how many items close gates.
        items: one by one, those that close gates first; not all where there are too many.
        rows: local books beside the venue's.
    """

    venue: Safe
    at: datetime
    by: Safe
    every_s: float
    closed: int
    items: tuple[Item, ...] = ()
    rows: tuple[Comparison, ...] = ()

    def fresh(self, now: datetime) -> bool:
        """Whether it may be gone by: neither old nor from the future."""
        return lately(self.at, now, 3 * self.every_s + 30.0)

    def why_closed(self, now: datetime) -> Safe:
        """Why nobody may go by the venue's word now; empty where every gate that depends on it is open."""
        if not self.fresh(now):
            return clean(f"the venue was read {(now - self.at).total_seconds():.0f} s ago")
        shut = [item.line() for item in self.items if item.why is not None]
        return clean("; ".join(shut) or f"{self.closed} things are unknown") if self.closed or shut else Safe("")

    def line(self, now: datetime) -> str:
        """The look in one line."""
        age_s = (now - self.at).total_seconds()
        if not self.fresh(now):
            return f"venue {self.venue}: UNKNOWN, read {age_s:.0f} s ago by {self.by}"
        state = f"{self.closed} unknown" if self.closed else "all known"
        return f"venue {self.venue}: {state}, read {age_s:.0f} s ago by {self.by}"


def seen_from(kept: Mapping[str, Any]) -> VenueSeen | None:
    """The look in a document from the store, which is text from outside; None where there is none in it."""
    at, every_s, closed = moment(kept.get("at")), real(kept.get("every_s")), kept.get("closed")
    if at is None or every_s is None or every_s <= 0 or type(closed) is not int or closed < 0:
        return None
    items, rows = kept.get("items"), kept.get("rows")
    return VenueSeen(
        clean(kept.get("venue", ""), 64),
        at,
        clean(kept.get("by", ""), 128),
        every_s,
        closed,
        tuple(one for raw in (items if isinstance(items, list) else [])[:MOST] if (one := _item(raw))),
        tuple(row for raw in (rows if isinstance(rows, list) else [])[:10] if (row := _row(raw))),
    )


def _item(raw: object) -> Item | None:
    if not isinstance(raw, Mapping) or (at := moment(raw.get("at"))) is None:
        return None
    why = raw.get("why")
    if why is not None and why not in set(Why):
        return None
    return Item(clean(raw.get("what", ""), 220), None if why is None else Why(why), clean(raw.get("detail", "")), at)


def _row(raw: object) -> Comparison | None:
    if not isinstance(raw, Mapping) or raw.get("standing") not in set(Standing):
        return None

    def text(name: str) -> Safe | None:
        return None if raw.get(name) is None else clean(raw[name], 200)

    return Comparison(
        clean(raw.get("what", ""), 40),
        Standing(raw["standing"]),
        text("ours"),
        text("venue"),
        _amount(raw.get("difference")),
        clean(raw.get("currency", ""), 16),
        real(raw.get("ours_age_s")),
        real(raw.get("venue_age_s")) or 0.0,
        clean(raw.get("detail", "")),
    )


def _amount(value: object) -> Decimal | None:
    try:
        return None if value is None else exact(value, "difference")
    except UsageError:
        return None
