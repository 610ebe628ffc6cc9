"""`halt`: nobody acts until an operator resumes."""

from __future__ import annotations

from console.commands.base import Call, Command
from console.commands.context import Context
from console.domain.fence.claims import Level
from console.domain.operator.command import CommandInfo, Confirm, Param, Preview, Risk
from console.domain.operator.receipt import Change, Receipt

LEVELS = {"no-new-entries": Level.NO_NEW_ENTRIES, "reduce-only": Level.REDUCE_ONLY, "halt": Level.HALT}


class Halt(Command):
    """Nobody acts until an operator resumes; always wins, is latched, survives restarts."""

    info = CommandInfo(
        name="halt",
        title="Halt",
        summary="Nobody acts until an operator resumes; always wins, is latched, survives restarts.",
        key="H",
        params=(
            Param(
                "level",
                "How much is stopped: new entries only, all but reducing, or everything.",
                required=False,
                choices=tuple(LEVELS),
                option=True,
            ),
        ),
        confirm=Confirm.YES_NO,
        risk=Risk.REDUCES,
        mark="halt",
        while_halted="resume",
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        deployment = (await ctx.read()).deployment
        warnings = []
        if deployment.authority is not None and deployment.authority.in_flight:
            warnings.append(f"{deployment.authority.in_flight} actions in flight finish or become in doubt")
        return Preview(
            title="Halt? Nobody acts until you resume.",
            changes=(Change("active version", deployment.plain_text, "halted"),),
            warnings=tuple(warnings),
            arguments=dict(call.args),
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        """It does not read first: a halt needs no evidence and must not wait for any."""
        level = LEVELS.get(call.args.get("level") or "halt", Level.HALT)
        return await ctx.gateway.fences.halt(self.order(call), level)
