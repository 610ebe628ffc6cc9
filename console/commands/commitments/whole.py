"""Everything that is outstanding, from every place that lists it: the store, the state file, the venue."""

from __future__ import annotations

from typing import Any, NamedTuple

from console.commands.context import Context
from console.commands.gates.gather import file_state
from console.commands.gates.reading import bounded, in_thread
from console.commands.venue.sight import at_venue, escrows_of, terms_known
from console.domain.commitments.commitment import Kind
from console.domain.commitments.left import Left
from console.domain.commitments.listing import Listing, Outstanding, Place, Unread, merged
from console.domain.gates.fact import Fact, Lack
from console.domain.gates.facts import PlainState
from console.domain.venue.terms import EscrowTerms

LOOK_S = 60.0
"""The longest wait for a venue whose document allows more."""


class Whole(NamedTuple):
    """What is outstanding.

    Args:
        left: the store's part.
        rows: everything, by deadline.
        places: state file and venue, as far as they are configured.
        terms: who is paid at an escrow's time-out, by every document that is known; None where none is.
    """

    left: Left
    rows: tuple[Outstanding, ...]
    places: tuple[Listing, ...]
    terms: tuple[EscrowTerms, ...] | None


async def everything(ctx: Context) -> Whole:
    """All that is outstanding; what can't be read is a gap of its place, never nothing.

    Raises:
        Refused: the list in the store can't be read whole.
        StoreUnreachable: the store did not answer.
    """
    left = await ctx.gateway.owing.left()
    state: Fact[PlainState] = await bounded(
        "state file", ctx.clock, ctx.rules.timeout_s, in_thread(lambda: file_state(ctx))
    )
    places = [place] if (place := _state_file(ctx, state)) is not None else []
    venue: Fact[Listing] = await bounded("venue", ctx.clock, LOOK_S, at_venue(ctx, escrows_of(left.owed, state.value)))
    if (seen := _venue(venue)) is not None:
        places.append(seen)
    terms: Fact[Any] = await bounded("terms", ctx.clock, LOOK_S, terms_known(ctx))
    rows = merged(left.owed, left.now, places)
    return Whole(left, rows, tuple(places), () if terms.lack not in (None, Lack.NOT_CHECKED) else terms.value)


def _state_file(ctx: Context, state: Fact[PlainState]) -> Listing | None:
    name = ctx.state_file.name if ctx.state_file is not None else state.source
    if state.value is not None:
        return state.value.listing(name)
    return _gap(Place.STATE_FILE, name, state)


def _venue(venue: Fact[Listing]) -> Listing | None:
    return venue.value if venue.value is not None else _gap(Place.VENUE, "venue", venue)


def _gap(place: Place, name: str, fact: Fact[Any]) -> Listing | None:
    """A place of which nothing is known; None where nobody configured it."""
    if fact.lack is None or fact.lack is Lack.NOT_CHECKED:
        return None
    why = f"{fact.lack.value}: {fact.why}"
    return Listing(place, name, None, unread=(Unread(name, why, frozenset(Kind)),))
