"""`guard ack`: say that you have seen alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.commands.base import Call, Command
from console.commands.context import Context
from console.domain.errors import Refused
from console.domain.operation import CommandInfo, Confirm, Param, Preview
from console.domain.receipt import Change, Receipt
from console.domain.text import clean

if TYPE_CHECKING:
    from console.domain.alerts import Alert


class GuardAck(Command):
    """Acknowledge alerts, with who and when."""

    info = CommandInfo(
        name="guard ack",
        title="Acknowledge",
        summary="Say that you have seen alerts: by id, or all open ones.",
        key="a",
        params=(
            Param("ids", "Ids, parted by commas; none means all that are open.", required=False, suggests="alert"),
        ),
        confirm=Confirm.YES_NO,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        """See `Command.preview`."""
        alerts = await self._meant(ctx, call)
        return Preview(
            title=f"Acknowledge {len(alerts)} alert{'s' if len(alerts) > 1 else ''}?",
            changes=tuple(Change(alert.kind.value, clean(alert.reason, 120), "seen") for alert in alerts[:5]),
            warnings=(f"and {len(alerts) - 5} more",) if len(alerts) > 5 else (),
            arguments={**call.args, "ids": ",".join(alert.id for alert in alerts)},
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        """See `Command.execute`."""
        ids = [alert.id for alert in await self._meant(ctx, call)]
        receipt, _seen = await ctx.gateway.acknowledge(ids, command=self.info.name, why=call.reason)
        return receipt

    async def _meant(self, ctx: Context, call: Call) -> list[Alert]:
        wanted = {part for part in call.args.get("ids", "").split(",") if part}
        found = [alert for alert in await ctx.gateway.alerts() if alert.open and (not wanted or alert.id in wanted)]
        if not found:
            raise Refused("No such alert is open: somebody has seen it already." if wanted else "No alert is open.")
        return found
