"""Ending a run in a safe state that has a name: what was reached is looked at, not assumed."""

from __future__ import annotations

from dataclasses import replace

from console.commands.base import Call
from console.commands.context import Context
from console.commands.gateway.door import Order
from console.domain.errors import ConsoleError, ReadOnly, StoreUnreachable
from console.domain.fence.claims import Level
from console.domain.fence.deployment import Deployment, Phase
from console.domain.text import clean
from console.domain.upgrade.abort import Undo, way_out
from console.domain.upgrade.advance import Seen
from console.domain.upgrade.run import RunState, UpgradeRun

HALTED = "all is halted"


async def undo(ctx: Context, run: UpgradeRun, seen: Seen, order: Order) -> UpgradeRun:
    """Carry an abort out; the run as it is over, with the state in which it has ended.

    Raises:
        ConsoleError: no safe state was reached; the run stays as it is, and the abort may be said again.
        ReadOnly, StoreUnreachable: as named.
    """
    out = way_out(run, seen)
    steps, where, why = out.steps, out.safe_state, order.why
    try:
        for step in steps:
            note = await _do(ctx, run, step, order)
            why = "; ".join(text for text in (why, note) if text)
    except (StoreUnreachable, ReadOnly):
        raise
    except ConsoleError as error:
        if out.if_refused is None:
            raise
        step, where = out.if_refused
        why = f"{why}; not rolled back: {error.message}"
        await _do(ctx, run, step, order._replace(why=why))
    where = _reached(run, (await ctx.read()).deployment, where)
    return replace(run, state=RunState.ABORTED, note=str(clean(why, 250)), safe_state=where)


async def _do(ctx: Context, run: UpgradeRun, step: Undo, order: Order) -> str:
    """Do it; what a roll back leaves, or why it froze instead."""
    if step is Undo.TAKE_CANARY_BACK:
        from console.store.records.canary import Act, RunChange

        reading = (await ctx.gateway.canaries.read()).reading
        if reading is not None and (reading.run.live or str(reading.run.name) == run.canary):
            await ctx.gateway.canaries.change(RunChange(Act.ABORT, str(reading.run.name)), order)
    elif step is Undo.ROLL_BACK:
        from console.commands.fence.rollback import Rollback

        return str((await Rollback().execute(ctx, Call({"expect_from": run.target.value}, order.why))).note)
    else:
        await ctx.gateway.fences.halt(order, Level.NO_NEW_ENTRIES)
    return ""


def _reached(run: UpgradeRun, now: Deployment, where: str) -> str:
    """The safe state, as it is.

    Raises:
        ConsoleError: what acts now is none.
    """
    authority = now.authority
    if authority is None or (authority.phase is Phase.RUN and authority.active is run.old):
        return where
    if authority.phase is Phase.HALT:
        return HALTED
    if authority.phase is Phase.RUN and authority.level is not Level.NONE:
        return f"{run.target.value.upper()} acts, new risk is frozen"
    raise ConsoleError("The abort has not ended in a safe state.", "`halt` stops everybody; then abort again.")
