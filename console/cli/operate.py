"""The verbs that are declared in `console.commands`, made from their declarations."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import click

from console import paths
from console.cli.options import Session, common
from console.cli.report import echo_csv, show
from console.cli.runtime import run_alone, run_with
from console.commands.base import Call, Command, Query
from console.commands.catalogue import find
from console.commands.context import Context
from console.domain.errors import EXIT_DONE, EXIT_NO, Refused, StoreUnreachable, UsageError
from console.domain.fence.deployment import ActiveState
from console.domain.operator.command import Answer, CommandInfo, Confirm, Param, Preview, Risk
from console.domain.operator.receipt import Receipt
from console.domain.text import clean

_ASKS = frozenset({Confirm.EVIDENCE, Confirm.TYPED})
"""A typed verb is deliberate; only those that move the active side or overwrite state ask again on a terminal."""


def build(name: str) -> click.Command:
    """The click command for a declared one."""
    command = find(name)
    assert command is not None, name
    info = command.info

    def callback(session: Session, **kwargs: Any) -> int:
        args = {
            key: ("yes" if value is True else str(value)) for key, value in kwargs.items() if value not in (None, False)
        }
        return ask(session, command, args) if isinstance(command, Query) else carry_out(session, command, args)

    callback.__doc__ = info.summary
    callback.__name__ = name.replace(" ", "_")
    decorated: Any = common(callback)
    for param in reversed(info.params):
        decorated = _parameter(param)(decorated)
    return click.command(name.rsplit(" ", 1)[-1], help=info.summary)(decorated)


def _parameter(param: Param) -> Any:
    kind: Any = click.Choice(param.choices) if param.choices else click.STRING
    if param.option or param.flag:
        names = [f"--{param.name.replace('_', '-')}", param.name]
        return click.option(
            *names,
            is_flag=param.flag,
            required=param.required,
            default=None,
            type=None if param.flag else kind,
            help=param.help,
        )
    return click.argument(param.name, type=kind, required=param.required and not param.implied)


def ask(session: Session, query: Query, args: Mapping[str, str]) -> int:
    """Look something up, and show it: data on stdout, notes on stderr."""
    settings = session.settings()
    if query.beside and (answered := _beside(session, query, args)) is not None:
        answer = answered
    elif query.alone:
        answer = run_alone(settings, lambda ctx: query.answer(ctx, Call(args)))
    else:
        answer = run_with(settings, lambda ctx: query.answer(ctx, Call(args)), starts=False)
    if session.as_csv:
        echo_csv(answer.document)
    elif session.as_json:
        click.echo(json.dumps(answer.document, ensure_ascii=False))
    else:
        for line in answer.lines:
            click.echo(line)
    for note in answer.notes:  # also beside data: what is missing in it
        click.echo(note, err=True)
    return EXIT_DONE if answer.yes else EXIT_NO


def _beside(session: Session, query: Query, args: Mapping[str, str]) -> Answer | None:
    """The answer with what a store tells of it; None where none answers."""
    try:
        return run_with(session.settings(), lambda ctx: query.answer(ctx, Call(args)), starts=False)
    except StoreUnreachable:
        return None


def carry_out(session: Session, command: Command, args: Mapping[str, str]) -> int:
    """Preview, confirm where it is due, execute, show the receipt."""
    settings = session.settings()

    async def work(ctx: Context) -> Receipt:
        call = Call(args, session.reason)
        asks = command.info.confirm in _ASKS
        if not settings.url and (command.info.risk is Risk.REDUCES or not (asks or session.yes)):
            await refuse_where_nobody_is(ctx, command.info)
        if asks and not session.yes:
            ctx.gateway.require_writable(command.info.name, reduces=command.info.risk is Risk.REDUCES)
            preview = await command.preview(ctx, call)
            if not preview.overrides or args.get("override"):
                confirm(preview, command.info.name)  # else the gates refuse it below, without a question before
            call = Call(preview.arguments or args, session.reason)
        return await command.execute(ctx, call)

    if not settings.url and not session.yes and command.info.risk is not Risk.REDUCES:
        refuse_to_start(command.info.name)
    receipt = run_with(settings, work)
    return show_receipt(session, receipt)


def refuse_to_start(name: str) -> None:
    """Refuse to start the embedded store for a change that nobody has confirmed.

    Raises:
        Refused: it is not running.
    """
    from console.store.server import embedded

    if embedded.status(paths.store_dir()) is None:
        raise Refused(
            f"No store is named, and the embedded one is not running; {name} was not carried out.",
            "--url or --profile names the store; --yes starts the embedded one, if that is meant.",
        )


async def refuse_where_nobody_is(ctx: Context, info: CommandInfo) -> None:
    """Refuse to reduce the risk of nobody, or to change in silence what nobody reads: whoever named no store and halts
    an empty one has halted nothing.

    Raises:
        Refused: no agent was ever seen on the embedded store, and nobody ever decided who acts.
    """
    deployment = (await ctx.read()).deployment
    if deployment.authority is None and not deployment.instances and deployment.active.state is ActiveState.MISSING:
        reduces = info.risk is Risk.REDUCES
        raise Refused(
            f"No store is named, and on the embedded one nothing is known of agent {clean(ctx.agent, 64)}: "
            f"{info.name} would {'stop' if reduces else 'reach'} nobody.",
            "--url or --profile names the store; --agent the agent." + ("" if reduces else " --yes if it is meant."),
        )


def confirm(preview: Preview, name: str) -> None:
    """Show the evidence and ask; the default is no.

    Raises:
        UsageError: there is no terminal to ask on.
        Refused: the answer was no.
    """
    from console.views.receipts import preview_lines

    for line in preview_lines(preview):
        click.echo(line, err=True)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            f"{name} asks before it acts, and there is no terminal to ask on.", "Say --yes if it is meant."
        )
    if not click.confirm("Do it?", default=False, err=True):
        raise Refused("Not confirmed; nothing was changed.")


def show_receipt(session: Session, receipt: Receipt) -> int:
    """The receipt: a line for people, or a document."""
    from console.views.receipts import ReceiptReport

    return show(session, ReceiptReport.of(receipt))
