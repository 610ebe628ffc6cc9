"""What is outstanding at the venue: by a guard's last look, or, where no guard looks, by one of our own."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from console.domain.commitments.commitment import Kind
from console.domain.commitments.listing import Listing
from console.domain.gates.fact import Lack, Lacking

if TYPE_CHECKING:
    from console.commands.context import Context
    from console.domain.commitments.commitment import Owed
    from console.domain.commitments.kept_listing import KeptListing
    from console.domain.gates.facts import PlainState
    from console.domain.venue.terms import EscrowTerms


def escrows_of(owed: Iterable[Owed], state: PlainState | None) -> frozenset[str]:
    """Ids of our escrows, by the list and by the state file."""
    listed = {one.id for one in owed if one.commitment.kind is Kind.ESCROW}
    return frozenset(listed | {one.id for one in (state.escrows or () if state is not None else ())})


async def at_venue(ctx: Context, ids: Iterable[str], *, ask: bool = False, past: Iterable[str] = ()) -> Listing:
    """What is outstanding at the venue, dated by the store's clock at the moment before it was asked.

    Args:
        ctx: whose venue.
        ids: of our escrows: a venue may list none by itself.
        ask: read the venue now, whatever a guard saw.
        past: escrows that are over by our list; one that lists all that are open is not asked about them.

    Raises:
        Lacking: no venue is named and no guard looks at one, or the look is stale.
        UsageError: the venue's document can't be gone by.
        StoreUnreachable: no answer.
    """
    ours = frozenset(ids)
    kept, stale = await seen_by_guard(ctx), ""
    if kept is not None:
        stale = kept.stale(await ctx.gateway.gates.now())
        if not stale and not ask and (ctx.venue is None or kept.listing.tells_of(ours)):
            return kept.listing
    if ctx.venue is not None:
        return await _own(ctx, ours, frozenset(past), anew=ask)
    if ask:
        raise Lacking(Lack.NOT_CHECKED, "no venue is named here to be read")
    if kept is None:
        raise Lacking(Lack.NOT_CHECKED, "no venue is named, and no guard looks at one")
    raise Lacking(Lack.STALE, stale)


async def seen_by_guard(ctx: Context) -> KeptListing | None:
    """What a guard saw last; None where none ever looked.

    Raises:
        StoreUnreachable: no answer.
    """
    from console.store.records.venue import read_things

    return await read_things(ctx.gateway.client, ctx.gateway.keys)


async def guards_listing(ctx: Context) -> Listing:
    """What a guard saw last, where that is not old.

    Raises:
        Lacking: none ever looked, or the look is stale.
        StoreUnreachable: no answer.
    """
    kept = await seen_by_guard(ctx)
    if kept is None:
        raise Lacking(Lack.NOT_CHECKED, "no venue is named, and no guard looks at one")
    if stale := kept.stale(await ctx.gateway.gates.now()):
        raise Lacking(Lack.STALE, stale)
    return kept.listing


async def terms_known(ctx: Context) -> tuple[EscrowTerms, ...]:
    """Who is paid at an escrow's time-out, by the document that is named here, and by the one that a guard goes by.

    Raises:
        Lacking: neither is there.
        UsageError: the document that is named here can't be gone by.
        StoreUnreachable: no answer.
    """
    told = []
    if ctx.venue is not None:
        from console.venue.setup import escrow_terms

        told.append(escrow_terms(_path(ctx, ctx.venue)))
    kept = await seen_by_guard(ctx)
    if kept is not None and kept.listing.terms is not None:
        told.append(kept.listing.terms)
    if not told:
        raise Lacking(Lack.NOT_CHECKED, "no venue is named, and no guard looks at one")
    return tuple(told)


async def _own(ctx: Context, ids: frozenset[str], past: frozenset[str], *, anew: bool) -> Listing:
    last = ctx.looked
    if not anew and last.listing is not None and time.monotonic() < last.until and ids <= last.ids:
        return last.listing
    from console.domain.commitments.at_venue import listing_of
    from console.venue.prober import Prober
    from console.venue.setup import load

    assert ctx.venue is not None
    venue = load(_path(ctx, ctx.venue))
    prober = Prober(venue, ctx.agent)
    began, newest = await ctx.gateway.owing.mark()
    try:
        escrow = venue.document.probes.escrow
        more = past - ids if escrow is not None and escrow.list_path is None else ()
        look = await prober.look(ctx.clock(), (*sorted(ids), *sorted(more)))
    finally:
        await prober.aclose()
    rules = venue.rules
    listing = listing_of(look, rules.escrow, ctx.clock(), rules.tolerances.fresh_s, began, rules.excluded)
    listing = listing._replace(newest=newest)
    last.listing, last.ids, last.until = listing, ids, time.monotonic() + venue.document.pace.every_s
    return listing


def _path(ctx: Context, venue: Path) -> Path:
    return Path(str(venue).replace("{agent}", ctx.agent))
