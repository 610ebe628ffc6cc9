"""What a look at a venue says is outstanding there, as a listing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from console.domain.commitments.commitment import Kind
from console.domain.commitments.listing import ORDERS, Listing, Place, Thing, Unread
from console.domain.venue.reading import Reading
from console.domain.venue.terms import EscrowTerms
from console.domain.venue.things import Escrow, Look, Order, Position

_POSITIONS: Final = frozenset({Kind.POSITION})
_ESCROWS: Final = frozenset({Kind.ESCROW})
NOT_ASKED: Final = "its document has no probe for escrows, positions or orders"


def listing_of(
    look: Look,
    terms: EscrowTerms | None,
    now: datetime,
    fresh_s: float,
    at: datetime,
    excluded: frozenset[str] = frozenset(),
) -> Listing:
    """A look as a listing.

    Args:
        look: what was read.
        terms: of its document.
        now: aware UTC; what is older than `fresh_s` by now is unknown.
        fresh_s: how old a read may be.
        at: when the look began, by the clock on which the listing is held against acts.
        excluded: positions without an id, by symbol, of which its document says that they are not this agent's.
    """
    things: dict[tuple[str, str], Thing] = {}
    over: dict[str, str] = {}
    unread: list[Unread] = []
    whole: frozenset[Kind] = frozenset()
    for kinds, reading in ((_POSITIONS, look.positions), (ORDERS, look.orders), (_ESCROWS, look.listed)):
        if reading is None:
            continue
        by_now: Reading[tuple[Position | Order | Escrow, ...]] = reading.at(now, fresh_s)
        if by_now.value is None:
            unread.append(Unread(str(by_now.probe), by_now.words(), kinds))
            continue
        whole |= kinds
        ours = tuple(one for one in by_now.value if not _excluded(one, excluded))
        for thing in _things(ours):
            things[thing.kind.value, thing.id] = thing
    for one in (escrow.at(now, fresh_s) for escrow in look.escrows):
        if one.value is None:
            if Kind.ESCROW not in whole:  # what the venue lists itself is all that is open
                name = str(one.probe).removeprefix("escrow ")
                unread.append(Unread(str(one.probe), one.words(), _ESCROWS, name))
        elif one.value.open:
            things[Kind.ESCROW.value, str(one.value.id)] = _escrow(one.value)
        else:
            over[str(one.value.id)] = str(one.value.status)
    if not whole and not unread and not look.escrows:
        unread.append(Unread(str(look.venue), NOT_ASKED, _POSITIONS | ORDERS | _ESCROWS))
    return Listing(Place.VENUE, str(look.venue), at, tuple(things.values()), whole, over, tuple(unread), terms)


def _excluded(one: Position | Order | Escrow, excluded: frozenset[str]) -> bool:
    return isinstance(one, Position) and one.id is None and one.symbol in excluded


def _things(every: tuple[Position | Order | Escrow, ...]) -> Iterator[Thing]:
    nameless: Counter[str] = Counter()
    for one in every:
        if isinstance(one, Escrow):
            if one.open:
                yield _escrow(one)
        elif isinstance(one, Position):
            yield Thing(_name(one, nameless), Kind.POSITION, one.size, symbol=str(one.symbol))
        else:
            kind = Kind.STOP_ORDER if one.protective else Kind.LIMIT_ORDER
            yield Thing(_name(one, nameless), kind, one.size)


def _name(one: Position | Order, nameless: Counter[str]) -> str:
    """Its id; two without one are two things."""
    if one.id is not None:
        return str(one.id)
    nameless[one.symbol] += 1
    more = nameless[one.symbol]
    return f"nobody's {one.symbol}" + (f" ({more})" if more > 1 else "")


def _escrow(one: Escrow) -> Thing:
    return Thing(str(one.id), Kind.ESCROW, one.amount, one.currency, one.release_at, one.disputed)
