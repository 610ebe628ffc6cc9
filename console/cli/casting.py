"""`agent-console replay FILE --cast FILE`: a stretch of a replay as an asciicast."""

from __future__ import annotations

import asyncio
import os
import re
from datetime import datetime
from pathlib import Path

import click

from console.cli.attach import own_themes, ui_settings
from console.commands.catalogue import commands
from console.config import Settings
from console.domain.errors import EXIT_DONE, ConsoleError, Refused, UsageError
from console.domain.text import clean
from console.recording.opening import Opened
from console.store.files.private import write_private

_SIZE = re.compile(r"([0-9]{2,3})x([0-9]{2,3})\Z")


def write_cast(
    settings: Settings,
    opened: Opened,
    stretch: tuple[datetime, datetime],
    speed: float,
    target: Path,
    screen: str,
    size: str,
) -> int:
    """Write it.

    Args:
        settings: how it looks.
        opened: what is replayed.
        stretch: from when until when.
        speed: seconds that pass a second.
        target: where to.
        screen, size: as on the command line.

    Raises:
        Refused: something is there already.
        UsageError: there is no such screen or size.
        ConsoleError: it can't be read, or written.
    """
    match = _SIZE.match(size)
    if match is None:
        raise UsageError(f"--size {clean(size, 20)!r} is not of the form 120x36.")
    if os.path.lexists(target):
        raise Refused(f"{clean(target)} is there already, and nothing was written.", "Name another file.")

    async def lines() -> list[str]:
        from console.cast import cast

        begin, end = stretch
        made = cast(
            opened.timeline,
            begin,
            end,
            speed=speed,
            screen=screen,
            size=(int(match[1]), int(match[2])),
            settings=ui_settings(settings),
            catalogue=[command.info for command in commands()],
            themes=own_themes(),
            missing=opened.missing,
        )
        return [line async for line in made]

    written = asyncio.run(lines())
    try:
        write_private(target, "".join(f"{line}\n" for line in written).encode())
    except OSError as error:
        raise ConsoleError(f"{clean(target)} can't be written: {error.strerror or error}.") from error
    click.echo(f"{clean(target)}  {len(written) - 1} events", err=True)
    return EXIT_DONE
