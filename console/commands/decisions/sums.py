"""`decisions sum`: what was earned in a time, exact, over whole logs."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from console.commands.base import Call, Query
from console.commands.context import Context
from console.commands.decisions.common import over
from console.commands.decisions.listing import SINCE, UNTIL, asked
from console.domain.operator.command import Answer, CommandInfo


class DecisionsSum(Query):
    """What was earned."""

    alone = True
    info = CommandInfo(
        name="decisions sum",
        title="Sum up decisions",
        summary="What each version earned in a time, exact, by slot and currency, over whole logs; exit code 1 where "
        "one can't be read.",
        params=(SINCE, UNTIL),
        reads=True,
    )

    def shape(self) -> Any:
        """One row for each slot, version and currency."""
        from console.views.decisions import EarnedReport

        return list[EarnedReport]

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """One line for each slot, version and currency."""
        from console.views.decisions import EarnedReport

        ask = asked(ctx, call)
        earned, notes = await over(ctx, lambda index: index.earned(ask))
        rows = [EarnedReport(*key, total.rounds, total.amount) for key, total in earned.items()]
        rows.sort(key=attrgetter("slot", "version", "currency", "dry"))
        whole = not notes
        if not rows:
            notes = (*notes, "No round of that time states a PnL.")
        lines = tuple(line for row in rows for line in row.lines())
        return Answer([row.document() for row in rows], lines, notes, yes=whole)
