"""`balances`: local books beside the venue's, with difference and age."""

from __future__ import annotations

from typing import Any

from console.commands.base import Call, Query
from console.commands.context import Context
from console.commands.venue.check import FILE
from console.commands.venue.common import local_books, prober
from console.domain.operator.command import Answer, CommandInfo


class Balances(Query):
    """Hold local books against the venue's."""

    info = CommandInfo(
        name="balances",
        title="Compare books with the venue",
        summary="Local books (state file, else newest snapshot) beside the venue's; exit code 1 unless they agree.",
        params=(FILE,),
        reads=True,
    )
    alone = True

    def shape(self) -> Any:
        """Both books, side by side."""
        from console.views.venue.check import BalancesReport

        return BalancesReport

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """One line a thing."""
        from console.domain.venue.books import compare
        from console.views.venue.check import BalancesReport

        async with prober(ctx, call) as asked:
            venue, now = asked.venue, ctx.clock()
            books = local_books(ctx, venue)
            look = await asked.look(now, (books.escrows or ()) if books else ())
            rows = compare(books, look, venue.rules.tolerances, ctx.clock())
        report = BalancesReport(
            venue=look.venue,
            at=now,
            agent=ctx.agent,
            books=books.source if books else None,
            books_at=books.taken_at if books else None,
            rows=rows,
        )
        notes = () if rows else ("The venue's document has no probe for anything that books can hold.",)
        return Answer(report.document(), tuple(report.lines()), notes, yes=report.well)
