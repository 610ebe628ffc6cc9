"""`agent-console fleet`: the agents of one store, and one word to all of them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from console.cli.options import Session, common
from console.commands.fence.halt import LEVELS
from console.domain.document import Record
from console.domain.errors import EXIT_DONE, EXIT_NO, Refused, UsageError

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.commands.fleet.scoped import ScopedOperator
    from console.config import Settings
    from console.domain.fleet.agents import FleetReading

WATCH_EVERY_S = 1.0
SEARCH_S = 2.0
"""How long the search for agents that no index names is waited for before all are halted."""
LONG_S = 5.0
"""The longest wait for one reply: what is asked of many agents at once takes a slow store longer."""


@dataclass(frozen=True, slots=True)
class HaltedAgent(Record):
    """What came of one agent.

    Args:
        agent: its name.
        done: whether it has a receipt.
        text: the receipt in words, or why there is none.
    """

    agent: str
    done: bool
    text: str


@click.group(
    "fleet",
    invoke_without_command=True,
    help="The agents of one store, a line each. Exit code 1 when one of them is not well.",
)
@click.option("--watch", is_flag=True, help="Again every second, until interrupted.")
@common
def fleet(session: Session, watch: bool) -> int:
    """The agents of one store."""
    ctx = click.get_current_context()
    ctx.obj = session
    if ctx.invoked_subcommand is not None:
        return EXIT_DONE
    settings = session.settings()
    if watch:
        return asyncio.run(_watch(session, settings))
    reading = asyncio.run(read_fleet(settings))
    return _show(session, reading)


@fleet.command("halt", help="Halt several agents, each by itself; a failure is named, and the others are halted.")
@click.argument("agents", nargs=-1)
@click.option("--all", "everybody", is_flag=True, help="Every agent of the store.")
@click.option("--yes-all", metavar="WORD", help='Confirms --all: the profile\'s name, or "halt N" for N agents.')
@click.option("--level", type=click.Choice(tuple(LEVELS)), help="How much is stopped; everything where none is named.")
@common
def halt(session: Session, agents: tuple[str, ...], everybody: bool, yes_all: str | None, level: str | None) -> int:
    """Halt several agents."""
    if bool(agents) == everybody:
        raise UsageError("Name the agents, or say --all.", "`agent-console fleet` lists them.")
    settings = session.settings()
    if not settings.url:
        raise UsageError("fleet halt takes a store that is named.", "--url or --profile names it.")
    return asyncio.run(_halt(session, settings, tuple(dict.fromkeys(agents)), yes_all, level))


async def _halt(
    session: Session, settings: Settings, agents: tuple[str, ...], yes_all: str | None, level: str | None
) -> int:
    from console.cli.runtime import context_for, primary, store_url
    from console.commands.context import Context
    from console.commands.fleet.scoped import ScopedOperator
    from console.store.server.cluster import roaming

    url = store_url(settings, starts=False)
    client = roaming(await primary(url, name="agent-console-fleet"))
    try:

        async def open_context(agent: str) -> Context:
            return context_for(settings, agent, client, url)

        found, unseen = (agents, []) if agents else await _everybody(client)
        scope = tuple(found)
        if not scope:
            raise Refused("No agent was found in this store; nothing was halted.", "; ".join(unseen))
        operator = ScopedOperator(scope, open_context)
        args = {"level": level} if level else {}
        preview = await operator.preview("halt", args)
        if agents:
            _confirm(session, preview)
        else:
            _confirm_all(session, settings, len(scope), yes_all)
        return await _carry_out(session, operator, args, unseen)
    finally:
        await client.aclose()


async def _everybody(client: Redis) -> tuple[Sequence[str], Sequence[str]]:
    """Every agent that was found, and what was not looked through: whoever is there is not known."""
    from console.store.reading.discovery import Discovery
    from console.store.server.cluster import unscanned

    search = Discovery(client, keeps=True)
    await search.seek(SEARCH_S)
    left = [f"{node} does not answer" for node in unscanned(client)]
    if not search.passes:
        share = search.progress.looked / max(1, search.progress.keys)
        left.append(f"{share * 100:.0f} % of the keys were searched for agents that no index names")
    return sorted(search.agents), left


def _confirm(session: Session, preview: Any) -> None:
    if not session.yes:
        from console.cli.operate import confirm

        confirm(preview, "fleet halt")


def _confirm_all(session: Session, settings: Settings, count: int, word: str | None) -> None:
    """It takes a word: a `--yes` that was typed for another verb halts nobody here.

    Raises:
        UsageError: there is no terminal to type it on.
        Refused: it is another word.
    """
    wanted = f"halt {count}"
    if word is None:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageError(f"Halting all of {count:,} agents takes a word.", f'Say --yes-all "{wanted}".')
        word = click.prompt(f"Halt all of {count:,} agents? Type {wanted!r}", err=True, default="", show_default=False)
    if word not in {wanted, settings.profile} - {""}:
        raise Refused(f"That is not the word; nothing was halted. There are {count:,} agents.", f"It is: {wanted}")


async def _carry_out(
    session: Session, operator: ScopedOperator, args: dict[str, str], unseen: Sequence[str] = ()
) -> int:
    refused = ""
    try:
        await operator.execute("halt", args, reason=session.reason)
    except Refused as error:
        if not operator.results:
            raise
        refused = error.message
    rows = [HaltedAgent(agent, done, text) for agent, text, done in operator.lines]
    failed = [row for row in rows if not row.done]
    if session.as_csv:
        from console.cli.report import echo_csv

        echo_csv([row.document() for row in rows])
    elif session.as_json:
        click.echo(json.dumps([row.document() for row in rows], ensure_ascii=False))
    else:
        for row in rows:
            click.echo(f"{'✔' if row.done else '✖'} {row.agent}  {row.text}")
        click.echo(refused or f"{len(rows) - len(failed):,} of {len(rows):,} agents halted.", err=True)
    for what in unseen:
        click.echo(f"✖ {what}: whoever else is there was not looked for, and is not halted", err=True)
    return EXIT_NO if failed or unseen else EXIT_DONE


async def read_fleet(settings: Settings) -> FleetReading:
    """Every agent, found and read once.

    Raises:
        StoreUnreachable: it does not answer.
    """
    from console.cli.runtime import store_url
    from console.live.roll import read_whole
    from console.store.server.connect import READ_RETRIES, connect

    url = store_url(settings, starts=False)
    client = await connect(url, name="agent-console-fleet", retries=READ_RETRIES, timeout_s=LONG_S)
    try:
        return await read_whole(client, keeps=not settings.read_only)
    finally:
        await client.aclose()


async def _watch(session: Session, settings: Settings) -> int:
    while True:
        reading = await read_fleet(settings)
        if sys.stdout.isatty() and not session.as_data:
            click.clear()
        _show(session, reading)
        await asyncio.sleep(WATCH_EVERY_S)


def _show(session: Session, reading: FleetReading) -> int:
    from console.views.fleet.report import FleetDocument, fleet_text, is_well

    report = FleetDocument.of(reading)
    if session.as_csv:
        from console.cli.report import echo_csv

        echo_csv([line.document() for line in report.agents])
    elif session.as_json:
        click.echo(json.dumps(report.document(), ensure_ascii=False))
    else:
        for line in fleet_text(reading):
            click.echo(line)
        for note in report.notes:
            click.echo(note, err=True)
    return EXIT_DONE if is_well(reading) else EXIT_NO
