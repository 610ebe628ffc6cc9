"""`agent-console audit`: who did what, when, and why; and what changed by itself."""

from __future__ import annotations

import click

from console.cli.group import VerbGroup
from console.cli.options import Session, common
from console.cli.report import show_all
from console.cli.runtime import run_with
from console.commands.context import Context
from console.domain.errors import EXIT_DONE
from console.domain.operator.receipt import AuditEntry
from console.views.receipts import AuditReport


@click.group(
    "audit",
    cls=VerbGroup,
    invoke_without_command=True,
    help="The receipts of every command, and what changed without one; oldest first.",
)
@click.option("--last", metavar="N", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@common
def audit(session: Session, last: int) -> int:
    """The receipts of every command, and what changed without one; oldest first."""
    if click.get_current_context().invoked_subcommand is not None:
        return EXIT_DONE

    async def work(ctx: Context) -> tuple[AuditEntry, ...]:
        return await ctx.gateway.history(last)

    entries = run_with(session.settings(), work, starts=False)
    nothing = "No command has been carried out on this agent yet."
    return show_all(session, map(AuditReport.of, entries), nothing)
