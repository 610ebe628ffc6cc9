"""Everything that is outstanding, by every place that lists it: put together once, for the verb and for the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from console.domain.commitments.commitment import Kind, owner_of_the_rest
from console.domain.commitments.left import Left
from console.domain.commitments.listing import Listing, Outstanding, Place, Unread, merged
from console.domain.fence.deployment import Authority, Slot
from console.domain.gates.fact import Fact, Lack
from console.domain.gates.facts import PlainState
from console.domain.gates.one_rule import in_dispute
from console.domain.venue.terms import EscrowTerms


class Gap(NamedTuple):
    """A part of a place that could not be read: nobody knows what it lists.

    Args:
        place: which.
        what: of it, and why.
    """

    place: Listing
    what: Unread


@dataclass(frozen=True, slots=True)
class Whole:
    """What is outstanding.

    Args:
        left: the store's part; None where it can't be read: that is a gap of its own.
        now: the store's clock, or ours where it does not answer.
        rows: everything, by deadline.
        gaps: what no place could tell, so that no list with a gap is empty.
        terms: who is paid at an escrow's time-out, by every document that is known; None where none is.
        eyes: side → ids of what living instances of it say that they watch.
        disputed: ids of what a place says is in dispute.
    """

    left: Left | None
    now: datetime
    rows: tuple[Outstanding, ...]
    gaps: tuple[Gap, ...]
    terms: tuple[EscrowTerms, ...] | None
    eyes: Mapping[Slot, frozenset[str]]
    disputed: frozenset[str]

    def taken(self, row: Outstanding, owner: Slot | None) -> bool:
        """Whether a living instance of its owner says that it watches it; of a plain agent, its state file lists it."""
        watched = owner is not None and row.thing.id in self.eyes[owner]
        return watched or (row.owed is None and any(place is Place.STATE_FILE for place, _at in row.seen))


def owner_of(row: Outstanding, authority: Authority | None) -> Slot | None:
    """Who brings it to its end; what is on no list of ours is whoever's who acts."""
    return row.owed.owner(authority) if row.owed is not None else owner_of_the_rest(authority)


def put_together(
    left: Fact[Left],
    state: Fact[PlainState],
    state_name: str,
    venue: Fact[Listing],
    terms: Fact[tuple[EscrowTerms, ...]],
) -> Whole:
    """All that is outstanding; what can't be read is a gap of its place, never nothing.

    Args:
        left: the list that fenced agents keep, and who watches what.
        state: what the agent's state file says.
        state_name: of that file, for people.
        venue: what is outstanding at the venue.
        terms: who is paid at an escrow's time-out.
    """
    own = left.value
    file = state.value.listing(state_name) if state.value is not None else _gap(Place.STATE_FILE, state_name, state)
    there = venue.value if venue.value is not None else _gap(Place.VENUE, "venue", venue)
    places = [place for place in (_gap(Place.STORE, "commitments", left), file, there) if place is not None]
    now = own.now if own is not None else left.at
    rows = merged(own.owed if own is not None else (), now, places)
    named = {row.thing.id for row in rows}
    return Whole(
        left=own,
        now=now,
        rows=rows,
        gaps=tuple(Gap(place, one) for place in places for one in place.unread if one.id not in named),
        terms=() if terms.lack not in (None, Lack.NOT_CHECKED) else terms.value,
        eyes={slot: own.eyes(slot) if own is not None else frozenset() for slot in Slot},
        disputed=frozenset(
            row.thing.id for row in rows if row.thing.disputed or (row.owed is not None and in_dispute(row.owed))
        ),
    )


def _gap(place: Place, name: str, fact: Fact[Any]) -> Listing | None:
    """A place of which nothing is known; None where all of it is, or where nobody configured it."""
    if fact.lack is None or fact.lack is Lack.NOT_CHECKED:
        return None
    return Listing(place, name, None, unread=(Unread(name, f"{fact.lack.value}: {fact.why}", frozenset(Kind)),))
