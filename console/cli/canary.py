"""`agent-console canary …`: prove a new version by capital, step by step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.operate import build
from console.cli.options import Session, common
from console.domain.errors import EXIT_DONE, EXIT_NO

if TYPE_CHECKING:
    from console.commands.context import Context
    from console.store.canary import Stored


@click.group("canary", help="Prove a new version by capital: start a plan, watch it, promote, pause, abort.")
def canary() -> None:
    """Prove a new version by capital."""


@canary.command("show", help="The canary: state, money, evidence, and the gate that holds it; exit code 1 without one.")
@common
def show(session: Session) -> int:
    """What the canary's screen says, without one."""
    from console.cli.runtime import run_with
    from console.domain.canary_run import propose
    from console.views.canary_told import canary_document, canary_text

    async def work(ctx: Context) -> Stored:
        return await ctx.gateway.canary()

    stored = run_with(session.settings(), work)
    reading = stored.reading
    proposal = None
    if reading is not None:
        closed = (stored.closed,) if stored.closed else ()
        proposal = propose(reading, stored.server_at, closed_gates=closed)
    if session.as_json:
        click.echo(json.dumps(canary_document(reading, proposal), ensure_ascii=False))
    elif reading is None:
        click.echo("No canary yet. `agent-console canary start PLAN` begins one.", err=True)
    else:
        for line in canary_text(reading, proposal, stored.server_at):
            click.echo(line)
    return EXIT_DONE if reading is not None and reading.run.live else EXIT_NO


@canary.command("plan", help="Check a plan file and show the ladder, its money and its digest; starts nothing.")
@click.argument("file", type=click.Path(path_type=Path))
@common
def plan(session: Session, file: Path) -> int:
    """Read a plan file as `canary start` would."""
    from console.commands.canary_plan import read_plan_file
    from console.domain.canary_text import plan_document

    found = read_plan_file(file.expanduser())
    if session.as_json:
        document = {
            "canary": found.slot,
            "capital": f"{found.capital:f}",
            "currency": found.currency,
            "digest": found.plan.digest,
            "plan": plan_document(found.plan),
        }
        click.echo(json.dumps(document, ensure_ascii=False))
        return EXIT_DONE
    click.echo(f"{found.slot} on {found.capital:,f} {found.currency}, digest {found.plan.digest[:12]}")
    for number, step in enumerate(found.plan.steps, 1):
        money = f"{step.share * found.capital:>14,f} {found.currency}  loss budget {step.loss_budget:,f}"
        click.echo(
            f"  {number}  {step.share * 100:>6f} %  {money if step.share else 'shadow':<40}  {step.min_rounds} rounds, "
            f"{step.min_dwell_s:g} to {step.max_dwell_s:g} s"
        )
    return EXIT_DONE


for _verb in ("start", "promote", "set", "pause", "resume", "abort"):
    canary.add_command(build(f"canary {_verb}"))
