"""`decisions show`: one round in full."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from console.commands.base import Call, Query
from console.commands.context import Context
from console.commands.decisions.common import over
from console.domain.errors import Refused, UsageError
from console.domain.operator.command import Answer, CommandInfo, Param
from console.domain.text import clean


class DecisionsShow(Query):
    """One round in full."""

    alone = True
    beside = True
    info = CommandInfo(
        name="decisions show",
        title="Show a decision",
        summary="One round in full, inputs and all, as its log has it; what was in force, and the action it led to.",
        params=(Param("place", "FILE:OFFSET, as `decisions list --json` names it."),),
        reads=True,
    )

    def shape(self) -> Any:
        """The round."""
        from console.views.decisions import RecordReport

        return RecordReport

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """What can be told of it, then its record.

        Raises:
            UsageError: the place is none.
            Refused: no round begins there.
        """
        from console.commands.decisions.moment import moment_of
        from console.logs.index.pages import one_line
        from console.views.decisions import DecisionReport, RecordReport

        place = call.require("place")
        name, _, offset = place.rpartition(":")
        if not name or not offset.isdecimal() or len(offset) > 18:
            raise UsageError(f"{clean(place, 80)!r} is no place.", "FILE:OFFSET, as `decisions list --json` names it.")
        hit, notes = await over(
            ctx, lambda index: one_line(index.files, name, int(offset), ctx.log_options), whole=False
        )
        if hit is None:
            raise Refused(f"No round begins at {clean(place, 120)}.", "`decisions list --json` names places.")
        decision = DecisionReport.of(hit.decision(ctx.log_options, ctx.clock().timestamp()), str(hit.path))
        record = await asyncio.to_thread(_record, hit.line)  # a record may be as long as a line may
        then = await moment_of(ctx, decision.at, decision.version, record)
        report = RecordReport(decision, record, then)
        lines = await asyncio.to_thread(lambda: tuple(report.lines()))
        return Answer(report.document(), lines, notes)


def _record(line: bytes) -> Any:
    from console.logs.lines.careful import load

    try:
        return json.loads(line)
    except (ValueError, RecursionError):  # accepted by the careful way, which also reads what strictly is no JSON
        return load(line)
