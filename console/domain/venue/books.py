"""Local books beside the venue's: difference and age, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from console.domain.document import Record
from console.domain.text import Safe, clean
from console.domain.venue.reading import Reading
from console.domain.venue.terms import Tolerances
from console.domain.venue.things import Balance, Escrow, Look


class Books(NamedTuple):
    """What our side believes; None is "it doesn't say", which is not the same as nothing.

    Args:
        taken_at: when it was written down; aware UTC.
        source: where it stands: a state file, a snapshot.
        balance: the money at the venue.
        positions, orders, escrows: their ids.
    """

    taken_at: datetime
    source: Safe
    balance: Decimal | None = None
    positions: tuple[str, ...] | None = None
    orders: tuple[str, ...] | None = None
    escrows: tuple[str, ...] | None = None


def watching(books: Books | None, owed: Sequence[str], now: datetime) -> Books | None:
    """Books that have on their list of escrows also what agents have told the store that is owed.

    Args:
        books: ours; None for none.
        owed: ids of those escrows.
        now: aware UTC.
    """
    if not owed:
        return books
    if books is None:
        return Books(now, Safe("commitments"), escrows=tuple(owed))
    return books._replace(escrows=tuple(dict.fromkeys((*(books.escrows or ()), *owed))))


class Standing(StrEnum):
    """How local books and the venue's stand to each other."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNKNOWN = "unknown"
    """The venue could not be read."""
    NO_BOOKS = "no books"
    """Nothing of ours to hold it against."""


@dataclass(frozen=True, slots=True)
class Comparison(Record):
    """One thing in both books.

    Args:
        what: "balance", "positions", "orders", "escrows".
        standing: whether they agree.
        ours: what the local books say; None where they say nothing.
        venue: what the venue says; None where that is unknown.
        difference: the venue's less ours, of amounts; of lists, how many stand in one alone; None where unknown.
        currency: of amounts; empty for lists.
        ours_age_s: seconds since our books were written; None where there are none.
        venue_age_s: seconds since the venue was read, or could not be.
        detail: what differs, or why it is unknown.
    """

    what: Safe
    standing: Standing
    ours: Safe | None
    venue: Safe | None
    difference: Decimal | None
    currency: str
    ours_age_s: float | None
    venue_age_s: float
    detail: Safe = Safe("")

    @property
    def well(self) -> bool:
        """Whether both say the same."""
        return self.standing is Standing.AGREES


def compare(books: Books | None, look: Look, tolerances: Tolerances, now: datetime) -> tuple[Comparison, ...]:
    """Everything that both can say something about; what the document has no probe for is left out.

    Args:
        books: ours; None for none.
        look: of the venue.
        tolerances: how far and how old.
        now: aware UTC.
    """
    if books is not None and (books.taken_at - now).total_seconds() > tolerances.clock_s:
        there = [name for name in ("balance", "positions", "orders") if getattr(look, name) is not None]
        there += ["escrows"] if look.escrows or look.listed else []
        return tuple(_from_the_future(name, books, look, now) for name in there)
    made = []
    if look.balance is not None:
        made.append(_balance(books, look.balance.at(now, tolerances.balance_fresh_s), tolerances.amount, now))
    for what, reading in (("positions", look.positions), ("orders", look.orders)):
        if reading is not None:
            at_venue = reading.at(now, tolerances.fresh_s)
            ids = None if at_venue.value is None else [one.id or f"nobody's {one.symbol}" for one in at_venue.value]
            made.append(_ids(what, books, at_venue, ids, now))
    if look.listed is not None or look.escrows:
        made.append(_escrows(books, look, tolerances, now))
    return tuple(made)


def _from_the_future(what: str, books: Books, look: Look, now: datetime) -> Comparison:
    ages = (now - books.taken_at).total_seconds(), (now - look.at).total_seconds()
    return Comparison(
        Safe(what),
        Standing.UNKNOWN,
        None,
        None,
        None,
        "",
        *ages,
        Safe("our books are from the future: compare the clocks"),
    )


def _balance(books: Books | None, reading: Reading[Balance], tolerance: Decimal, now: datetime) -> Comparison:
    ours = books.balance if books else None
    age_s = _age_s(books, now)
    if reading.value is None:
        shown = None if ours is None else _money(ours)
        return Comparison(
            Safe("balance"), Standing.UNKNOWN, shown, None, None, "", age_s, reading.age_s(now), clean(reading.words())
        )
    amount, currency = reading.value.amount, reading.value.currency
    if ours is None:
        return Comparison(
            Safe("balance"), Standing.NO_BOOKS, None, _money(amount), None, currency, age_s, reading.age_s(now)
        )
    difference = amount - ours
    standing = Standing.AGREES if abs(difference) <= tolerance else Standing.DIFFERS
    detail = (
        Safe("") if standing is Standing.AGREES else clean(f"by {difference:+f} {currency}; {tolerance:f} is allowed")
    )
    return Comparison(
        Safe("balance"),
        standing,
        _money(ours),
        _money(amount),
        difference,
        currency,
        age_s,
        reading.age_s(now),
        detail,
    )


def _escrows(books: Books | None, look: Look, tolerances: Tolerances, now: datetime) -> Comparison:
    """Those of our list that the venue holds open, beside our list; and what it lists itself, where it does."""
    own = [one.at(now, tolerances.fresh_s) for one in look.escrows]
    listed = look.listed.at(now, tolerances.fresh_s) if look.listed is not None else None
    every: list[Reading[object]] = [*own, *([listed] if listed else [])]
    for one in every:
        if one.value is None:
            return _ids("escrows", books, one, None, now)
    escrows: list[Escrow] = [one.value for one in own if one.value]
    escrows += (listed.value or ()) if listed else ()
    reading = Reading(Safe("escrows"), min(one.taken_at for one in every), Safe(""), tuple(escrows))
    return _ids("escrows", books, reading, sorted({str(one.id) for one in escrows if one.open}), now)


def _ids(
    what: str, books: Books | None, reading: Reading[object], ids: Iterable[str] | None, now: datetime
) -> Comparison:
    kept: tuple[str, ...] | None = getattr(books, what) if books else None
    ours = None if kept is None else _listed(kept)
    age_s, venue_age_s = _age_s(books, now), reading.age_s(now)
    if ids is None:
        why = clean(reading.words())
        return Comparison(Safe(what), Standing.UNKNOWN, ours, None, None, "", age_s, venue_age_s, why)
    there = tuple(ids)
    if kept is None:
        nothing = Standing.NO_BOOKS if there else Standing.AGREES
        return Comparison(Safe(what), nothing, None, _listed(there), None, "", age_s, venue_age_s)
    apart = [f"only at the venue: {one}" for one in sorted({*there} - {*kept})]
    apart += [f"only in our books: {one}" for one in sorted({*kept} - {*there})]
    standing = Standing.DIFFERS if apart else Standing.AGREES
    return Comparison(
        Safe(what),
        standing,
        ours,
        _listed(there),
        Decimal(len(apart)),
        "",
        age_s,
        venue_age_s,
        clean("; ".join(apart[:5]) + (f"; and {len(apart) - 5} more" if len(apart) > 5 else "")),
    )


def _age_s(books: Books | None, now: datetime) -> float | None:
    return None if books is None else (now - books.taken_at).total_seconds()


def _money(amount: Decimal) -> Safe:
    return clean(f"{amount:f}", 80)


def _listed(ids: tuple[str, ...]) -> Safe:
    return clean(f"{len(ids)}: {', '.join(sorted(ids))}" if ids else "none", 200)
