"""`agent-console doctor`: the server that money will depend on, and what could happen on it."""

from __future__ import annotations

import json

import click

from console.cli.options import Session, common
from console.cli.runtime import run_with
from console.commands.context import Context
from console.domain.errors import EXIT_DONE, EXIT_NO
from console.domain.fence.check import Check, Verdict, refusals

_GLYPHS = {Verdict.OK: "✔", Verdict.WARN: "▲", Verdict.FAIL: "✖", Verdict.UNKNOWN: "?"}


@click.command("doctor", help="Check the server that money depends on; exit code 1 if money mode would refuse it.")
@click.option(
    "--wait", "replicas", metavar="N", default=0, show_default=True, type=click.IntRange(0, 16),
    help="How many replicas a claim is to wait for.",
)  # fmt: skip
@common
def doctor(session: Session, replicas: int) -> int:
    """Check the server that money depends on; exit code 1 if money mode would refuse it."""

    async def work(ctx: Context) -> tuple[Check, ...]:
        return await ctx.gateway.examine(replicas)

    checks = run_with(session.settings(), work)
    refused = refusals(checks)
    if session.as_json:
        document = {
            "money_mode": not refused,
            "checks": {
                c.name: {"verdict": c.verdict.value, "seen": c.seen, "risk": c.risk, "remedy": c.remedy} for c in checks
            },
        }
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        for check in checks:
            _show(check)
        names = ", ".join(check.name for check in refused)
        click.echo(f"money mode refuses: {names}" if refused else "money mode may start")
    return EXIT_NO if refused else EXIT_DONE


def _show(check: Check) -> None:
    click.echo(f"{_GLYPHS[check.verdict]} {check.verdict.value:<8}{check.name:<16}{check.seen}")
    if check.risk:
        click.echo(f"{'':10}what could happen: {check.risk}")
    if check.remedy:
        click.echo(f"{'':10}what to do: {check.remedy}")
