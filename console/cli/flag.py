"""`agent-console flag …`: read and change feature flags."""

from __future__ import annotations

import json
from typing import Any

import click

from console.cli.group import declaring
from console.cli.options import Session, common
from console.cli.runtime import run_with
from console.commands.context import Context
from console.domain.errors import EXIT_DONE, EXIT_NO
from console.domain.state.flags import FlagReading, check_name, read_flag


@click.group("flag", cls=declaring("set", "toggle", "unset"), help="Read and change feature flags.")
def flag() -> None:
    """Read and change feature flags."""


@flag.command("list")
@common
def list_flags(session: Session) -> int:
    """Every flag in the store, and every registered one that is not set."""

    async def work(ctx: Context) -> dict[str, FlagReading]:
        return dict((await ctx.read()).flags)

    flags = run_with(session.settings(), work)
    if session.as_json:
        from console.views.status import flag_document

        click.echo(json.dumps({name: flag_document(found) for name, found in flags.items()}, ensure_ascii=False))
        return EXIT_DONE
    if not flags:
        click.echo("No flags yet. `agent-console flag set NAME VALUE` sets one.", err=True)
    width = max((len(name) for name in flags), default=0)
    for name, found in flags.items():
        click.echo(_line(found, width, name))
    return EXIT_DONE


def _line(found: FlagReading, width: int, name: str) -> str:
    kind = found.type.value if found.type else (found.spec.type.value if found.spec else "-")
    if found.missing:
        default = found.spec.default if found.spec and found.spec.default is not None else "the agent's own"
        value = f"(not set; default {default})"
    else:
        value = str(found.raw)
    return f"{name:<{width}}  {kind:<6}  {value}" + (f"  ! {found.problem}" if found.problem else "")


@flag.command("get")
@click.argument("name")
@common
def get_flag(session: Session, name: str) -> int:
    """One flag's text; exit code 1 when it is not set."""

    async def work(ctx: Context) -> FlagReading:
        found = await ctx.gateway.read_flag(check_name(name))
        return found or read_flag(name, None, ctx.registry.get(name))

    found = run_with(session.settings(), work)
    if session.as_json:
        from console.views.status import flag_document

        document: dict[str, Any] = {"name": name, **flag_document(found)}
        click.echo(json.dumps(document, ensure_ascii=False))
    elif found.missing:
        click.echo(f"flag {name} is not set; agents use their default.", err=True)
    elif found.type is None:
        click.echo(f"flag {name}: {found.problem}.", err=True)
    else:
        click.echo(found.raw)
        if found.problem:
            click.echo(f"flag {name}: {found.problem}.", err=True)
    return EXIT_NO if found.missing or found.type is None else EXIT_DONE
