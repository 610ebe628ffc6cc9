"""`switch`: make the other version the active one."""

from __future__ import annotations

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.fence.slots import (
    EXPECT_HELP,
    active_slot,
    based_on,
    move_preview,
    parse_slot,
    present_deployment,
    refuse_if_halted,
    slot_label,
)
from console.commands.gateway.fence import Move
from console.domain.operator.command import CommandInfo, Confirm, Param, Preview, Risk, Waits
from console.domain.operator.receipt import Receipt

EXPECT = Param("expect_epoch", EXPECT_HELP, required=False, option=True)


class Switch(Command):
    """Make a version the active one; the other stands by, warm."""

    info = CommandInfo(
        name="switch",
        title="Switch",
        summary="Make a version the active one; the other stands by, warm.",
        key="s",
        params=(
            Param(
                "slot",
                "blue or green.",
                choices=("blue", "green"),
                question="Nobody is active. Which version shall act?",
                is_slot=True,
                implied=True,
            ),
            EXPECT,
            Param("now", "Flip at once: don't wait for plain agents or for what is in flight.", False, flag=True),
        ),
        confirm=Confirm.EVIDENCE,
        risk=Risk.RAISES,
        reversible=True,
        mark="switch",
        waits=Waits.PLAIN_AGENTS,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        deployment = await present_deployment(ctx)
        refuse_if_halted(deployment, "a switch")
        now = active_slot(deployment)
        wanted = call.args.get("slot", "")
        target = parse_slot(wanted) if wanted else (now.other if now else parse_slot(call.require("slot")))
        preview = move_preview(call, deployment, target, f"Switch from {slot_label(now)} to {slot_label(target)}?")
        assert preview.arguments is not None
        return Preview(
            title=preview.title,
            changes=preview.changes,
            warnings=preview.warnings,
            arguments={**preview.arguments, "slot": target.value},
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        target = parse_slot(call.require("slot"))
        deployment = await present_deployment(ctx)
        refuse_if_halted(deployment, "a switch")
        move = Move(target, deployment, based_on(call, deployment), mode="now" if call.given("now") else "drain")
        return await ctx.gateway.fences.switch(move, self.order(call))
