"""`upgrade show`: the run that goes on, or the last one, with the evidence of each step."""

from __future__ import annotations

from typing import Any

from console.commands.base import Call, Query
from console.commands.context import Context
from console.domain.fence.deployment import Phase
from console.domain.operator.command import Answer, CommandInfo, Param
from console.views.upgrade import UpgradeReport


class UpgradeShow(Query):
    """A run with its steps and their evidence."""

    info = CommandInfo(
        name="upgrade show",
        title="Upgrade",
        summary="The upgrade that goes on, or the last one, each step with its evidence; exit code 1 if not well.",
        params=(Param("run", "The id of an earlier one.", required=False, option=True),),
        reads=True,
    )

    async def answer(self, ctx: Context, call: Call) -> Answer:
        run = (await ctx.gateway.upgrades.read()).run
        earlier = call.args.get("run", "")
        if earlier and (run is None or run.id != earlier):
            run = await ctx.gateway.upgrades.over(earlier)
        authority = (await ctx.read()).deployment.authority if run is not None and run.state.live else None
        drains = authority is not None and authority.phase is Phase.DRAIN
        report = UpgradeReport(run, authority.in_flight if authority is not None and drains else None)
        notes = () if run is not None else ("There is no upgrade. `agent-console upgrade start TARGET` begins one.",)
        return Answer(report.document(), tuple(report.lines()), notes, yes=report.well)

    def shape(self) -> Any:
        return UpgradeReport
