"""What is outstanding, by each place that lists it: store, a plain agent's state file, venue; and all put together.

A place that could not be read says nothing of what it would list: that is *unknown*, never empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from console.domain.commitments.commitment import Kind, Owed
from console.domain.text import clean
from console.domain.venue.terms import EscrowTerms

ORDERS: Final = frozenset({Kind.LIMIT_ORDER, Kind.STOP_ORDER})
_CLOSE: Final = timedelta(seconds=1)
"""Times in two places that are no farther from each other are the same: some are written without fractions."""


class Place(StrEnum):
    """Where something is listed."""

    STORE = "store"
    """The list that fenced agents keep."""
    STATE_FILE = "state file"
    VENUE = "venue"


class Thing(NamedTuple):
    """Something outstanding, as one place has it.

    Args:
        id: at the venue; for a position without one, what it is a position in.
        kind: what it is.
        amount: how much; None where the place doesn't say.
        currency: of it; empty where the place doesn't say.
        due: when it ends by itself; None where it doesn't, or the place doesn't say.
        disputed: whether the place says that it is in dispute.
        symbol: of a position: a list of ours may call it by that.
    """

    id: str
    kind: Kind
    amount: Decimal | None = None
    currency: str = ""
    due: datetime | None = None
    disputed: bool = False
    symbol: str = ""


class Unread(NamedTuple):
    """What of a place could not be read.

    Args:
        what: which part of it: "positions", "escrow esc_91ab".
        why: in words.
        kinds: what it would have listed.
        id: the one thing that it is about; empty where it is about all of these kinds.
    """

    what: str
    why: str
    kinds: frozenset[Kind] = frozenset()
    id: str = ""


class Listing(NamedTuple):
    """What one place lists.

    Args:
        place: which kind of place.
        name: its name, for people.
        at: when it was read, or written; None where it never was.
        things: that are not over.
        whole: kinds of which it lists all there are.
        over: ids that were asked about and are over there → its word for that.
        unread: what of it is unknown.
        terms: who is paid at an escrow's time-out, where the place is a venue whose document is known.
        newest: number of the agent's newest action when it began to be read: what tells before from after where the
            store's clock was set; None where that was not looked up.
    """

    place: Place
    name: str
    at: datetime | None
    things: tuple[Thing, ...] = ()
    whole: frozenset[Kind] = frozenset()
    over: Mapping[str, str] = {}
    unread: tuple[Unread, ...] = ()
    terms: EscrowTerms | None = None
    newest: int | None = None

    @property
    def known(self) -> bool:
        """Whether all of it could be read."""
        return not self.unread

    def tells_of(self, escrows: Iterable[str]) -> bool:
        """Whether it says something of each of these: a venue without a list knows only those that it was asked for.

        Args:
            escrows: ids.
        """
        if Kind.ESCROW in self.whole or any(not one.id and Kind.ESCROW in one.kinds for one in self.unread):
            return True
        told = {one.id for one in self.things if one.kind is Kind.ESCROW} | {one.id for one in self.unread}
        return told.union(self.over).issuperset(escrows)


class Outstanding(NamedTuple):
    """One thing, by all places that list it.

    Args:
        thing: what is known of it, put together: the list's word first, then the state file's, then the venue's.
        owed: its record in the store, where it has one.
        seen: the places that list it, each with when that was so.
        apart: how the places differ over it, one line each.
        unknown: what nobody can tell of it, one line each.
    """

    thing: Thing
    owed: Owed | None
    seen: tuple[tuple[Place, datetime | None], ...]
    apart: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


NOT_LISTED: Final = "not listed: it is at the venue, and on no list of ours"
NOT_THERE: Final = "not at the venue"


def of_store(owed: Iterable[Owed], at: datetime) -> Listing:
    """The list that fenced agents keep, as a place among others."""
    things = (
        Thing(one.id, one.commitment.kind, one.commitment.amount, one.commitment.currency, one.commitment.due)
        for one in owed
    )
    return Listing(Place.STORE, "commitments", at, tuple(things), frozenset(Kind))


def merged(owed: Iterable[Owed], now: datetime, places: Iterable[Listing]) -> tuple[Outstanding, ...]:
    """Everything outstanding, by deadline, then by id.

    Args:
        owed: the list that fenced agents keep; empty where none does.
        now: when that was read.
        places: a state file, a venue: one of each at most; a place that nobody configured is none.
    """
    kept = {(family(one.commitment.kind), one.id): one for one in owed}
    every = [of_store(kept.values(), now), *places]
    venue = next((place for place in every if place.place is Place.VENUE), None)
    ours = [place for place in every if place is not venue]
    by_id: dict[tuple[str, str], dict[Place, Thing]] = {}
    for place in ours:
        for thing in place.things:
            by_id.setdefault((family(thing.kind), thing.id), {})[place.place] = thing
    if venue is not None:
        symbols = Counter(one.symbol for one in venue.things if one.symbol)
        alone = {name for name, count in symbols.items() if count == 1}
        for thing in venue.things:
            by_id.setdefault(_name_of(thing, by_id, alone), {})[Place.VENUE] = thing
    at = {place.place: place.at for place in every}
    rows = []
    for key, has in by_id.items():
        seen = tuple((place, at[place]) for place in Place if place in has)
        apart, unknown = _standing(key[1], has, ours, venue)
        rows.append(Outstanding(_together(key[1], has), kept.get(key), seen, apart, unknown))
    return tuple(sorted(rows, key=lambda row: (row.thing.due is None, row.thing.due or now, row.thing.id)))


def family(kind: Kind) -> str:
    """What a kind is told apart by among places: one may not know which of two kinds an order is."""
    return "order" if kind in ORDERS else kind.value


def _name_of(thing: Thing, ours: Mapping[tuple[str, str], Mapping[Place, Thing]], alone: set[str]) -> tuple[str, str]:
    """What our lists call a thing of the venue's: its id, or, for the one position in something, that."""
    key = (family(thing.kind), thing.id)
    by_symbol = (key[0], thing.symbol)
    return by_symbol if key not in ours and thing.symbol in alone and by_symbol in ours else key


