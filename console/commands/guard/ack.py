"""`guard ack`: say that you have seen alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from console.commands.base import Call, Command
from console.commands.context import Context
from console.domain.errors import Conflict, Refused
from console.domain.operator.command import CommandInfo, Confirm, Param, Preview
from console.domain.operator.receipt import Receipt
from console.domain.text import clean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from console.domain.guard.alerts import Alert

_MOST_SHOWN: Final = 5


class GuardAck(Command):
    """Acknowledge alerts, with who and when."""

    info = CommandInfo(
        name="guard ack",
        title="Acknowledge",
        summary="Say that you have seen alerts: by id, or all open ones.",
        key="a",
        params=(
            Param(
                "ids",
                "Ids, parted by commas; none means all that are open.",
                required=False,
                suggests="alert",
                at_cursor=True,
            ),
        ),
        confirm=Confirm.YES_NO,
    )

    async def preview(self, ctx: Context, call: Call) -> Preview:
        alerts = await self._meant(ctx, call)
        told = tuple(f"{alert.kind.value}: {clean(alert.reason, 200)}" for alert in alerts[:_MOST_SHOWN])
        more = (f"and {len(alerts) - _MOST_SHOWN} more",) if len(alerts) > _MOST_SHOWN else ()
        return Preview(
            title=f"Acknowledge {len(alerts)} alert{'s' if len(alerts) > 1 else ''}?",
            warnings=told + more,
            arguments={**call.args, "ids": ",".join(alert.id for alert in alerts)},
        )

    async def execute(self, ctx: Context, call: Call) -> Receipt:
        ids = [alert.id for alert in await self._meant(ctx, call)]
        receipt, seen = await ctx.gateway.guards.acknowledge(ids, self.order(call))
        if not seen:
            raise Conflict(already(await ctx.gateway.guards.alerts(), ids))
        return receipt

    async def _meant(self, ctx: Context, call: Call) -> list[Alert]:
        wanted = {part for part in call.args.get("ids", "").split(",") if part}
        every = await ctx.gateway.guards.alerts()
        meant = [alert for alert in every if alert.open and (not wanted or alert.id in wanted)]
        if not meant:
            raise Refused(already(every, wanted) if wanted else "No alert is open.")
        return meant


def already(alerts: Iterable[Alert], ids: Collection[str]) -> str:
    """Who was quicker, and when; or that there is no such alert."""
    seen = [alert for alert in alerts if alert.id in ids and alert.acknowledged_at is not None]
    if not seen:
        return "There is no such alert." if len(ids) == 1 else "There are no such alerts."
    last = max(seen, key=lambda alert: str(alert.acknowledged_at))
    return f"{last.acknowledged_by or 'somebody'} has acknowledged it already, at {last.acknowledged_at:%H:%M:%S}Z."
