"""`agent-console upgrade …`: one run from one version to the next; `start` and `go` walk it in the foreground."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from console.cli.group import VerbGroup
from console.cli.operate import carry_out
from console.cli.options import Session, common
from console.cli.report import show
from console.cli.runtime import run_with
from console.commands.base import Command
from console.commands.catalogue import find
from console.commands.context import Context
from console.domain.document import Report
from console.domain.errors import EXIT_DONE, EXIT_NO, Refused, UsageError
from console.domain.text import clean


@dataclass(frozen=True, slots=True)
class UpgradeFile(Report):
    """The report of an upgrade, as it was written or verified.

    Args:
        path: of the file.
        run: the upgrade's id.
        state: how far it was: `running`, `held`, `aborted` or `done`.
    """

    path: str
    run: str
    state: str

    def lines(self) -> Iterator[str]:
        yield f"{self.path}: upgrade {self.run[:8]}, {self.state}, as it was recorded"


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

    report = run_with(session.settings(), work, starts=False)
    if document:
        click.echo(json.dumps(report.document(), ensure_ascii=False))
    elif report.run is not None:
        click.echo(headline(report.run), err=aside)
    else:
        click.echo("There is no upgrade. `agent-console upgrade start TARGET` begins one.", err=True)
    return EXIT_DONE if report.run is not None and report.run.state is RunState.DONE else EXIT_NO


@upgrade.command("report", help="Write the upgrade as one file that a colleague can read; `upgrade verify` checks it.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Where to write it (mode 0600).")
@click.option("--run", "identity", help="The id of an earlier one.")
@common
def report(session: Session, output: Path, identity: str | None) -> int:
    """Write the report."""
    from console.commands.upgrade.made_of import both_made_of
    from console.commands.upgrade.report import report_text
    from console.domain.upgrade.made_of import BothMadeOf
    from console.domain.upgrade.run import UpgradeRun
    from console.store.files.private import write_private

    async def work(ctx: Context) -> tuple[UpgradeRun, BothMadeOf] | None:
        run = (await ctx.gateway.upgrades.read()).run
        if identity and (run is None or run.id != identity):
            run = await ctx.gateway.upgrades.over(identity)
        return None if run is None else (run, await both_made_of(ctx, run))

    told = run_with(session.settings(), work, starts=False)
    if told is None:
        raise Refused("There is no such upgrade.", "`agent-console upgrade start TARGET` begins one.")
    run, both = told
    write_private(output, report_text(run, both))
    return show(session, UpgradeFile(str(output), run.id, run.state.value))


@upgrade.command("verify", help="Check a report without a store; exit code 4 where a byte of it is another.")
@click.argument("file", type=click.Path(path_type=Path))
@common
def verify(session: Session, file: Path) -> int:
    """Check the report."""
    from console.commands.upgrade.report import MAX_REPORT_BYTES, verified
    from console.regular import read_regular

    try:
        data = read_regular(file, MAX_REPORT_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{clean(str(file), 80)} can't be read: {clean(error.strerror or error, 120)}.") from error
    run = verified(data)
    return show(session, UpgradeFile(str(file), run.id, run.state.value))
