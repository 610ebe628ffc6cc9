"""Everything that is outstanding, from every place that lists it: the store, the state file, the venue."""

from __future__ import annotations

from typing import Any

from console.commands.context import Context
from console.commands.gates.gather import file_state
from console.commands.gates.reading import bounded, in_thread
from console.commands.venue.sight import at_venue, escrows_of, terms_known
from console.domain.board.whole import Whole, put_together
from console.domain.commitments.listing import Listing
from console.domain.gates.fact import Fact, known
from console.domain.gates.facts import PlainState

LOOK_S = 60.0
"""The longest wait for a venue whose document allows more."""


async def everything(ctx: Context) -> Whole:
    """All that is outstanding; what can't be read is a gap of its place, never nothing.

    Raises:
        Refused: the list in the store can't be read whole.
        StoreUnreachable: the store did not answer.
    """
    left = await ctx.gateway.owing.left()
    state = await state_said(ctx)
    venue: Fact[Listing] = await bounded("venue", ctx.clock, LOOK_S, at_venue(ctx, escrows_of(left.owed, state.value)))
    terms: Fact[Any] = await bounded("terms", ctx.clock, LOOK_S, terms_known(ctx))
    return put_together(known("commitments", left.now, left), state, state_name(ctx, state), venue, terms)


async def state_said(ctx: Context) -> Fact[PlainState]:
    """What the agent's state file says; a slow disk is waited for as long as any source of a gate."""
    said: Fact[PlainState] = await bounded(
        "state file", ctx.clock, ctx.rules.timeout_s, in_thread(lambda: file_state(ctx))
    )
    return said


def state_name(ctx: Context, state: Fact[PlainState]) -> str:
    """The state file's name, for people."""
    return ctx.state_file.name if ctx.state_file is not None else state.source
