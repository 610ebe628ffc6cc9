"""What every way back goes by: is the side fit to go to, what stays done, and the freeze that is there instead."""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

from console.commands.base import Call
from console.commands.context import Context
from console.commands.gates.keeper import CONFIRM, OVERRIDE
from console.commands.gateway.door import Order
from console.domain.errors import ConsoleError, Refused, StoreUnreachable
from console.domain.fence.behind import Behind
from console.domain.fence.claims import Level
from console.domain.fence.deployment import Deployment, Phase, Slot
from console.domain.operator.command import Preview, Way
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean

BEHIND_S: Final = 0.4
"""The longest wait for what lies behind: a roll back never waits for more than that."""
_EVIDENCE: Final = "last-good"
"""What an override of no record is called in the audit."""


class Back(NamedTuple):
    """What lies behind a move back.

    Args:
        behind: it; None where there is nothing to judge, or where that could not be read.
        unknown: why that can't be told; empty where it can.
    """

    behind: Behind | None = None
    unknown: str = ""

    @property
    def obstacle(self) -> str:
        """Why it freezes whatever is said; only a `switch` goes there. Empty for nothing."""
        return self.behind.fitness.obstacle if self.behind is not None else ""

    @property
    def frozen_by(self) -> str:
        """Why it freezes unless somebody overrides that; empty where nothing speaks against it."""
        return self.behind.fitness.frozen_by(strict=False) if self.behind is not None else ""

    @property
    def restraint(self) -> Level:
        """What is stopped instead: new entries, so that the side that acts goes on reducing; all, where it is a plain
        agent, which no freeze binds."""
        return Level.NO_NEW_ENTRIES if self.behind is None or self.behind.fitness.bound else Level.HALT

    @property
    def notes(self) -> tuple[str, ...]:
        """What stays done, and since when the side was well; or that nobody could tell in time."""
        if self.behind is None:
            return (self.unknown,) if self.unknown else ()
        return tuple(text for text in (self.behind.stays, self.behind.fitness.speaks_for_it) if text)


async def look_behind(ctx: Context, deployment: Deployment, target: Slot) -> Back:
    """What lies behind; where that can't be read in time it says so, and whoever goes back goes on.

    Raises:
        StoreUnreachable: the store did not answer.
    """
    authority = deployment.authority
    if authority is None or authority.phase is not Phase.RUN:
        return Back()
    try:
        return Back(await asyncio.wait_for(ctx.gateway.owing.behind(target), BEHIND_S))
    except TimeoutError:
        return Back(unknown=f"what stays done was not told within {BEHIND_S:g} s")
    except StoreUnreachable:
        raise
    except ConsoleError as error:
        return Back(unknown=f"what stays done is unknown: {error.message}")


def show_back(ctx: Context, preview: Preview, back: Back, deployment: Deployment, label: str) -> Preview:
    """A preview of a move back, with what lies behind: a freeze where something speaks against it, and the agent's name
    to be typed where only nothing speaks for it.

    Args:
        ctx: surroundings.
        preview: of the move.
        back: what lies behind it.
        deployment: who acts.
        label: of the side.
    """
    preview = preview._replace(warnings=(*preview.warnings, *back.notes))
    level = back.restraint
    if back.obstacle:
        now = deployment.authority.level.allowed if deployment.authority is not None else None
        change = Change("allowed", now, level.allowed)
        if level is Level.HALT:
            change = Change("active version", deployment.plain_text, "halted")
        what = "Halt everything" if level is Level.HALT else "Freeze new risk"
        return preview._replace(
            title=f"{what}? {label} is no good to go back to.",
            changes=(change,),
            warnings=(_insist(back, ctx), *preview.warnings),
        )
    if not back.frozen_by:
        return preview
    instead = {} if level is Level.HALT else {"level": "no-new-entries"}
    return preview._replace(
        warnings=(back.frozen_by, *preview.warnings),
        typed_name=ctx.agent,
        overrides=True,
        ways=(*preview.ways, Way("f", "halt instead" if level is Level.HALT else "freeze instead", "halt", instead)),
    )


async def instead_of_back(ctx: Context, call: Call, back: Back, order: Order) -> tuple[Receipt | None, Order]:
    """The receipt of the freeze that is there instead of a move back; None where it may go there, and the order for it.

    Args:
        ctx, call: what was said.
        back: what lies behind.
        order: of the move.

    Raises:
        Refused: an override that is none.
        ReadOnly, StoreUnreachable: as named.
    """
    if not back.frozen_by:
        return None, order
    if not back.obstacle and OVERRIDE.name in call.args:
        return None, await _overridden(ctx, call, back, order)
    why = "; ".join(text for text in (order.why, f"not rolled back: {back.frozen_by}") if text)
    level = back.restraint
    freeze = order._replace(why=str(clean(why, 900)), reversible=False, undoes="")  # it takes nothing back
    stopped = await ctx.gateway.fences.halt(freeze, level)
    word = "halted" if level is Level.HALT else "frozen"
    note = "; ".join(text for text in (f"{word} instead: {_insist(back, ctx)}", stopped.note) if text)
    return stopped._replace(note=note), order


async def _overridden(ctx: Context, call: Call, back: Back, order: Order) -> Order:
    reason = call.args[OVERRIDE.name].strip()
    if not reason or call.args.get(CONFIRM.name, "").strip() != ctx.agent:
        raise Refused(
            f"An override takes a reason, and the agent's name, typed: {back.frozen_by}.",
            f'Say --override "REASON" --confirm {ctx.agent}.',
        )
    ctx.gateway.require_writable(order.command)
    me = await ctx.gateway.gates.person()
    loud = order._replace(why=str(clean(f"OVERRIDE of {_EVIDENCE}: {reason}", 900)))
    await ctx.gateway.gates.overridden(loud, {_EVIDENCE: back.frozen_by}, me.told)
    return loud


def _insist(back: Back, ctx: Context) -> str:
    """Why it is not gone back to, and who may go there all the same."""
    assert back.behind is not None
    over = f"`switch {back.behind.target.value}`" if back.obstacle else f'`--override "REASON" --confirm {ctx.agent}`'
    return f"{back.frozen_by}; {over} goes there all the same"
