"""`switch`: make the other version the active one."""

from __future__ import annotations

import asyncio

from console.commands.base import Call, Command
from console.commands.context import Context
from console.commands.fence.slots import (
    EXPECT_HELP,
    active_slot,
    based_on,
    move_preview,
    parse_slot,
    present_reading,
    refuse_if_halted,
    slot_label,
)
from console.commands.gates.handover import show_handover
from console.commands.gates.keeper import GATED, Rise, asked_again, pass_gates, same_moment, show
from console.commands.gateway.fence import Move
from console.domain.fence.deployment import Deployment, Phase, Slot
from console.domain.gates.gate import Act
from console.domain.operator.command import CommandInfo, Confirm, Param, Preview, Risk, Waits, Way
from console.domain.operator.receipt import Receipt

EXPECT = Param("expect_epoch", EXPECT_HELP, required=False, option=True)


class Switch(Command):
    """Make a version the active one; the other stands by, warm."""

    info = CommandInfo(
        name="switch",
        title="Switch",
        summary="Make a version the active one; the other stands by, warm.",
        key="s",
        while_upgrading=True,
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
            *GATED,
        ),
        confirm=Confirm.EVIDENCE,
        risk=Risk.RAISES,
        reversible=True,
        mark="switch",
        waits=Waits.PLAIN_AGENTS,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        reading = await present_reading(ctx)
        deployment = reading.deployment
        refuse_if_halted(deployment, "a switch")
        now = active_slot(deployment)
        wanted = call.args.get("slot", "")
        target = parse_slot(wanted) if wanted else (now.other if now else parse_slot(call.require("slot")))
        preview = move_preview(call, deployment, target, f"Switch from {slot_label(now)} to {slot_label(target)}?")
        assert preview.arguments is not None
        preview = preview._replace(arguments={**preview.arguments, "slot": target.value})
        if not _moves(deployment, target):
            return preview
        shown, told = await asyncio.gather(
            show(ctx, preview, _rise(target), reading), show_handover(ctx, preview, reading, target)
        )
        run = reading.upgrade.run if reading.upgrade is not None else None
        warnings: tuple[str, ...] = shown.warnings
        ways: tuple[Way, ...] = ()
        if run is not None and run.state.live:
            holds = f"an upgrade to {run.target.value} goes on: a switch by hand holds it until it is handed back"
            warnings, ways = (holds, *warnings), (Way("w", "the run's next step instead", "upgrade go"),)
        elif now is not None:
            ways = (Way("w", "walk it as a run", "upgrade start", {"target": target.value}),)
        return shown._replace(facts=told.facts, irreversible=told.irreversible, warnings=warnings, ways=ways)

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        return await asked_again(lambda: self._once(ctx, call))

    async def _once(self, ctx: Context, call: Call) -> Receipt:
        target = parse_slot(call.require("slot"))
        reading = await present_reading(ctx)
        deployment, order = reading.deployment, self.order(call)
        refuse_if_halted(deployment, "a switch")
        expected = based_on(call, deployment)
        if _moves(deployment, target) and expected >= deployment.epoch:  # an older view is refused by the store
            same_moment(reading, expected)
            order = await pass_gates(ctx, call, _rise(target), order, reading)
        move = Move(target, deployment, expected, mode="now" if call.given("now") else "drain")
        return await ctx.gateway.fences.switch(move, order)


def _rise(target: Slot) -> Rise:
    return Rise(Switch.info.name, Act.SWITCH, target)


def _moves(deployment: Deployment, target: Slot) -> bool:
    """Whether anybody else would act afterwards: switching to who is active raises nothing."""
    authority = deployment.authority
    return authority is None or authority.phase is not Phase.RUN or authority.active is not target
