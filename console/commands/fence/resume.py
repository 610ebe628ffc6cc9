"""`resume`: end a halt by naming who acts, and saying why."""

from __future__ import annotations

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.fence.slots import based_on, move_preview, parse_slot, present_deployment, slot_label
from console.commands.fence.switch import EXPECT
from console.commands.gateway.fence import Move
from console.domain.errors import Refused, UsageError
from console.domain.fence.deployment import Deployment, Phase
from console.domain.operator.command import CommandInfo, Confirm, Param, Preview, Risk, Waits
from console.domain.operator.receipt import Receipt


class Resume(Command):
    """End a halt: name the version that acts from now on, and say why."""

    info = CommandInfo(
        name="resume",
        title="Resume",
        summary="End a halt: name the version that acts from now on, and say why.",
        params=(
            Param(
                "slot",
                "blue or green.",
                choices=("blue", "green"),
                question="Nobody is active. Which version shall act?",
                is_slot=True,
            ),
            EXPECT,
        ),
        confirm=Confirm.EVIDENCE,
        risk=Risk.RAISES,
        mark="resume",
        needs_reason=True,
        waits=Waits.INSTANCES,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        target = parse_slot(call.require("slot"))
        deployment = await present_deployment(ctx)
        _refuse_unless_halted(deployment)
        return move_preview(call, deployment, target, f"Resume with {slot_label(target)}?")

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        target = parse_slot(call.require("slot"))
        if not call.reason.strip():
            raise UsageError("Resuming takes a reason.", 'Say --reason "…".')
        deployment = await present_deployment(ctx)
        _refuse_unless_halted(deployment)
        move = Move(target, deployment, based_on(call, deployment), mode="now", resume=True)
        return await ctx.gateway.fences.switch(move, self.order(call))


def _refuse_unless_halted(deployment: Deployment) -> None:
    if deployment.authority is None or deployment.authority.phase is not Phase.HALT:
        raise Refused("It is not halted; there is nothing to resume.", "`switch blue` or `switch green` moves it.")
