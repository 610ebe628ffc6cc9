"""Ending a run in a safe state that has a name: what was reached is looked at, not assumed."""

from __future__ import annotations

from dataclasses import replace

from console.commands.base import Call
from console.commands.context import Context
from console.commands.gateway.door import Order
from console.commands.gateway.fence import Move
from console.domain.errors import Conflict, ConsoleError, ReadOnly, StoreUnreachable
from console.domain.fence.claims import Level
from console.domain.fence.deployment import Deployment, Phase
from console.domain.fence.intent import Aim
from console.domain.text import clean
from console.domain.upgrade.abort import FROZEN, HALTED, Undo, WayOut, way_out
from console.domain.upgrade.advance import Seen
from console.domain.upgrade.run import RunState, UpgradeRun


async def undo(ctx: Context, run: UpgradeRun, seen: Seen, order: Order) -> UpgradeRun:
    """Carry an abort out; the run as it is over, with the state in which it has ended.

    Raises:
        Conflict: somebody else moved what it moves in the same moment: what is so now has to be looked at again.
        ConsoleError: no safe state was reached; the run stays as it is, and the abort may be said again.
        ReadOnly, StoreUnreachable: as named.
    """
    out, why = way_out(run, seen), order.why
    try:
        for step in out.steps:
            note = await _do(ctx, run, step, order)
            why = "; ".join(text for text in (why, note) if text)
    except (StoreUnreachable, ReadOnly, Conflict):
        raise
    except ConsoleError as error:
        if out.if_refused is None:
            raise
        why = f"{why}; not rolled back: {error.message}"
        await _do(ctx, run, out.if_refused[0], order._replace(why=why))
    where = _reached(run, (await ctx.read()).deployment, out)
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
    elif step is Undo.END_DRAIN:
        now = (await ctx.read()).deployment
        fenced = bool(now.instances)
        move = Move(run.old, now, now.epoch, mode="now", require_healthy=fenced, aim=Aim.GO_BACK)
        await ctx.gateway.fences.switch(move, order)
    else:
        await ctx.gateway.fences.halt(order, Level.HALT if step is Undo.HALT else Level.NO_NEW_ENTRIES)
    return ""


def _reached(run: UpgradeRun, now: Deployment, out: WayOut) -> str:
    """The safe state, as it is, whatever was ordered.

    Raises:
        ConsoleError: what acts now is none.
    """
    authority = now.authority
    if authority is not None and authority.phase is Phase.HALT:
        return HALTED
    if authority is not None and authority.phase is Phase.RUN:
        frozen = authority.level is not Level.NONE
        if authority.active is run.old:
            where = out.safe_state
            if Undo.HALT in out.steps:  # and somebody resumed at once
                where = f"{run.old.value.upper()} acts, with all the capital"
            return f"{where}, {FROZEN}" if frozen else where
        if frozen:
            return f"{run.target.value.upper()} acts, {FROZEN}"
    raise ConsoleError("The abort has not ended in a safe state.", "`halt` stops everybody; then abort again.")