def _together(id_: str, has: Mapping[Place, Thing]) -> Thing:
    """What is known of a thing; where two places differ, the list's word stands, and the difference is named beside."""
    told = [has[place] for place in Place if place in has]
    first = told[0]
    return first._replace(
        id=id_,
        amount=next((one.amount for one in told if one.amount is not None), None),
        currency=next((one.currency for one in told if one.currency), ""),
        due=next((one.due for one in told if one.due is not None), None),
        disputed=any(one.disputed for one in told),
    )


def _standing(
    id_: str, has: Mapping[Place, Thing], ours: Iterable[Listing], venue: Listing | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """How the places differ over a thing, and what nobody can tell of it."""
    if venue is None:
        return (), ()
    there = has.get(Place.VENUE)
    if there is None:
        return _missing(id_, next(iter(has.values())), venue)
    own = [(place, thing) for place, thing in has.items() if place is not Place.VENUE]
    if own:
        return tuple(line for place, thing in own for line in _differences(place, thing, there)), ()
    dark = [one for place in ours for one in place.unread if not one.kinds or there.kind in one.kinds]
    if dark:
        return (), (f"whether it is listed: {dark[0].what}: {dark[0].why}",)
    return (NOT_LISTED,), ()


def _missing(id_: str, thing: Thing, venue: Listing) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if id_ in venue.over and thing.kind is Kind.ESCROW:
        return (f"over at the venue: {venue.over[id_]}",), ()
    for one in venue.unread:
        if one.id == id_ or (not one.id and (not one.kinds or thing.kind in one.kinds)):
            return (), (f"whether it is at the venue: {one.what}: {one.why}",)
    return ((NOT_THERE,), ()) if thing.kind in venue.whole else ((), ())


def _differences(place: Place, ours: Thing, there: Thing) -> Iterator[str]:
    """Only what both say, and only what both say in the same measure."""
    if ours.due is not None and there.due is not None and abs(ours.due - there.due) > _CLOSE:
        yield f"due {ours.due:%Y-%m-%d %H:%M:%S}Z by the {place.value}, {there.due:%Y-%m-%d %H:%M:%S}Z at the venue"
    escrow = ours.kind is Kind.ESCROW and ours.amount is not None and there.amount is not None
    if escrow and ours.amount != there.amount and (ours.amount or place is not Place.STORE):
        money = clean(f"{ours.amount:f} {ours.currency}", 60), clean(f"{there.amount:f} {there.currency}", 60)
        yield f"{money[0].strip()} by the {place.value}, {money[1].strip()} at the venue"
