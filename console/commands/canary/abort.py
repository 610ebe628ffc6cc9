"""`canary abort`: all capital back to the stable version, at once; never gated."""

from __future__ import annotations

from console.commands.base import Call, Command
from console.commands.canary.common import EXPECT, place_of, standing_run
from console.commands.context import Context
from console.domain.errors import Refused
from console.domain.operator.command import CommandInfo, Confirm, Preview, Risk
from console.domain.operator.receipt import Change, Receipt


class CanaryAbort(Command):
    """Give all capital back to the stable version; what the canary has at stake ends as it ends."""

    info = CommandInfo(
        name="canary abort",
        title="Abort the canary",
        summary="All capital back to the stable version, at once.",
        key="X",
        short="abort",
        params=(EXPECT,),
        confirm=Confirm.YES_NO,
        risk=Risk.REDUCES,
        many=True,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        _stored, reading = await standing_run(ctx, call, finished=True)
        run, desk = reading.run, reading.desk
        warnings = []
        if desk is not None and desk.run == run.name and desk.exposure_canary:
            warnings.append(
                f"{desk.exposure_canary:,f} {run.currency} of the canary's are at stake and end as they end"
            )
        return Preview(
            title=f"Abort canary {run.name}?",
            changes=(Change(f"canary {run.name}", f"{run.share * 100:f} % of the capital", "0 %"),),
            warnings=tuple(warnings),
            arguments={**call.args, "expect": place_of(run)},
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        """Where the canary stands makes no difference; which run is meant does."""
        from console.store.records.canary import Act, RunChange

        run = call.args.get("expect", "").partition("/")[0]
        if not run:
            reading = (await ctx.gateway.canaries.read()).reading
            if reading is None:
                raise Refused("There is no canary.", "`canary start PLAN` starts one.")
            run = str(reading.run.name)
        return await ctx.gateway.canaries.change(RunChange(Act.ABORT, run), self.order(call))
