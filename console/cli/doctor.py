"""`agent-console doctor`: the server that money will depend on, and what could happen on it."""

from __future__ import annotations

import click

from console.cli.options import Session, common
from console.cli.report import show
from console.cli.runtime import run_with
from console.commands.context import Context
from console.domain.fence.check import Check
from console.views.doctor import DoctorReport


@click.command("doctor", help="Check the server that money depends on; exit code 1 if money mode would refuse it.")
@click.option(
    "--wait",
    "replicas",
    metavar="N",
    default=0,
    show_default=True,
    type=click.IntRange(0, 16),
    help="How many replicas a claim is to wait for.",
)
@common
def doctor(session: Session, replicas: int) -> int:
    """Check the server that money depends on; exit code 1 if money mode would refuse it."""

    async def work(ctx: Context) -> tuple[Check, ...]:
        return await ctx.gateway.examine(replicas)

    return show(session, DoctorReport.of(run_with(session.settings(), work, starts=False)))
