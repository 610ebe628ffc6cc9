"""`agent-console upgrade …`: one run from one version to the next; `start` and `go` walk it in the foreground."""

from __future__ import annotations

import json

import click

from console.cli.group import VerbGroup
from console.cli.operate import carry_out
from console.cli.options import Session, common
from console.cli.runtime import run_with
from console.commands.base import Command
from console.commands.catalogue import find
from console.commands.context import Context
from console.domain.errors import EXIT_DONE, EXIT_NO


@click.group("upgrade", cls=VerbGroup, help="One run to the other version, each step with its evidence.")
def upgrade() -> None:
    """One run to the other version."""


@upgrade.command("start", help="Begin an upgrade and walk it until it is done or waits for a person; ctrl-c leaves it.")
@click.argument("target", type=click.Choice(("blue", "green")))
@click.option("--plan", help="What the run asks for, TOML or JSON; `schema upgrade` says what it may hold.")
@click.option("--detach", is_flag=True, help="Begin only; `upgrade go` walks.")
@common
def start(session: Session, target: str, plan: str | None, detach: bool) -> int:
    """Begin, print the receipt, and walk."""
    command = find("upgrade start")
    assert isinstance(command, Command)
    code = carry_out(session, command, {"target": target, **({"plan": plan} if plan else {})})
    return code if detach or code != EXIT_DONE else walked(session, document=False)


@upgrade.command("go", help="Go on with the upgrade; exit code 0 once it is done, 1 where it waits for a person.")
@common
def go(session: Session) -> int:
    """Walk, whoever began it."""
    return walked(session, document=session.as_json)


def walked(session: Session, *, document: bool) -> int:
    """Walk, saying each step on stderr where stdout is for a document.

    Args:
        session: of this call.
        document: whether the run is printed as JSON at the end.
    """
    from console.commands.upgrade.walk import walk
    from console.domain.upgrade.run import RunState
    from console.views.upgrade import UpgradeReport, headline, step_line

    aside = session.as_json

    async def work(ctx: Context) -> UpgradeReport:
        before = ""
        async for stored, what in walk(ctx):
            assert stored.run is not None
            line = step_line(stored.run.of(what.step)) if what.step else f"  {what.kind.value} {what.why}"
            if line != before:
                click.echo(line, err=aside)
            before = line
        return UpgradeReport((await ctx.gateway.upgrades.read()).run)

    report = run_with(session.settings(), work)
    if document:
        click.echo(json.dumps(report.document(), ensure_ascii=False))
    elif report.run is not None:
        click.echo(headline(report.run), err=aside)
    else:
        click.echo("There is no upgrade. `agent-console upgrade start TARGET` begins one.", err=True)
    return EXIT_DONE if report.run is not None and report.run.state is RunState.DONE else EXIT_NO
