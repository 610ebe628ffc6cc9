"""`drill`: exercise the path of a roll back on a running system, and time it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

import click

from console.cli.options import Session, common
from console.cli.report import show
from console.domain.errors import UsageError
from console.domain.triggers.finding import Trigger

DEADMAN: Final = "deadman"
"""The venue's dead man's switch, which is no trigger of ours."""


@click.command("drill", help="Exercise a trigger, or the dead man's switch, on running guards; --for-real does it.")
@click.argument("trigger", type=click.Choice([*(one.value for one in Trigger if one is not Trigger.BAND), DEADMAN]))
@click.option("--for-real", is_flag=True, help="Really give the active side back, or let the switch fall; asks first.")
@click.option("--timeout", "timeout_s", default=10.0, metavar="SECONDS", help="How long to wait for answers.")
@common
def drill(session: Session, trigger: str, for_real: bool, timeout_s: float) -> int:
    """Order it, collect the answers, show them; exit code 1 where a guard would fail or none answers."""
    from console.cli.guard import require_writable, with_state

    require_writable(session, "drill")
    if for_real and not session.yes:
        what = "lets the venue cancel orders" if trigger == DEADMAN else "moves the active side"
        raise UsageError(f"A drill for real {what}.", "Say --yes if it is meant.")
    if trigger == DEADMAN:
        from console.guard.report.deadman import exercise_deadman

        switch = partial(exercise_deadman, by=session.settings().who, for_real=for_real, timeout_s=timeout_s)
        return show(session, asyncio.run(with_state(session, switch)))
    from console.guard.report.drill import exercise

    by = session.settings().who
    work = partial(exercise, trigger=Trigger(trigger), by=by, for_real=for_real, timeout_s=timeout_s)
    return show(session, asyncio.run(with_state(session, work)))
