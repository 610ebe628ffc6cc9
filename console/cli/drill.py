"""`drill`: exercise the path of a roll back on a running system, and time it."""

from __future__ import annotations

import asyncio
from functools import partial

import click

from console.cli.options import Session, common
from console.cli.report import show
from console.domain.errors import UsageError
from console.domain.triggers.finding import Trigger


@click.command("drill", help="Exercise a trigger on every running guard and time it; --for-real rolls back.")
@click.argument("trigger", type=click.Choice([trigger.value for trigger in Trigger if trigger is not Trigger.BAND]))
@click.option("--for-real", is_flag=True, help="Really give the active side back; asks first.")
@click.option("--timeout", "timeout_s", default=10.0, metavar="SECONDS", help="How long to wait for answers.")
@common
def drill(session: Session, trigger: str, for_real: bool, timeout_s: float) -> int:
    """Order it, collect the answers, show them; exit code 1 where a guard would fail or none answers."""
    from console.cli.guard import require_writable, with_state

    require_writable(session, "drill")
    if for_real and not session.yes:
        raise UsageError("A drill for real moves the active side.", "Say --yes if it is meant.")
    from console.guard.report.drill import exercise

    by = session.settings().who
    work = partial(exercise, trigger=Trigger(trigger), by=by, for_real=for_real, timeout_s=timeout_s)
    return show(session, asyncio.run(with_state(session, work)))
