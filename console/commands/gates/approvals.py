"""`approvals`: the overrides that somebody proposed, newest first."""

from __future__ import annotations

from typing import Any

from console.commands.base import Call, Query
from console.commands.context import Context
from console.domain.operator.command import Answer, CommandInfo
from console.views.gates.plans import PlanRow, plan_row


class Approvals(Query):
    """The plans of overrides, with who agreed to them."""

    info = CommandInfo(
        name="approvals",
        title="Approvals",
        summary="The overrides of closed gates that somebody proposed, and who agreed; `approve PLAN` agrees.",
        reads=True,
    )

    async def answer(self, ctx: Context, call: Call) -> Answer:
        reading = await ctx.read()
        kept = await ctx.gateway.gates.read()
        rows = [plan_row(one, reading.deployment.epoch, reading.server_at) for one in kept.plans]
        lines = tuple(line for row in rows for line in row.lines())
        notes = () if rows else ("Nobody has proposed an override.",)
        return Answer([row.document() for row in rows], lines, notes)

    def shape(self) -> Any:
        return list[PlanRow]
