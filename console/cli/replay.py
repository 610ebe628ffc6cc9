"""`agent-console replay`: the same screens over what was recorded."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import datetime
from pathlib import Path

import click

from console.cli.attach import FRAMES_A_SECOND, own_themes, require_terminal, ui_settings
from console.cli.log_options import log_options
from console.cli.options import Session, common
from console.config import Settings
from console.domain.errors import EXIT_DONE
from console.domain.operator.moment import parse_moment
from console.recording.opening import Opened, timeline_of


@click.command("replay", help="The same screens over a recording or decision logs: play, pause, step, seek.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--at", metavar="TIME", help="Where to begin (14:03, 15m before its end, ISO 8601).")
@click.option("--until", metavar="TIME", help="With --cast: where to end.")
@click.option("--speed", metavar="N", type=click.FloatRange(1, 100), default=1.0, show_default=True, help="How fast.")
@click.option("--cast", metavar="FILE", help="Write the stretch as an asciicast, without a terminal.")
@click.option("--screen", metavar="NAME", default="overview", show_default=True, help="With --cast: which screen.")
@click.option("--size", metavar="WxH", default="120x36", show_default=True, help="With --cast: columns and lines.")
@common
def replay(
    session: Session,
    files: tuple[str, ...],
    at: str | None,
    until: str | None,
    speed: float,
    cast: str | None,
    screen: str,
    size: str,
) -> int:
    """The same screens over what was recorded."""
    if cast is None:
        require_terminal("--cast FILE writes a stretch of it without one.")
    settings = session.settings()
    opened = timeline_of([Path(name).expanduser() for name in files], log_options(settings))
    first, last = opened.timeline.bounds()
    begin = first if at is None else min(max(parse_moment(at, last), first), last)
    if cast is not None:
        from console.cli.casting import write_cast

        end = last if until is None else min(max(parse_moment(until, last), begin), last)
        return write_cast(settings, opened, (begin, end), speed, Path(cast).expanduser(), screen, size)
    sys.exit(_play(settings, opened, begin, speed))


def _play(settings: Settings, opened: Opened, begin: datetime, speed: float) -> int:
    os.environ.setdefault("TEXTUAL_FPS", FRAMES_A_SECOND)  # read when Textual is imported
    from console.app import ConsoleApp
    from console.commands.catalogue import commands
    from console.picture import LookingOnly
    from console.recording.player import Player

    for line in opened.missing:
        click.echo(f"▲ {line}", err=True)

    async def main() -> int:
        player = Player(opened.timeline, at=begin, speed=speed, missing=opened.missing, hz=settings.ui.hz)
        operator = LookingOnly([command.info for command in commands()], "this is a replay")
        look = ui_settings(settings)
        app = ConsoleApp(player, operator, look, clock=lambda: player.moment, themes=own_themes(), boards=player.boards)
        code = await app.run_async(mouse=settings.ui.mouse)
        return code if isinstance(code, int) else app.return_code or EXIT_DONE

    return asyncio.run(main())
