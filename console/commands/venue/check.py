"""`venue check`: try every probe of the venue's document, and show what it read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.commands.base import Call, Query
from console.commands.context import Context
from console.commands.venue.common import local_books, prober
from console.domain.operator.command import Answer, CommandInfo, Param
from console.domain.text import Safe, clean

if TYPE_CHECKING:
    from console.venue.setup import Venue

FILE = Param("file", "The venue's document; else that of the configuration.", required=False)


class VenueCheck(Query):
    """Try every probe of the venue's document."""

    info = CommandInfo(
        name="venue check",
        title="Check the venue",
        summary="Try every probe of the venue's document, show what it read; exit code 1 where something is unknown.",
        params=(FILE,),
        reads=True,
    )
    alone = True

    def shape(self) -> Any:
        """What every probe brought."""
        from console.views.venue.check import VenueCheck as Report

        return Report

    async def answer(self, ctx: Context, call: Call) -> Answer:
        """One line a probe."""
        from console.domain.venue.judge import closed, judge
        from console.views.venue.check import VenueCheck as Report
        from console.views.venue.check import probed

        async with prober(ctx, call) as asked:
            venue, now = asked.venue, ctx.clock()
            books = local_books(ctx, venue)
            look = await asked.look(now, (books.escrows or ()) if books else ())
            if venue.document.probes.history is not None:
                look = look._replace(history=await asked.history(ctx.clock()))
            items = judge(look, books, venue.rules, ctx.clock())
            probes = venue.document.probes
            missing = tuple(name for name in type(probes).model_fields if getattr(probes, name) is None)
            report = Report(
                venue=look.venue,
                at=now,
                agent=ctx.agent,
                fine=not closed(items),
                probes=probed(look.readings(), items, venue.secret.hide),
                not_configured=missing,
                terms=_terms(venue),
            )
        return Answer(report.document(), tuple(report.lines()), yes=report.well)


def _terms(venue: Venue) -> tuple[Safe, ...]:
    """What the document says of time-outs, keys and the dead man's switch."""
    escrow, keys, deadman = venue.rules.escrow, venue.keys, venue.deadman
    lines = [f"at an escrow's time-out is paid: {escrow.payee.value}" + _known_from(escrow.provenance)]
    window = f"for {keys.window_s:g} s" if keys.window_s else "never: it keeps no idempotency keys"
    lines.append(f"a key may be sent again {window}" + _known_from(keys.provenance))
    if deadman is not None and venue.document.deadman is not None:
        armed = "kept alive by a guard" if venue.document.deadman.armed else "not armed"
        times = f"{deadman.per_day} times a day at the most" if deadman.per_day else "as often as it likes"
        lines.append(
            f"dead man's switch: {armed}; falls after {deadman.timeout_s:g} s, {times}; takes {deadman.takes.value}; "
            f"a goodbye: {deadman.goodbye.value}" + _known_from(deadman.provenance)
        )
    return tuple(clean(line) for line in lines)


def _known_from(provenance: str) -> str:
    return f" (from: {provenance})" if provenance else " (nobody said where that is known from)"
