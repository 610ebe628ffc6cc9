"""`guard set`: change an agent's own thresholds and arming."""

from __future__ import annotations

from console.commands.base import Call, Command
from console.commands.context import Context
from console.domain.errors import UsageError
from console.domain.operator.command import CommandInfo, Confirm, Param, Preview, Risk
from console.domain.operator.receipt import Change, Receipt
from console.domain.text import clean


class GuardSet(Command):
    """Change one threshold or the arming of one trigger; guards take it within a second."""

    info = CommandInfo(
        name="guard set",
        title="Set a trigger",
        summary="Change this agent's thresholds or arming: pnl.sigmas=4, latency.arming=dry; NAME= removes.",
        params=(Param("setting", "NAME=VALUE; an empty value removes this agent's own."),),
        confirm=Confirm.YES_NO,
        risk=Risk.RAISES,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        from console.domain.triggers.settings import TriggerSettings, changed

        name, value = pair_of(call.require("setting"))
        if value:
            changed(TriggerSettings(), {name: value})
        before = (await ctx.gateway.guards.thresholds()).get(name)
        weaker = name.endswith("arming") and value in ("dry", "off")
        return Preview(
            title=f"Set {clean(name, 40)}?",
            changes=(Change(f"trigger {clean(name, 40)}", before, value or None),),
            warnings=("this trigger will not roll back",) if weaker else (),
            arguments=dict(call.args),
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        pairs = [pair_of(call.require("setting"))]
        return await ctx.gateway.guards.set_thresholds(pairs, self.order(call))


def pair_of(text: str) -> tuple[str, str]:
    """NAME and VALUE of NAME=VALUE.

    Raises:
        UsageError: there is no = in it.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"{clean(text, 60)!r} is not of the form NAME=VALUE.")
    return name, value
