"""`agent-console rehearse … -- COMMAND ARG…`: a new version over the recorded inputs of yesterday."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from dataclasses import replace
from typing import Any

import click

from console.cli.operate import refuse_to_start, refuse_where_nobody_is
from console.cli.options import Session, common
from console.cli.report import show
from console.cli.runtime import run_alone, run_with
from console.commands.base import Call
from console.commands.context import Context
from console.commands.rehearse.asked import BETWEEN, PARAMS, SEVERAL
from console.commands.rehearse.rehearse import Rehearse, keep, run
from console.domain.errors import EXIT_INTERRUPTED, ConsoleError
from console.domain.operator.command import option_text
from console.domain.rehearsal.report import RehearsalReport

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def _with_options(function: Any) -> Any:
    """An option for each of the verb's, as it declares them."""
    for param in reversed(PARAMS[1:]):
        more: dict[str, Any] = {"is_flag": True, "default": None} if param.flag else {"metavar": "TEXT"}
        if param.choices:
            more = {"type": click.Choice(param.choices)}
        if param.name in SEVERAL:
            more["multiple"] = True
        function = click.option(option_text(param), param.name, help=param.help, **more)(function)
    return function


@click.command("rehearse", help=Rehearse.info.summary, context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, metavar="-- COMMAND [ARG]...", type=click.UNPROCESSED)
@_with_options
@common
def rehearse(session: Session, command: tuple[str, ...], **given: Any) -> int:
    """Rehearse, show what came of it, and keep it as evidence."""
    args = {"command": shlex.join(command)}
    for name, value in given.items():
        if isinstance(value, tuple):
            value = (os.pathsep if name == "log" else BETWEEN).join(value)
        if value:
            args[name] = "yes" if value is True else str(value)
    settings, call = session.settings(), Call(args, session.reason)
    keeps = not call.given("no_keep")
    unconfirmed = keeps and not settings.url and not session.yes
    if unconfirmed:
        refuse_to_start(Rehearse.info.name)

    async def work(ctx: Context) -> tuple[RehearsalReport, ConsoleError | None]:
        task = asyncio.current_task()
        assert task is not None
        for number in _SIGNALS:  # or the processes would outlive a console that is told to end
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        if unconfirmed:
            await refuse_where_nobody_is(ctx, Rehearse.info)
        report = await run(ctx, call)
        if not keeps:
            return report, None
        try:
            await keep(ctx, call, report)
        except ConsoleError as error:
            return report, error  # what it took minutes to find is shown all the same
        return replace(report, kept=True), None

    try:
        report, error = run_with(settings, work) if keeps else run_alone(settings, work)
    except asyncio.CancelledError:
        return EXIT_INTERRUPTED
    code = show(session, report)
    if error is not None:
        click.echo(f"{error.title}: {error.message} {error.hint}".strip(), err=True)
        return error.exit_code
    return code
