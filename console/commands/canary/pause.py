"""`canary pause` and `canary resume`: nothing advances meanwhile; what protects goes on."""

from __future__ import annotations

from typing import ClassVar

from console.commands.base import Call, Command
from console.commands.canary.common import EXPECT, place_of, standing_run
from console.commands.context import Context
from console.commands.gates.keeper import GATED, Rise, asked_again, pass_gates, show
from console.domain.canary.run import CanaryRun
from console.domain.fence.deployment import Slot
from console.domain.gates.gate import Act as Raise
from console.domain.operator.command import CommandInfo, Confirm, Preview, Risk
from console.domain.operator.receipt import Change, Receipt


class _Turn(Command):
    act: ClassVar[str]
    after: ClassVar[str]
    raises: ClassVar[bool] = False
    """Whether capital may rise again after it: then the gates are asked."""

    async def preview(self, ctx: Context, call: Call) -> Preview:
        _stored, reading = await standing_run(ctx, call)
        run = reading.run
        preview = Preview(
            title=f"{self.info.title} {run.name}?",
            changes=(Change(f"canary {run.name}", run.state.value, self.after),),
            arguments={**call.args, "expect": place_of(run)},
        )
        return await show(ctx, preview, _rise(run), await ctx.read()) if self.raises else preview

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        return await asked_again(lambda: self._once(ctx, call))

    async def _once(self, ctx: Context, call: Call) -> Receipt:
        from console.store.records.canary import Act, RunChange

        _stored, reading = await standing_run(ctx, call)
        run, act, order = reading.run, Act(self.act), self.order(call)
        if self.raises:
            order = await pass_gates(ctx, call, _rise(run), order, await ctx.read())
            await ctx.gateway.gates.canary_known(str(run.name), order)
        return await ctx.gateway.canaries.change(RunChange(act, run.name, run.position), order, seen=run)


class CanaryPause(_Turn):
    """Let nothing advance; what protects goes on."""

    act, after = "pause", "PAUSED"
    info = CommandInfo(
        name="canary pause",
        title="Pause the canary",
        summary="Let the canary's capital not rise; what protects goes on.",
        params=(EXPECT,),
        confirm=Confirm.NONE,
        risk=Risk.REDUCES,
        many=True,
    )


class CanaryResume(_Turn):
    """Let it go on after a pause."""

    act, after, raises = "resume", "RUNNING", True
    info = CommandInfo(
        name="canary resume",
        title="Resume the canary",
        summary="Let a paused canary go on; every gate is asked as before.",
        params=(EXPECT, *GATED),
        confirm=Confirm.YES_NO,
        risk=Risk.RAISES,
    )


def _rise(run: CanaryRun) -> Rise:
    content = f"{place_of(run)} {run.digest}"
    return Rise(CanaryResume.info.name, Raise.CANARY_UP, Slot(run.slot), str(run.position.step + 1), content)
