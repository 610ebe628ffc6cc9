"""`agent-console canary …`: prove a new version by capital, step by step."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.group import VerbGroup
from console.cli.options import Session, common
from console.cli.report import show as show_report
from console.domain.errors import EXIT_DONE, EXIT_NO

if TYPE_CHECKING:
    from console.commands.context import Context
    from console.documents.canary import PlanFile
    from console.domain.canary.outlook import Outlook
    from console.domain.canary.plan import Plan
    from console.store.records.canary import Stored
    from console.views.canary.plan import Measured


@click.group(
    "canary",
    cls=VerbGroup,
    help="Prove a new version by capital: start a plan, watch it, promote, pause, abort.",
)
def canary() -> None:
    """Prove a new version by capital."""


@canary.command(
    "show",
    help="The canary: state, money, evidence, what holds it or comes next; exit code 1 for none or an abort.",
)
@common
def show(session: Session) -> int:
    """What the canary's screen says, without one."""
    from console.cli.runtime import run_with
    from console.domain.canary.plan import RunState
    from console.domain.canary.run import propose
    from console.views.canary.record import canary_record
    from console.views.canary.told import canary_text

    async def work(ctx: Context) -> tuple[Stored, str]:
        slot = (await ctx.read()).deployment.active.slot
        return await ctx.gateway.canaries.read(), slot.value if slot is not None else ""

    stored, active = run_with(session.settings(), work, starts=False)
    reading = stored.reading
    proposal = None
    if reading is not None:
        closed = (stored.closed,) if stored.closed else ()
        proposal = propose(reading, stored.server_at, closed_gates=closed)
    if session.as_json:
        record = canary_record(reading, proposal) if reading is not None else None
        click.echo(json.dumps(record.document() if record is not None else None, ensure_ascii=False))
    elif reading is None:
        click.echo("No canary yet. `agent-console canary start PLAN` begins one.", err=True)
    else:
        for line in canary_text(reading, proposal, stored.server_at, active):
            click.echo(line)
    well = reading is not None and (reading.run.live or reading.run.state is RunState.DONE)
    return EXIT_DONE if well else EXIT_NO


@canary.command(
    "plan", help="Check a plan file, show its ladder, and measure --history for its sigma and bounds; starts nothing."
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--history",
    "logs",
    multiple=True,
    metavar="DECISIONS.jsonl",
    type=click.Path(path_type=Path),
    help="Decisions of the stable version, to hold the plan's sigma and bounds against; repeatable.",
)
@click.option("--stake", metavar="PATH", default="", help="Where a record says what was at risk; [logs] stake_path.")
@common
def plan(session: Session, file: Path, logs: tuple[Path, ...], stake: str) -> int:
    """Read a plan file as `canary start` would; exit code 1 where the history contradicts it."""
    from console.documents.canary import read_plan_file
    from console.views.canary.plan import MeasuredPlan, PlanReport

    file_given = read_plan_file(file.expanduser())
    plan, spread = _spread(session, file_given)
    given = replace(file_given, plan=plan)
    of_plan = (given.slot, given.capital, given.currency, given.plan.digest, given.plan, spread)
    if not logs:
        return show_report(session, PlanReport(*of_plan))
    return show_report(session, MeasuredPlan(*of_plan, *_measured(session, given, logs, stake)))


def _spread(session: Session, given: PlanFile) -> tuple[Plan, str]:
    """The plan with the canary's spread as its shadow shows it, and where that comes from; a plan needs no store."""
    from console.cli.runtime import run_with
    from console.commands.canary.spread import with_spread
    from console.domain.errors import ConsoleError

    if given.plan.settings.sigma_canary is not None:
        return given.plan, "by the plan itself"

    async def work(ctx: Context) -> tuple[Plan, str]:
        return await with_spread(ctx, given, await ctx.read())

    try:
        return run_with(session.settings(), work, starts=False)
    except ConsoleError as error:
        return given.plan, f"unknown: no store to ask for its shadow ({error.message.rstrip('.')})"


def _measured(
    session: Session, given: PlanFile, logs: tuple[Path, ...], stake: str
) -> tuple[Measured, tuple[Outlook, ...]]:
    """The history of the version that is not the canary, and what it lets expect.

    Raises:
        UsageError: a log can't be read, or holds no round that could be measured.
    """
    from console.cli.log_options import rule_options, stake_path, text_of
    from console.domain.canary.history import doubts
    from console.domain.canary.outlook import outlook
    from console.domain.errors import UsageError
    from console.domain.triggers.facts import other
    from console.logs.history import read_returns
    from console.views.canary.plan import Declared, Measured

    settings = session.settings()
    stable = other(given.slot)
    path = stake or stake_path(settings)
    read = read_returns(
        [text_of(log.expanduser()) for log in logs],
        path,
        rule_options(settings),
        slot=stable,
        currency=given.currency,
    )
    if not read.history.rounds:
        raise UsageError(
            f"The logs hold no round of {stable}'s in {given.currency} that states a PnL and a stake.",
            f"{read.of_no_slot} rounds belong to no slot (--slot {stable}=VERSION), {read.without_stake} state nothing "
            f"at {path} (--stake), {read.refused} lines are no decision.",
        )
    history, declared = read.history, given.plan.settings
    measured = Measured(
        slot=stable,
        rounds=history.rounds,
        without_stake=read.without_stake,
        refused=read.refused,
        mean=history.mean,
        sigma=history.sigma,
        lowest=history.lowest,
        highest=history.highest,
        correlation=history.correlation,
        declared=Declared(declared.sigma, declared.lowest, declared.highest, declared.block),
        doubts=doubts(declared, history),
    )
    return measured, outlook(given.plan, read.bets, read.pace_s)
