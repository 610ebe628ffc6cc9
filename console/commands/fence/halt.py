"""`halt`: nobody acts until an operator resumes."""

from __future__ import annotations

from console.commands.base import Call, Command
from console.commands.context import Context
from console.domain.fence.claims import Level
from console.domain.fence.deployment import Deployment
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
        many=True,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        deployment = (await ctx.read()).deployment
        warnings = []
        if deployment.authority is not None and deployment.authority.in_flight:
            warnings.append(f"{deployment.authority.in_flight} actions in flight finish or become in doubt")
        level = LEVELS.get(call.args.get("level") or "halt", Level.HALT)
        if level is not Level.HALT:
            if free := _unbound(deployment):
                warnings.append(free)
            return Preview(
                title=f"Freeze? {level.value.capitalize()}: who is active stays active.",
                changes=(
                    Change("level", deployment.authority.level.value if deployment.authority else None, level.value),
                ),
                warnings=tuple(warnings),
                arguments=dict(call.args),
            )
        return Preview(
            title="Halt? Nobody acts until you resume.",
            changes=(Change("active version", deployment.plain_text, "halted"),),
            warnings=tuple(warnings),
            arguments=dict(call.args),
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        """It does not read first: a halt needs no evidence and must not wait for any."""
        level = LEVELS.get(call.args.get("level") or "halt", Level.HALT)
        receipt = await ctx.gateway.fences.halt(self.order(call), level)
        if level is Level.HALT:
            return receipt
        free = _unbound((await ctx.read()).deployment)
        return receipt._replace(note="; ".join(text for text in (receipt.note, free) if text)) if free else receipt


def _unbound(deployment: Deployment) -> str:
    """Whom a freeze can't bind; empty where the active side has fenced instances, or nobody is active."""
    slot = deployment.active.slot
    if slot is None or any(instance.slot is slot for instance in deployment.instances):
        return ""
    return f"not enforceable on plain agents: {slot.value} goes on as before; `halt` stops it"
