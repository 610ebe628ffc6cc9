"""What a guard saw at the venue last, as it is kept in the store: text from outside when it is read back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from console.domain.commitments.commitment import Kind
from console.domain.commitments.listing import Listing, Place, Thing, Unread
from console.domain.document import document
from console.domain.errors import UsageError
from console.domain.lately import lately
from console.domain.text import clean
from console.domain.untrusted import moment, real
from console.domain.venue.terms import EscrowTerms, Payee
from console.domain.venue.values import amount_of

MOST: Final = 2_000
"""Things, endings and gaps that are kept of a look, of each so many; that there are more is kept as a gap."""


class KeptListing(NamedTuple):
    """A look at the venue, as far as it says what is outstanding there.

    Args:
        listing: what it says; dated by the store's clock.
        every_s: how often its guard looks; what is older than three times that is stale.
    """

    listing: Listing
    every_s: float

    def stale(self, now: datetime) -> str:
        """Why nobody may go by it now; empty where it is fresh.

        Args:
            now: by the store's clock.
        """
        assert self.listing.at is not None
        if lately(self.listing.at, now, 3 * self.every_s + 30.0):
            return ""
        age_s = (now - self.listing.at).total_seconds()
        return f"a guard read the venue {age_s:.0f} s ago" if age_s > 0 else "a guard's read is from the future"


def kept_listing(kept: KeptListing) -> dict[str, Any]:
    """A look as plain values."""
    whole = kept.listing
    more = sum(max(0, len(part) - MOST) for part in (whole.things, whole.over, whole.unread))
    unread = whole.unread[:MOST]
    if more:
        unread = (*unread, Unread("the list", f"{more} more than are kept of it", frozenset(Kind)))
    short = whole._replace(things=whole.things[:MOST], over=dict(list(whole.over.items())[:MOST]), unread=unread)
    return {**document(short), "every_s": kept.every_s}


def listing_from(kept: Mapping[str, Any]) -> KeptListing | None:
    """The look in a document from the store; None where there is none in it. What of it is no such thing is a gap."""
    at, every_s = moment(kept.get("at")), real(kept.get("every_s"))
    if at is None or every_s is None or not 0 < every_s <= 86_400:
        return None
    things, spoilt = [], 0
    for raw in _each(kept.get("things")):
        thing = _thing(raw)
        spoilt += thing is None
        things += [thing] if thing is not None else []
    unread = [_unread(raw) for raw in _each(kept.get("unread"))]
    if spoilt or not all(isinstance(kept.get(name), list) for name in ("things", "unread", "whole")):
        unread.append(Unread("the kept look", f"{spoilt or 'a part'} of it can't be read", frozenset(Kind)))
    over, newest = kept.get("over"), kept.get("newest")
    if newest is not None and type(newest) is not int:
        unread.append(Unread("the kept look", "after which action it was can't be read", frozenset(Kind)))
        newest = None
    listing = Listing(
        Place.VENUE,
        str(clean(kept.get("name", ""), 64)),
        at.astimezone(UTC),
        tuple(things),
        _kinds(kept.get("whole")),
        {str(clean(name, 200)): str(clean(word, 40)) for name, word in list(over.items())[: MOST + 1]}
        if isinstance(over, dict)
        else {},
        tuple(unread),
        _terms(kept.get("terms")),
        newest,
    )
    return KeptListing(listing, every_s)


def _each(value: object) -> list[object]:
    return value[: MOST + 1] if isinstance(value, list) else []


def _kinds(value: object) -> frozenset[Kind]:
    names = value if isinstance(value, list) else []
    return frozenset(kind for kind in Kind if kind.value in names)


def _thing(raw: object) -> Thing | None:
    if not isinstance(raw, Mapping) or raw.get("kind") not in set(Kind) or not isinstance(raw.get("id"), str):
        return None
    amount, due = raw.get("amount"), raw.get("due")
    try:
        exact: Decimal | None = None if amount is None else amount_of(amount)
    except ValueError:
        return None
    at = moment(due)
    if due is not None and at is None:
        return None
    return Thing(
        str(clean(raw["id"], 200)),
        Kind(raw["kind"]),
        exact,
        str(clean(raw.get("currency", ""), 16)),
        at,
        raw.get("disputed") is not False,
        str(clean(raw.get("symbol", ""), 64)),
    )


def _unread(raw: object) -> Unread:
    if not isinstance(raw, Mapping):
        return Unread("the kept look", "a gap that can't be read", frozenset(Kind))
    id_ = str(clean(raw.get("id", ""), 200))
    kinds = _kinds(raw.get("kinds")) or frozenset(Kind)
    return Unread(str(clean(raw.get("what", ""), 220)), str(clean(raw.get("why", ""))), kinds, id_)


def _terms(raw: object) -> EscrowTerms | None:
    if not isinstance(raw, Mapping) or raw.get("payee") not in set(Payee):
        return None
    whence, by, on = (str(clean(raw.get(name, ""), 300)) for name in ("provenance", "said_by", "said_on"))
    try:
        return EscrowTerms(Payee(raw["payee"]), whence, by, on)
    except UsageError:
        return None
