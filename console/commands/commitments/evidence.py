"""What the venue shows, as evidence that nothing is left of a version."""

from __future__ import annotations

from typing import Final

from console.commands.commitments.whole import LOOK_S
from console.commands.context import Context
from console.commands.gates.reading import bounded
from console.commands.venue.sight import at_venue, guards_listing
from console.domain.commitments.listing import Listing
from console.domain.commitments.sight import Sight
from console.domain.gates.fact import Fact, Lack

UNKNOWN: Final = "the venue is unknown"


async def sight_of(ctx: Context, *, ask: bool = False, looked: bool = False) -> Sight:
    """The venue as evidence that a version is drained: a guard's last look, or a look at this moment.

    Args:
        ctx: whose venue.
        ask: read the venue now, whatever a guard saw.
        looked: an operator says that he has looked now, and what he saw.

    Raises:
        StoreUnreachable: the store did not answer.
    """
    looked_at = await ctx.gateway.gates.now() if looked else None
    fact: Fact[Listing] = await bounded("venue", ctx.clock, LOOK_S, _asked(ctx) if ask else guards_listing(ctx))
    never = fact.lack is Lack.NOT_CHECKED and not ask
    problem = "" if fact.lack is None or never else f"{UNKNOWN}: {fact.lack.value}: {fact.why}"
    return Sight(fact.value, problem, looked_at)


async def _asked(ctx: Context) -> Listing:
    """A look at this moment, also at escrows that are over by our list."""
    owed, past = await ctx.gateway.owing.escrows()
    return await at_venue(ctx, owed, ask=True, past=past)
