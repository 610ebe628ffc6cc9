"""`agent-console canary …`: prove a new version by capital, step by step."""

from __future__ import annotations

import json
from pathlib import Path

import click

from console.cli.operate import build
from console.cli.options import Session, common
from console.domain.errors import EXIT_DONE


@click.group("canary", help="Prove a new version by capital: start a plan, watch it, promote, pause, abort.")
def canary() -> None:
    """Prove a new version by capital."""


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
