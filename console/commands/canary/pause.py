"""`canary pause` and `canary resume`: nothing advances meanwhile; what protects goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from console.commands.base import Call, Command
from console.commands.canary.common import EXPECT, place_of, standing_run
from console.commands.context import Context
from console.domain.operator.command import CommandInfo, Confirm, Preview, Risk
from console.domain.operator.receipt import Change, Receipt

if TYPE_CHECKING:
    from console.store.records.canary import Act


class _Turn(Command):
    act: ClassVar[str]
    after: ClassVar[str]

    async def preview(self, ctx: Context, call: Call) -> Preview:
        _stored, reading = await standing_run(ctx, call)
        run = reading.run
        return Preview(
            title=f"{self.info.title} {run.name}?",
            changes=(Change(f"canary {run.name}", run.state.value, self.after),),
            arguments={**call.args, "expect": place_of(run)},
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        from console.store.records.canary import Act, RunChange

        _stored, reading = await standing_run(ctx, call)
        act: Act = Act(self.act)
        return await ctx.gateway.canaries.change(
            RunChange(act, reading.run.name, reading.run.position), self.order(call), seen=reading.run
        )


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
    )


class CanaryResume(_Turn):
    """Let it go on after a pause."""

    act, after = "resume", "RUNNING"
    info = CommandInfo(
        name="canary resume",
        title="Resume the canary",
        summary="Let a paused canary go on; every gate is asked as before.",
        params=(EXPECT,),
        confirm=Confirm.YES_NO,
        risk=Risk.RAISES,
    )
