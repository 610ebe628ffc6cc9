"""`agent-console audit`: who did what, when, and why; and what changed by itself."""

from __future__ import annotations

import click

from console.cli.group import VerbGroup
from console.cli.options import Session, common
from console.cli.report import show_all
from console.cli.runtime import run_with
from console.commands.clock import utc_now
from console.commands.context import Context
from console.domain.errors import EXIT_DONE
from console.domain.operator.moment import parse_moment
from console.domain.operator.receipt import AuditEntry
from console.views.receipts import AuditReport


@click.group(
    "audit",
    cls=VerbGroup,
    invoke_without_command=True,
    help="The receipts of every command, and what changed without one; oldest first.",
)
@click.option("--last", metavar="N", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@click.option("--since", metavar="WHEN", help="From when on: how long ago (90s, 15m, 24h, 7d), 14:03, or a time.")
@click.option("--until", metavar="WHEN", help="Before when: the same.")
@common
def audit(session: Session, last: int, since: str | None, until: str | None) -> int:
    """The receipts of every command, and what changed without one; oldest first; --who NAME: of somebody."""
    if click.get_current_context().invoked_subcommand is not None:
        return EXIT_DONE
    between = [None if text is None else parse_moment(text, utc_now()) for text in (since, until)]
    by = str(session.given.get("who") or "").casefold()
    whole = not (since or until or by)

    async def work(ctx: Context) -> tuple[AuditEntry, ...]:
        if whole:
            return await ctx.gateway.history(last)
        entries = await ctx.gateway.history_between(between[0], between[1])
        return tuple(one for one in entries if not by or by in one.who.casefold())[-last:]

    entries = run_with(session.settings(), work, starts=False)
    nothing = (
        "No command has been carried out on this agent yet."
        if whole
        else "Nothing of that kind is among the newest entries."
    )
    return show_all(session, map(AuditReport.of, entries), nothing)
