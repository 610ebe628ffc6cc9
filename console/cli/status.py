"""`agent-console status`: who is active, is it healthy, what is it worth."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys

import click

from console.cli.counted import count_logs
from console.cli.first_run import first_run
from console.cli.options import Session, common
from console.cli.runtime import connected, read_divergences, read_logs, store_url
from console.commands.clock import utc_now
from console.config import Settings
from console.domain.errors import EXIT_DONE, EXIT_NO, UsageError
from console.domain.operator.moment import parse_moment
from console.domain.seen.observation import Link, LinkState, Observation
from console.domain.text import Safe, clean, redact_url
from console.views.fence.slots import never_switched
from console.views.health import health_view, is_healthy

WATCH_EVERY_S = 1.0


@click.command("status", help="Who is active, is it healthy, what is it worth. Exit code 1 when something is wrong.")
@click.option("--repair", is_flag=True, help="First finish what somebody left half done: a drain, an ended lease.")
@click.option("--watch", is_flag=True, help="Again every second, until interrupted.")
@click.option("--at", metavar="WHEN", help="As it was: how long ago (90s, 15m, 24h), 14:03, or a time.")
@common
def status(session: Session, watch: bool, repair: bool, at: str | None) -> int:
    """Who is active, is it healthy, what is it worth."""
    settings = session.settings()
    if at is not None and (watch or repair):
        raise UsageError("--at shows what is over: it can't be watched or mended.", "Leave one of them out.")
    if repair:
        asyncio.run(_repair(settings))
    if watch:
        return asyncio.run(_watch(session, settings))
    observation = asyncio.run(observe(settings, at))
    _show(session, observation)
    if never_switched(observation):
        for line in first_run(settings):
            click.echo(line, err=True)
    return EXIT_DONE if is_healthy(health_view(observation)) else EXIT_NO


async def _repair(settings: Settings) -> None:
    """The housekeeping that whoever looks next does.

    Raises:
        ReadOnly, StoreUnreachable: as named.
    """
    async with connected(settings) as ctx:
        await ctx.gateway.fences.tend()


async def observe(settings: Settings, at: str | None = None) -> Observation:
    """One observation, complete.

    Args:
        settings: of this call.
        at: the moment that it is of, as an operator writes it; None for now.

    Raises:
        UsageError: that is no moment.
        Refused: nothing is known of that moment.
        StoreUnreachable: the store does not answer.
    """
    if at is not None:
        from console.cli.past import observe_at

        return await observe_at(settings, store_url(settings, starts=False), parse_moment(at, utc_now()))
    async with connected(settings, starts=False) as ctx:
        reading = await ctx.read()
        url = ctx.gateway.url
    return Observation(
        agent=clean(settings.agent, 64),
        now=utc_now(),
        link=Link(LinkState.LIVE, redact_url(url), reading.latency_ms),
        store=reading,
        logs=count_logs(settings, read_logs(settings), reading),
        read_only=settings.read_only or reading.barred,
        profile=clean(settings.profile, 40) if settings.profile else Safe(""),
        protected=settings.protected,
        locked=settings.locked,
        divergences=read_divergences(settings),
    )


async def _watch(session: Session, settings: Settings) -> int:
    while True:
        observation = await observe(settings)
        if sys.stdout.isatty() and not session.as_json:
            click.clear()
        _show(session, observation)
        await asyncio.sleep(WATCH_EVERY_S)


def _show(session: Session, observation: Observation) -> None:
    if session.as_json:
        from console.views.status.report import status_report

        click.echo(json.dumps(status_report(observation).document(), ensure_ascii=False))
        return
    from console.views.status.text import status_text

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in status_text(observation, width):
        click.echo(line)
