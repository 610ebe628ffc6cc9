"""One look at the venue that a verb was pointed to, beside local books."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from console.commands.base import Call
from console.commands.context import Context
from console.domain.errors import UsageError
from console.domain.text import clean
from console.domain.venue.books import Books

if TYPE_CHECKING:
    from console.venue.prober import Prober
    from console.venue.setup import Venue


@asynccontextmanager
async def prober(ctx: Context, call: Call) -> AsyncIterator[Prober]:
    """Something to ask the venue with.

    Raises:
        UsageError: no document is named, or the one that is can't be gone by.
    """
    from console.venue.prober import Prober
    from console.venue.setup import load

    given = call.args.get("file", "")
    path = Path(given).expanduser() if given else ctx.venue
    if path is None:
        raise UsageError(
            "No venue is named.",
            "--venue FILE names its document, or `venue` in the configuration; see docs/venues.md.",
        )
    asked = Prober(load(Path(str(path).replace("{agent}", ctx.agent))), ctx.agent)
    try:
        yield asked
    finally:
        await asked.aclose()


def local_books(ctx: Context, venue: Venue) -> Books | None:
    """The agent's state file, or else the newest whole snapshot that holds one; None where there is neither.

    Raises:
        ConsoleError: there is one, and it can't be read.
    """
    from console.store.files import snapshots
    from console.venue.books import books_of, read_books

    places = venue.document.books
    if ctx.state_file is not None:
        return read_books(ctx.state_file, places)
    for stored in snapshots.newest_first(ctx.snapshots):
        taken = stored.snapshot
        if taken is not None and taken.state_file is not None:
            source = clean(f"snapshot {stored.id}", 120)
            return books_of(taken.state_file.text.encode(), places, taken.taken_at, source)
    return None
