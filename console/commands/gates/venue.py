"""What a guard saw of the venue last, as the gates go by it: a look that is old, or failed, is no answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from console.commands.context import Context
from console.commands.sources import no_venue
from console.domain.gates.fact import Fact, Lack, known, lacking
from console.domain.gates.facts import VenueFacts
from console.domain.venue.stored import VenueSeen
from console.store.records.venue import read_seen

SOURCE = "venue, by a guard"
BOOKS: Final = "local books"
ABOUT: Final = {
    "key": ("key",),
    "balance": ("balance", BOOKS),
    "positions": ("positions", BOOKS),
    "monitor": ("order monitor",),
    "escrows": ("escrow ", "list of escrows", BOOKS),
}
"""Gate → how the names of the things begin that it is about."""


async def venue_facts(ctx: Context) -> VenueFacts:
    """What is known of the venue; nothing, *not checked*, where no guard ever asked it.

    Raises:
        StoreUnreachable: no answer.
    """
    if ctx.sources.venue is not no_venue:
        return await ctx.sources.venue()
    seen = await read_seen(ctx.gateway.client, ctx.gateway.keys)
    return VenueFacts() if seen is None else facts_of(seen, ctx.clock())


def facts_of(seen: VenueSeen, now: datetime) -> VenueFacts:
    """A look as facts, one a gate; what was not asked is not checked, unless not everything that was is listed."""
    if not seen.fresh(now):
        stale: Fact[Any] = lacking(SOURCE, seen.at, Lack.STALE, str(seen.why_closed(now)))
        return VenueFacts(stale, stale, stale, stale, stale)
    listed = sum(item.why is not None for item in seen.items)
    rest = seen.closed - listed
    told = {name: _fact(seen, about, rest) for name, about in ABOUT.items()}
    return VenueFacts(told["key"], told["balance"], told["positions"], told["monitor"], told["escrows"])


def _fact(seen: VenueSeen, about: tuple[str, ...], unlisted: int) -> Fact[str] | None:
    items = [item for item in seen.items if item.what.startswith(about)]
    shut = [item.line() for item in items if item.why is not None]
    if shut:
        return lacking(SOURCE, seen.at, Lack.ERROR, "; ".join(shut))
    if unlisted > 0:
        return lacking(SOURCE, seen.at, Lack.ERROR, f"{unlisted} things more are unknown, and not listed")
    if not items:
        return None
    return known(SOURCE, min(item.at for item in items), "; ".join(item.line() for item in items[:3]))
