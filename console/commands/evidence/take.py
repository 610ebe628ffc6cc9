"""`evidence`: what is known of a time, in one file that proves itself and opens without a store."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from console.commands.base import Call, Query
from console.domain.errors import UsageError
from console.domain.operator.command import Answer, CommandInfo, Param
from console.domain.operator.moment import parse_moment

if TYPE_CHECKING:
    from console.commands.context import Context

DEFAULT: Final = "15m"
"""Since when, where a screen asks."""


class Evidence(Query):
    """Gather what is known of a time into one file."""

    info = CommandInfo(
        name="evidence",
        title="Gather evidence",
        summary="Everything that is known of a time, in one zip: decisions, audit, control events, acts, flags, "
        "pictures, a report; exit code 1 where a part could not be read.",
        key="E",
        short="Evidence",
        params=(
            Param(
                "from",
                "From when: how long ago (15m, 24h), 14:03, or a time.",
                option=True,
                preset=DEFAULT,
            ),
            Param("to", "Before when: the same; now if nothing is said.", required=False, option=True),
            Param("output", "The file; a name of its own in this folder if nothing is said.", False, option=True),
            Param("recording", "A recording of that time; the screens 6 and 7 are drawn from it.", False, option=True),
            Param("no_pictures", "Leave the pictures of the screens out: they take seconds.", False, flag=True),
        ),
        reads=True,
    )

    def shape(self) -> Any:
        """What was written."""
        from console.views.evidence import EvidenceReport

        return EvidenceReport

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """Where it is, what its digest is, and what is not in it.

        Raises:
            UsageError: the times are none.
            Refused: something is at that place already.
            StoreUnreachable: there was no answer.
        """
        from dataclasses import replace
        from functools import partial

        from console.commands.evidence.gather import gather

        now = ctx.clock().astimezone(UTC)
        since = parse_moment(call.require("from"), now)
        until = min(parse_moment(call.args["to"], now) if call.args.get("to") else now, now)
        if since >= until:
            raise UsageError("That time ends before it begins.", "--from is before --to, and before now.")
        path = Path(call.args.get("output") or _name(ctx.agent, since, until)).expanduser()
        if call.given("no_pictures"):
            ctx = replace(ctx, pictures=None)
        elif ctx.pictures is not None and call.args.get("recording"):
            ctx = replace(ctx, pictures=partial(ctx.pictures, recording=call.args["recording"]))
        report = await gather(ctx, (since, until), now, path.absolute())
        return Answer(report.document(), tuple(report.lines()), report.left, yes=not report.partial)


def _name(agent: str, since: datetime, until: datetime) -> str:
    return f"evidence-{agent}-{since:%Y%m%dT%H%M%SZ}-{until:%Y%m%dT%H%M%SZ}.zip"
