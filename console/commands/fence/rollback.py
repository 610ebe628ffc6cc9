"""`rollback`: give the active side back to the version that had it before, at once."""

from __future__ import annotations

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.fence.slots import (
    active_slot,
    based_on,
    move_preview,
    present_deployment,
    refuse_if_halted,
    slot_label,
)
from console.commands.fence.switch import EXPECT
from console.commands.gateway.fence import Move, NotHealthy
from console.domain.errors import Refused
from console.domain.fence.deployment import Deployment, Slot
from console.domain.operator.command import CommandInfo, Confirm, Preview, Risk, Waits
from console.domain.operator.receipt import Receipt


class Rollback(Command):
    """Give the active side back to the version that had it before, at once; never gated."""

    info = CommandInfo(
        name="rollback",
        title="Roll back",
        summary="Give the active side back to the version that had it before, at once.",
        key="R",
        params=(EXPECT,),
        confirm=Confirm.YES_NO,
        risk=Risk.REDUCES,
        reversible=True,
        mark="roll back",
        waits=Waits.INSTANCES,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        deployment = await present_deployment(ctx)
        target = rollback_target(deployment)
        return move_preview(call, deployment, target, f"Roll back to {slot_label(target)}?")

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        """A side that is not known to be healthy is not rolled back to: then it is halted."""
        deployment = await present_deployment(ctx)
        target = rollback_target(deployment)
        fenced = bool(deployment.instances)  # of plain agents nothing is known, so nothing can be required
        try:
            move = Move(target, deployment, based_on(call, deployment), mode="now", require_healthy=fenced)
            return await ctx.gateway.fences.switch(move, self.order(call))
        except NotHealthy as error:
            why = f"{call.reason}; {error.message}" if call.reason else error.message
            halted = await ctx.gateway.fences.halt(self.order(call, why=why))
            return halted._replace(note=f"halted instead: {error.message}")


def rollback_target(deployment: Deployment) -> Slot:
    """Where a roll back leads: to who was active before; on a store that never saw a switch, to the other slot.

    Raises:
        Refused: nobody is active, so there is nothing to roll back from.
    """
    refuse_if_halted(deployment, "a roll back")
    now = active_slot(deployment)
    authority = deployment.authority
    if authority is not None and authority.previous is not None and authority.previous is not now:
        return authority.previous
    if now is None:
        raise Refused(
            "Nobody is active; there is nothing to roll back from.", "`switch blue` or `switch green` starts."
        )
    return now.other
