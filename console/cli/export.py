"""`agent-console export`: what the operator would see, without a terminal."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import click

from console.cli.options import Session, common
from console.cli.runtime import connected
from console.cli.status import observe
from console.commands.catalogue import declarations
from console.config import Settings
from console.domain.board.boards import Board, Seen
from console.domain.errors import EXIT_DONE, ConsoleError, Refused, UsageError
from console.domain.fleet.board import FleetSeen
from console.screens.frame.names import SCREENS as NAMES
from console.store.files.private import write_private

_SIZE = re.compile(r"([0-9]{2,4})x([0-9]{2,4})\Z")
FORMATS = ("svg", "png", "html", "txt", "json", "csv")
SCREENS = tuple(info.name for info in NAMES)


@click.command("export", help="Draw a screen to a file or to stdout, without a terminal.")
@click.option("--screen", type=click.Choice(SCREENS), default="overview", show_default=True, help="Which screen.")
@click.option("--size", metavar="WxH", default="160x48", show_default=True, help="Columns and lines.")
@click.option("--format", "kind", type=click.Choice(FORMATS), default="svg", show_default=True, help="What is written.")
@click.option("--output", "-o", metavar="FILE", default="-", show_default=True, help="Where to; - is stdout.")
@click.option("--at", metavar="WHEN", help="As it was: how long ago (90s, 15m, 24h), 14:03, or a time.")
@click.option("--force", is_flag=True, help="Write over a file that is there already.")
@common
def export(session: Session, screen: str, size: str, kind: str, output: str, at: str | None, force: bool) -> int:
    """Draw a screen to a file or to stdout, without a terminal."""
    match = _SIZE.match(size)
    if match is None:
        raise UsageError(f"--size {size!r} is not of the form 160x48.")
    width, height = int(match[1]), int(match[2])
    if not (40 <= width <= 500 and 10 <= height <= 200):
        raise UsageError(f"--size {size} is out of range.", "Columns 40 to 500, lines 10 to 200.")
    target = Path(output).expanduser()
    if output != "-" and os.path.lexists(target) and not (force and target.is_file()):
        hint = "--force writes over it." if target.is_file() else "-o - writes to stdout."
        raise Refused(f"{output} is there already, and nothing was written.", hint)
    data = asyncio.run(_draw(session, screen, (width, height), kind, at))
    if output == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return EXIT_DONE
    try:
        write_private(target, data, mode=0o644)
    except OSError as error:
        raise ConsoleError(f"{output} can't be written: {error.strerror}.") from error
    click.echo(f"{output}  {len(data)} bytes", err=True)
    return EXIT_DONE


async def _draw(session: Session, screen: str, size: tuple[int, int], kind: str, at: str | None) -> bytes:
    settings = session.settings()
    observation = await observe(settings, at)
    seen = Seen() if at is not None else await _board(settings, screen)
    fleet = await _fleet(settings) if screen == "fleet" and at is None else FleetSeen()
    if kind == "json":
        from console.picture import as_json

        return as_json(observation, screen, seen, fleet)
    if kind == "csv":
        from console.cli.report import csv_text
        from console.views.screen_rows import screen_rows

        return csv_text(screen_rows(observation, screen, seen)).encode()
    from console.cli.attach import own_themes, ui_settings
    from console.picture import export as draw

    look = ui_settings(settings)
    return await draw(
        observation,
        screen=screen,
        size=size,
        format=kind,
        settings=look,
        catalogue=declarations(),
        themes=own_themes(),
        seen=seen,
        fleet=fleet,
    )


async def _fleet(settings: Settings) -> FleetSeen:
    """What screen 0 shows, read once.

    Raises:
        StoreUnreachable: the store does not answer.
    """
    from console.cli.fleet import read_fleet

    return FleetSeen(await read_fleet(settings))


async def _board(settings: Settings, screen: str) -> Seen:
    """What the screens 6 and 7 show beside the observation, read once.

    Raises:
        StoreUnreachable: the store does not answer.
    """
    if screen not in set(Board):
        return Seen()
    async with connected(settings, starts=False) as ctx:
        if screen == Board.CHECKS:
            from console.live.checks import read_checks

            return Seen(checks=(await read_checks(ctx, None, None, outside=True)).checks)
        from console.live.held import Before, read_held

        held, _before = await read_held(ctx, Before(), outside=True)
        return Seen(held=held)
