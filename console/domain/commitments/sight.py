"""What was seen at the venue, as evidence that nothing is left of a version.

A read counts for a version where it is newer than the version's last act, both by the store's clock, and whole. What it
shows is of who opened it; what nobody is known to have opened may be of every version.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from console.domain.commitments.commitment import Kind, Owed
from console.domain.commitments.listing import ORDERS, Listing, Thing, family
from console.domain.commitments.versions import NOT_SINCE, Item
from console.domain.text import clean

AT_VENUES: Final = ORDERS | {Kind.POSITION, Kind.ESCROW}
"""Kinds that a venue can be asked about."""


class Opened(NamedTuple):
    """Who opened something.

    Args:
        version: whose claim, or whose word, it was.
        kind: what it is.
    """

    version: str
    kind: Kind


OpenedBy = Mapping[str, frozenset[Opened]]
"""Id → everybody who is known to have opened something of that name: a name may be used again."""


class Sight(NamedTuple):
    """What is known of the venue.

    Args:
        listing: what was outstanding there, dated by the store's clock; None where nothing was read.
        problem: why nobody may go by it; empty where it may be gone by, or where nobody ever looked.
        looked_at: when an operator looked himself and saw nothing of the version, by the store's clock.
    """

    listing: Listing | None
    problem: str = ""
    looked_at: datetime | None = None


NO_SIGHT: Final = Sight(None)
"""Nobody ever looked."""


class Shown(NamedTuple):
    """What a sight says of one version.

    Args:
        read_at: when the venue was read; None where it was not.
        items: what is left of it there, though no list of ours has it.
        unseen: why the read can't tell that there is nothing more; empty where it can.
    """

    read_at: datetime | None
    items: tuple[Item, ...] = ()
    unseen: str = ""


class Witness:
    """One sight, held against who opened what.

    Args:
        sight: the sight.
        owed: what is listed; that is no news.
        opened: who opened what, as far as it is known.
    """

    def __init__(self, sight: Sight, owed: Iterable[Owed], opened: OpenedBy) -> None:
        self._sight = sight
        self._items: dict[str, list[Item]] = {}
        self._unasked: dict[str, str] = {}
        self._strangers: list[str] = []
        self._owners: dict[str, set[str]] = {}
        if sight.listing is None:
            return
        for name, who in opened.items():
            self._owners[name] = {one.version for one in who}
        keys = set()
        for one in owed:
            keys.add((family(one.commitment.kind), one.id))
            self._owners.setdefault(one.id, set()).add(one.version)
        self._things(sight.listing, keys, opened)
        self._blind(sight.listing, keys, opened)

    @property
    def versions(self) -> frozenset[str]:
        """Which versions opened something that it shows and no list of ours has."""
        return frozenset(self._items)

    def of(self, version: str, last_act: datetime | None, number: int = 0) -> Shown:
        """What it says of a version.

        Args:
            version: which.
            last_act: no act of it is later than this, by the store's clock; None where that can't be told.
            number: of its newest action.
        """
        listing, problem, looked_at = self._sight
        looked = looked_at is not None and last_act is not None and looked_at > last_act
        shown = Shown(None, (), problem)
        if listing is not None and listing.at is not None and not problem:
            later = listing.newest is not None and number > listing.newest
            new = last_act is not None and listing.at > last_act and not later
            items = tuple(self._items.get(version, ())) if new else ()
            shown = Shown(listing.at, items, self._unseen(version, listing) if new else NOT_SINCE)
        if looked:
            return shown._replace(read_at=looked_at, unseen="")
        return shown if shown.read_at is not None or problem else shown._replace(read_at=looked_at)

    def _unseen(self, version: str, listing: Listing) -> str:
        for gap in listing.unread:
            if not gap.id or version in self._owners.get(gap.id, {version}):
                return str(clean(f"unknown at the venue: {gap.what}: {gap.why}", 200))
        if self._strangers:
            more = f" and {len(self._strangers) - 1} more" if len(self._strangers) > 1 else ""
            name = clean(self._strangers[0], 60)
            return f"{name}{more} at the venue may be its own: nobody is known to have opened it"
        unasked = self._unasked.get(version, "")
        return f"the venue was not asked about {clean(unasked, 60)}, which it opened" if unasked else ""

    def _things(self, listing: Listing, keys: set[tuple[str, str]], opened: OpenedBy) -> None:
        symbols = Counter(one.symbol for one in listing.things if one.symbol)
        for thing in listing.things:
            kinds = family(thing.kind)
            if (kinds, thing.id) in keys:
                continue
            by_id = set(_openers(opened.get(thing.id, ()), kinds))
            alone = symbols[thing.symbol] == 1 and (kinds, thing.symbol) in keys
            if not by_id and alone:
                continue
            who = by_id or set(_openers(opened.get(thing.symbol, ()), kinds))
            if not who:
                self._strangers.append(thing.id)
            for version in who:
                self._items.setdefault(version, []).append(_left(thing))

    def _blind(self, listing: Listing, keys: set[tuple[str, str]], opened: OpenedBy) -> None:
        """What somebody opened, is over by our list, and of which the read says nothing."""
        told = set(listing.over) | {one.id for one in listing.unread}
        for name, who in opened.items():
            for one in who:
                asked = one.kind not in AT_VENUES or one.kind in listing.whole or name in told
                if not asked and (family(one.kind), name) not in keys:
                    self._unasked.setdefault(one.version, name)


def _openers(who: Iterable[Opened], kinds: str) -> Iterator[str]:
    return (one.version for one in who if family(one.kind) == kinds)


def _left(thing: Thing) -> Item:
    """Nobody takes what no list of ours has."""
    return Item(f"{thing.kind.value} at the venue", thing.id, thing.due, None)
