"""`guard`: the headless watchdog, what it says of itself, its thresholds and its alerts."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from console.cli.options import Session, common
from console.cli.report import show
from console.domain.errors import EXIT_DONE, EXIT_INTERRUPTED, EXIT_NO
from console.domain.text import clean

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.cli.metrics import Place
    from console.commands.context import Context
    from console.config import Settings
    from console.domain.guard.alerts import Alert
    from console.guard.keep.state import GuardState
    from console.guard.run.fleet import Fleet
    from console.guard.run.process import Guard
    from console.guard.setup.options import Attends, GuardOptions
    from console.guard.telling import Log

R = TypeVar("R")


def guard_options(session: Session, file: str | None, name: str) -> GuardOptions:
    """What the command line and the configuration say."""
    from console import paths
    from console.cli.log_options import rule_options
    from console.cli.runtime import store_url
    from console.guard.setup import file as guard_file
    from console.guard.setup.options import LAST_LINES, GuardOptions

    settings = session.settings()
    default = paths.config_dir() / "guard.toml"
    path = Path(file).expanduser() if file else (default if default.exists() else None)
    return GuardOptions(
        url=store_url(settings),
        agent=settings.agent,
        decisions=settings.decisions,
        logs=rule_options(settings, last_lines=LAST_LINES),
        file=guard_file.load(path),
        name=name,
        state_file=Path(settings.state_file).expanduser() if settings.state_file else None,
        venue=Path(settings.venue).expanduser() if settings.venue else None,
        attendant_of=partial(attendant, settings),
        promise=settings.promise,
    )


def attendant(settings: Settings, agent: str, client: Redis, by: str) -> Attends:
    """What asks the gates for a canary of an agent, by the settings that an operator's verbs have.

    Args:
        settings: of the guard; `{agent}` in its files' names stands for the agent's.
        agent: whose canary.
        client: the guard's own.
        by: the guard, as it signs.
    """
    from console.cli.runtime import context_for, store_url
    from console.commands.canary.attend import Attendant

    return Attendant(context_for(settings, agent, client, store_url(settings)), by)


def check_venue(options: GuardOptions) -> None:
    """Refuse to start with a venue's document that can't be gone by.

    Raises:
        UsageError: it can't.
    """
    path = options.venue_of(options.agent)
    if path is not None:
        from console.venue.setup import load

        load(path)


def require_writable(session: Session, what: str) -> None:
    """Refuse on a console that may only look.

    Raises:
        ReadOnly: it is one.
    """
    if session.settings().read_only:
        from console.domain.errors import ReadOnly

        raise ReadOnly(f"This console is read-only; {what} was not carried out.", "Start without --read-only.")


@click.group(
    "guard",
    invoke_without_command=True,
    help="Watch the seven triggers and roll back by itself, without a terminal; any number may run.",
)
@click.option("--triggers", "file", metavar="FILE", help="Thresholds, arming, signals and webhooks, as TOML.")
@click.option("--all", "fleet", is_flag=True, help="Every agent of the store, shared out with the other guards.")
@click.option(
    "--once",
    is_flag=True,
    help="Look once, act if it is due, and end: for cron. Exit code 1 if it acted, or could not judge an agent.",
)
@click.option("--name", default="", metavar="NAME", help="This guard's name; made up if none is given.")
@click.option("--metrics", metavar="HOST:PORT", help="Serve metrics for Prometheus there, like 127.0.0.1:9464.")
@click.option(
    "--metrics-token-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Holds what a scraper has to show (Bearer); needed where others than this machine reach them.",
)
@click.option(
    "--metrics-agents",
    metavar="N",
    default=1_000,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help="Agents with metrics of their own; of more, those in trouble come first.",
)
@click.option(
    "--log-format",
    type=click.Choice(["json", "journald"]),
    default="json",
    show_default=True,
    help="A JSON object a line; for journald with its priority before it.",
)
@common
def guard(
    session: Session,
    file: str | None,
    fleet: bool,
    once: bool,
    name: str,
    metrics: str | None,
    metrics_token_file: Path | None,
    metrics_agents: int,
    log_format: str,
) -> int:
    """Run until SIGTERM, unless a verb of the group was named."""
    if click.get_current_context().invoked_subcommand is not None:
        return EXIT_DONE
    require_writable(session, "guard")
    options = guard_options(session, file, name)
    if fleet:
        require_names(options)  # each agent's venue is looked at when it is watched
    else:
        check_venue(options)
    if once:  # a dead man's switch that is armed by a look that ends is a switch that falls
        options = replace(options, venue=None)
    from console.cli.metrics import listen
    from console.guard.run.process import guard_name
    from console.guard.telling import Format, Log

    place = listen(metrics, metrics_token_file, metrics_agents, once=once)
    log = Log(guard_name(options), Format(log_format))
    return asyncio.run(_run(replace(options, name=log.guard), log, place, fleet=fleet, once=once))


def require_names(options: GuardOptions) -> None:
    """Refuse files of which a guard on many agents can't tell whose they are; the default log is the default agent's.

    Raises:
        UsageError: there is one.
    """
    from console import paths
    from console.domain.errors import UsageError
    from console.domain.text import clean
    from console.guard.setup.options import AGENT

    given = [*options.decisions, *(str(path) for path in (options.state_file, options.venue) if path)]
    for pattern in given:
        if AGENT not in pattern and pattern != str(paths.DEFAULT_DECISION_LOG):
            raise UsageError(
                f"Of many agents, {clean(pattern, 120)} could be anybody's.",
                f"Write {AGENT} where an agent's name stands, like /var/log/{AGENT}/*.jsonl.",
            )


async def _run(options: GuardOptions, log: Log, place: Place | None, *, fleet: bool, once: bool) -> int:
    from console.cli.runtime import refuse_what_is_no_primary
    from console.guard.loops import end
    from console.guard.run.fleet import Fleet
    from console.guard.run.process import Guard

    await refuse_what_is_no_primary(options.url)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    watcher: Fleet | Guard = Fleet(options, log) if fleet else Guard(options, log)
    try:
        work = asyncio.create_task(_work(watcher, stop, log, place, once=once))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([work, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not (work.done() or watcher.running):
            await end([work])  # told to stop while it was still reading, or in the middle of a look
            return EXIT_DONE if not once else EXIT_INTERRUPTED
        return EXIT_NO if await work else EXIT_DONE
    finally:
        await end([stopping])
        await watcher.aclose()


async def _work(watcher: Fleet | Guard, stop: asyncio.Event, log: Log, place: Place | None, *, once: bool) -> bool:
    async with AsyncExitStack() as stack:
        if place is not None:
            from console.cli.metrics import served

            await stack.enter_async_context(served(place, watcher, log))
        await watcher.open()
        if once:
            return bool(await watcher.once())
        await watcher.run(stop)
        return False


@guard.command("status", help="Every guard and its age, what it sees, and open alerts; exit code 1 when none runs.")
@click.option("--all", "fleet", is_flag=True, help="Of all agents: guards, who is watched by fewer than two, alerts.")
@common
def status(session: Session, fleet: bool) -> int:
    """Show guards, triggers and open alerts."""
    if fleet:
        from console.guard.report.fleet import fleet_report

        return show(
            session, asyncio.run(with_state(session, lambda _state, client: fleet_report(client), starts=False))
        )
    from console.guard.report.agent import report

    return show(session, asyncio.run(with_state(session, report, starts=False)))


@guard.command("set", help="Change this agent's thresholds or arming: pnl.sigmas=4, latency.arming=dry; NAME= removes.")
@click.argument("values", nargs=-1, required=True, metavar="NAME=VALUE...")
@common
def set_(session: Session, values: tuple[str, ...]) -> int:
    """Write them to the store; guards take them within a second."""
    from console.cli.operate import show_receipt
    from console.cli.runtime import run_with
    from console.commands.gateway.door import Order
    from console.commands.guard.set import GuardSet, pair_of

    pairs = [pair_of(value) for value in values]
    receipt = run_with(
        session.settings(),
        lambda ctx: ctx.gateway.guards.set_thresholds(pairs, Order(GuardSet.info.name, session.reason)),
    )
    return show_receipt(session, receipt)


@guard.command("ack", help="Say that you have seen alerts: by id, or all open ones.")
@click.argument("ids", nargs=-1, metavar="[ID...]")
@common
def ack(session: Session, ids: tuple[str, ...]) -> int:
    """Acknowledge, with who and when; exit code 1 where none of those named was open."""
    from console.cli.runtime import run_with
    from console.commands.gateway.door import Order
    from console.commands.guard.ack import GuardAck, already

    async def work(ctx: Context) -> tuple[list[Alert], list[str]]:
        wanted = list(ids) or [alert.id for alert in await ctx.gateway.guards.alerts() if alert.open]
        _receipt, seen = await ctx.gateway.guards.acknowledge(wanted, Order(GuardAck.info.name, session.reason))
        late = [one for one in wanted if one not in {alert.id for alert in seen}]
        every = await ctx.gateway.guards.alerts() if late else ()
        return seen, [f"{clean(one, 40)}: {already(every, [one])}" for one in late]

    seen, late = run_with(session.settings(), work, starts=False)
    for line in late:
        click.echo(line, err=True)
    if session.as_json:
        click.echo(json.dumps([alert.document() for alert in seen], ensure_ascii=False))
    else:
        for one in seen:
            click.echo(f"{one.id}  {one.kind.value}: {one.reason}")
        click.echo(f"{len(seen)} acknowledged.")
    return EXIT_DONE if seen or not ids else EXIT_NO


async def with_state(session: Session, work: Callable[[GuardState, Redis], Awaitable[R]], *, starts: bool = True) -> R:
    """Do something with an agent's keys, as guards use them, on a connection of its own.

    Args:
        session: of this call.
        work: what is done.
        starts: whether the embedded server may be started for it.
    """
    from console.cli.runtime import primary, store_url
    from console.guard.keep.state import GuardState
    from console.store.server.cluster import keys_on

    settings = session.settings()
    client = await primary(store_url(settings, starts=starts), name="agent-console")
    try:
        return await work(GuardState(client, keys_on(client, settings.agent)), client)
    finally:
        await client.aclose()
